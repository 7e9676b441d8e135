"""Straight-line programs of scalar operations, in single-assignment form.

On tensors of a known, small shape, torch's work is a list of operations on single numbers. A value that depends on
the run's own point is `varying`. One that all runs share, such as a bias correction, is not, and is computed only
once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from thalweg.native.builder import Type

_TYPES: dict[torch.dtype, Type] = {torch.float64: "double", torch.float32: "float", torch.bool: "i1"}

COMPARISONS = {"lt": "olt", "le": "ole", "gt": "ogt", "ge": "oge", "eq": "oeq", "ne": "une"}
"""LLVM's names of the comparisons: with a NaN all but `ne` are false."""


class Untraceable(Exception):
    """What torch does cannot be written as arithmetic on single numbers."""


def type_of(dtype: torch.dtype) -> Type:
    """Return the type of the numbers of a tensor.

    Raises:
        Untraceable: They are integers or complex numbers.
    """
    if dtype not in _TYPES:
        raise Untraceable(f"numbers of {dtype}")
    return _TYPES[dtype]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the numbers of an array lie.

    Attributes:
        buffer: The memory; see `thalweg.engine.fused.frontend.buffers.Buffer`.
        offset: Where the first number lies, in numbers.
        strides: By how many numbers the place moves along each axis.
    """

    buffer: Any
    offset: int
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """The result of one operation.

    Attributes:
        op: `input`, `const`, `read`, or the operation.
        args: The operands; name and index of an input, the number of a constant, the place of a read.
        type: LLVM's name of its type: double, float or truth value.
        varying: Whether it differs from run to run.
        number: Its position in the program, behind its operands.
        depth: The longest chain of calls of vector functions that leads to it.
    """

    op: str
    args: "tuple[Value, ...] | tuple[str, int] | tuple[float] | tuple[Place]"
    type: Type
    varying: bool
    number: int
    depth: int

    @property
    def operands(self) -> "tuple[Value, ...]":
        """The values it is computed from."""
        return tuple(arg for arg in self.args if isinstance(arg, Value))

    @property
    def source(self) -> tuple[str, int]:
        """The name and index of an input."""
        name, index = self.args  # type: ignore[misc]
        return name, index  # type: ignore[return-value]

    @property
    def place(self) -> Place:
        """The place of a read."""
        place: Any = self.args[0]
        assert isinstance(place, Place)  # noqa: S101 - only a read is asked for its place
        return place

    @property
    def constant(self) -> float | None:
        """Its number; None unless it is a constant."""
        return float(self.args[0]) if self.op == "const" else None  # type: ignore[arg-type]


class Program:
    """Values in order of computation. Equal operations on equal operands are one value."""

    def __init__(self) -> None:
        self._values: dict[tuple[object, ...], Value] = {}
        self.units: set[Value] = set()
        """Inputs that are known to lie between 0 and 1, up to a rounding."""
        self.fractions: set[Value] = set()
        """Inputs that are known to lie between 0 and 1, and not to be 1."""
        self.sides: dict[Value, bool] = {}
        """Whether an input is above one half, for those that are known to be clearly above or below."""

    def input(self, name: str, index: int, of_type: Type, *, varying: bool) -> Value:
        """Return a value that comes from outside."""
        return self._value("input", (name, index), of_type, varying=varying, depth=0)

    def read(self, place: Place, of_type: Type) -> Value:
        """Return a number of an array in memory, at a place that moves with the cell for which it is read."""
        return self._value("read", (place,), of_type, varying=True, depth=0)

    def const(self, number: float, of_type: Type) -> Value:
        """Return a constant, rounded to its type."""
        if of_type == "float":
            with np.errstate(over="ignore"):
                number = float(np.float32(number))
        # the key holds the sign: -0.0 and 0.0 compare equal and are different constants
        return self._value("const", (float(number),), of_type, varying=False, depth=0)

    def apply(self, op: str, *operands: Value, of_type: Type | None = None, is_call: bool = False) -> Value:
        """Return the result of an operation; its type is by default that of the first operand."""
        return self._value(
            op,
            operands,
            of_type or operands[0].type,
            varying=any(operand.varying for operand in operands),
            depth=max(operand.depth for operand in operands) + is_call,
        )

    def cast(self, value: Value, of_type: Type) -> Value:
        """Return the value converted to another type, rounded to nearest."""
        if value.type == of_type:
            return value
        if value.constant is not None:
            return self.const(value.constant, of_type)
        if value.type == "i1":
            return self.apply("select", value, self.const(1.0, of_type), self.const(0.0, of_type), of_type=of_type)
        return self.apply("cast", value, of_type=of_type)

    def substituted(self, value: Value, known: dict[Value, Value]) -> Value:
        """Return a value in which others are replaced as `known` says, which is extended on the way."""
        waiting = [value]
        while waiting:
            now = waiting[-1]
            missing = [operand for operand in now.operands if operand.varying and operand not in known]
            if now in known or missing:
                waiting = waiting[:-1] if now in known else [*waiting, *missing]
                continue
            operands = [known.get(operand, operand) for operand in now.operands]
            same = all(new is old for new, old in zip(operands, now.operands, strict=True))
            is_call = now.depth > max((operand.depth for operand in now.operands), default=0)
            known[now] = now if same else self.apply(now.op, *operands, of_type=now.type, is_call=is_call)
            waiting.pop()
        return known[value]

    def copied(self, values: Sequence[Value], given: Mapping[str, Value]) -> list[Value]:
        """Return values of another program as values of this one; `given` are those for its inputs, by name."""
        here: dict[Value, Value] = {each: given[each.source[0]] for each in inputs(values)}

        def operand(value: Value) -> Value:
            return here[value] if value.constant is None else self.const(value.constant, value.type)

        for value in needed(values):
            here[value] = self.apply(value.op, *map(operand, value.operands), of_type=value.type)
        return [operand(value) for value in values]

    def _value(
        self,
        op: str,
        args: "tuple[Value, ...] | tuple[str, int] | tuple[float] | tuple[Place]",
        of_type: Type,
        *,
        varying: bool,
        depth: int,
    ) -> Value:
        signs = tuple(math.copysign(1.0, arg) for arg in args if isinstance(arg, float))
        key = (op, args, of_type, signs)
        if key not in self._values:
            self._values[key] = Value(op, args, of_type, varying, len(self._values), depth)
        return self._values[key]


def needed(outputs: Iterable[Value], known: Iterable[Value] = ()) -> list[Value]:
    """Return what must be computed for `outputs`, in order, apart from leaves and `known` values."""
    seen = set(known)
    found = []
    waiting = list(outputs)
    while waiting:
        value = waiting.pop()
        if value in seen or value.op in {"input", "const", "read"}:
            continue
        seen.add(value)
        found.append(value)
        waiting.extend(value.operands)
    return sorted(found, key=lambda value: value.number)


def inputs(outputs: Iterable[Value]) -> list[Value]:
    """Return the inputs that `outputs` depend on."""
    seen: set[Value] = set()
    waiting = list(outputs)
    while waiting:
        value = waiting.pop()
        if value not in seen:
            seen.add(value)
            waiting.extend(value.operands)
    return sorted((value for value in seen if value.op == "input"), key=lambda value: value.number)
