"""The syntax tree of a formula. Every node has its column, from 1."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number, or a named constant."""

    column: int
    value: float


@dataclass(frozen=True, slots=True)
class Dimension:
    """The number of coordinates: `n`, or the length of the vector."""

    column: int


@dataclass(frozen=True, slots=True)
class Counter:
    """The variable of a loop."""

    column: int
    name: str


@dataclass(frozen=True, slots=True)
class Scalar:
    """A variable that is a single coordinate."""

    column: int
    variable: int


@dataclass(frozen=True, slots=True)
class Item:
    """An indexed coordinate of the vector."""

    column: int
    index: "Value"


@dataclass(frozen=True, slots=True)
class Apply:
    """A function, a sign or a power applied to values."""

    column: int
    name: str
    operands: "tuple[Value, ...]"


@dataclass(frozen=True, slots=True)
class Chain:
    """A left-associative chain of operators, flat so that a long sum is not a deep tree."""

    column: int
    first: "Value"
    rest: "tuple[tuple[int, str, Value], ...]"  # column, operator, right side


@dataclass(frozen=True, slots=True)
class Choice:
    """One value if a condition holds, else another."""

    column: int
    condition: "Condition"
    one: "Value"
    other: "Value"


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop variable and its range."""

    column: int
    name: str
    start: "Value"
    stop: "Value"
    step: "Value"


@dataclass(frozen=True, slots=True)
class Reduction:
    """The reduction of a body over all iterations of loops to one number."""

    column: int
    kind: str
    loops: tuple[Loop, ...]
    body: "Value"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A chained comparison: every pair of neighbors must be in its relation."""

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
    """A parsed formula of yet unknown dimension.

    Attributes:
        body: The formula.
        variables: The names of the variables, in the order of the coordinates.
        vector: Index of the variable that is a vector; None if each is one coordinate.
    """

    body: Value
    variables: tuple[str, ...]
    vector: int | None
