"""Single operations have torch's digits on the fused engine."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import Recording, assert_equal, drive, job
from thalweg.engine.fused.frontend.program import Untraceable
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.functions import catalogue
from thalweg.functions.base import function, one_by_one, row_norm, row_sum
from thalweg.functions.expressions.operations import larger
from thalweg.functions.expressions.steps import gathered
from thalweg.functions.minima import Minimum
from thalweg.functions.networks import activations

Evaluate = Callable[[torch.Tensor], torch.Tensor]


def summed(operation: str, *, positive: bool = False, scale: float = 1.0) -> Evaluate:
    """Return a function that sums a torch operation over the coordinates, or over positive functions of them."""

    def evaluate(points: torch.Tensor) -> torch.Tensor:
        given = points**2 + 0.1 if positive else points * scale
        return row_sum(getattr(torch, operation)(given))

    return evaluate


def power(exponent: float) -> Evaluate:
    return lambda points: row_sum((points**2 + 0.1) ** exponent)


def matrices(points: torch.Tensor) -> torch.Tensor:
    """Return the sum of a product of two small matrices that both hold every coordinate."""
    dim = points.shape[-1]
    rows = torch.stack([points, -0.5 * points, 0.25 * points, 2 * points], dim=-2).reshape(-1, 4, dim)
    columns = torch.stack([points, 1 - points], dim=-1).reshape(-1, dim, 2)
    product = torch.bmm(rows, columns)
    return row_sum(torch.tanh(product).reshape(-1, 8)).reshape(points.shape[:-1])


EQUAL: dict[str, Evaluate] = {
    **{name: summed(name) for name in ("cos", "sin", "tan", "exp", "tanh", "atan")},
    **{name: summed(name) for name in ("abs", "sign", "floor", "ceil", "trunc", "square")},
    **{name: summed(name) for name in ("neg", "round", "relu", "erf", "erfc")},
    **{name: summed(name, positive=True) for name in ("log", "log2", "log10", "sqrt", "reciprocal", "rsqrt")},
    **{name: summed(name, scale=0.01) for name in ("asin", "acos")},
    **{f"power_{exponent}": power(exponent) for exponent in (-1, 0.5, 1, 2, 3)},
    "norm": row_norm,
    "where": lambda points: row_sum(torch.where(points > 0.2, points**2, -points)),
    "where_by_place": lambda points: row_sum(
        torch.where(torch.tensor([i % 3 == 1 for i in range(points.shape[-1])]), points**2, -points)
    ),
    "clamp": lambda points: row_sum(torch.clamp(points, -0.5, 0.5) * points),
    "clamp_min": lambda points: row_sum(torch.clamp(points, min=0.1) ** 2),
    "clamp_min_alone": lambda points: row_sum(torch.clamp_min(points.detach(), 0.1) * points),
    "finite": lambda points: row_sum(torch.nan_to_num(1 / torch.floor(points.detach()), 0.5, 2.0, -3.0) * points),
    "flags": lambda points: row_sum((points > 0.3).to(points.dtype) * points),
    "maximum": lambda points: row_sum(torch.maximum(points, 1 - points)),
    "minimum": lambda points: row_sum(torch.minimum(points, points**2)),
    "lerp": lambda points: row_sum(torch.lerp(points, points**2, 0.7)),
    "remainder": lambda points: row_sum(torch.remainder(points, 0.3) * torch.remainder(3 * points, -points)),
    "fmod": lambda points: row_sum(torch.fmod(points, 0.3) * torch.fmod(3 * points, 1 - points)),
    "floor_division": lambda points: row_sum(torch.div(points, 0.1 * points + 0.2, rounding_mode="floor") * points),
    "not": lambda points: row_sum(torch.where(~((points > 0.2) & (points < 0.8)), points**2, -points)),
    "gathered": lambda points: row_sum(gathered(points, np.array([0, 1, 1, 0])) ** 2 * points[..., :1]),
    "one_by_one": lambda points: row_sum(
        torch.atan2(one_by_one(points), one_by_one(points**2)) + torch.sinh(one_by_one(points))
    ),
    "slices": lambda points: row_sum(points[..., 1:] * points[..., :-1]),
    "stacked": lambda points: row_sum(torch.stack([points[..., 0], points[..., -1] ** 2], -1)),
    "relu": summed("relu"),
    "sigmoid": lambda points: row_sum(activations.sigmoid(3 * points)),
    "split": lambda points: row_sum(torch.split(points, [1, points.shape[-1] - 1], dim=-1)[1] ** 2),
    **{name: summed(name, positive=True) for name in ("log1p", "expm1", "asinh")},
    "lone_powers": lambda points: row_sum(one_by_one(points**2 + 0.1) ** 1.7 + 2.0 ** one_by_one(points)),
    "large_quotients": lambda points: row_sum(
        torch.div(one_by_one(9e4 * points), one_by_one(1e-3 * (points**2 + 0.1)), rounding_mode="floor")
        + torch.remainder(one_by_one(-9e4 * points), one_by_one(1e-3 * points - 2e-3))
    ),
    "first_of_equals": lambda points: row_sum(
        torch.atan2(one_by_one(larger(0.0 * points, -0.0 * points)), one_by_one(-1 - points**2))
    ),
    "matrices": matrices,
    "joined": lambda points: row_sum(torch.cat([points, points[..., :1] ** 2], -1)),
}

# torch computes these differently alone and in a batch
CLOSE: dict[str, Evaluate] = {
    **{name: summed(name, positive=True) for name in ("sinh", "cosh", "exp2")},
    **{f"power_{exponent}": power(exponent) for exponent in (1.7, -2, 4)},
}


def both(name: str, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> list[Recording]:
    """Return the recordings by both engines for a function outside the catalogue."""
    evaluate.__name__ = f"only_here_{name}"
    entry = function(
        title=name, domain=((-2.0, 2.0),), minima=(Minimum((0.0,), 0.0),), formula="", source="this file"
    )(evaluate)
    monkeypatch.setitem(catalogue._BY_NAME, entry.name, entry)  # noqa: SLF001 - for this test alone
    spec = job(function=entry.name, optimizer="sgd", lr=0.05, steps=25, **fields)
    return [drive(spec), drive(spec, engine=FusedRun)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", EQUAL)
def test_operations_have_torch_digits(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for dim in (2, 5, 11):
        starts = np.random.default_rng(dim).uniform(-1.5, 1.5, (20, dim)).tolist()
        for init in (starts[0], starts):
            assert_equal(*both(f"{name}_{dim}", EQUAL[name], monkeypatch, dtype=dtype, init=init))


@pytest.mark.parametrize("name", CLOSE)
def test_within_a_few_roundings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    eager, fused = both(name, CLOSE[name], monkeypatch, init=[[0.3, -0.8]] * 3)
    for one, other in zip(eager.x, fused.x, strict=True):
        np.testing.assert_allclose(one, other, rtol=50 * 2**-52)


def test_an_unknown_operation_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Untraceable, match="aten::"):
        both("erfinv", summed("erfinv", scale=0.1), monkeypatch, init=[0.5, 0.5])
