"""Particulars of single functions of two coordinates, beyond the sweep over all functions."""

import math
from typing import Any

import pytest
import torch

from tests.unit.formulas import FORMULAS
from tests.unit.test_functions import both_dtypes, exact, exact_gradient, value_and_gradient
from thalweg.functions.catalogue import get
from thalweg.functions.minima import first


def hessian(name: str, *x: float) -> torch.Tensor:
    found: torch.Tensor = torch.autograd.functional.hessian(get(name).at(), torch.tensor(x, dtype=torch.float64))  # type: ignore[no-untyped-call]
    return found


def shubert_sum(t: float) -> float:
    return math.fsum(i * math.cos((i + 1) * t + i) for i in range(1, 6))


def langermann_rest() -> float:
    """Return the other waves at the center (7, 9), where their cosines are 1 or -1."""
    waves = ((1, 32), (-2, 53), (-5, 89), (-2, 61))
    return math.fsum(height * math.exp(-square / math.pi) for height, square in waves)


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        ("bukin_n6", (-10.0, 0.0), 100.0),
        ("bukin_n6", (-5.0, 0.5), 50.05),
        ("levy_n13", (0.0, 0.0), 2.0),
        ("levy_n13", (2.0, 1.5), 1 + 1 + 0.25),
        ("easom", (0.0, 0.0), -math.exp(-2 * math.pi**2)),
        ("easom", (math.pi, 2 * math.pi), math.exp(-(math.pi**2))),
        ("cross_in_tray", (0.0, 0.0), -0.0001),
        ("cross_in_tray", (0.0, 7.0), -0.0001),
        ("eggholder", (0.0, 0.0), -47 * math.sin(math.sqrt(47))),
        ("eggholder", (100.0, 53.0), -100 * math.sin(math.sqrt(150))),
        ("holder_table", (0.0, 3.0), 0.0),
        ("holder_table", (math.pi / 2, 0.0), -math.exp(0.5)),
        ("mccormick", (0.0, 0.0), 1.0),
        ("mccormick", (1.0, -1.0), 4 - 4 + 1),
        ("schaffer_n1", (3.0, 4.0), 0.5 + (math.sin(625) ** 2 - 0.5) / 1.025**2),
        ("schaffer_n1_scipy", (3.0, 4.0), 0.5 + (math.sin(25) ** 2 - 0.5) / 1.025**2),
        ("schaffer_n2", (3.0, 4.0), 0.5 + (math.sin(7) ** 2 - 0.5) / 1.025**2),
        ("schaffer_n3", (3.0, 4.0), 0.5 + (math.sin(math.cos(7)) ** 2 - 0.5) / 1.025**2),
        ("schaffer_n4", (3.0, 4.0), 0.5 + (math.cos(math.sin(7)) ** 2 - 0.5) / 1.025**2),
        ("branin", (0.0, 0.0), 36 + 10 * (1 - 1 / (8 * math.pi)) + 10),
        ("branin", (math.pi, 0.0), 2.275**2 + 10 / (8 * math.pi)),
        ("drop_wave", (3.0, 4.0), -(1 + math.cos(60)) / 14.5),
        ("bohachevsky_n1", (1.0, 1.0), 1 + 2 + 0.3 - 0.4 + 0.7),
        ("bohachevsky_n2", (1.0, 1.0), 1 + 2 + 0.3 + 0.3),
        ("bohachevsky_n3", (1.0, 1.0), 1 + 2 + 0.3 + 0.3),
        ("bohachevsky_n3", (0.5, 0.125), 0.25 + 0.03125 - 0.3 + 0.3),
        ("shubert", (0.0, 0.0), shubert_sum(0) ** 2),
        ("shubert", (1.0, -2.0), shubert_sum(1) * shubert_sum(-2)),
        ("langermann", (7.0, 9.0), 3 + langermann_rest()),
        ("adjiman", (0.0, 1.0), math.sin(1)),
        ("adjiman", (1.0, 0.0), -1.0),
        ("bartels_conn", (0.0, 0.0), 1.0),
        ("bartels_conn", (1.0, -1.0), 1 + math.sin(1) + math.cos(1)),
        ("bird", (0.0, 0.0), math.e),
        ("bird", (0.0, math.pi), -math.e + math.pi**2),
        ("brent", (0.0, 0.0), 201.0),
        ("chichinadze", (0.0, 0.5), 21 - 1 / math.sqrt(5)),
        ("chichinadze", (1.0, 0.5), 1 - 12 + 11 + 8 - 1 / math.sqrt(5)),
    ],
)
def test_values_that_follow_from_the_definition(name: str, x: tuple[float, float], value: float) -> None:
    found = get(name).at()(torch.tensor(x, dtype=torch.float64)).item()
    assert found == pytest.approx(value, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize(
    ("hole", "depth"), [((-32, -32), 1), ((-16, -32), 2), ((32, -32), 5), ((-32, -16), 6), ((32, 32), 25)]
)
def test_de_jongs_holes_become_shallower_along_x_first(hole: tuple[float, float], depth: int) -> None:
    found = get("de_jong_n5").at()(torch.tensor(hole, dtype=torch.float64)).item()
    assert found == pytest.approx(1 / (0.002 + 1 / depth), rel=2e-5)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("cross_in_tray", -2.06261),
        ("eggholder", -959.6407),
        ("holder_table", -19.2085),
        ("mccormick", -1.91322),
        ("schaffer_n3", 0.00156685),
        ("schaffer_n4", 0.292579),
        ("branin", 0.397887),
        ("shubert", -186.7309),
        ("langermann_neg", -5.1621259),
        ("de_jong_n5", 0.998004),
        ("adjiman", -2.02181),
        ("bird", -106.764537),
        ("chichinadze", -42.94438701899098),
    ],
)
def test_minima_equal_published_ones(name: str, published: float) -> None:
    assert get(name).at().minima[0].f == pytest.approx(published, rel=3e-6)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("cross_in_tray", 4),
        ("holder_table", 4),
        ("schaffer_n3", 4),
        ("schaffer_n4", 4),
        ("branin", 3),
        ("shubert", 18),
        ("bird", 2),
    ],
)
def test_all_of_several_minima_are_listed(name: str, count: int) -> None:
    assert get(name).at().minima.count == count


@pytest.mark.parametrize("name", ["cross_in_tray", "holder_table"])
def test_minimisers_off_the_kinks_are_right_to_the_last_digit(name: str) -> None:
    objective = get(name).at()
    for minimum in first(objective.minima, 4):
        slope = torch.tensor([float(d) for d in exact_gradient(objective, minimum.x)], dtype=torch.float64)
        step = torch.linalg.solve(hessian(name, *minimum.x), slope)
        assert (step.abs() <= torch.tensor([0.51 * math.ulp(t) for t in minimum.x])).all()


@pytest.mark.parametrize("name", ["eggholder", "adjiman"])
def test_minimisers_on_the_border_are_right_along_it_and_lower_beyond(name: str) -> None:
    objective = get(name).at()
    x, y = objective.minima[0].x
    outward, along = exact_gradient(objective, (x, y))
    assert x == objective.domain[0][1]
    assert outward < -1
    assert abs(along / hessian(name, x, y)[1, 1].item()) <= 0.51 * math.ulp(y)
    assert exact(objective, (x + 0.01, y)) < exact(objective, (x, y))


def test_brents_minimiser_is_the_corner() -> None:
    objective = get("brent").at()
    slopes = exact_gradient(objective, (-10.0, -10.0))
    assert all(0 < slope < 1e-80 for slope in slopes)
    assert objective.minima[0].f == math.exp(-200)


@both_dtypes
@pytest.mark.parametrize(
    ("name", "x", "gradient"),
    [
        ("bukin_n6", (-10.0, 1.0), (0.0, 0.0)),
        ("bukin_n6", (-5.0, 0.25), (0.01, 0.0)),
        ("cross_in_tray", (0.0, 0.0), (0.0, 0.0)),
        ("cross_in_tray", (0.0, 5.0), (0.0, 0.0)),
        ("holder_table", (0.0, 0.0), (0.0, 0.0)),
        ("bartels_conn", (0.0, 0.0), (0.0, 0.0)),
        ("drop_wave", (0.0, 0.0), (0.0, 0.0)),
        ("eggholder", (47.0, 0.0), None),
        ("eggholder", (0.0, -47.0), (0.0, 0.0)),
        ("holder_table", (math.pi, 0.0), None),
    ],
)
def test_gradients_are_finite_where_undefined(
    name: str, x: tuple[float, float], gradient: tuple[float, float] | None, dtype: torch.dtype
) -> None:
    value, found = value_and_gradient(get(name).at(), torch.tensor(x, dtype=dtype))
    assert torch.isfinite(value).all()
    assert torch.isfinite(found).all()
    if gradient is not None:
        assert found.tolist() == pytest.approx(gradient, abs=1e-7)


@pytest.mark.parametrize("name", ["bukin_n6", "eggholder", "drop_wave", "cross_in_tray"])
def test_a_non_finite_point_has_no_value(name: str) -> None:
    points = torch.tensor([[math.nan, 1.0], [1.0, math.nan]], dtype=torch.float64)
    assert get(name).at()(points).isnan().all()


def test_drop_wave_is_smooth_at_its_minimum() -> None:
    # -(1 + cos 12r) / (2 + r^2 / 2) = -1 + (36 + 1/4) r^2 - ...
    assert torch.allclose(hessian("drop_wave", 0.0, 0.0), 72.5 * torch.eye(2, dtype=torch.float64), rtol=1e-14)


@pytest.mark.parametrize("r", [0.00833, 0.0083333, 0.008334, 0.0084])
def test_drop_waves_series_meets_the_cosine(r: float) -> None:
    objective = get("drop_wave").at()
    value, gradient = value_and_gradient(objective, torch.tensor([r, 0.0], dtype=torch.float64))
    assert value.item() == pytest.approx(float(exact(objective, (r, 0.0))), rel=1e-15)
    assert gradient[0].item() == pytest.approx(float(exact_gradient(objective, (r, 0.0))[0]), rel=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        *("levy_n13", "schaffer_n1", "schaffer_n1_scipy", "schaffer_n2"),
        *("bohachevsky_n1", "bohachevsky_n2", "bohachevsky_n3"),
    ],
)
@pytest.mark.parametrize("distance", [1e-3, 2.0**-30, 2.0**-50])
def test_small_values_have_all_their_digits(name: str, distance: float) -> None:
    objective = get(name).at()
    low = objective.minima[0].x
    x = (low[0] + distance, low[1] - distance / 2)
    found = objective(torch.tensor(x, dtype=torch.float64)).item()
    assert found == pytest.approx(float(exact(objective, x)), rel=1e-14, abs=0)


def test_the_two_langermanns_are_each_others_negative() -> None:
    points = torch.rand(100, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 10
    assert torch.equal(get("langermann").at()(points), -get("langermann_neg").at()(points))


@both_dtypes
def test_cross_in_tray_does_not_overflow(dtype: torch.dtype) -> None:
    x: list[Any] = [[1.349, 1.349], [1e-6, 1e-6], [9.9, -9.9]]
    found = get("cross_in_tray").at()(torch.tensor(x, dtype=dtype))
    expected = [float(FORMULAS["cross_in_tray"](*point)) for point in x]
    assert found.tolist() == pytest.approx(expected, rel=1e-5 if dtype == torch.float32 else 1e-13)
