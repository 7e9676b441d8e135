"""Functions of two coordinates at special points: variants, kinks, tips and limits."""

import math

import pytest
import torch

from tests.unit.driving import assert_equal, drive, job
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.functions.catalogue import get

both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])


def gradient(name: str, x: tuple[float, ...], dtype: torch.dtype) -> list[float]:
    point = torch.tensor(x, dtype=dtype, requires_grad=True)
    (slope,) = torch.autograd.grad(get(name).at()(point), point)
    numbers: list[float] = slope.tolist()
    return numbers


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        ("cube", (0.5, 1.0), 100 * 0.875**2 + 0.25),
        ("leon", (0.5, 1.0), 100 * 0.75**2 + 0.25),
        ("deckkers_aarts", (0.0, 10.0), 100 - 1e4 + 1e3),
        ("egg_crate", (math.pi / 2, math.pi), 1.25 * math.pi**2 + 25),
        ("freudenstein_roth", (0.5, -2.0), 400.5),
        ("giunta", (15 / 16, 15 / 16), 0.6),
        ("hosaki", (4.0, 1.0), -13 / 3 / math.e),
        ("keane", (math.pi / 2, 0.0), -2 / math.pi),
        ("keane", (0.0, 0.0), 0.0),
        ("schwefel_2_6", (0.0, 0.0), 7.0),
        ("schwefel_2_6", (10.0, 0.0), 15.0),
        ("price_n1", (-4.0, 7.0), 5.0),
        ("price_n2", (math.pi / 2, 0.0), 2 - 0.1 * math.exp(-(math.pi**2) / 4)),
        ("price_n4", (1.0, 1.0), 37.0),
        ("ackley_n2", (3.0, 4.0), -200 * math.exp(-0.1)),
        ("ackley_n3", (0.0, 0.0), -200 + 5 * math.e),
        ("happy_cat", (1.0, 1.0), 2.0),
        ("happy_cat", (0.0, 0.0), 2**0.25 + 0.5),
        ("happy_cat", (0.5, 0.5), 1.5**0.25 + 1.125),
        ("trefethen", (0.0, 0.0), 1 + math.sin(60)),
        ("zettl", (2.0, 1.0), 1.5),
        ("treccani", (1.0, 2.0), 13.0),
        ("zirilli", (2.0, 2.0), 4 - 2 + 0.2 + 2),
        ("parsopoulos", (0.0, math.pi / 2), 2.0),
        ("whitley", (0.0, 0.0), 4 * (1 / 4000 - math.cos(1) + 1)),
        ("ursem_n1", (0.0, 0.0), -2.0),
        ("sine_envelope", (math.pi / 2, 0.0), 0.5 + 0.5 / (1 + math.pi**2 / 4000) ** 2),
    ],
)
def test_values_by_hand(name: str, x: tuple[float, ...], value: float) -> None:
    assert get(name).at()(torch.tensor(x, dtype=torch.float64)).item() == pytest.approx(value, rel=1e-14, abs=1e-14)


@both_dtypes
@pytest.mark.parametrize(
    ("name", "x"),
    [
        ("keane", (0.0, 0.0)),
        ("schwefel_2_6", (1.0, 3.0)),
        ("price_n1", (0.0, 0.0)),
        ("ackley_n2", (0.0, 0.0)),
        ("happy_cat", (-1.0, -1.0)),
        ("sine_envelope", (0.0, 0.0)),
    ],
)
def test_gradient_is_zero_at_kinks(name: str, x: tuple[float, ...], dtype: torch.dtype) -> None:
    assert gradient(name, x, dtype) == [0.0, 0.0]


@both_dtypes
def test_happy_cats_groove_has_derivative_0_on_its_circle(dtype: torch.dtype) -> None:
    assert gradient("happy_cat", (1.0, 1.0), dtype) == [1.0, 1.0]
    assert gradient("happy_cat", (-1.0, 1.0), dtype) == [0.0, 1.0]


@both_dtypes
def test_ackley_n3s_cone_has_derivative_0_at_its_tip(dtype: torch.dtype) -> None:
    assert gradient("ackley_n3", (0.0, 0.0), dtype) == pytest.approx([0.0, 15 * math.e])


@pytest.mark.parametrize(("name", "curvature"), [("sine_envelope", 2.002), ("keane", 0.0)])
def test_curvature_at_the_origin_is_that_of_the_limit(name: str, curvature: float) -> None:
    origin = torch.zeros(2, dtype=torch.float64)
    found = torch.autograd.functional.hessian(get(name).at(), origin)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(found, curvature * torch.eye(2, dtype=torch.float64))


def test_the_sine_envelopes_two_forms_meet() -> None:
    """Near the origin it is a series, which meets the sine in value and derivative."""
    inner, outer = math.sqrt(1e-3 * (1 - 1e-15)), math.sqrt(1e-3 * (1 + 1e-15))
    points = torch.tensor([[inner, 0.0], [outer, 0.0]], dtype=torch.float64, requires_grad=True)
    values = get("sine_envelope").at()(points)
    (slopes,) = torch.autograd.grad(values.sum(), points)
    assert values[0].item() == pytest.approx(values[1].item(), rel=1e-14)
    assert slopes[0, 0].item() == pytest.approx(slopes[1, 0].item(), rel=1e-14)


def test_every_known_minimum_of_several_is_there() -> None:
    counts = {"deckkers_aarts": 2, "keane": 2, "ackley_n3": 2, "treccani": 2, "price_n1": 4, "parsopoulos": 12}
    assert {name: get(name).at().minima.count for name in counts} == counts
    assert get("price_n4").at().minima.count == 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["keane", "schwefel_2_6", "price_n1", "ackley_n2", "happy_cat", "sine_envelope"])
def test_the_fused_engine_takes_the_same_branches(name: str, dtype: str) -> None:
    starts = [[0.0, 0.0], [0.01, -0.02], [1.0, 1.0], [-1.0, -1.0], [1.0, 3.0], [0.0, 2.0]]
    for start in ([at] for at in starts):
        spec = job(function=name, optimizer="sgd", lr=1e-3, init=start, steps=30, dtype=dtype)
        assert_equal(drive(spec), drive(spec, engine=FusedRun))
    spec = job(function=name, optimizer="sgd", lr=1e-3, init=starts, steps=30, dtype=dtype)
    assert_equal(drive(spec), drive(spec, engine=FusedRun))
