"""Algorithms that branch and loop on data: variables, conditions and loops over the builder.

Whole numbers and truth values are objects with Python's operators, so that emitted code reads like the algorithm.
A variable stands for what it holds when it is used; `set` assigns to it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from thalweg.native.builder import Builder


class Truth:
    """A truth value."""

    def __init__(self, code: "Code", name: str) -> None:
        self.code = code
        self._name = name

    @property
    def name(self) -> str:
        """Its LLVM name."""
        return self._name

    def __and__(self, other: "Truth") -> "Truth":
        return Truth(self.code, self.code.mask("and", self.name, other.name))

    def __or__(self, other: "Truth") -> "Truth":
        return Truth(self.code, self.code.mask("or", self.name, other.name))

    def __invert__(self) -> "Truth":
        return Truth(self.code, self.code.inverse(self.name))


class Whole:
    """A 64-bit whole number."""

    def __init__(self, code: "Code", name: str) -> None:
        self.code = code
        self._name = name

    @property
    def name(self) -> str:
        """Its LLVM name."""
        return self._name

    def __add__(self, other: "WholeLike") -> "Whole":
        return self._apply("add", other)

    def __sub__(self, other: "WholeLike") -> "Whole":
        return self._apply("sub", other)

    def __mul__(self, other: "WholeLike") -> "Whole":
        return self._apply("mul", other)

    def __floordiv__(self, other: "WholeLike") -> "Whole":
        return self._apply("udiv", other)

    def __mod__(self, other: "WholeLike") -> "Whole":
        return self._apply("urem", other)

    def __and__(self, other: "WholeLike") -> "Whole":
        return self._apply("and", other)

    def __lt__(self, other: "WholeLike") -> Truth:
        return self._compare("slt", other)

    def __le__(self, other: "WholeLike") -> Truth:
        return self._compare("sle", other)

    def __gt__(self, other: "WholeLike") -> Truth:
        return self._compare("sgt", other)

    def __ge__(self, other: "WholeLike") -> Truth:
        return self._compare("sge", other)

    def equals(self, other: "WholeLike") -> Truth:
        """Return whether both are the same number."""
        return self._compare("eq", other)

    def _apply(self, op: str, other: "WholeLike") -> "Whole":
        return Whole(self.code, self.code.binary(op, "i64", self.name, _name(other)))

    def _compare(self, relation: str, other: "WholeLike") -> Truth:
        return Truth(self.code, self.code.compare(relation, "i64", self.name, _name(other)))


WholeLike: TypeAlias = Whole | int


class TruthVariable(Truth):
    """A variable truth value at an address."""

    @property
    def name(self) -> str:
        """The LLVM name of its present value."""
        return self.code.new(f"load i1, ptr {self._name}")

    def set(self, value: Truth) -> None:
        """Assign to it."""
        self.code.put(f"store i1 {value.name}, ptr {self._name}")


class WholeVariable(Whole):
    """A variable whole number at an address."""

    @property
    def name(self) -> str:
        """The LLVM name of its present value."""
        return self.code.new(f"load i64, ptr {self._name}")

    def set(self, value: WholeLike) -> None:
        """Assign to it."""
        self.code.put(f"store i64 {_name(value)}, ptr {self._name}")


class Loop:
    """A loop under construction."""

    def __init__(self, code: "Code", end: str) -> None:
        self._code = code
        self._end = end

    def leave(self) -> None:
        """Go on behind the loop."""
        self._code.jump(self._end)


class Code(Builder):
    """A function under construction that handles one number at a time."""

    def __init__(self) -> None:
        super().__init__(1)
        self.true = Truth(self, "true")
        self.false = Truth(self, "false")
        self._condition = self.true

    def whole_number(self, initial: WholeLike = 0) -> WholeVariable:
        """Return a new variable."""
        variable = WholeVariable(self, self.alloca("i64"))
        variable.set(initial)
        return variable

    def truth(self, initial: Truth) -> TruthVariable:
        """Return a new variable."""
        variable = TruthVariable(self, self.alloca("i1"))
        variable.set(initial)
        return variable

    def jump(self, label: str) -> None:
        """Go to a block; what is emitted next is unreachable until another block begins."""
        (dead,) = self.labels("dead")
        self.put(f"br label %{label}")
        self.label(dead)

    @contextmanager
    def when(self, condition: Truth) -> Iterator[None]:
        """Emit a block that runs where the condition holds."""
        condition = Truth(self, condition.name)
        then, end = self.labels("then", "end")
        self.put(f"br i1 {condition.name}, label %{then}, label %{end}")
        self.label(then)
        yield
        self.put(f"br label %{end}")
        self.label(end)
        self._condition = condition

    @contextmanager
    def otherwise(self) -> Iterator[None]:
        """Emit a block that runs where the condition of the `when` just ended did not hold."""
        with self.when(~self._condition):
            yield

    @contextmanager
    def loop(self, goes_on: Callable[[], Truth]) -> Iterator[Loop]:
        """Emit a block that runs again while the condition holds."""
        test, body, end = self.labels("test", "body", "behind")
        self.put(f"br label %{test}")
        self.label(test)
        self.put(f"br i1 {goes_on().name}, label %{body}, label %{end}")
        self.label(body)
        yield Loop(self, end)
        self.put(f"br label %{test}")
        self.label(end)

    @contextmanager
    def each(self, begin: WholeLike, end: WholeLike) -> Iterator[Whole]:
        """Emit a block that runs for each number from `begin` to `end - 1`."""
        counter = self.whole_number(begin)
        end = Whole(self, _name(end))
        with self.loop(lambda: counter < end):
            yield Whole(self, counter.name)
            counter.set(counter + 1)

    def choose(self, condition: Truth, one: WholeLike, other: WholeLike) -> Whole:
        """Return one number where the condition holds, else the other."""
        return Whole(self, self.select(condition.name, "i64", _name(one), _name(other)))


def _name(value: WholeLike) -> str:
    return str(value) if isinstance(value, int) else value.name
