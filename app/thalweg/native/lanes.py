"""Arithmetic on vectors of eight numbers, as expressions that read like the formula.

Every operation rounds once, to nearest, in each lane alone: nothing depends on how many lanes the processor's own
vectors have, and where it cannot fuse a product and a sum, LLVM calls the C library's exact `fma`.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Final, TypeAlias

from thalweg.native.builder import BITS, Builder, Type, bits, vector

LANES: Final = 8

_WORD: Final = {"double": 64, "float": 32}
_SUFFIX: Final = {"double": "f64", "float": "f32"}


class Mask:
    """A truth value in each lane."""

    def __init__(self, code: Builder, name: str) -> None:
        self._code = code
        self.name = name

    def choose(self, one: "Lanes", other: "Lanes | float") -> "Lanes":
        """Return `one` where the mask holds, `other` elsewhere."""
        wide = one.wide
        chosen = f"select <{LANES} x i1> {self.name}, {wide} {one.name}, {wide} {one.like(other).name}"
        return Lanes(self._code, self._code.new(chosen), one.type)

    def any(self) -> str:
        """Return whether it holds in any lane, as an i1."""
        full = f"llvm.vector.reduce.or.v{LANES}i1"
        self._code.declare("i1", full, f"<{LANES} x i1>")
        return self._code.new(f"call i1 @{full}(<{LANES} x i1> {self.name})")


class Lanes:
    """A vector under computation; a Python number stands for itself in every lane.

    Args:
        code: The function under construction.
        name: LLVM's name of the vector.
        of_type: The type of its numbers.
    """

    def __init__(self, code: Builder, name: str, of_type: Type = "double") -> None:
        self.code = code
        self.name = name
        self.type = of_type

    @property
    def wide(self) -> str:
        """LLVM's name of its type."""
        return vector(LANES, self.type)

    def like(self, number: "Lanes | float") -> "Lanes":
        """Return a Python number as a vector of this type."""
        return number if isinstance(number, Lanes) else literal(self.code, number, self.type)

    def __add__(self, other: "Operand") -> "Lanes":
        return self._apply("fadd", self, other)

    def __radd__(self, other: float) -> "Lanes":
        return self._apply("fadd", other, self)

    def __sub__(self, other: "Operand") -> "Lanes":
        return self._apply("fsub", self, other)

    def __rsub__(self, other: float) -> "Lanes":
        return self._apply("fsub", other, self)

    def __mul__(self, other: "Operand") -> "Lanes":
        return self._apply("fmul", self, other)

    def __rmul__(self, other: float) -> "Lanes":
        return self._apply("fmul", other, self)

    def __truediv__(self, other: "Operand") -> "Lanes":
        return self._apply("fdiv", self, other)

    def __rtruediv__(self, other: float) -> "Lanes":
        return self._apply("fdiv", other, self)

    def __neg__(self) -> "Lanes":
        return self._new(f"fneg {self.wide} {self.name}")

    def __abs__(self) -> "Lanes":
        return self._call("fabs", [self])

    def __lt__(self, other: "Operand") -> Mask:
        return self._compare("olt", other)

    def __le__(self, other: "Operand") -> Mask:
        return self._compare("ole", other)

    def __gt__(self, other: "Operand") -> Mask:
        return self._compare("ogt", other)

    def signed(self, other: "Lanes") -> "Lanes":
        """Return its absolute value with the sign of another vector."""
        return self._call("copysign", [self, other])

    def at_least(self, bound: float) -> "Lanes":
        """Return the larger of it and a bound; NaN stays."""
        return (self < bound).choose(self.like(bound), self)

    def at_most(self, bound: float) -> "Lanes":
        """Return the smaller of it and a bound; NaN stays."""
        return (self > bound).choose(self.like(bound), self)

    def integer(self, op: str, number: int) -> "Lanes":
        """Apply an integer operation to its bit patterns, which stay patterns of numbers."""
        whole = vector(LANES, BITS[self.type])
        pattern = self.code.new(f"bitcast {self.wide} {self.name} to {whole}")
        many = ", ".join([f"{BITS[self.type]} {number}"] * LANES)
        changed = self.code.new(f"{op} {whole} {pattern}, <{many}>")
        return self._new(f"bitcast {whole} {changed} to {self.wide}")

    def minus_pattern(self, other: "Lanes") -> "Lanes":
        """Return the number whose bit pattern is the difference of its and another's."""
        whole = vector(LANES, BITS[self.type])
        one, two = (self.code.new(f"bitcast {self.wide} {each.name} to {whole}") for each in (self, other))
        changed = self.code.new(f"sub {whole} {one}, {two}")
        return self._new(f"bitcast {whole} {changed} to {self.wide}")

    def has_bit(self, bit: int) -> Mask:
        """Return where a bit of the pattern is set."""
        whole = vector(LANES, BITS[self.type])
        pattern = self.code.new(f"bitcast {self.wide} {self.name} to {whole}")
        many = ", ".join([f"{BITS[self.type]} {1 << bit}"] * LANES)
        masked = self.code.new(f"and {whole} {pattern}, <{many}>")
        return Mask(self.code, self.code.new(f"icmp ne {whole} {masked}, zeroinitializer"))

    def to(self, of_type: Type) -> "Lanes":
        """Return it converted to another type, rounded to nearest."""
        if of_type == self.type:
            return self
        how = "fpext" if of_type == "double" else "fptrunc"
        return Lanes(
            self.code, self.code.new(f"{how} {self.wide} {self.name} to {vector(LANES, of_type)}"), of_type
        )

    def fma(self, factor: "Operand", addend: "Operand") -> "Lanes":
        """Return it times `factor` plus `addend`, rounded once."""
        return self._call("fma", [self, self.like(factor), self.like(addend)])

    def total(self) -> str:
        """Return the sum of the lanes as a plain number: halves are added to each other until one is left."""
        lanes, name = LANES, self.name
        while lanes > 1:
            wide, half = vector(lanes, self.type), lanes // 2
            parts = []
            for start in (0, half):
                places = ", ".join(f"i32 {start + k}" for k in range(half))
                parts.append(
                    self.code.new(f"shufflevector {wide} {name}, {wide} poison, <{half} x i32> <{places}>")
                    if half > 1
                    else self.code.new(f"extractelement {wide} {name}, i64 {start}")
                )
            name = self.code.new(f"fadd {vector(half, self.type)} {parts[0]}, {parts[1]}")
            lanes = half
        return name

    def _apply(self, op: str, one: "Operand", other: "Operand") -> "Lanes":
        return self._new(f"{op} {self.wide} {self.like(one).name}, {self.like(other).name}")

    def _compare(self, relation: str, other: "Operand") -> Mask:
        return Mask(self.code, self.code.new(f"fcmp {relation} {self.wide} {self.name}, {self.like(other).name}"))

    def _call(self, name: str, operands: Sequence["Lanes"]) -> "Lanes":
        full = f"llvm.{name}.v{LANES}{_SUFFIX[self.type]}"
        self.code.declare(self.wide, full, *[self.wide] * len(operands))
        given = ", ".join(f"{self.wide} {operand.name}" for operand in operands)
        return self._new(f"call {self.wide} @{full}({given})")

    def _new(self, expression: str) -> "Lanes":
        return Lanes(self.code, self.code.new(expression), self.type)


Operand: TypeAlias = Lanes | float


def literal(code: Builder, number: float, of_type: Type) -> Lanes:
    """Return a number in every lane."""
    rounded = f"0x{bits(number, 'double'):016X}"
    return Lanes(code, "<" + ", ".join([f"{of_type} {rounded}"] * LANES) + ">", of_type)


def polynomial(x: Lanes, coefficients: Sequence[float]) -> Lanes:
    """Return the polynomial with these coefficients, the constant first, by Horner's rule."""
    *lower, highest = coefficients
    return reduce(lambda value, coefficient: value.fma(x, coefficient), reversed(lower), x.like(highest))
