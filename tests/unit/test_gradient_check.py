"""Gradients against the slope of the values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from thalweg.analysis.gradient_check import MOST_POINTS, check_gradient
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueObjective


class _Twisted(torch.autograd.Function):
    """Twice the sum of squares by its gradient, once by its values."""

    @staticmethod
    def forward(ctx: Any, points: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(points)
        squares: torch.Tensor = (points**2).sum(-1)
        return squares

    @staticmethod
    def backward(ctx: Any, *slopes: torch.Tensor) -> torch.Tensor:
        (points,) = ctx.saved_tensors
        (slope,) = slopes
        gradient: torch.Tensor = 4 * points * slope[..., None]
        return gradient


@dataclass(frozen=True)
class Wrong:
    """A function whose gradient is not that of its values."""

    bare: CatalogueObjective

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)

    def __call__(
        self,
        points: torch.Tensor,
        step: int = 0,  # noqa: ARG002 - the same at every step
        runs: np.ndarray | None = None,  # noqa: ARG002 - and in every run
    ) -> torch.Tensor:
        value: torch.Tensor = _Twisted.apply(points)  # type: ignore[no-untyped-call]
        return value


def starts(objective: CatalogueObjective, n: int) -> np.ndarray:
    low, high = np.array(objective.domain).T
    return np.random.default_rng(5).uniform(low, high, (n, objective.dim))


@pytest.mark.parametrize(
    "name", ["himmelblau", "rosenbrock", "rastrigin", "styblinski_tang", "goldstein_price", "ackley"]
)
def test_a_right_gradient_agrees(name: str) -> None:
    objective = catalogue.get(name).at()
    found = check_gradient(objective, starts(objective, 40))
    assert found.agrees
    assert found.n_points == MOST_POINTS
    assert found.detail is None


def test_float32_starts_are_checked_in_double() -> None:
    objective = catalogue.get("sphere").at(40)
    assert check_gradient(objective, starts(objective, 3).astype(np.float32)).agrees


def test_a_wrong_gradient_is_reported_with_place_and_numbers() -> None:
    found = check_gradient(Wrong(catalogue.get("sphere").at()), np.array([[0.0, 0.0], [0.0, 1.5]]))
    assert not found.agrees
    assert found.n_points == 2
    assert found.detail == "at start 1 the gradient's coordinate 1 is 6, and central differences give 3"


def test_a_gradient_at_an_infinite_value_does_not_agree() -> None:
    found = check_gradient(catalogue.get("sphere").at(), np.array([[1e200, 0.0]]))
    assert not found.agrees


class Formula:
    """A function of one coordinate, known by its values only."""

    dim = 1
    n_values = 1

    def __init__(self, evaluate: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._evaluate = evaluate

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is not needed")

    def __call__(self, points: torch.Tensor, step: int = 0, runs: np.ndarray | None = None) -> torch.Tensor:  # noqa: ARG002
        return self._evaluate(points[..., 0])


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_a_jump_is_not_taken_for_an_inaccurate_difference(size: float) -> None:
    jump = Formula(lambda x: size * torch.floor(x) + 0 * x)
    assert check_gradient(jump, np.array([[0.5], [-1.25]])).agrees
    found = check_gradient(jump, np.array([[0.5], [2.0]]))
    assert not found.agrees
    assert str(found.detail).startswith("at start 1 the gradient's coordinate 0 is 0, and central differences give")


def test_a_slope_lost_in_rounding_passes() -> None:
    drowned = Formula(lambda x: 1e13 + torch.sin(x))
    assert check_gradient(drowned, np.linspace(-2, 2, 16)[:, None]).agrees
