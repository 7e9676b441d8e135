"""Emitting tasks over arrays: functions that work on one run, with vectors across its coordinates."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final

import numpy as np

from thalweg.engine.fused.codegen.lowering import Library, LoweredFunction
from thalweg.engine.fused.codegen.roots import Roots
from thalweg.engine.fused.codegen.wide import reductions
from thalweg.engine.fused.codegen.wide.fusion import Loop, Work, fused
from thalweg.engine.fused.frontend.buffers import (
    CALLED,
    Buffer,
    Call,
    Gather,
    Reduce,
    ScatterAdd,
    Store,
    Tasks,
    leaves,
    read_by,
    written_by,
)
from thalweg.engine.fused.frontend.program import Place, Value, needed
from thalweg.native.builder import BYTES, Type
from thalweg.native.memory import ALIGNMENT, padded

VECTOR_BYTES: Final = 64
"""The size of a vector; where the processor has smaller ones, LLVM uses two."""


class TasksFunction(LoweredFunction):
    """A function that does tasks.

    Args:
        tasks: What to do.
        arguments: The address of each buffer that has a name.
        real: The type of the points' numbers, which sets the lanes of vectors.
        library: Where elementary functions come from.
        prefix: What the names of its constants begin with.

    Attributes:
        scratch_bytes: Memory that it needs behind `%scratch`.
        nanoseconds: Roughly how long it takes.
        constants: The lines that define its constants.
        routines: The reductions that it calls, each an operation and its type.
    """

    def __init__(
        self, tasks: Tasks, arguments: Mapping[str, str], real: Type, library: Library, prefix: str
    ) -> None:
        super().__init__(1, library)
        self._lanes = VECTOR_BYTES // BYTES[real]
        self._prefix = prefix
        self._work = fused(tasks.needed(), tasks.program, _inline(library))
        self._addresses: dict[Buffer, str] = {}
        self._arguments = arguments
        self._given: dict[Value, str] = {}
        self.scratch_bytes = 0
        self.nanoseconds = 0
        self.constants: list[str] = []
        self.routines: set[tuple[str, Type]] = set()

    def do(self, shared: Mapping[Value, str]) -> None:
        """Append the lines that do the tasks; `shared` has the numbers that do not come from buffers."""
        self._given = dict(shared)
        self._place_buffers()
        self.nanoseconds = int(sum(_NANOSECONDS_OF_WORK + _nanoseconds(work, self._lanes) for work in self._work))
        for work in self._work:
            match work:
                case Loop():
                    self._loop(work)
                case Call():
                    given = self._element(work.given, str(work.offset))
                    self._call_library(
                        work.op, work.given.type, str(work.into.size), given, self._addresses[work.into]
                    )
                case Reduce():
                    self._reduce(work)
                case Gather() | ScatterAdd():
                    self._indexed(work)

    def _place_buffers(self) -> None:
        """Give every buffer its address; those in scratch memory share it where they are not needed together."""
        plan = _Plan(self._work)
        self.scratch_bytes = plan.size
        for number, buffer in enumerate(plan.buffers):
            if buffer.data is not None:
                name = f"@{self._prefix}{number}"
                self.constants.append(
                    f"{name} = internal unnamed_addr constant {_bytes(buffer.data)}, align {ALIGNMENT}"
                )
                self._addresses[buffer] = name
            elif buffer.name:
                self._addresses[buffer] = self._arguments[buffer.name]
            else:
                self._addresses[buffer] = self.new(f"getelementptr i8, ptr %scratch, i64 {plan.offsets[buffer]}")

    @contextmanager
    def _of_width(self, width: int) -> Iterator[None]:
        before, self.width = self.width, width
        yield
        self.width = before

    def _loop(self, loop: Loop) -> None:
        if not loop.shape:
            self._cells(loop.stores, [], None)
            return
        longest = max(range(len(loop.shape)), key=lambda axis: loop.shape[axis])
        width = self._lanes if loop.shape[longest] >= self._lanes else 1
        index = ["0"] * len(loop.shape)
        ends = []
        for axis in [*(axis for axis in range(len(loop.shape)) if axis != longest), longest]:
            index[axis], end = self._begin(loop.shape[axis], width if axis == longest else 1)
            ends.append(end)
        with self._of_width(width):
            self._cells(loop.stores, index, longest)
        for end in reversed(ends):
            end()

    def _begin(self, n: int, step: int) -> "tuple[str, partial[None]]":
        """Begin a loop over 0, step, ... n - step, of which the last two may overlap; return what ends it."""
        at, (header, latch, done) = self.alloca("i64"), self.labels("cell", "next", "done")
        self.put(f"store i64 0, ptr {at}", f"br label %{header}")
        self.label(header)
        now = self.new(f"load i64, ptr {at}")
        return now, partial(self._end, at, now, n, step, (header, latch, done))

    def _end(self, at: str, now: str, n: int, step: int, labels: Sequence[str]) -> None:
        header, latch, done = labels
        is_last = self.new(f"icmp eq i64 {now}, {n - step}")
        self.put(f"br i1 {is_last}, label %{done}, label %{latch}")
        self.label(latch)
        after = self.new(f"add nuw nsw i64 {now}, {step}")
        if n % step:
            beyond = self.new(f"icmp ugt i64 {after}, {n - step}")
            after = self.new(f"select i1 {beyond}, i64 {n - step}, i64 {after}")
        self.put(f"store i64 {after}, ptr {at}", f"br label %{header}")
        self.label(done)

    def _cells(self, stores: Sequence[Store], index: Sequence[str], axis: int | None) -> None:
        """Compute the stores of the cells at `index`, side by side along an axis."""
        values = [store.value for store in stores]
        wanted = needed(values, known=self._given)
        used = {operand for value in (*wanted, *values) for operand in (value, *value.operands)}
        self.names = {
            value: self.splat(self._given[value], value.type)
            for value in sorted(used & set(self._given), key=lambda value: value.number)
        }
        for leaf in leaves(values):
            self.names[leaf] = self._load(leaf.place, leaf.type, index, axis)

        def keep() -> None:
            for store in stores:
                self._keep(store.place, store.value.type, self.operand(store.value), index, axis)

        self.compute((value for value in wanted if value not in self.names), keep)

    def _element(self, buffer: Buffer, index: str) -> str:
        of_type = "i8" if buffer.type == "i1" else buffer.type
        return self.new(f"getelementptr {of_type}, ptr {self._addresses[buffer]}, i64 {index}")

    def _address(self, place: Place, index: Sequence[str]) -> str:
        total = str(place.offset)
        for counter, stride in zip(index, place.strides, strict=True):
            if stride:
                moved = counter if stride == 1 else self.new(f"mul nsw i64 {counter}, {stride}")
                total = self.new(f"add nsw i64 {total}, {moved}")
        return self._element(place.buffer, total)

    def _load(self, place: Place, of_type: Type, index: Sequence[str], axis: int | None) -> str:
        address = self._address(place, index)
        stride = 0 if axis is None else place.strides[axis]
        in_memory = "i8" if of_type == "i1" else of_type
        align = BYTES[of_type]
        if self.width == 1 or stride == 0:
            number = self.new(f"load {in_memory}, ptr {address}, align {align}")
            if of_type == "i1":
                number = self.new(f"trunc i8 {number} to i1")
            return self.splat(number, of_type)
        wide = self.wide(in_memory)
        if stride == 1:
            numbers = self.new(f"load {wide}, ptr {address}, align {align}")
        else:
            steps = ", ".join(f"i64 {stride * lane}" for lane in range(self.width))
            places = self.new(f"getelementptr {in_memory}, ptr {address}, {self.wide('i64')} <{steps}>")
            suffix = f"v{self.width}{'i8' if of_type == 'i1' else f'f{8 * align}'}.v{self.width}p0"
            name, mask = f"llvm.masked.gather.{suffix}", self.literal("true", "i1")
            self.declare(wide, name, self.wide("ptr"), self.wide("i1"), wide)
            arguments = f"{self.wide('ptr')} align {align} {places}, {self.wide('i1')} {mask}, {wide} poison"
            numbers = self.new(f"call {wide} @{name}({arguments})")
        return self.cast("trunc", numbers, "i8", "i1") if of_type == "i1" else numbers

    def _keep(self, place: Place, of_type: Type, value: str, index: Sequence[str], axis: int | None) -> None:
        address = self._address(place, index)
        stride = 1 if axis is None else place.strides[axis]
        in_memory, align = "i8" if of_type == "i1" else of_type, BYTES[of_type]
        if of_type == "i1":
            value = self.cast("zext", value, "i1", "i8")
        if self.width == 1 or stride == 1:
            self.put(f"store {self.wide(in_memory)} {value}, ptr {address}, align {align}")
            return
        for lane in range(self.width):
            number = self.new(f"extractelement {self.wide(in_memory)} {value}, i64 {lane}")
            lane_place = self.new(f"getelementptr {in_memory}, ptr {address}, i64 {stride * lane}")
            self.put(f"store {in_memory} {number}, ptr {lane_place}, align {align}")

    def _reduce(self, reduce: Reduce) -> None:
        of_type, given = reduce.given.type, str(reduce.offset)
        self.routines.add((reduce.op, of_type))
        name = reductions.name_of(reduce.op, of_type)
        row, end = self._begin(reduce.into.size, 1)
        first = self.new(f"mul nsw i64 {row}, {reduce.length}")
        numbers = self._element(reduce.given, self.new(f"add nsw i64 {first}, {given}"))
        result = self.new(f"call {of_type} @{name}(ptr {numbers}, i64 {reduce.length})")
        self.put(f"store {of_type} {result}, ptr {self._element(reduce.into, row)}")
        end()

    def _indexed(self, work: Gather | ScatterAdd) -> None:
        """Move numbers one after the other, as those of a scatter may meet."""
        of_type = work.given.type
        each, end = self._begin(work.index.size, 1)
        index = self.new(f"load i64, ptr {self._element(work.index, each)}")
        if isinstance(work, Gather):
            source = self._element(work.given, self.new(f"add nsw i64 {index}, {work.offset}"))
            number = self.new(f"load {of_type}, ptr {source}")
            self.put(f"store {of_type} {number}, ptr {self._element(work.into, each)}")
        else:
            source = self._element(work.given, self.new(f"add nsw i64 {each}, {work.offset}"))
            number, into = self.new(f"load {of_type}, ptr {source}"), self._element(work.into, index)
            total = self.new(f"fadd {of_type} {self.new(f'load {of_type}, ptr {into}')}, {number}")
            self.put(f"store {of_type} {total}, ptr {into}")
        end()


def _inline(library: Library) -> set[str]:
    """Return the functions to compute within loops: all without the vector library, else roots without a call."""
    if not library.vml:
        return set(CALLED)
    return set() if library.roots is Roots.asked else {"sqrt"}


_NANOSECONDS_OF_WORK: Final = 5


def _nanoseconds(work: Work, lanes: int) -> float:
    """Return roughly how long work takes: enough to know how often one can ask whether to go on."""
    match work:
        case Loop():
            n_operations = len(needed([store.value for store in work.stores])) + 2 * len(work.stores)
            n_cells = math.prod(work.shape)
            return n_cells * n_operations * (0.3 if max(work.shape, default=1) >= lanes else 1.0)
        case Call():
            return 8.0 * work.into.size
        case Reduce():
            return (0.5 if work.op == "sum" else 2.0) * work.length * work.into.size
    return 3.0 * work.index.size


class _Plan:
    """Where the buffers of a function lie.

    Attributes:
        buffers: All of them, in the order in which they are first used.
        offsets: The places of those in scratch memory, in bytes.
        size: How many bytes these take.
    """

    def __init__(self, works: Sequence[Work]) -> None:
        last: dict[Buffer, int] = {}
        first: dict[Buffer, int] = {}
        for number, work in enumerate(works):
            used = work.read() | work.written() if isinstance(work, Loop) else {*read_by(work), written_by(work)}
            for buffer in sorted(used, key=lambda buffer: buffer.number):
                first.setdefault(buffer, number)
                last[buffer] = number
        self.buffers = list(first)
        self.offsets: dict[Buffer, int] = {}
        self.size = 0
        free: list[tuple[int, int]] = []
        held: list[tuple[int, int, int]] = []  # last use, offset, bytes
        for buffer in self.buffers:
            if buffer.data is not None or buffer.name:
                continue
            n_bytes = padded(buffer.size * BYTES[buffer.type])
            free += [(offset, length) for until, offset, length in held if until < first[buffer]]
            held = [each for each in held if each[0] >= first[buffer]]
            fitting = [each for each in free if each[1] == n_bytes]
            if fitting:
                free.remove(fitting[-1])
                offset = fitting[-1][0]
            else:
                offset, self.size = self.size, self.size + n_bytes
            self.offsets[buffer] = offset
            held.append((last[buffer], offset, n_bytes))


def _bytes(data: np.ndarray) -> str:
    raw = (data.astype(np.uint8) if data.dtype == np.bool_ else data).tobytes()
    escape = chr(92)
    return f'[{len(raw)} x i8] c"{escape}{raw.hex(escape)}"'
