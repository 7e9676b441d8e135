"""Checking autograd's gradient of a formula against central differences."""

import numpy as np
import torch
from pydantic import BaseModel, Field

from thalweg.analysis.derivatives import value_and_gradient
from thalweg.cancellation import check_wanted
from thalweg.functions.base import Objective
from thalweg.functions.expressions import ExpressionReference
from thalweg.spec.job import JobSpec

MOST_POINTS = 16
MOST_COORDINATES = 32

_MOST_VALUES = 50_000_000  # numbers computed for a check, about: the client who posts a job waits for it
_STEP = 2.0**-17  # about the cube root of a double's epsilon, where differences are most accurate
_TOLERANCE = 1e-5
_MOST_DOUBT = 0.5  # of the gradient: beyond it the two widths differ because of a jump, not of rounding
_ROUNDINGS = 8  # in units of rounding, the error of each of the two values that are subtracted
_EPSILON = 2.0**-52


class GradientCheck(BaseModel):
    """Whether the gradient agrees with central differences at a job's starts."""

    agrees: bool
    n_points: int = Field(description="starts that were checked, the first ones")
    detail: str | None = Field(description="where it disagrees")


def check_formula(spec: JobSpec) -> GradientCheck | None:
    """Return the check of a job's formula at its starts; None if its function is no formula."""
    if not isinstance(spec.function, ExpressionReference):
        return None
    return check_gradient(spec.objective(), spec.starts())


def n_check_values(spec: JobSpec) -> int:
    """Return about how many numbers checking a job's gradient computes; 0 if its function is no formula."""
    if not isinstance(spec.function, ExpressionReference):
        return 0
    objective = spec.objective()
    n_points, n_coordinates = _extent(objective, spec.n_runs)
    return (4 + 4 * n_coordinates) * n_points * objective.n_values


def check_gradient(objective: Objective, starts: np.ndarray) -> GradientCheck:
    """Compare the gradient with central differences at `starts`, `(n, dim)`, in float64.

    At most the first `MOST_POINTS` starts and `MOST_COORDINATES` coordinates are checked, and fewer of a function
    that takes long. Differences of two widths are compared to estimate how accurate they are, unless they differ by
    as much as at a jump.
    """
    n_points, n_coordinates = _extent(objective, len(starts))
    points = torch.from_numpy(starts[:n_points].astype(np.float64))
    f, gradient = value_and_gradient(objective, points)
    for i in range(n_coordinates):
        check_wanted()
        step = _STEP * points[:, i].abs().clamp(min=1.0)
        narrow, wide = (_difference(objective, points, i, factor * step) for factor in (1, 2))
        found = gradient[:, i]
        size = found.abs().clamp(min=1.0)
        doubt = torch.minimum(4 * (narrow - wide).abs(), _MOST_DOUBT * size)
        spare = _TOLERANCE * size + doubt + _ROUNDINGS * _EPSILON * f.abs() / step
        wrong = ~((narrow - found).abs() <= spare)
        if wrong.any():
            run = int(wrong.nonzero()[0])
            detail = (
                f"at start {run} the gradient's coordinate {i} is {found[run].item():.6g}, and central "
                f"differences give {narrow[run].item():.6g}"
            )
            return GradientCheck(agrees=False, n_points=len(points), detail=detail)
    return GradientCheck(agrees=True, n_points=len(points), detail=None)


def _extent(objective: Objective, n_starts: int) -> tuple[int, int]:
    """Return how many points and coordinates to check."""
    n_points = max(1, min(n_starts, MOST_POINTS, _MOST_VALUES // (8 * objective.n_values)))
    n_affordable = max(1, _MOST_VALUES // (4 * n_points * objective.n_values))
    return n_points, min(objective.dim, MOST_COORDINATES, n_affordable)


def _difference(objective: Objective, points: torch.Tensor, i: int, step: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        above, below = points.clone(), points.clone()
        above[:, i] += step
        below[:, i] -= step
        return (objective(above) - objective(below)) / (above[:, i] - below[:, i])
