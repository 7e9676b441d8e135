"""Surfaces: the values of a function over a grid in two of its coordinates."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter, model_validator

from thalweg.analysis.derivatives import points_together
from thalweg.analysis.work import check_work
from thalweg.cancellation import check_wanted
from thalweg.errors import InvalidInput, LimitExceeded, Remedy
from thalweg.functions.base import Objective
from thalweg.settings import Limits
from thalweg.spec.function import FunctionField, objective_of
from thalweg.spec.starts import LARGEST, Coordinate, Point
from thalweg.whole_numbers import WHOLE

AxisIndex = Annotated[int, Field(strict=True, ge=0), WHOLE]


class Window(BaseModel):
    """The part of a plane that a surface covers: by default the function's domain, 100 × 100 points."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    x_min: Coordinate | None = None
    x_max: Coordinate | None = None
    y_min: Coordinate | None = None
    y_max: Coordinate | None = None
    step: Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)] | None = Field(
        None, description="distance between neighbouring points; as in numpy's arange the maximum is left out"
    )
    points: Annotated[int, Field(strict=True, ge=2, le=2**53), WHOLE] | None = Field(
        None, description="points along each axis; as in numpy's linspace both ends are included"
    )

    @model_validator(mode="after")
    def _one_spacing(self) -> Self:
        if self.step is not None and self.points is not None:
            raise InvalidInput("step and points exclude each other: give one of them", "points")
        return self

    def grid(
        self, x_domain: tuple[float, float] | None, y_domain: tuple[float, float] | None, limits: Limits
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the points along x and along y; ends that the window leaves out are those of the domains.

        Raises:
            InvalidInput: A range is empty or reversed, or an end is unknown.
            LimitExceeded: There would be more points than a surface may have.
        """
        x = self._ends("x", x_domain)
        y = self._ends("y", y_domain)
        for axis, (low, high) in (("x", x), ("y", y)):
            if not low < high:
                raise InvalidInput(f"{axis}_min is {low}, which is not below {axis}_max, {high}", f"{axis}_max")
            if high - low > LARGEST:
                raise InvalidInput(f"the window is wider than {LARGEST}", f"{axis}_max")
        n_x, n_y = self._count(*x), self._count(*y)
        if n_x * n_y > limits.max_grid_points:
            raise LimitExceeded(
                f"{n_x:.0f} × {n_y:.0f} points are over this service's limit of {limits.max_grid_points} "
                "(max_grid_points): take a larger step, fewer points or a smaller window",
                "points" if self.step is None else "step",
            )
        if self.step is not None:
            return np.arange(*x, self.step), np.arange(*y, self.step)
        return np.linspace(*x, self.points or 100), np.linspace(*y, self.points or 100)

    def _ends(self, axis: Literal["x", "y"], domain: tuple[float, float] | None) -> tuple[float, float]:
        low, high = getattr(self, f"{axis}_min"), getattr(self, f"{axis}_max")
        if domain is not None:
            low, high = domain[0] if low is None else low, domain[1] if high is None else high
        for end, value in (("min", low), ("max", high)):
            if value is None:
                raise InvalidInput(f"the function has no domain: give {axis}_min and {axis}_max", f"{axis}_{end}")
        return low, high

    def _count(self, low: float, high: float) -> float:
        return self.points or 100 if self.step is None else float(np.ceil((high - low) / self.step))


_BY_AXIS: TypeAdapter[dict[int, float]] = TypeAdapter(dict[Annotated[int, Field(ge=0)], Coordinate])
_WHOLE: TypeAdapter[tuple[float, ...]] = TypeAdapter(Point)


def _fixed(value: Any) -> dict[int, float] | tuple[float, ...]:
    return (_BY_AXIS if isinstance(value, dict) else _WHOLE).validate_python(value)


Fixed = Annotated[
    dict[int, float] | tuple[float, ...],
    PlainValidator(_fixed, json_schema_input_type=dict[int, Coordinate] | Point),
]


class Slice(Window):
    """The question for the surface over two axes of any function, the other coordinates held fixed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"function": "himmelblau", "points": 5}]})

    function: FunctionField
    axes: tuple[AxisIndex, AxisIndex] = Field((0, 1), description="the coordinates that x and y stand for")
    fixed: Fixed | None = Field(
        None,
        description="values of the others: a whole point, or an object from index to value; "
        "the middle of the domain where none is given",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        dim = self._objective().dim
        if dim < 2:
            raise InvalidInput(
                f"a surface needs two coordinates, and the function has {dim}",
                "function",
                remedy=Remedy.evaluation,
            )
        for place, axis in enumerate(self.axes):
            if axis >= dim:
                raise InvalidInput(f"there is no coordinate {axis}: the function has {dim}, from 0", "axes", place)
        if self.axes[0] == self.axes[1]:
            raise InvalidInput("the two axes are the same coordinate", "axes", 1)
        if isinstance(self.fixed, dict):
            for axis in self.fixed:
                if axis >= dim:
                    raise InvalidInput(
                        f"there is no coordinate {axis}: the function has {dim}, from 0", "fixed", str(axis)
                    )
        return self

    def _objective(self) -> Objective:
        named = len(self.fixed) if isinstance(self.fixed, tuple) else None
        return objective_of(self.function, named, "fixed" if named else None)

    def base_point(self) -> tuple[Objective, list[float]]:
        """Return the function and the point through which the slice is cut.

        Raises:
            InvalidInput: A coordinate has neither a fixed value nor a domain whose middle could stand in.
        """
        objective = self._objective()
        if isinstance(self.fixed, tuple):
            return objective, list(self.fixed)
        given = dict.fromkeys(self.axes, 0.0) | (self.fixed or {})
        if objective.domain is not None:
            given = {axis: (low + high) / 2 for axis, (low, high) in enumerate(objective.domain)} | given
        if missing := [axis for axis in range(objective.dim) if axis not in given]:
            raise InvalidInput(
                f"the function has no domain to take the middle of: say where coordinate {missing[0]} is fixed",
                "fixed",
            )
        return objective, [given[axis] for axis in range(objective.dim)]

    def cut(self, limits: Limits) -> "Cut":
        """Return the grid on which to compute the surface.

        Raises:
            InvalidInput: The window is empty.
            LimitExceeded: The surface would be too large or take too long.
        """
        objective, base = self.base_point()
        if objective.dim > limits.max_dim:
            raise LimitExceeded(
                f"dimension {objective.dim} is over this service's limit of {limits.max_dim} (max_dim): lower it",
                "function",
                "dim",
            )
        x_domain, y_domain = (None if objective.domain is None else objective.domain[axis] for axis in self.axes)
        x, y = self.grid(x_domain, y_domain, limits)
        n_values = check_work(objective, len(x) * len(y), limits, "points")
        return Cut(objective, np.array(base), self.axes, x, y, n_values)


@dataclass(frozen=True, slots=True)
class Surface:
    """Values over a grid, float64: `z[j, i]` is the value at `x[i]`, `y[j]`."""

    x: np.ndarray  # (n_x,)
    y: np.ndarray  # (n_y,)
    z: np.ndarray  # (n_y, n_x)


@dataclass(frozen=True, slots=True)
class Cut:
    """A grid over two axes through a point."""

    objective: Objective
    through: np.ndarray  # (dim,)
    axes: tuple[int, int]
    x: np.ndarray  # (n_x,)
    y: np.ndarray  # (n_y,)
    n_values: int
    """About how many numbers computing the surface takes."""

    def surface(self) -> Surface:
        """Return the values over the grid."""
        across, along = self.axes
        x, y = self.x, self.y
        z = np.empty(len(x) * len(y))
        batch = points_together(self.objective)
        for begin in range(0, len(z), batch):
            check_wanted()
            place = np.arange(begin, min(begin + batch, len(z)))
            points = torch.tensor(self.through, dtype=torch.float64).repeat(len(place), 1)
            points[:, across] = torch.from_numpy(x[place % len(x)])
            points[:, along] = torch.from_numpy(y[place // len(x)])
            z[place] = self.objective(points).numpy()
        return Surface(x, y, z.reshape(len(y), len(x)))


def surface(request: Slice, limits: Limits) -> Surface:
    """Return the surface asked for.

    Raises:
        InvalidInput: The window is empty.
        LimitExceeded: The surface would be too large or take too long.
    """
    return request.cut(limits).surface()
