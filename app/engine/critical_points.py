"""Where the gradient of a function of two coordinates vanishes, and what kind of point each of these is.

Newton's method on the gradient, damped as Levenberg and Marquardt do, from every point of a grid; what it
converges to is polished by Newton's own steps, merged, and classified by the eigenvalues of the Hessian.

Source: J. Nocedal and S. J. Wright, Numerical Optimization, Springer, 2006, chapters 10.3 and 11.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.engine.derivatives import all_derivatives, value_and_gradient
from app.engine.reference import FunctionReference
from app.engine.starts import Point, check_box
from app.errors import InvalidInput, LimitExceeded
from app.functions.base import Box, Objective

MOST_POINTS = 2000

_DAMPED_STEPS = 60
_POLISHING_STEPS = 8
_DAMPING = 1e-2
_LONGEST_STEP = 0.1  # of the box's width: the quadratic model is a local one
_FLAT = 1e-9  # an eigenvalue below this part of the largest one is none
_STILL = 1e-9  # of the box's width: a last step of Newton's method that is no longer one
_NO_SLOPE = 1e-14  # of the usual slope in the box: what may be left where the Hessian is singular
_SAME = 1e-6  # of the box's width: two points that are one
_SAME_FLAT = 1e-2  # the same along a line of critical points, which are not told apart by it
_TINY = 1e-300  # against division by zero
_N_AROUND = 16
_AROUND = 1e-3  # of the box's width: where to look whether a point stands alone


class Kind(StrEnum):
    """What a critical point is."""

    minimum = "minimum"
    maximum = "maximum"
    saddle = "saddle"
    degenerate = "degenerate"  # the Hessian is singular there and does not tell


class Search(BaseModel):
    """A request for the critical points of a function of two coordinates in a box."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    function: FunctionReference
    low: Point | None = Field(None, description="the box's lower corner; the function's domain if left out")
    high: Point | None = Field(None, description="the box's upper corner")
    starts: Annotated[int, Field(strict=True, ge=2, le=300)] = Field(
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
                f"critical points are found in the plane, and the function has dimension {dim}", "function"
            )
        for index, (bottom, top) in enumerate(self.box()):
            if not bottom < top:
                raise InvalidInput(f"the box is empty: low and high are both {top}", "high", index)
        return self

    def objective(self) -> Objective:
        """Return the function.

        Raises:
            InvalidInput: It is not of the box's dimension.
        """
        try:
            return self.function.objective(None if self.low is None else len(self.low))
        except InvalidInput as error:
            raise InvalidInput(error.detail, "low" if self.low else "function") from error

    def box(self) -> Box:
        """Return the bounds of each coordinate.

        Raises:
            InvalidInput: Nothing says them.
        """
        if self.low is not None and self.high is not None:
            return tuple(zip(self.low, self.high, strict=True))
        if (domain := self.objective().domain) is None:
            raise InvalidInput("the function has no domain to search: give low and high", "low")
        return domain


@dataclass(frozen=True, slots=True)
class CriticalPoint:
    """A point where the gradient vanishes.

    Attributes:
        x: The point, `(2,)`.
        f: The value there.
        kind: What it is.
        eigenvalues: Those of the Hessian, the smaller first.
        isolated: False of a point on a curve of critical points, of which some are given.
    """

    x: tuple[float, ...]
    f: float
    kind: Kind
    eigenvalues: tuple[float, ...]
    isolated: bool


def critical_points(request: Search) -> list[CriticalPoint]:
    """Return the critical points in the box, by value, the lowest first.

    They are all that the starts lead to: a finer grid of starts may find more where they lie close together.
    Points where the function has no gradient are not found, and plateaus are not reported.

    Raises:
        LimitExceeded: There are more than `MOST_POINTS`.
    """
    return _Plane(request).critical_points(request.starts)


class _Plane:
    """The function in units of the box's width: its unit square is the box."""

    def __init__(self, request: Search) -> None:
        self._objective = request.objective()
        self._low, high = torch.tensor(request.box(), dtype=torch.float64).unbind(-1)
        self._width = high - self._low

    def critical_points(self, n_starts: int) -> list[CriticalPoint]:
        x = _grid(n_starts)
        for _ in range(_DAMPED_STEPS):
            x = self._damped_step(x)
        x = self._polished(x)
        x = x[((x >= -1e-12) & (x <= 1 + 1e-12)).all(-1)]
        return self._classified(_merged(x, _SAME))

    def _derivatives(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return those of the points where all is finite, with values, gradients and Hessians there."""
        f, slope, curvature = all_derivatives(self._objective, self._low + x * self._width)
        slope, curvature = slope * self._width, curvature * self._width[:, None] * self._width
        finite = torch.isfinite(f) & torch.isfinite(slope).all(-1) & torch.isfinite(curvature).flatten(1).all(-1)
        return x[finite], f[finite], slope[finite], curvature[finite]

    def _damped_step(self, x: torch.Tensor) -> torch.Tensor:
        x, _, slope, curvature = self._derivatives(x)
        normal = curvature.mT @ curvature
        size = normal.diagonal(dim1=-1, dim2=-2).sum(-1)
        # the damping fades with the gradient, so that the last steps are Newton's own
        damping = size * torch.clamp(_DAMPING * slope.square().sum(-1) / size.clamp(min=_TINY), max=1.0)
        spread = torch.diag_embed((damping + 1e-14 * size + _TINY)[:, None].expand(-1, 2))
        step = -torch.linalg.solve(normal + spread, curvature.mT @ slope[..., None])[..., 0]
        x = x + _shortened(step)
        return x[((x >= -_LONGEST_STEP) & (x <= 1 + _LONGEST_STEP)).all(-1)]

    def _polished(self, x: torch.Tensor) -> torch.Tensor:
        """Return where Newton's own steps come to rest, of those that do."""
        usual = self._usual_slope()
        step, left = torch.full_like(x, torch.inf), torch.full_like(x, torch.inf)
        for _ in range(_POLISHING_STEPS):
            x, _, slope, curvature = self._derivatives(x)
            inverse = torch.linalg.pinv(curvature, rtol=_FLAT, hermitian=True)
            step = -(inverse @ slope[..., None])[..., 0]
            left = slope + (curvature @ step[..., None])[..., 0]
            x = x + _shortened(step)
        return x[(_length(step) <= _STILL) & (_length(left) <= _NO_SLOPE * usual)]

    def _classified(self, x: torch.Tensor) -> list[CriticalPoint]:
        x, f, _, curvature = self._derivatives(x)
        own = curvature / (self._width[:, None] * self._width)
        eigenvalues = torch.linalg.eigvalsh(own)
        flat = eigenvalues.abs().amin(-1) <= _FLAT * eigenvalues.abs().amax(-1)
        n_still = self._n_still_around(x[flat])
        alone = torch.ones(len(x), dtype=torch.bool)
        alone[flat] = n_still == 0
        on_plateau = torch.zeros(len(x), dtype=torch.bool)
        on_plateau[flat] = n_still == _N_AROUND
        lines = flat & ~alone & ~on_plateau
        kept = [*torch.nonzero(alone)[:, 0].tolist(), *_apart(x, torch.nonzero(lines)[:, 0], _SAME_FLAT)]
        if len(kept) > MOST_POINTS:
            raise LimitExceeded(
                f"there are more than {MOST_POINTS} critical points in this box: take a smaller one", "low"
            )
        own_x = (self._low + x * self._width).clamp(self._low, self._low + self._width)
        found = [
            CriticalPoint(
                x=tuple((own_x[i] + 0.0).tolist()),
                f=f[i].item(),
                kind=Kind.degenerate if flat[i] else _kind(eigenvalues[i]),
                eigenvalues=tuple(eigenvalues[i].tolist()),
                isolated=bool(alone[i]),
            )
            for i in kept
        ]
        return sorted(found, key=lambda point: (point.f, point.x))

    def _n_still_around(self, x: torch.Tensor) -> torch.Tensor:
        """Return at how many places around each point the gradient is as small as at the point itself."""
        angle = torch.arange(_N_AROUND, dtype=torch.float64) * (2 * torch.pi / _N_AROUND)
        ring = torch.stack([angle.cos(), angle.sin()], -1) * _AROUND
        if not len(x):
            return torch.zeros(0, dtype=torch.int64)
        around = (x[:, None] + ring).reshape(-1, 2)
        points = self._low + around * self._width
        _, slope = value_and_gradient(self._objective, points)
        size = _length(slope * self._width).reshape(-1, _N_AROUND)
        return (size <= _NO_SLOPE * self._usual_slope()).sum(-1)

    def _usual_slope(self) -> torch.Tensor:
        _, _, slope, _ = self._derivatives(_grid(30))
        return _length(slope).median()


def _length(vectors: torch.Tensor) -> torch.Tensor:
    lengths: torch.Tensor = torch.linalg.vector_norm(vectors, dim=-1)
    return lengths


def _grid(n: int) -> torch.Tensor:
    # the middles of the cells: on the edges and the axes of symmetry a gradient is often special
    middles = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return torch.cartesian_prod(middles, middles)


def _shortened(step: torch.Tensor) -> torch.Tensor:
    length = _length(step)[:, None]
    return step * torch.clamp(_LONGEST_STEP / length.clamp(min=_TINY), max=1.0)


def _merged(x: torch.Tensor, distance: float) -> torch.Tensor:
    """Return the points without those that are within `distance` of another."""
    order = torch.from_numpy(np.lexsort((x[:, 1].numpy(), x[:, 0].numpy())))
    return x[_apart(x, order, distance)]


def _apart(x: torch.Tensor, order: torch.Tensor, distance: float) -> list[int]:
    """Return those of the points `order` that are further than `distance` from all that were taken before."""
    taken: list[int] = []
    cells: dict[tuple[int, int], list[int]] = {}
    places = x.tolist()
    for i in order.tolist():
        column, row = int(places[i][0] // distance), int(places[i][1] // distance)
        near = (j for a in (-1, 0, 1) for b in (-1, 0, 1) for j in cells.get((column + a, row + b), ()))
        if all(math.dist(places[i], places[j]) > distance for j in near):
            taken.append(i)
            cells.setdefault((column, row), []).append(i)
    return taken


def _kind(eigenvalues: torch.Tensor) -> Kind:
    if eigenvalues[0] > 0:
        return Kind.minimum
    return Kind.maximum if eigenvalues[-1] < 0 else Kind.saddle
