"""A formula as a tree. Every node knows the column that it stands at, from 1."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is written out, or a constant by name."""

    column: int
    value: float


@dataclass(frozen=True, slots=True)
class Dimension:
    """How many coordinates there are: `n`, or the length of the vector."""

    column: int


@dataclass(frozen=True, slots=True)
class Counter:
    """The variable of a loop."""

    column: int
    name: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """A variable that is one coordinate."""

    column: int
    variable: int


@dataclass(frozen=True, slots=True)
class Item:
    """A coordinate of the vector, by index."""

    column: int
    index: "Value"


@dataclass(frozen=True, slots=True)
class Apply:
    """A function, a sign or a power, of values."""

    column: int
    name: str
    operands: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators one after the other, from left to right: a long sum is no deep tree."""

    column: int
    first: "Value"
    rest: "tuple[tuple[int, str, Value], ...]"  # column, operator, right side


@dataclass(frozen=True, slots=True)
class Choice:
    """One value where a condition holds, else another."""

    column: int
    condition: "Condition"
    one: "Value"
    other: "Value"


@dataclass(frozen=True, slots=True)
class Loop:
    """A variable that goes through a range of whole numbers."""

    column: int
    name: str
    start: "Value"
    stop: "Value"
    step: "Value"


@dataclass(frozen=True, slots=True)
class Reduction:
    """One number of many: what the body is for every turn of the loops."""

    column: int
    kind: str
    loops: tuple[Loop, ...]
    body: "Value"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether all neighbors stand in their relations."""

    column: int
    relations: tuple[str, ...]
    operands: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Logic:
    """`and`, `or` or `not` of conditions."""

    column: int
    name: str
    operands: "tuple[Condition, ...]"


Value: TypeAlias = Number | Dimension | Counter | Scalar | Item | Apply | Chain | Choice | Reduction
Condition: TypeAlias = Comparison | Logic


@dataclass(frozen=True, slots=True)
class Formula:
    """What a text says, before the dimension is known.

    Attributes:
        body: Its value.
        variables: The names of the variables, in the order of the coordinates.
        vector: Which of them is a vector; None if each is one coordinate.
    """

    body: Value
    variables: tuple[str, ...]
    vector: int | None
