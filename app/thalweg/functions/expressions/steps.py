"""The steps of a bound formula, each computed by torch at once for all points and cells.

The value of a step has the shape of the points' batch, within loops with a last axis of cells. Values are gathered
along that axis, never broadcast, so that their gradients are summed in a fixed order.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial, reduce
from itertools import pairwise
from typing import Final, Protocol, TypeAlias

import numpy as np
import torch

from thalweg.functions.base import row_max, row_norm, row_product, row_sum
from thalweg.functions.expressions.cells import Cells
from thalweg.functions.expressions.operations import Operand, larger

Condition: TypeAlias = torch.Tensor | bool

_LARGEST_FLOAT32: Final = float(np.finfo(np.float32).max)
_SAFE: Final = 0.5  # the input of a branch not taken; most functions have a finite value and derivative there


class Step(Protocol):
    """A numeric part of a formula."""

    def evaluate(self, frame: "Frame") -> Operand:
        """Return its value in each cell of the frame."""
        ...


class Test(Protocol):
    """A condition in a formula."""

    def evaluate(self, frame: "Frame") -> Condition:
        """Return whether it holds in each cell of the frame."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A coordinate, or one per cell.

    Attributes:
        place: Its index; or those of all cells, as a slice or `(count,)`.
    """

    place: int | slice | np.ndarray

    def evaluate(self, frame: "Frame") -> torch.Tensor:
        """Return the coordinates."""
        return frame.leaf(self)

    def read(self, points: torch.Tensor, coordinates: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Return these coordinates of all points."""
        if isinstance(self.place, int):
            return coordinates[self.place] if coordinates else points[..., self.place]
        if isinstance(self.place, slice):
            return points if self.place == slice(0, points.shape[-1], 1) else points[..., self.place]
        return gathered(points, self.place)


@dataclass(slots=True, eq=False)
class Frame:
    """The state of an evaluation in some cells.

    Attributes:
        points: The points, `(..., dim)`.
        coordinates: The coordinates of the points, if no variable is a vector.
        cells: The iterations of the surrounding loops.
        outer: The frame of the enclosing loops.
        mask: Where the branch under evaluation is taken; None outside of branches.
    """

    points: torch.Tensor
    coordinates: tuple[torch.Tensor, ...]
    cells: Cells
    outer: "Frame | None" = None
    mask: torch.Tensor | None = None
    leaves: dict[Leaf, torch.Tensor] = field(default_factory=dict)

    def leaf(self, leaf: Leaf) -> torch.Tensor:
        """Return coordinates, replaced where the branch is not taken, so that no gradient flows back from there."""
        if leaf not in self.leaves:
            read = leaf.read(self.points, self.coordinates)
            self.leaves[leaf] = read if self.mask is None else torch.where(self.mask, read, self.tensor(_SAFE))
        return self.leaves[leaf]

    def tensor(self, operand: Operand) -> torch.Tensor:
        """Return a value as a tensor of the points' dtype."""
        if isinstance(operand, torch.Tensor):
            return operand
        return torch.full((), operand, dtype=self.points.dtype)

    def branch(self, condition: torch.Tensor) -> "Frame":
        """Return the frame of the branch taken where the condition holds."""
        mask = condition if self.mask is None else self.mask & condition
        return Frame(self.points, self.coordinates, self.cells, self.outer, mask)

    def loop(self, cells: Cells) -> "Frame":
        """Return the frame of loops nested in this one."""
        mask = None if self.mask is None else lifted(self.mask, cells.within(self.cells), self.cells)
        return Frame(self.points, self.coordinates, cells, self, mask)

    def at(self, cells: Cells) -> "Frame":
        """Return the frame of `cells`: this one or an enclosing one."""
        frame = self
        while frame.cells is not cells and frame.outer is not None:
            frame = frame.outer
        return frame


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A number that does not depend on the point, or one per cell."""

    number: float | np.ndarray  # `(count,)` float64

    def evaluate(self, frame: Frame) -> Operand:
        """Return the value; a single number stays a double, which torch rounds when it combines it with points."""
        if isinstance(self.number, float):
            too_large = frame.points.dtype == torch.float32 and abs(self.number) > _LARGEST_FLOAT32
            return math.copysign(math.inf, self.number) if too_large else self.number
        return torch.from_numpy(self.number).to(frame.points.dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A condition that does not depend on the point, or one per cell."""

    holds: bool | np.ndarray  # `(count,)` bool

    def evaluate(self, frame: Frame) -> Condition:  # noqa: ARG002 - does not depend on the point
        """Return whether it holds."""
        return self.holds if isinstance(self.holds, bool) else torch.from_numpy(self.holds)


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """A function of values that are not all constant."""

    function: Callable[..., torch.Tensor]
    operands: tuple[Step, ...]

    def evaluate(self, frame: Frame) -> torch.Tensor:
        """Return the function's value."""
        return self.function(*[operand.evaluate(frame) for operand in self.operands])


@dataclass(frozen=True, slots=True, eq=False)
class Chained:
    """A left-associative chain of binary functions."""

    first: Step
    rest: tuple[tuple[Callable[..., torch.Tensor], Step], ...]

    def evaluate(self, frame: Frame) -> Operand:
        """Return the value of the chain."""
        result = self.first.evaluate(frame)
        for function, right in self.rest:
            result = function(result, right.evaluate(frame))
        return result


@dataclass(frozen=True, slots=True, eq=False)
class Tested:
    """A chained comparison of values that are not all constant."""

    relations: tuple[Callable[..., torch.Tensor], ...]
    operands: tuple[Step, ...]

    def evaluate(self, frame: Frame) -> torch.Tensor:
        """Return whether all relations hold."""
        values = [frame.tensor(operand.evaluate(frame)) for operand in self.operands]
        holds = [relation(*pair) for relation, pair in zip(self.relations, pairwise(values), strict=True)]
        return reduce(torch.bitwise_and, holds)


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """Conditions joined by `and` or `or`, or one negated by `not`."""

    name: str
    tests: tuple[Test, ...]

    def evaluate(self, frame: Frame) -> torch.Tensor:
        """Return whether it holds."""
        first, *others = [torch.as_tensor(test.evaluate(frame)) for test in self.tests]
        if self.name == "not":
            return ~first
        return reduce(torch.bitwise_and if self.name == "and" else torch.bitwise_or, others, first)


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """One value where a condition holds, else another; the branch not taken has gradient 0, never NaN."""

    test: Test
    one: Step
    other: Step

    def evaluate(self, frame: Frame) -> torch.Tensor:
        """Return the chosen value."""
        condition = self.test.evaluate(frame)
        assert isinstance(condition, torch.Tensor)  # noqa: S101 - constant conditions are folded when binding
        one = self.one.evaluate(frame.branch(condition))
        other = self.other.evaluate(frame.branch(~condition))
        return torch.where(condition, frame.tensor(one), frame.tensor(other))


@dataclass(frozen=True, slots=True, eq=False)
class Lifted:
    """The value of a step hoisted out of loops, gathered for each cell.

    Attributes:
        step: The hoisted step.
        cells: The cells in which it is evaluated.
        parents: The index of each cell's parent among these, `(count,)`.
    """

    step: Step
    cells: Cells
    parents: np.ndarray

    def evaluate(self, frame: Frame) -> torch.Tensor:
        """Return the value in each cell."""
        outer = frame.at(self.cells)
        return lifted(outer.tensor(self.step.evaluate(outer)), self.parents, self.cells)


@dataclass(frozen=True, slots=True, eq=False)
class Reduced:
    """The reduction of a step over all iterations of loops, in each cell of the enclosing loops.

    Attributes:
        kind: sum, prod, min, max, mean or norm.
        step: The step to reduce.
        cells: The iterations.
        outer: The enclosing cells.
        lengths: Number of iterations in each enclosing cell.
    """

    kind: str
    step: Step
    cells: Cells
    outer: Cells
    lengths: np.ndarray

    def evaluate(self, frame: Frame) -> torch.Tensor:
        """Return the reduced value in each enclosing cell."""
        inner = frame.loop(self.cells)
        return self.reduce(inner.tensor(self.step.evaluate(inner)))

    def reduce(self, values: torch.Tensor) -> torch.Tensor:
        """Reduce values `(..., count)` in each enclosing cell."""
        row_reduce, neutral = REDUCERS[self.kind]
        longest = int(self.lengths.max(initial=0))
        if self.outer.outer is None:
            result = row_reduce(values)
        elif (self.lengths == longest).all():
            result = row_reduce(values.reshape(*values.shape[:-1], len(self.lengths), longest))
        else:
            filler = torch.full((*values.shape[:-1], 1), neutral, dtype=values.dtype)
            padded = gathered(torch.cat([values, filler], dim=-1), self._padded(longest))
            result = row_reduce(padded.reshape(*values.shape[:-1], len(self.lengths), longest))
        if self.kind == "mean":
            within_loops = self.outer.outer is not None
            lengths = torch.from_numpy(self.lengths.astype(np.float64)) if within_loops else None
            return result / (longest if lengths is None else lengths.to(values.dtype))
        return result

    def _padded(self, longest: int) -> np.ndarray:
        """Return the indices that pad rows to equal length with the value after the last."""
        turns = np.arange(longest)
        begins = np.cumsum(self.lengths) - self.lengths
        places = np.where(turns < self.lengths[:, None], begins[:, None] + turns, self.cells.count)
        return places.ravel()


_row_max = partial(row_max, larger=larger)


def row_min(terms: torch.Tensor) -> torch.Tensor:
    """Return the minimum over the last axis; ties share the gradient pair by pair."""
    return -_row_max(-terms)


REDUCERS: Final[dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], float]]] = {
    "sum": (row_sum, 0.0),
    "prod": (row_product, 1.0),
    "min": (row_min, float("inf")),
    "max": (_row_max, float("-inf")),
    "mean": (row_sum, 0.0),
    "norm": (row_norm, 0.0),
}
"""Reductions by name, each with its neutral element."""


def gathered(values: torch.Tensor, places: np.ndarray) -> torch.Tensor:
    """Return the values at `places` of the last axis, `(..., len(places))`."""
    index = torch.from_numpy(places).expand(*values.shape[:-1], len(places))
    return values.gather(-1, index)


def lifted(values: torch.Tensor, parents: np.ndarray, cells: Cells) -> torch.Tensor:
    """Return values of `cells` for each cell that has its parent there."""
    return gathered(values.unsqueeze(-1) if cells.outer is None else values, parents)
