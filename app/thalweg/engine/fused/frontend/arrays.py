"""Arrays of numbers whose cells all have one and the same value, written as a function of the cell.

An elementwise operation on arrays is that operation on their values, once. A view moves the places from which the
leaves of a value read. Where neither does, an array is stored into a buffer, and from there on is a read of it.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch

from thalweg.engine.fused.frontend.buffers import Buffer, Call, Store, Tasks, leaves
from thalweg.engine.fused.frontend.program import Place, Untraceable, Value, type_of
from thalweg.native.builder import Type

View: TypeAlias = Callable[[np.ndarray], np.ndarray]


class Array:
    """A tensor under trace: a constant one, or one value for all cells.

    Attributes:
        shape: Its shape.
        type: The type of its numbers.
        tensor: The numbers of a constant tensor; None if they are known only at run time.
        parts: An axis along which it was stacked, and what it was stacked from; None if it was not.
    """

    def __init__(
        self,
        shape: Sequence[int],
        of_type: Type,
        value: Value | Callable[[], Value] | None = None,
        *,
        tensor: torch.Tensor | None = None,
        parts: "tuple[int, list[Array]] | None" = None,
        is_view: bool = False,
    ) -> None:
        self.shape = tuple(shape)
        self.type = of_type
        self.tensor = tensor
        self.parts = parts
        self._value = value
        self._shares_memory = is_view

    @property
    def cells(self) -> tuple[int, ...]:
        """Its shape without axes of length 1."""
        return tuple(length for length in self.shape if length != 1)

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def value(self) -> Value:
        """Its number in each cell."""
        if callable(self._value):
            self._value = self._value()
        assert self._value is not None  # noqa: S101 - a constant tensor is given a value by `Arrays.value`
        return self._value

    @property
    def has_value(self) -> bool:
        """Whether `value` can be asked for."""
        return self._value is not None

    def set_value(self, value: Value) -> None:
        """Note the value of a constant tensor."""
        self._value = value

    def as_base(self) -> "Array":
        """Note that a view of it exists, which an operation in place would reach."""
        self._shares_memory = True
        return self

    def become(self, other: "Array") -> None:
        """Take over the numbers of another array of its shape.

        Raises:
            Untraceable: There are views of it, or it is one.
        """
        if self._shares_memory:
            raise Untraceable("an operation in place on a part of a tensor")
        self.tensor, self.parts, self._value = other.tensor, other.parts, other._value  # noqa: SLF001


class Arrays:
    """Operations on arrays that know nothing of arithmetic: views, broadcasts, stores.

    Args:
        tasks: What is stored is appended here.
    """

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks
        self._program = tasks.program
        self._stored: dict[tuple[Value, tuple[int, ...]], Buffer] = {}
        self._called: dict[tuple[str, Buffer, int, tuple[int, ...]], Buffer] = {}

    def argument(self, name: str, shape: Sequence[int], of_type: Type) -> Array:
        """Return an array that the caller of native code passes."""
        return self.read(Buffer(math.prod(shape), of_type, name), shape)

    def constant(self, tensor: torch.Tensor) -> Array:
        """Return a constant tensor."""
        of_type = "i64" if tensor.dtype == torch.int64 else type_of(tensor.dtype)
        return Array(tensor.shape, of_type, tensor=tensor)  # type: ignore[arg-type]  # indices are never computed with

    def read(self, buffer: Buffer, shape: Sequence[int], offset: int = 0) -> Array:
        """Return the numbers of a buffer from `offset` on, row after row."""
        cells = tuple(length for length in shape if length != 1)
        return Array(shape, buffer.type, self._program.read(Place(buffer, offset, contiguous(cells)), buffer.type))

    def value(self, array: Array) -> Value:
        """Return the number of an array in each cell."""
        if not array.has_value and array.tensor is not None:
            array.set_value(self._value_of(array.tensor, array.type))
        return array.value

    def _value_of(self, tensor: torch.Tensor, of_type: Type) -> Value:
        numbers = np.ascontiguousarray(tensor.numpy())
        raw = numbers.reshape(-1).view(np.uint8).reshape(numbers.size, numbers.itemsize)
        if not len(raw) or (raw == raw[0]).all():
            return self._program.const(float(numbers.flat[0]) if len(raw) else 0.0, of_type)
        cells = tuple(length for length in numbers.shape if length != 1)
        buffer = Buffer(numbers.size, of_type, data=numbers.reshape(-1))
        return self._program.read(Place(buffer, 0, contiguous(cells)), of_type)

    def broadcast(self, array: Array, shape: Sequence[int]) -> Value:
        """Return the value of an array in each cell of a larger shape."""
        whole = tuple(shape)
        if array.shape == whole:
            return self.value(array)
        return self.value(self.moved(array, lambda numbers: np.broadcast_to(numbers, whole)))

    def view(self, array: Array, view: View) -> Array:
        """Return a view of an array, `view` being the same of a numpy array.

        Raises:
            ValueError: There is no such view without a copy.
        """
        return self.moved(array.as_base(), view, is_view=True)

    def moved(self, array: Array, view: View, *, is_view: bool = False) -> Array:
        """Return a copy of a view, which operations in place on either do not reach; see `view`."""
        if array.tensor is not None:
            return self.constant(torch.from_numpy(np.array(view(array.tensor.numpy()))))
        value = self.value(array)
        shape = view(np.broadcast_to(np.int8(0), array.shape)).shape
        if 0 in shape:
            return self.constant(torch.zeros(shape, dtype=_DTYPES[array.type]))
        moved = {
            leaf: self._program.read(_moved(leaf.place, array.shape, view), leaf.type) for leaf in leaves([value])
        }
        same = all(one is other for one, other in moved.items())
        value = value if same else self._program.substituted(value, moved)
        return Array(shape, array.type, value, is_view=is_view)

    def reshaped(self, array: Array, shape: Sequence[int], *, is_view: bool = False) -> Array:
        """Return the same numbers, row after row, in another shape: a copy, or a view where there can be one."""
        whole = tuple(shape)
        look = self.view if is_view else self.moved
        try:
            return look(array, lambda numbers: np.reshape(numbers, whole, copy=False))
        except ValueError:
            return self.read(*self._read_of(array, whole))

    def _read_of(self, array: Array, shape: tuple[int, ...]) -> tuple[Buffer, tuple[int, ...], int]:
        buffer, offset = self.contiguous(array)
        return buffer, shape, offset

    def buffer(self, size: int, of_type: Type) -> Buffer:
        """Return new memory."""
        return Buffer(size, of_type)

    def store(self, array: Array, into: Buffer, view: View | None = None, *, overwrites: bool = False) -> None:
        """Store an array into a buffer: row after row, or where `view` finds it in the buffer."""
        if not array.size:
            return
        place = Place(into, 0, contiguous(array.cells))
        if view is not None:
            place = _moved(Place(into, 0, (1,) if into.size > 1 else ()), (into.size,), view)
        self.tasks.tasks.append(Store(array.cells, self.value(array), place, overwrites))

    def contiguous(self, array: Array) -> tuple[Buffer, int]:
        """Return a buffer in which an array lies row after row, and the place of its first number."""
        value, cells = self.value(array), array.cells
        if value.op == "read" and value.place.strides == contiguous(cells):
            return value.place.buffer, value.place.offset
        if (value, cells) not in self._stored:
            self._stored[value, cells] = into = self.buffer(array.size, array.type)
            self.store(array, into)
        return self._stored[value, cells], 0

    def called(self, op: str, given: Buffer, offset: int, like: Array) -> Array:
        """Return an elementary function of the contiguous numbers of an array."""
        if (op, given, offset, like.cells) not in self._called:
            self._called[op, given, offset, like.cells] = into = self.buffer(like.size, like.type)
            self.tasks.tasks.append(Call(op, given, offset, into))
        return self.read(self._called[op, given, offset, like.cells], like.shape)

    def joined(self, shape: Sequence[int], of_type: Type, parts: Sequence[tuple[Array, View]]) -> Array:
        """Return an array put together from parts, each with its place in the whole; they fill it."""
        whole = tuple(shape)
        into = self.buffer(math.prod(whole), of_type)
        for part, view in parts:
            self.store(part, into, _within(whole, view))
        return self.read(into, whole)

    def padded(self, shape: Sequence[int], part: Array, view: View) -> Array:
        """Return zeros, with a part in its place."""
        whole = tuple(shape)
        zeros = torch.zeros(whole, dtype=_DTYPES[part.type])
        if not part.size:
            return self.constant(zeros)
        into = self.buffer(math.prod(whole), part.type)
        place = _moved(Place(into, 0, (1,) if into.size > 1 else ()), (into.size,), _within(whole, view))
        end = place.offset + part.size
        if place.strides == contiguous(part.cells):
            for begin, stop in ((0, place.offset), (end, into.size)):
                row = slice(begin, stop)
                self.store(self.constant(zeros.reshape(-1)[row]), into, lambda numbers, row=row: numbers[row])  # type: ignore[misc]
        else:
            self.store(self.constant(zeros), into)
        self.tasks.tasks.append(
            Store(part.cells, self.value(part), place, overwrites=place.strides != contiguous(part.cells))
        )
        return self.read(into, whole)


_DTYPES = {"double": torch.float64, "float": torch.float32, "i1": torch.bool}


def contiguous(cells: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of an array that lies row after row."""
    return tuple(math.prod(cells[axis + 1 :]) for axis in range(len(cells)))


def _within(whole: tuple[int, ...], view: View) -> View:
    return lambda numbers: view(numbers.reshape(whole))


def _moved(place: Place, shape: tuple[int, ...], view: View) -> Place:
    """Return the place of a view, `shape` being that of what is viewed, with axes of length 1.

    numpy computes it, on an array that has these strides and no memory behind it.
    """
    strides = iter(place.strides)
    whole = [0 if length == 1 else next(strides) for length in shape]
    anything = np.zeros(1, np.int8)
    given = np.lib.stride_tricks.as_strided(anything, shape, whole)
    got = view(given)
    offset = got.__array_interface__["data"][0] - given.__array_interface__["data"][0]
    moved = [stride for stride, length in zip(got.strides, got.shape, strict=True) if length != 1]
    return Place(place.buffer, place.offset + offset, tuple(moved))
