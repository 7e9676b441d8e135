"""Whether autograd's gradient of a formula is the slope that its values show."""

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

_MOST_VALUES = 50_000_000  # numbers that are made for it, about: a client waits for its job meanwhile
_STEP = 2.0**-17  # about the cube root of a double's rounding, where differences have the most digits
_TOLERANCE = 1e-5
_MOST_DOUBT = 0.5  # of the gradient: beyond it the two widths differ for a jump, not for want of digits
_ROUNDINGS = 8  # of a value, in either of the two that are subtracted
_EPSILON = 2.0**-52


class GradientCheck(BaseModel):
    """Whether the gradient agrees with central differences at a job's starts."""

    agrees: bool
    n_points: int = Field(description="starts that were looked at, the first ones")
    detail: str | None = Field(description="where it does not agree")


def checked(spec: JobSpec) -> GradientCheck | None:
    """Return the check of a job's formula at its starts; None of a function that is no client's formula."""
    if not isinstance(spec.function, ExpressionReference):
        return None
    return gradient_check(spec.objective(), spec.starts())


def n_checked_values(spec: JobSpec) -> int:
    """Return about how many numbers are computed for the check of a job; 0 without one."""
    if not isinstance(spec.function, ExpressionReference):
        return 0
    objective = spec.objective()
    n_points, n_coordinates = _extent(objective, spec.n_runs)
    return (4 + 4 * n_coordinates) * n_points * objective.n_values


def gradient_check(objective: Objective, starts: np.ndarray) -> GradientCheck:
    """Return what central differences say of the gradient at `starts`, `(n, dim)`, in float64.

    Of many starts or coordinates, the first `MOST_POINTS` and `MOST_COORDINATES` are looked at, and fewer of a
    function that takes long. Two widths of the difference tell how many of its digits can be relied on, as long as
    they do not differ as at a jump.
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
    """Return how many points and coordinates are looked at."""
    n_points = max(1, min(n_starts, MOST_POINTS, _MOST_VALUES // (8 * objective.n_values)))
    n_affordable = max(1, _MOST_VALUES // (4 * n_points * objective.n_values))
    return n_points, min(objective.dim, MOST_COORDINATES, n_affordable)


def _difference(objective: Objective, points: torch.Tensor, i: int, step: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        above, below = points.clone(), points.clone()
        above[:, i] += step
        below[:, i] -= step
        return (objective(above) - objective(below)) / (above[:, i] - below[:, i])
