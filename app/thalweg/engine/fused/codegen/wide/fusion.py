"""Putting elementwise tasks over equal cells into one loop, so that what they share is computed once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from thalweg.engine.fused.frontend.buffers import (
    Buffer,
    Call,
    Gather,
    Reduce,
    ScatterAdd,
    Store,
    Task,
    leaves,
    read_by,
    written_by,
)
from thalweg.engine.fused.frontend.program import Place, Program, Value


@dataclass(slots=True)
class Loop:
    """Stores over the same cells, computed together."""

    shape: tuple[int, ...]
    stores: list[Store] = field(default_factory=list)

    def read(self) -> set[Buffer]:
        """Return the buffers that it reads."""
        return {buffer for store in self.stores for buffer in read_by(store)}

    def written(self) -> set[Buffer]:
        """Return the buffers that it writes."""
        return {written_by(store) for store in self.stores}


Work: TypeAlias = Loop | Call | Reduce | Gather | ScatterAdd


def fused(tasks: Sequence[Task], program: Program, inline: Iterable[str]) -> list[Work]:
    """Return the same work, each store in the first loop over its cells that it can join.

    What a loop stores and nobody else reads is not stored. Calls of the functions named by `inline` are computed
    within loops.
    """
    fusion = _Fusion(program)
    named = set(inline)
    for task in tasks:
        fusion.add(_inlined(task, program) if isinstance(task, Call) and task.op in named else task)
    return fusion.work()


def _inlined(call: Call, program: Program) -> Store:
    shape = (call.into.size,) if call.into.size > 1 else ()
    strides = (1,) * len(shape)
    given = program.read(Place(call.given, call.offset, strides), call.given.type)
    value = program.apply(call.op, given, is_call=True)
    return Store(shape, value, Place(call.into, 0, strides))


class _Fusion:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._work: list[Work] = []
        self._writers: dict[Buffer, list[tuple[int, Task]]] = {}

    def add(self, task: Task) -> None:
        """Add a task behind those that it depends on."""
        if isinstance(task, Store):
            self._add_store(_flat(task, self._program))
            return
        self._work.append(task)
        self._note(len(self._work) - 1, task)

    def _add_store(self, store: Store) -> None:
        earliest = 0
        for leaf in leaves([store.value]):
            earliest = max(earliest, self._after(leaf.place, store.shape))
        if store.overwrites:
            earliest = max(
                earliest, 1 + max((index for index, _ in self._writers.get(store.place.buffer, [])), default=-1)
            )
        for index in range(earliest, len(self._work)):
            work = self._work[index]
            if isinstance(work, Loop) and work.shape == store.shape:
                break
        else:
            index, work = len(self._work), Loop(store.shape)
            self._work.append(work)
        known = {leaf: source for leaf in leaves([store.value]) if (source := self._within(leaf.place, index))}
        value = self._program.substituted(store.value, known) if known else store.value
        new = Store(store.shape, value, store.place, store.overwrites)
        work.stores.append(new)
        self._note(index, new)

    def _note(self, index: int, task: Task) -> None:
        self._writers.setdefault(written_by(task), []).append((index, task))

    def _after(self, place: Place, shape: tuple[int, ...]) -> int:
        """Return the place of the first work that can read here: behind what writes, or in the same loop."""
        writers = self._writers.get(place.buffer, [])
        if not writers:
            return 0
        index = max(index for index, _ in writers)
        task = writers[0][1]
        same_cell = len(writers) == 1 and isinstance(task, Store) and (task.place, task.shape) == (place, shape)
        return index if same_cell else index + 1

    def _within(self, place: Place, index: int) -> Value | None:
        """Return what a loop has stored here in the same cell."""
        writers = self._writers.get(place.buffer, [])
        if len(writers) == 1 and writers[0][0] == index and isinstance(writers[0][1], Store):
            return writers[0][1].value
        return None

    def work(self) -> list[Work]:
        """Return the work, without stores of what nobody reads."""
        read: set[Buffer] = set()
        for work in self._work:
            read |= work.read() if isinstance(work, Loop) else read_by(work)
        for work in self._work:
            if isinstance(work, Loop):
                work.stores = [
                    store for store in work.stores if store.place.buffer.name or store.place.buffer in read
                ]
        return [work for work in self._work if not isinstance(work, Loop) or work.stores]


def _flat(store: Store, program: Program) -> Store:
    """Return a store in which neighboring axes are one wherever all its places allow it."""
    shape = store.shape
    while len(shape) > 1:
        reads = leaves([store.value])
        places = [store.place, *(leaf.place for leaf in reads)]
        axis = next(
            (
                axis
                for axis in range(len(shape) - 1)
                if all(p.strides[axis] == p.strides[axis + 1] * shape[axis + 1] for p in places)
            ),
            None,
        )
        if axis is None:
            break
        shape = (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])

        def joined(place: Place, axis: int = axis) -> Place:
            return Place(place.buffer, place.offset, (*place.strides[:axis], *place.strides[axis + 1 :]))

        moved: dict[Value, Value] = {leaf: program.read(joined(leaf.place), leaf.type) for leaf in reads}
        value = program.substituted(store.value, moved)
        store = Store(shape, value, joined(store.place), store.overwrites)
    return store
