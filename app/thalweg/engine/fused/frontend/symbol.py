"""Symbols that Python code computes with as with floats, while what it does with them is appended to a program."""

from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.engine.fused.frontend.arithmetic import Scalars
from thalweg.engine.fused.frontend.program import Program, Value


class Branches:
    """Decides the branches that code takes on symbols: by `decisions`, then always True.

    Args:
        program: What is extended.
        decisions: Whether each of the first conditions holds.

    Attributes:
        conditions: The conditions that were asked for, each once.
    """

    def __init__(self, program: Program, decisions: Sequence[bool]) -> None:
        self.program = program
        self.scalars = Scalars(program)
        self.conditions: list[Value] = []
        self._decisions = decisions

    def number(self, value: Value) -> "Symbol":
        """Return a value as a symbol."""
        return Symbol(value, self)

    def value(self, number: "Symbol | float") -> Value:
        """Return a symbol, or a number, as a value."""
        return number.value if isinstance(number, Symbol) else self.program.const(float(number), "double")

    def decide(self, condition: Value) -> bool:
        """Return the decision for a condition."""
        if condition not in self.conditions:
            self.conditions.append(condition)
        place = self.conditions.index(condition)
        return self._decisions[place] if place < len(self._decisions) else True


class Symbol:
    """A number that is known only at run time, a double."""

    def __init__(self, value: Value, branches: Branches) -> None:
        self.value = value
        self._branches = branches

    def _apply(self, method: str, one: "Symbol | float", other: "Symbol | float") -> "Symbol":
        values = map(self._branches.value, (one, other))
        return Symbol(getattr(self._branches.scalars, method)(*values), self._branches)

    def __add__(self, other: "Symbol | float") -> "Symbol":
        return self._apply("add", self, other)

    def __radd__(self, other: float) -> "Symbol":
        return self._apply("add", other, self)

    def __sub__(self, other: "Symbol | float") -> "Symbol":
        return self._apply("sub", self, other)

    def __rsub__(self, other: float) -> "Symbol":
        return self._apply("sub", other, self)

    def __mul__(self, other: "Symbol | float") -> "Symbol":
        return self._apply("mul", self, other)

    def __rmul__(self, other: float) -> "Symbol":
        return self._apply("mul", other, self)

    def __lt__(self, other: "Symbol | float") -> "Condition":
        return self._compare("lt", other)

    def __le__(self, other: "Symbol | float") -> "Condition":
        return self._compare("le", other)

    def __gt__(self, other: "Symbol | float") -> "Condition":
        return self._compare("gt", other)

    def __ge__(self, other: "Symbol | float") -> "Condition":
        return self._compare("ge", other)

    def _compare(self, name: str, other: "Symbol | float") -> "Condition":
        values = self.value, self._branches.value(other)
        return Condition(self._branches.scalars.compare(name, *values), self._branches)


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of symbols. Code that asks whether it holds takes the branch that was decided."""

    value: Value
    branches: Branches

    def __bool__(self) -> bool:
        return self.branches.decide(self.value)
