"""Programs over arrays: tasks that fill buffers in memory, each a loop or a call, in torch's order.

A task's size does not grow with the arrays it works on. An elementwise task computes a `Value` for each cell of its
shape; the leaves of that value are `read`s of other buffers, at a place that moves with the cell.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from thalweg.engine.fused.frontend.program import Place, Program, Value
from thalweg.native.builder import Type

CALLED = frozenset(
    {
        *("cos", "sin", "tan", "exp", "log", "log2", "log10", "tanh", "asin", "acos", "atan"),
        *("sqrt", "erf", "erfc"),
    }
)
"""The functions of which torch's vector library computes a whole buffer in one call."""


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """Numbers side by side in memory.

    Attributes:
        size: How many they are.
        type: Their type.
        name: What it is to the caller of native code, such as `x` or `gradient`; empty for one that only the tasks
            use.
        data: The numbers of a constant buffer; else None.
        number: Larger than that of every buffer before it.
    """

    size: int
    type: Type
    name: str = ""
    data: np.ndarray | None = None
    number: int = field(default_factory=itertools.count().__next__)


@dataclass(frozen=True, slots=True)
class Store:
    """Compute a value in each cell and store it.

    Attributes:
        shape: The cells, without axes of length 1.
        value: What to store; its leaves move with the cell.
        place: Where to store it.
        overwrites: Whether an earlier task has stored other numbers there.
    """

    shape: tuple[int, ...]
    value: Value
    place: Place
    overwrites: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Call an elementary function on `into.size` contiguous numbers from `offset` on."""

    op: str
    given: Buffer
    offset: int
    into: Buffer


@dataclass(frozen=True, slots=True)
class Reduce:
    """Reduce contiguous rows of `length` numbers, the first at `offset`, by `sum` or `norm`, each to one number."""

    op: str
    given: Buffer
    offset: int
    length: int
    into: Buffer


@dataclass(frozen=True, slots=True)
class Gather:
    """Read the numbers at the places in `index`, counted from `offset`."""

    given: Buffer
    offset: int
    index: Buffer
    into: Buffer


@dataclass(frozen=True, slots=True)
class ScatterAdd:
    """Add the numbers from `offset` on, one after the other, to those at the places in `index`."""

    given: Buffer
    offset: int
    index: Buffer
    into: Buffer


Task: TypeAlias = Store | Call | Reduce | Gather | ScatterAdd


def read_by(task: Task) -> set[Buffer]:
    """Return the buffers that a task reads."""
    match task:
        case Store():
            return {place.buffer for place in (leaf.place for leaf in leaves([task.value]))}
        case Gather() | ScatterAdd():
            return {task.given, task.index}
    return {task.given}


def written_by(task: Task) -> Buffer:
    """Return the buffer that a task writes."""
    buffer: Buffer = task.place.buffer if isinstance(task, Store) else task.into
    return buffer


def leaves(values: Iterable[Value]) -> list[Value]:
    """Return the reads that values depend on, in order."""
    seen: set[Value] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if value.varying and value not in seen:
            seen.add(value)
            waiting.extend(value.operands)
    return sorted((value for value in seen if value.op == "read"), key=lambda value: value.number)


@dataclass(slots=True)
class Tasks:
    """The tasks of a native function so far, appended to by what traces it."""

    program: Program
    tasks: list[Task] = field(default_factory=list)

    def needed(self) -> list[Task]:
        """Return the tasks that buffers with a name depend on."""
        wanted: set[Buffer] = set()
        found = []
        for task in reversed(self.tasks):
            into = written_by(task)
            if into.name or into in wanted:
                found.append(task)
                wanted |= read_by(task)
        return found[::-1]

    def inputs(self) -> set[Buffer]:
        """Return the buffers that are read and that no task writes."""
        needed = self.needed()
        read = {buffer for task in needed for buffer in read_by(task)}
        return read - {written_by(task) for task in needed}
