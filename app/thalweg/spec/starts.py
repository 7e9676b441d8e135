"""Where the runs of a job start: points, a grid, or points drawn at random."""

from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, RootModel, TypeAdapter, model_validator

from thalweg.errors import InvalidInput
from thalweg.functions.forms import ByLooks
from thalweg.lists import StopEarly
from thalweg.whole_numbers import WHOLE, Seed

LARGEST = 1e308

Coordinate = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Coordinates = Annotated[tuple[Coordinate, ...], Field(min_length=1)]
Point = Annotated[Coordinates, StopEarly()]
ManyPoints = Annotated[tuple[Coordinates, ...], Field(min_length=1), StopEarly()]
Axis = Annotated[int, Field(strict=True, ge=1, le=2**53), WHOLE]


class _Init(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Points(RootModel[ManyPoints]):
    """Starting points written out one by one, all of one dimension."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _one_dimension(self) -> Self:
        for index, point in enumerate(self.root):
            if len(point) != self.dim:
                raise InvalidInput(
                    f"this point has {len(point)} coordinates, the first has {self.dim}: "
                    "all starts of a job must have one dimension",
                    index,
                )
        return self

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return len(self.root[0])

    @property
    def n_runs(self) -> int:
        """Number of points."""
        return len(self.root)

    def ends(self) -> np.ndarray:
        """Return points, `(n, dim)`, whose bounding box holds every start."""
        return self.array()

    def array(self) -> np.ndarray:
        """Return the points, float64, `(n_runs, dim)`."""
        return np.array(self.root, dtype=np.float64)


class Box(_Init):
    """The corners of a box."""

    low: Point
    high: Point

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        check_box(self.low, self.high)
        return self


class GridBox(Box):
    """A regular grid over a box, both ends included; the last coordinate varies fastest."""

    shape: Annotated[tuple[Axis, ...], Field(min_length=1), StopEarly()]

    @model_validator(mode="after")
    def _shaped(self) -> Self:
        if len(self.shape) != len(self.low):
            raise InvalidInput(
                f"shape has {len(self.shape)} entries, low and high have {len(self.low)}: give one for each axis",
                "shape",
            )
        return self


class Grid(_Init):
    """A regular grid of starting points."""

    grid: GridBox

    @property
    def dim(self) -> int:
        """Coordinates of a point."""
        return len(self.grid.low)

    @property
    def n_runs(self) -> int:
        """Number of points."""
        n = 1
        for count in self.grid.shape:
            n *= count
        return n

    def ends(self) -> np.ndarray:
        """Return points, `(n, dim)`, whose bounding box holds every start."""
        return np.array([self.grid.low, self.grid.high])

    def array(self) -> np.ndarray:
        """Return the points, float64, `(n_runs, dim)`."""
        axes = [np.linspace(*ends) for ends in zip(self.grid.low, self.grid.high, self.grid.shape, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.dim)


class Random(_Init):
    """Points drawn uniformly from a box; by default from the function's domain."""

    random: Axis
    seed: Seed = 0
    low: Point | None = None
    high: Point | None = None

    @model_validator(mode="after")
    def _box(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise InvalidInput("low and high come together, or neither", "low" if self.low is None else "high")
        if self.low is not None and self.high is not None:
            check_box(self.low, self.high)
        return self

    @property
    def dim(self) -> int | None:
        """Coordinates of a point; None without a box."""
        return None if self.low is None else len(self.low)

    @property
    def n_runs(self) -> int:
        """Number of points."""
        return self.random

    def ends(self) -> np.ndarray:
        """Return points, `(n, dim)`, whose bounding box holds every start."""
        return np.array([self.low, self.high], dtype=np.float64)

    def array(self) -> np.ndarray:
        """Return the points, float64, `(n_runs, dim)`.

        Raises:
            InvalidInput: There is no box.
        """
        if self.low is None or self.high is None:
            raise InvalidInput("the box to draw the points from is not known: give low and high", "low")
        generator = np.random.Generator(np.random.Philox(self.seed))
        return generator.uniform(self.low, self.high, size=(self.random, len(self.low)))


def check_box(low: Point, high: Point) -> None:
    """Check that `low` and `high` are opposite corners of a box.

    Raises:
        InvalidInput: They differ in dimension, or a range is reversed or too wide for a float.
    """
    if len(low) != len(high):
        raise InvalidInput(f"low has {len(low)} coordinates and high has {len(high)}", "high")
    for index, (bottom, top) in enumerate(zip(low, high, strict=True)):
        if bottom > top:
            raise InvalidInput(f"the range is reversed: low is {bottom} and high is {top}", "high", index)
        if top - bottom > LARGEST:
            raise InvalidInput(f"the range is wider than {LARGEST}", "high", index)


_POINT: TypeAdapter[tuple[float, ...]] = TypeAdapter(Point)


def _starts(value: Any) -> Points | Grid | Random:
    match value:
        case Points() | Grid() | Random():
            return value
        case []:
            raise InvalidInput("the list is empty: give at least one starting point")
        case [[*_], *_]:
            return Points.model_validate(value)
        case [*_]:
            return Points((_POINT.validate_python(value),))
        case {"grid": _}:
            return Grid.model_validate(value)
        case {"random": _}:
            return Random.model_validate(value)
    raise InvalidInput(
        'give a point like [0, 0], a list of points, {"grid": {"low": [...], "high": [...], "shape": [...]}} '
        'or {"random": n, "seed": s}'
    )


Init = Annotated[Points | Grid | Random, ByLooks(_starts, TypeAdapter(Point | Points | Grid | Random))]
