"""Critical points: every one of a function's, once, with the right kind."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch

from thalweg.analysis.critical_points import MOST_POINTS, CriticalPoint, Kind, Search, critical_points
from thalweg.errors import LimitExceeded
from thalweg.functions import catalogue
from thalweg.functions.base import function
from thalweg.functions.minima import first
from thalweg.settings import Limits

Evaluate = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def search(**fields: object) -> Search:
    return Search.model_validate({"function": "himmelblau", **fields})


@pytest.fixture
def of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Evaluate], list[CriticalPoint]]:
    """Return the critical points of a function outside the catalogue, in the square from -2 to 2."""

    def found(evaluate: Evaluate) -> list[CriticalPoint]:
        def only_here(points: torch.Tensor) -> torch.Tensor:
            return evaluate(*points.unbind(-1))

        square = ((-2.0, 2.0), (-2.0, 2.0))
        entry = function(title="", dim=2, domain=square, minima=(), formula="", source="")(only_here)
        monkeypatch.setitem(catalogue._BY_NAME, entry.name, entry)  # noqa: SLF001 - for this test alone
        return critical_points(search(function=entry.name))

    return found


def test_himmelblau_has_four_minima_four_saddles_and_a_maximum() -> None:
    found = critical_points(search())
    assert Counter(point.kind for point in found) == {Kind.minimum: 4, Kind.saddle: 4, Kind.maximum: 1}
    known = [minimum.x for minimum in first(catalogue.get("himmelblau").at().minima, 4)]
    for minimum in found[:4]:
        assert min(math.dist(minimum.x, x) for x in known) < 1e-14
    assert found[-1].x == pytest.approx((-0.27084459, -0.92303856), abs=1e-8)
    assert found[-1].f == pytest.approx(181.61652, abs=1e-5)
    assert [point.f for point in found] == sorted(point.f for point in found)
    assert all(point.isolated for point in found)


def test_the_gradient_vanishes_and_the_eigenvalues_are_the_hessians() -> None:
    objective = catalogue.get("six_hump_camel").at()
    found = critical_points(search(function="six_hump_camel"))
    assert Counter(point.kind for point in found) == {Kind.minimum: 6, Kind.saddle: 7, Kind.maximum: 2}
    for point in found:
        x = torch.tensor(point.x, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(objective(x), x)
        assert gradient.abs().max() < 1e-11
        hessian = torch.autograd.functional.hessian(objective, x)  # type: ignore[no-untyped-call]
        np.testing.assert_allclose(point.eigenvalues, torch.linalg.eigvalsh(hessian), rtol=1e-9)


def test_a_box_leaves_out_what_is_beyond_it() -> None:
    found = critical_points(search(low=[0, 0], high=[6, 6]))
    assert [point.kind for point in found] == [Kind.minimum, Kind.saddle, Kind.saddle]
    assert found[0].x == (3.0, 2.0)
    edge = critical_points(search(low=[3, 2], high=[4, 4]))
    assert [point.x for point in edge] == [(3.0, 2.0)]
    assert critical_points(search(low=[5, 5], high=[6, 6])) == []


def test_many_and_too_many() -> None:
    found = critical_points(search(function="rastrigin"))
    assert Counter(point.kind for point in found) == {Kind.minimum: 121, Kind.saddle: 220, Kind.maximum: 100}
    with pytest.raises(LimitExceeded, match=str(MOST_POINTS)):
        critical_points(search(function="ackley"))
    with pytest.raises(LimitExceeded, match="max_request_values"):
        search().check_limits(Limits(max_request_values=1000))


def test_a_singular_hessian_is_degenerate(of: Callable[[Evaluate], list[CriticalPoint]]) -> None:
    (quartic,) = of(lambda x, y: x**2 + (y - 0.3) ** 2 * (y - 0.3) ** 2)
    assert quartic.kind == Kind.degenerate
    assert quartic.isolated
    assert quartic.x == pytest.approx((0, 0.3), abs=1e-6)
    (monkey_saddle,) = of(lambda x, y: x**3 - 3 * x * y**2)
    assert monkey_saddle.kind == Kind.degenerate
    assert monkey_saddle.x == pytest.approx((0, 0), abs=1e-6)


def test_some_points_stand_for_a_curve_of_minima(of: Callable[[Evaluate], list[CriticalPoint]]) -> None:
    ring = of(lambda x, y: (x**2 + y**2 - 1) ** 2)
    assert ring[-1].kind == Kind.maximum
    assert ring[-1].x == pytest.approx((0, 0), abs=1e-12)
    assert len(ring) > 50
    for point in ring[:-1]:
        assert not point.isolated
        assert math.hypot(*point.x) == pytest.approx(1, abs=1e-9)
    valley = of(lambda x, _: x**2)
    assert {point.isolated for point in valley} == {False}


def test_plateaus_and_slopes_have_none(of: Callable[[Evaluate], list[CriticalPoint]]) -> None:
    assert of(lambda x, y: x + 2 * y) == []
    assert of(lambda x, y: torch.floor(x + y)) == []
    assert of(lambda x, y: torch.exp(x) + 1e-9 * y) == []
    assert of(lambda x, y: torch.abs(x) + torch.abs(y)) == []
    assert of(lambda x, y: torch.log(x - 5) + y) == []


def test_a_start_right_at_a_flat_point_is_no_plateau() -> None:
    # an odd number of starts puts one where gradient and Hessian are 0; the others approach it
    flat = {"function": {"expression": "x**4 + y**4", "variables": ["x", "y"]}, "low": (-1, -1), "high": (1, 1)}
    (point,) = critical_points(Search.model_validate({**flat, "starts": 3}))
    assert point.isolated
    np.testing.assert_allclose(point.x, 0, atol=1e-8)


def test_plateaus_beside_a_minimum() -> None:
    basin = {"expression": "where(x > 0, (x - 1)**2 + y**2, 3 + 0*x)", "variables": ["x", "y"]}
    box = {"low": (-2, -2), "high": (2, 2), "starts": 20}
    (point,) = critical_points(Search.model_validate({"function": basin, **box}))
    assert (point.kind, point.x) == (Kind.minimum, (1.0, 0.0))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"function": {"name": "sphere", "dim": 3}}, "dimension 3"),
        ({"low": [0, 0]}, "come together"),
        ({"low": [0, 0], "high": [0, 1]}, "empty"),
        ({"low": [0, 0], "high": [-1, 1]}, "reversed"),
        ({"low": [0], "high": [1]}, "dimension 2, not 1"),
        ({"starts": 1}, "greater than or equal to 2"),
        ({"starts": True}, "valid integer"),
    ],
)
def test_what_cannot_be_searched(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        search(**fields)
