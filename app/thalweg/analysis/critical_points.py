"""Critical points of a function of two coordinates, classified.

Newton's method on the gradient, with Levenberg-Marquardt damping, starts from every point of a grid. The points it
converges to are polished by undamped Newton steps, merged, and classified by the eigenvalues of the Hessian.

Source: J. Nocedal and S. J. Wright, Numerical Optimization, Springer, 2006, chapters 10.3 and 11.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from thalweg.analysis.derivatives import all_derivatives
from thalweg.analysis.work import check_work
from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.functions.base import Box, Objective
from thalweg.settings import Limits
from thalweg.spec.function import FunctionField, objective_of
from thalweg.spec.starts import Point, check_box
from thalweg.whole_numbers import WHOLE

MOST_POINTS = 2000

_COST = 50  # evaluations for each start, about: most starts have merged after ten steps of about four each
_DAMPED_STEPS = 60
_POLISHING_STEPS = 40  # at a singular Hessian each step removes only a third of the error
_DAMPING = 1e-2
_GRAIN = 2.0**-30  # of the box's width: starts that come closer on the way are merged
_LONGEST_STEP = 0.1  # of the box's width: the quadratic model holds locally
_SINGULAR = 1e-13  # of the larger eigenvalue: smaller ones contribute no step
_FLAT = 1e-9  # of the larger eigenvalue: smaller ones do not tell the kind
_STILL = 1e-9  # of the box's width: the largest last Newton step of a point that has converged
_NO_SLOPE = 1e-14  # of the usual slope in the box: the largest residual where the Hessian is singular
_SAME = 1e-6  # of the box's width: closer points are one
_SAME_FLAT = 1e-2  # the same along a curve of critical points
_TINY = 1e-300  # against division by zero
_AROUND = 1e-3  # of the box's width: how far to look for neighbours of a point


class Kind(StrEnum):
    """What a critical point is."""

    minimum = "minimum"
    maximum = "maximum"
    saddle = "saddle"
    degenerate = "degenerate"  # the Hessian is singular and does not tell


class Search(BaseModel):
    """The question for the critical points of a function of two coordinates in a box."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"function": "himmelblau"}]}
    )

    function: FunctionField
    low: Point | None = Field(None, description="the box's lower corner; the function's domain if left out")
    high: Point | None = Field(None, description="the box's upper corner")
    starts: Annotated[int, Field(strict=True, ge=2, le=300), WHOLE] = Field(
        100, description="points along each axis from which the search begins"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise InvalidInput("low and high come together, or neither", "low" if self.low is None else "high")
        if self.low is not None and self.high is not None:
            check_box(self.low, self.high)
        if (dim := self.objective().dim) != 2:
            raise InvalidInput(
                f"critical points are searched in the plane, and the function has dimension {dim}", "function"
            )
        for index, (bottom, top) in enumerate(self.box()):
            if not bottom < top:
                raise InvalidInput(f"the box is empty: low and high are both {top}", "high", index)
        return self

    def objective(self) -> Objective:
        """Return the function.

        Raises:
            InvalidInput: It does not have the dimension of the box.
        """
        if self.low is None:
            return objective_of(self.function, None, None)
        return objective_of(self.function, len(self.low), "low")

    def box(self) -> Box:
        """Return the bounds of each coordinate.

        Raises:
            InvalidInput: Neither the question nor the function says them.
        """
        if self.low is not None and self.high is not None:
            return tuple(zip(self.low, self.high, strict=True))
        if (domain := self.objective().domain) is None:
            raise InvalidInput("the function has no domain to search: give low and high", "low")
        return domain

    def check_limits(self, limits: Limits) -> int:
        """Check that the search is within the limits; return about how many numbers it computes.

        Raises:
            LimitExceeded: It would take too long.
        """
        return check_work(self.objective(), _COST * self.starts**2, limits, "starts")


@dataclass(frozen=True, slots=True)
class CriticalPoint:
    """A point where the gradient vanishes.

    Attributes:
        x: The point, `(2,)`.
        f: The value there.
        kind: What it is.
        eigenvalues: Those of the Hessian, the smaller first.
        isolated: False for a point on a curve of critical points, of which only some are given.
    """

    x: tuple[float, ...]
    f: float
    kind: Kind
    eigenvalues: tuple[float, ...]
    isolated: bool


def critical_points(request: Search) -> list[CriticalPoint]:
    """Return the critical points in the box, in ascending order of value.

    These are all that the starts lead to; a finer grid of starts may find more where they lie close together.
    Points at which the function has no gradient are not found, and plateaus are not reported.

    Raises:
        LimitExceeded: There are more than `MOST_POINTS`.
    """
    return _Plane(request).critical_points(request.starts)


class _Plane:
    """The function in coordinates in which the box is the unit square."""

    def __init__(self, request: Search) -> None:
        self._objective = request.objective()
        self._low, high = torch.tensor(request.box(), dtype=torch.float64).unbind(-1)
        self._width = high - self._low

    def critical_points(self, n_starts: int) -> list[CriticalPoint]:
        x = _grid(n_starts)
        for number in range(_DAMPED_STEPS):
            if number % 5 == 0:
                x = self._off_plateaus(x)
            x = self._damped_step(x)
            if number % 5 == 4:
                x = torch.unique((x / _GRAIN).round(), dim=0) * _GRAIN  # most starts have merged by then
        x, still = self._polished(x)
        x = x[still & ((x >= -1e-12) & (x <= 1 + 1e-12)).all(-1)]
        return self._classified(x[_apart(x, _SAME)])

    def _derivatives(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the mask of points where all is finite, and values, gradients and Hessians, 0 elsewhere."""
        f, slope, curvature = all_derivatives(self._objective, self._low + x * self._width)
        slope, curvature = slope * self._width, curvature * self._width[:, None] * self._width
        finite = torch.isfinite(f) & torch.isfinite(slope).all(-1) & torch.isfinite(curvature).flatten(1).all(-1)
        f, slope, curvature = f.clone(), slope.clone(), curvature.clone()
        for derivative in (f, slope, curvature):
            derivative[~finite] = 0.0
        return finite, f, slope, curvature

    def _off_plateaus(self, x: torch.Tensor) -> torch.Tensor:
        """Drop points inside plateaus, where steps neither lead away nor together."""
        inside = _indices(self._is_level(x))
        for way in torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=torch.float64):
            inside = inside[self._is_level(x[inside] + _AROUND * way)]
        return x[torch.ones(len(x), dtype=torch.bool).index_fill(0, inside, value=False)]

    def _is_level(self, x: torch.Tensor) -> torch.Tensor:
        finite, _, slope, curvature = self._derivatives(x)
        return finite & ~slope.any(-1) & ~curvature.flatten(1).any(-1)

    def _damped_step(self, x: torch.Tensor) -> torch.Tensor:
        finite, _, slope, curvature = self._derivatives(x)
        normal = curvature.mT @ curvature
        size = normal.diagonal(dim1=-1, dim2=-2).sum(-1)
        # the damping vanishes with the gradient, so that the last steps are undamped
        damping = size * torch.clamp(_DAMPING * slope.square().sum(-1) / size.clamp(min=_TINY), max=1.0)
        spread = torch.diag_embed((damping + 1e-14 * size + _TINY)[:, None].expand(-1, 2))
        step = -torch.linalg.solve(normal + spread, curvature.mT @ slope[..., None])[..., 0]
        x = x + _shortened(step)
        return x[finite & ((x >= -_LONGEST_STEP) & (x <= 1 + _LONGEST_STEP)).all(-1)]

    def _polished(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return where undamped Newton steps lead, and the mask of points that converged."""
        for _ in range(_POLISHING_STEPS):
            finite, _, slope, curvature = self._derivatives(x)
            inverse = torch.linalg.pinv(curvature, rtol=_SINGULAR, hermitian=True)
            step = -(inverse @ slope[..., None])[..., 0]
            left = slope + (curvature @ step[..., None])[..., 0]
            x = x + _shortened(step)
        return x, finite & (_length(step) <= _STILL) & (_length(left) <= _NO_SLOPE * self._usual_slope())

    def _classified(self, x: torch.Tensor) -> list[CriticalPoint]:
        _, f, _, curvature = self._derivatives(x)
        sizes, directions = torch.linalg.eigh(curvature)
        flat = sizes.abs().amin(-1) <= _FLAT * sizes.abs().amax(-1)
        # a few points of a curve are enough
        chosen = _indices(flat)[_apart(x[flat], _SAME_FLAT)]
        flattest = sizes[chosen].abs().argmin(-1)
        on_curve = self._goes_on(x[chosen], _columns(directions[chosen], flattest))
        on_plateau = on_curve & self._goes_on(x[chosen], _columns(directions[chosen], 1 - flattest))
        kept = torch.cat([_indices(~flat), chosen[~on_plateau]])
        isolated = torch.ones(len(x), dtype=torch.bool).index_fill(0, chosen[on_curve], value=False)
        if len(kept) > MOST_POINTS:
            raise LimitExceeded(
                f"there are more than {MOST_POINTS} critical points in this box: take a smaller one", "low"
            )
        eigenvalues = torch.linalg.eigvalsh(curvature / (self._width[:, None] * self._width))
        own_x = (self._low + x * self._width).clamp(self._low, self._low + self._width) + 0.0
        found = [
            CriticalPoint(
                x=tuple(own_x[i].tolist()),
                f=f[i].item(),
                kind=Kind.degenerate if flat[i] else _kind(eigenvalues[i]),
                eigenvalues=tuple(eigenvalues[i].tolist()),
                isolated=bool(isolated[i]),
            )
            for i in kept.tolist()
        ]
        return sorted(found, key=lambda point: (point.f, point.x))

    def _goes_on(self, x: torch.Tensor, way: torch.Tensor) -> torch.Tensor:
        """Return the mask of points from which a small step that way leads Newton's method to another one."""
        goes_on = torch.zeros(len(x), dtype=torch.bool)
        for sign in (1, -1):
            reached, still = self._polished(x + sign * _AROUND * way)
            goes_on |= still & (_length(reached - x) > _AROUND / 2)
        return goes_on

    def _usual_slope(self) -> torch.Tensor:
        _, _, slope, _ = self._derivatives(_grid(30))
        return _length(slope).median()


def _length(vectors: torch.Tensor) -> torch.Tensor:
    lengths: torch.Tensor = torch.linalg.vector_norm(vectors, dim=-1)
    return lengths


def _grid(n: int) -> torch.Tensor:
    # centres of cells: on edges and axes of symmetry the gradient is often special
    middles = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return torch.cartesian_prod(middles, middles)


def _shortened(step: torch.Tensor) -> torch.Tensor:
    length = _length(step)[:, None]
    return step * torch.clamp(_LONGEST_STEP / length.clamp(min=_TINY), max=1.0)


def _indices(mask: torch.Tensor) -> torch.Tensor:
    return mask.nonzero()[:, 0]


def _columns(matrices: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
    return matrices[torch.arange(len(matrices)), :, which]


def _apart(x: torch.Tensor, distance: float) -> list[int]:
    """Return indices of points further than `distance` from each other such that every other point is near one."""
    taken: list[int] = []
    cells: dict[tuple[int, int], list[int]] = {}
    for i, place in enumerate(places := x.tolist()):
        column, row = int(place[0] // distance), int(place[1] // distance)
        near = (j for a in (-1, 0, 1) for b in (-1, 0, 1) for j in cells.get((column + a, row + b), ()))
        if all(math.dist(place, places[j]) > distance for j in near):
            taken.append(i)
            cells.setdefault((column, row), []).append(i)
    return taken


def _kind(eigenvalues: torch.Tensor) -> Kind:
    if eigenvalues[0] > 0:
        return Kind.minimum
    return Kind.maximum if eigenvalues[-1] < 0 else Kind.saddle
