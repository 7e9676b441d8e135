"""Small networks have the digits of torch's own loop on the fused engine."""

from typing import Any

import pytest
import torch

from tests.unit.driving import Recording, assert_equal, drive, job
from tests.unit.nets import objective
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.functions import catalogue
from thalweg.functions.base import function
from thalweg.functions.networks.activations import ACTIVATIONS

MOONS = {"name": "moons", "n": 20}


def both(monkeypatch: pytest.MonkeyPatch, dtype: str, n: int, **fields: Any) -> list[Recording]:
    """Return the recordings of a training by the eager and the fused engine."""
    of = objective(**fields)
    assert of.untraceable is None

    def evaluate(points: torch.Tensor) -> torch.Tensor:
        return of(points)

    evaluate.__name__ = f"net_{abs(hash(str(fields)))}"
    entry = function(
        title="", domain=((-2.0, 2.0),) * of.dim, minima=(), formula="", source="this file", dim=of.dim
    )(evaluate)
    monkeypatch.setitem(catalogue._BY_NAME, entry.name, entry)  # noqa: SLF001 - for this test alone
    starts = of.starts(n, 3).tolist()
    spec = job(function=entry.name, optimizer="adam", lr=0.05, steps=60, dtype=dtype, init=starts)
    return [drive(spec), drive(spec, engine=FusedRun)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [1, 9])
@pytest.mark.parametrize(
    "fields",
    [
        *({"layers": [2, 2, 1], "activation": name} for name in ACTIVATIONS),
        {"layers": [2, 3, 1], "loss": "half_sse"},
        {"layers": [2, 3, 1], "loss": "bce", "activation": "tanh"},
        {"layers": [2, 2, 2], "loss": "cross_entropy", "activation": "relu", "dataset": MOONS},
        {"layers": [2, 1, 2, 1], "dataset": MOONS, "activation": "tanh"},
        {"layers": [2, 2, 2], "dataset": MOONS},
    ],
    ids=str,
)
def test_networks_have_torch_digits(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], n: int, dtype: str
) -> None:
    assert_equal(*both(monkeypatch, dtype, n, **fields))
