"""Computations are aborted when their client no longer waits; the check does not change their digits."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.unit.driving import job
from thalweg.analysis.accuracy import accuracy
from thalweg.analysis.critical_points import Search, critical_points
from thalweg.analysis.evaluation import Evaluation, evaluate
from thalweg.analysis.gradient_check import check_formula
from thalweg.analysis.landscape import landscape
from thalweg.analysis.surface import Slice, surface
from thalweg.cancellation import check_wanted, while_wanted
from thalweg.errors import Abandoned
from thalweg.functions import catalogue
from thalweg.settings import Limits

LIMITS = Limits.model_validate({})
LARGE = {"name": "rastrigin", "dim": 1000}  # 400 points per chunk, 100 with derivatives
MOONS = {"mlp": {"layers": [2, 20, 1], "dataset": {"name": "moons", "n": 2000}}}
RASTRIGIN = catalogue.get("rastrigin").at(1000)
POINT = [1.5] * 100
FORMULA = {"expression": "x**2 + y**2", "variables": ["x", "y"]}


def points(n: int) -> list[list[float]]:
    drawn: list[list[float]] = np.random.default_rng(0).uniform(-2, 2, (n, 1000)).tolist()
    return drawn


COMPUTATIONS: dict[str, tuple[int, Callable[[], Any]]] = {
    "surface": (4, lambda: surface(Slice(function=LARGE, points=35), LIMITS).z),
    "values": (3, lambda: evaluate(Evaluation(function=LARGE, points=points(1000))).f),
    "gradients": (3, lambda: evaluate(Evaluation(function=LARGE, points=points(300), gradient=True)).gradient),
    "hessian": (
        101,
        lambda: evaluate(Evaluation(function="rastrigin", points=[POINT], hessian=True)).hessian,
    ),
    "critical points": (100, lambda: critical_points(Search(function="himmelblau", starts=5))),
    "landscape": (
        7,
        lambda: landscape(RASTRIGIN, np.array(points(3)), np.arange(3), "pca", 50).z,
    ),
    "gradient check": (3, lambda: check_formula(job(function=FORMULA))),
    "accuracy": (3, lambda: accuracy(job(**NETWORK), job(**NETWORK).starts())),
}
NETWORK: dict[str, Any] = {"function": MOONS, "init": {"random": 50, "seed": 1}}


class Client:
    """A client that leaves after `patience` checks."""

    def __init__(self, patience: float = np.inf) -> None:
        self.patience = patience
        self.n_asked = 0

    def waits(self) -> bool:
        self.n_asked += 1
        return self.n_asked < self.patience


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_abandoned_work_stops_and_awaited_work_is_unchanged(name: str) -> None:
    n_pieces, compute = COMPUTATIONS[name]
    expected = compute()
    client = Client()
    with while_wanted(client.waits):
        found = compute()
    if isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected)
    else:
        assert found == expected
    assert client.n_asked >= n_pieces
    for patience in (1, client.n_asked // 2 + 1, client.n_asked):
        leaving = Client(patience)
        with while_wanted(leaving.waits), pytest.raises(Abandoned):
            compute()
        assert leaving.n_asked == patience
    check_wanted()
