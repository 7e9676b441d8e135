"""Building a function of LLVM assembly line by line, on numbers or on vectors of them."""

import struct
from collections.abc import Sequence
from typing import Final, Literal

Type = Literal["double", "float", "i1"]
"""LLVM's name of the type of a number."""

BYTES: Final[dict[str, int]] = {"double": 8, "float": 4, "i64": 8, "i1": 1}
BITS: Final[dict[Type, str]] = {"double": "i64", "float": "i32"}
"""The integer type of the same width."""

MANTISSA_BITS: Final[dict[Type, int]] = {"double": 52, "float": 23}

_USUALLY: Final = '!0 = !{!"branch_weights", i32 1000, i32 1}'
_SUFFIX: Final = {"double": "f64", "float": "f32", "i64": "i64", "i32": "i32"}


class Builder:
    """The lines of a function so far. A method that computes appends lines and returns the name of the result.

    Args:
        width: Lanes of a vector; 1 for plain numbers.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.declarations: set[str] = set()
        self._allocas: list[str] = []
        self._lines: list[str] = []
        self._n = 0

    def whole(self, signature: str, result: str = "void", *, internal: bool = False) -> str:
        """Return the function's text; an internal one can be called from the module alone."""
        linkage = "internal " if internal else ""
        head = f"define {linkage}{result} {signature} {{"
        return "\n".join([head, "entry:", *self._allocas, *self._lines, "}"])

    def put(self, *lines: str) -> None:
        """Append lines."""
        self._lines += [f"  {line}" for line in lines]

    def label(self, name: str) -> None:
        """Begin a basic block."""
        self._lines.append(f"{name}:")

    def labels(self, *names: str) -> list[str]:
        """Return unique names for blocks."""
        self._n += 1
        return [f"{name}{self._n}" for name in names]

    def branch(self, condition: str, usual: str, unusual: str) -> None:
        """End a block with a branch that nearly always goes the usual way."""
        self.declarations.add(_USUALLY)
        self.put(f"br i1 {condition}, label %{usual}, label %{unusual}, !prof !0")

    def new(self, expression: str) -> str:
        """Compute an expression."""
        self._n += 1
        self.put(f"%t{self._n} = {expression}")
        return f"%t{self._n}"

    def alloca(self, of_type: str) -> str:
        """Return the address of a new variable, which LLVM keeps in a register where it can."""
        self._n += 1
        self._allocas.append(f"  %m{self._n} = alloca {of_type}, align 64")
        return f"%m{self._n}"

    def at_entry(self, line: str) -> None:
        """Append a line to the function's entry, where its variables are."""
        self._allocas.append(f"  {line}")

    def declare(self, result: str, name: str, *parameters: str) -> None:
        """Declare an external function."""
        self.declarations.add(f"declare {result} @{name}({', '.join(parameters)})")

    def wide(self, of_type: str) -> str:
        """Return the type of a vector of this function's width."""
        return vector(self.width, of_type)

    def splat(self, name: str, of_type: str) -> str:
        """Return a computed number in all lanes."""
        if self.width == 1:
            return name
        wide = self.wide(of_type)
        one = self.new(f"insertelement {wide} poison, {of_type} {name}, i64 0")
        return self.new(f"shufflevector {wide} {one}, {wide} poison, <{self.width} x i32> zeroinitializer")

    def literal(self, number: float | str, of_type: str) -> str:
        """Return a literal in all lanes; a string is taken as LLVM writes it."""
        text = number if isinstance(number, str) else _hexadecimal(number, of_type)
        return text if self.width == 1 else "<" + ", ".join([f"{of_type} {text}"] * self.width) + ">"

    def binary(self, op: str, of_type: str, a: str, b: str) -> str:
        """Apply a binary operation lane by lane."""
        return self.new(f"{op} {self.wide(of_type)} {a}, {b}")

    def cast(self, how: str, value: str, of_type: str, to_type: str) -> str:
        """Convert to another type by `bitcast`, `trunc`, `fpext` and the like."""
        return self.new(f"{how} {self.wide(of_type)} {value} to {self.wide(to_type)}")

    def cast_one(self, how: str, value: str, of_type: str, to_type: str) -> str:
        """Convert a single number to another type."""
        return self.new(f"{how} {of_type} {value} to {to_type}")

    def compare(self, relation: str, of_type: str, a: str, b: str) -> str:
        """Return the mask of lanes where the relation holds."""
        how = "icmp" if of_type.startswith("i") else "fcmp"
        return self.new(f"{how} {relation} {self.wide(of_type)} {a}, {b}")

    def select(self, mask: str, of_type: str, one: str, other: str) -> str:
        """Return `one` in the lanes where the mask holds, `other` elsewhere."""
        wide = self.wide(of_type)
        return self.new(f"select {self.wide('i1')} {mask}, {wide} {one}, {wide} {other}")

    def neg(self, of_type: str, a: str) -> str:
        """Return -a."""
        return self.new(f"fneg {self.wide(of_type)} {a}")

    def fma(self, of_type: str, a: str, b: str, c: str) -> str:
        """Return a b + c, rounded once."""
        return self.intrinsic("fma", of_type, [a, b, c])

    def intrinsic(self, name: str, of_type: str, operands: Sequence[str]) -> str:
        """Apply an LLVM intrinsic lane by lane."""
        wide = self.wide(of_type)
        full_name = f"llvm.{name}.{f'v{self.width}' if self.width > 1 else ''}{_SUFFIX[of_type]}"
        self.declare(wide, full_name, *[wide] * len(operands))
        return self.new(f"call {wide} @{full_name}({', '.join(f'{wide} {operand}' for operand in operands)})")

    def by_parts(self, instruction: str, value: str, of_type: Type, lanes: int, *others: str) -> str:
        """Apply a processor instruction that works on vectors of `lanes` lanes, part by part.

        A single number goes into the first lane. `others` are further arguments of every call.
        """
        part_type = vector(lanes, of_type)
        self.declare(part_type, instruction, part_type, *[other.rsplit(maxsplit=1)[0] for other in others])

        def call(part: str) -> str:
            return self.new(f"call {part_type} @{instruction}({', '.join([f'{part_type} {part}', *others])})")

        if self.width == 1:
            given = self.new(f"insertelement {part_type} poison, {of_type} {value}, i64 0")
            return self.new(f"extractelement {part_type} {call(given)}, i64 0")
        return self.joined([call(part) for part in self.parts(value, of_type, lanes)], of_type, lanes)

    def parts(self, value: str, of_type: str, lanes: int) -> list[str]:
        """Split a vector into parts of `lanes` lanes."""
        wide, result = self.wide(of_type), []
        for start in range(0, self.width, lanes):
            indices = ", ".join(f"i32 {start + k}" for k in range(lanes))
            result.append(self.new(f"shufflevector {wide} {value}, {wide} poison, <{lanes} x i32> <{indices}>"))
        return result

    def joined(self, parts: list[str], of_type: str, lanes: int) -> str:
        """Concatenate vectors of `lanes` lanes; their number is a power of two."""
        while len(parts) > 1:
            indices = ", ".join(f"i32 {k}" for k in range(2 * lanes))
            part_type = vector(lanes, of_type)
            parts = [
                self.new(f"shufflevector {part_type} {one}, {part_type} {other}, <{2 * lanes} x i32> <{indices}>")
                for one, other in zip(parts[::2], parts[1::2], strict=True)
            ]
            lanes *= 2
        return parts[0]

    def mask(self, op: str, a: str, b: str) -> str:
        """Combine two masks."""
        return self.binary(op, "i1", a, b)

    def inverse(self, mask: str) -> str:
        """Return the negated mask."""
        return self.mask("xor", mask, self.literal("true", "i1"))

    def any(self, mask: str) -> str:
        """Return whether a mask holds in any lane."""
        return self._reduced("or", mask)

    def all(self, mask: str) -> str:
        """Return whether a mask holds in every lane."""
        return self._reduced("and", mask)

    def _reduced(self, how: str, mask: str) -> str:
        if self.width == 1:
            return mask
        name = f"llvm.vector.reduce.{how}.v{self.width}i1"
        self.declare("i1", name, self.wide("i1"))
        return self.new(f"call i1 @{name}({self.wide('i1')} {mask})")


def vector(lanes: int, of_type: str) -> str:
    """Return the type of a vector; one lane is a plain number."""
    return f"<{lanes} x {of_type}>" if lanes > 1 else of_type


def bits(number: float, of_type: Type) -> int:
    """Return the bit pattern of a number as an integer."""
    whole, real = {"double": (">Q", ">d"), "float": (">I", ">f")}[of_type]
    return int(struct.unpack(whole, struct.pack(real, number))[0])


def _hexadecimal(number: float, of_type: str) -> str:
    # LLVM writes a float as the double of equal value
    rounded = struct.unpack("f", struct.pack("f", number))[0] if of_type == "float" else number
    return f"0x{bits(rounded, 'double'):016X}"
