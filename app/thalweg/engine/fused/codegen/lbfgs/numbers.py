"""The scalars of LBFGS: each is a Python float or a tensor of the job's dtype, and which of them depends on data.

Both are held as doubles. A tensor's double is a number of its dtype, and so is the result of every operation with a
tensor: its operands are rounded to the dtype, and so is what is computed from them. Rounding a sum, difference,
product or quotient of float32 numbers from double gives what float32 arithmetic gives, since a double has more than
twice as many digits.

Source: Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30(3), 1995.
"""

from typing import TypeAlias

from thalweg.engine.fused.frontend.refusals import LARGEST_FLOAT32, OVERFLOW, ZERO_DIVISION
from thalweg.native.builder import Type
from thalweg.native.structured import Code, Truth, TruthVariable

Kind: TypeAlias = "bool | Truth"
"""Whether a number is a tensor; a truth value where that depends on data."""


class NumberCode(Code):
    """A function under construction that computes with Python's floats and tensors of a dtype.

    Args:
        real: The type of the tensors.
        vml: Whether Intel's vector library, from which torch takes square roots, is available.
    """

    def __init__(self, real: Type, *, vml: bool) -> None:
        super().__init__()
        self.real = real
        self._vml = vml

    def python(self, number: "float | str") -> "Number":
        """Return a Python float: a literal, or a double that was computed."""
        return Number(self, number if isinstance(number, str) else self.literal(number, "double"), tensor=False)

    def tensor(self, name: str) -> "Number":
        """Return a tensor with the value of a number of the dtype."""
        wide = name if self.real == "double" else self.cast("fpext", name, "float", "double")
        return Number(self, wide, tensor=True)

    def number(self, initial: "Number") -> "NumberVariable":
        """Return a new variable for numbers of one kind, which is known."""
        if not isinstance(initial.kind, bool):
            raise TypeError("whether it is a tensor depends on data")
        variable = NumberVariable(self, self.alloca("double"), tensor=initial.kind)
        variable.set(initial)
        return variable

    def either(self, initial: "Number") -> "NumberVariable":
        """Return a new variable for numbers of either kind."""
        variable = NumberVariable(self, self.alloca("double"), tensor=self.truth(self.false))
        variable.set(initial)
        return variable

    def rounded(self, name: str) -> str:
        """Return a double rounded to the dtype."""
        if self.real == "double":
            return name
        return self.cast("fpext", self.cast("fptrunc", name, "double", "float"), "float", "double")

    def narrow(self, number: "Number") -> str:
        """Return a number as one of the dtype, rounded where it is a Python float."""
        value = number.value
        return value if self.real == "double" else self.cast("fptrunc", value, "double", "float")

    def alpha(self, number: "Number") -> str:
        """Return a number as one of the dtype, as `add_` takes its `alpha`: too large a Python float raises."""
        if self.real == "float" and number.kind is not True:
            size = self.intrinsic("fabs", "double", [number.value])
            beyond = self.compare("ogt", "double", size, self.literal(LARGEST_FLOAT32, "double"))
            finite = self.compare("one", "double", size, self.literal(float("inf"), "double"))
            with self.when(Truth(self, beyond) & Truth(self, finite)):
                self.raise_(OVERFLOW)
        return self.narrow(number)

    def root(self, number: "Number") -> "Number":
        """Return the square root of a tensor."""
        real, narrow = self.real, self.narrow(number)
        if not self._vml:
            return self.tensor(self.intrinsic("sqrt", real, [narrow]))
        name = f"v{'d' if real == 'double' else 's'}Sqrt"
        given, got = self.alloca(real), self.alloca(real)
        self.declare("void", name, "i32", "ptr", "ptr")
        self.put(f"store {real} {narrow}, ptr {given}", f"call void @{name}(i32 1, ptr {given}, ptr {got})")
        return self.tensor(self.new(f"load {real}, ptr {got}"))

    def pick(self, condition: Truth, one: "Number", other: "Number") -> "Number":
        """Return one number where the condition holds, else the other."""
        value = self.select(condition.name, "double", one.value, other.value)
        if isinstance(one.kind, bool) and one.kind is other.kind:
            return Number(self, value, tensor=one.kind)
        kinds = (_truth(self, number.kind).name for number in (one, other))
        return Number(self, value, tensor=Truth(self, self.select(condition.name, "i1", *kinds)))

    def smaller(self, one: "Number", other: "Number") -> "Number":
        """Return Python's min: the second number if it is smaller, else the first, whatever is NaN."""
        one, other = one.now, other.now
        return self.pick(other < one, other, one)

    def larger(self, one: "Number", other: "Number") -> "Number":
        """Return Python's max: the second number if it is larger, else the first, whatever is NaN."""
        one, other = one.now, other.now
        return self.pick(other > one, other, one)

    def raise_(self, code: int) -> None:
        """End the function: torch or Python raises here, with a refusal of this code."""
        raise NotImplementedError


class Number:
    """A Python float or a tensor without dimensions."""

    def __init__(self, code: NumberCode, value: str, *, tensor: Kind) -> None:
        self.code = code
        self._value = value
        self._kind = tensor

    @property
    def value(self) -> str:
        """The LLVM name of its double."""
        return self._value

    @property
    def kind(self) -> Kind:
        """Whether it is a tensor."""
        return self._kind

    @property
    def now(self) -> "Number":
        """This number as it is now, whatever is assigned later."""
        return self

    def __add__(self, other: "NumberLike") -> "Number":
        return self._apply("fadd", _number(self.code, other))

    def __sub__(self, other: "NumberLike") -> "Number":
        return self._apply("fsub", _number(self.code, other))

    def __mul__(self, other: "NumberLike") -> "Number":
        return self._apply("fmul", _number(self.code, other))

    def __radd__(self, other: float) -> "Number":
        return _number(self.code, other) + self

    def __rmul__(self, other: float) -> "Number":
        return _number(self.code, other) * self

    def __truediv__(self, other: "NumberLike") -> "Number":
        """Return the quotient. torch divides a float by a tensor as the reciprocal times the float."""
        over = _number(self.code, other).now
        if self.kind is True or isinstance(other, float):
            return self._apply("fdiv", over)
        if self.kind is not False:
            raise TypeError("how torch divides would depend on data")
        if over.kind is True:
            return self.code.python(1.0)._apply("fdiv", over) * self
        quotient = self._python_quotient(over)
        if over.kind is False:
            return quotient
        reciprocal = self.code.python(1.0)._apply("fdiv", Number(self.code, over.value, tensor=True))
        return self.code.pick(_truth(self.code, over.kind), reciprocal * self, quotient)

    def __rtruediv__(self, other: float) -> "Number":
        return _number(self.code, other) / self

    def __neg__(self) -> "Number":
        now = self.now
        return Number(self.code, self.code.neg("double", now.value), tensor=now.kind)

    def __abs__(self) -> "Number":
        now = self.now
        return Number(self.code, self.code.intrinsic("fabs", "double", [now.value]), tensor=now.kind)

    def __lt__(self, other: "NumberLike") -> Truth:
        return self._compare("olt", other)

    def __le__(self, other: "NumberLike") -> Truth:
        return self._compare("ole", other)

    def __gt__(self, other: "NumberLike") -> Truth:
        return self._compare("ogt", other)

    def __ge__(self, other: "NumberLike") -> Truth:
        return self._compare("oge", other)

    def _apply(self, op: str, other: "Number") -> "Number":
        one, other = self.now, other.now
        kind = _either(one.kind, other.kind)
        result = self.code.binary(op, "double", one.as_kind(kind), other.as_kind(kind))
        # the result is no number of the dtype yet
        computed = Number(self.code, result, tensor=False)
        return Number(self.code, computed.as_kind(kind), tensor=kind)

    def _compare(self, relation: str, other: "NumberLike") -> Truth:
        one, other = self.now, _number(self.code, other).now
        kind = _either(one.kind, other.kind)
        operands = one.as_kind(kind), other.as_kind(kind)
        return Truth(self.code, self.code.compare(relation, "double", *operands))

    def as_kind(self, kind: Kind) -> str:
        """Return its value as an operand where `kind` says whether the other one is a tensor."""
        if self.code.real == "double" or kind is False or self.kind is True:
            return self.value
        value = self.value
        rounded = self.code.rounded(value)
        return rounded if kind is True else self.code.select(_truth(self.code, kind).name, "double", rounded, value)

    def _python_quotient(self, over: "Number") -> "Number":
        code = self.code
        is_zero = Truth(code, code.compare("oeq", "double", over.value, code.literal(0.0, "double")))
        with code.when(is_zero if over.kind is False else is_zero & ~_truth(code, over.kind)):
            code.raise_(ZERO_DIVISION)
        return Number(code, code.binary("fdiv", "double", self.value, over.value), tensor=False)


NumberLike: TypeAlias = Number | float


class NumberVariable(Number):
    """A variable number at an address; its kind is constant or a variable too."""

    def __init__(self, code: NumberCode, address: str, *, tensor: bool | TruthVariable) -> None:
        super().__init__(code, address, tensor=tensor)
        self._variable_kind = None if isinstance(tensor, bool) else tensor

    @property
    def value(self) -> str:
        """The LLVM name of its present double."""
        return self.code.new(f"load double, ptr {self._value}")

    @property
    def kind(self) -> Kind:
        """Whether it is a tensor at present."""
        if self._variable_kind is not None:
            return Truth(self.code, self._variable_kind.name)
        return self._kind

    @property
    def now(self) -> Number:
        """The number it holds now."""
        return Number(self.code, self.value, tensor=self.kind)

    def set(self, number: Number) -> None:
        """Assign to it."""
        now = number.now
        self.code.put(f"store double {now.value}, ptr {self._value}")
        if self._variable_kind is None:
            if now.kind is not self._kind:
                raise TypeError("a float is not a tensor")
        else:
            self._variable_kind.set(_truth(self.code, now.kind))


def _number(code: NumberCode, value: NumberLike) -> Number:
    return value if isinstance(value, Number) else code.python(value)


def _either(one: Kind, other: Kind) -> Kind:
    if one is True or other is True:
        return True
    if isinstance(one, bool):
        return other
    return one if isinstance(other, bool) else one | other


def _truth(code: NumberCode, kind: Kind) -> Truth:
    if isinstance(kind, bool):
        return code.true if kind else code.false
    return kind
