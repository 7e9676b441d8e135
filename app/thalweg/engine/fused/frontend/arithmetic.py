"""The arithmetic of torch's CPU kernels on single numbers, with the same roundings.

Where torch's kernel fuses a multiply with an add (`add` with `alpha`, `lerp`, `addcmul`), so does this, and sums
are taken in torch's order. Elementary functions are left to the library that torch itself calls.

Source: aten/src/ATen/native/cpu of PyTorch 2.13 (BinaryOpsKernel, LerpKernel, PointwiseOpsKernel, PowKernel,
SumKernel, ReduceOpsKernel), each held against torch by `tests/unit/test_operations.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce

import numpy as np
import torch

from thalweg.engine.fused.frontend.program import Program, Value
from thalweg.native.builder import BYTES, Type

_VECTOR_BYTES = 32  # torch builds its reductions for AVX2 even where the processor has wider vectors


def vector_lanes(of_type: Type) -> int:
    """Return how many numbers torch's reductions take side by side."""
    return _VECTOR_BYTES // BYTES[of_type]


class Scalars:
    """Arithmetic on values of a program; each method computes one number as torch does."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._apply = program.apply

    def const(self, number: float, like: Value) -> Value:
        """Return a constant of the type of `like`."""
        return self._program.const(number, like.type)

    def add(self, a: Value, b: Value, alpha: Value | None = None) -> Value:
        """Return a + alpha b."""
        if alpha is None or alpha.constant == 1.0:
            return self._apply("fadd", a, b)
        return self.fma(b, alpha, a)

    def sub(self, a: Value, b: Value, alpha: Value | None = None) -> Value:
        """Return a - alpha b."""
        if alpha is None or alpha.constant == 1.0:
            return self._apply("fsub", a, b)
        return self.fma(b, self.neg(alpha), a)

    def rsub(self, a: Value, b: Value, alpha: Value | None = None) -> Value:
        """Return b - alpha a."""
        return self.sub(b, a, alpha)

    def mul(self, a: Value, b: Value) -> Value:
        """Return a b."""
        return self._apply("fmul", a, b)

    def div(self, a: Value, b: Value) -> Value:
        """Return a / b."""
        return self._apply("fdiv", a, b)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return a b + c, rounded once."""
        return self._apply("fma", a, b, c)

    def neg(self, a: Value) -> Value:
        """Return -a."""
        return self.const(-a.constant, a) if a.constant is not None else self._apply("fneg", a)

    def reciprocal(self, a: Value) -> Value:
        """Return 1 / a."""
        return self.div(self.const(1.0, a), a)

    def sqrt(self, a: Value) -> Value:
        """Return the square root of torch's vector library, which is not always correctly rounded."""
        return self.call("sqrt", a)

    def root(self, a: Value) -> Value:
        """Return the square root, correctly rounded."""
        return self._apply("root", a)

    def rsqrt(self, a: Value) -> Value:
        """Return 1 over the square root."""
        return self.reciprocal(self.root(a))

    def tanh_backward(self, gradient: Value, tanh: Value) -> Value:
        """Return the gradient before a hyperbolic tangent: gradient (1 - tanh^2)."""
        return self.mul(gradient, self.fma(self.neg(tanh), tanh, self.const(1.0, tanh)))

    def relu(self, a: Value) -> Value:
        """Return a where it is positive, else 0; NaN stays NaN."""
        return self.clamp(a, low=self.const(0.0, a))

    def threshold_backward(self, gradient: Value, a: Value, threshold: Value) -> Value:
        """Return the gradient where a is above the threshold, else 0."""
        return self.where(self.compare("le", a, threshold), self.const(0.0, gradient), gradient)

    def abs(self, a: Value) -> Value:
        """Return |a|."""
        return self._apply("fabs", a)

    def floor(self, a: Value) -> Value:
        """Return the largest integer not above a."""
        return self._apply("floor", a)

    def ceil(self, a: Value) -> Value:
        """Return the smallest integer not below a."""
        return self._apply("ceil", a)

    def trunc(self, a: Value) -> Value:
        """Return a rounded toward 0."""
        return self._apply("trunc", a)

    def round(self, a: Value) -> Value:
        """Return the nearest integer; ties go to the even one."""
        return self._apply("rint", a)

    def fmod(self, a: Value, b: Value) -> Value:
        """Return the remainder of a / b with the sign of a, as in C."""
        return self._apply("fmod", a, b)

    def remainder(self, a: Value, b: Value) -> Value:
        """Return the remainder of a / b with the sign of b, as in Python."""
        zero, rest = self.const(0.0, a), self.fmod(a, b)
        for_negative = self.where(self.compare("gt", rest, zero), self.add(rest, b), rest)
        for_positive = self.where(self.compare("lt", rest, zero), self.add(rest, b), rest)
        return self.where(self.compare("lt", b, zero), for_negative, for_positive)

    def div_trunc(self, a: Value, b: Value) -> Value:
        """Return a / b rounded toward 0."""
        return self.trunc(self.div(a, b))

    def div_floor(self, a: Value, b: Value) -> Value:
        """Return Python's a // b: (a - fmod(a, b)) / b, less 1 where the signs differ, rounded to an integer."""
        zero, half, one = (self.const(number, a) for number in (0.0, 0.5, 1.0))
        rest, exact = self.fmod(a, b), self.div(a, b)
        quotient = self.div(self.sub(a, rest), b)
        below = self.where(
            self.compare("lt", b, zero), self.compare("gt", rest, zero), self.compare("lt", rest, zero)
        )
        quotient = self.where(below, self.sub(quotient, one), quotient)
        whole = self.floor(quotient)
        whole = self.where(self.compare("gt", self.sub(quotient, whole), half), self.add(whole, one), whole)
        whole = self.where(self.compare("eq", quotient, zero), self._apply("copysign", zero, exact), whole)
        return self.where(self.compare("eq", b, zero), exact, whole)

    def atan2(self, a: Value, b: Value) -> Value:
        """Return the angle of the point (b, a)."""
        return self._apply("atan2", a, b)

    def hypot(self, a: Value, b: Value) -> Value:
        """Return the length of the vector (a, b)."""
        return self._apply("hypot", a, b)

    def compare(self, name: str, a: Value, b: Value) -> Value:
        """Return whether the relation `name` holds between a and b."""
        return self._apply(name, a, b, of_type="i1")

    def where(self, condition: Value, a: Value, b: Value) -> Value:
        """Return a where the condition holds, else b."""
        if condition.constant is not None:
            return a if condition.constant else b
        return a if a is b else self._apply("select", condition, a, b, of_type=a.type)

    def bitwise_not(self, condition: Value) -> Value:
        """Return the negated condition."""
        if condition.constant is not None:
            return self._program.const(1.0 - condition.constant, "i1")
        return self._apply("not", condition)

    def call(self, name: str, a: Value) -> Value:
        """Return an elementary function of a; that of a constant is computed by torch itself."""
        if a.constant is not None:
            number = torch.tensor([a.constant], dtype=torch.float32 if a.type == "float" else torch.float64)
            return self.const(getattr(torch, name)(number).item(), a)
        return self._apply(name, a, is_call=a.varying)

    def sign(self, a: Value) -> Value:
        """Return 1, 0 or -1; 0 for NaN."""
        zero, one = self.const(0.0, a), self.const(1.0, a)
        positive = self.where(self.compare("lt", zero, a), one, zero)
        negative = self.where(self.compare("lt", a, zero), one, zero)
        return self.sub(positive, negative)

    sgn = sign

    def maximum(self, a: Value, b: Value) -> Value:
        """Return the larger one, the first of equal ones; NaN if either is NaN."""
        larger = self.where(self.compare("ge", a, b), a, b)
        return self.where(self.compare("ne", a, a), a, larger)

    def minimum(self, a: Value, b: Value) -> Value:
        """Return the smaller one, the first of equal ones; NaN if either is NaN."""
        smaller = self.where(self.compare("le", a, b), a, b)
        return self.where(self.compare("ne", a, a), a, smaller)

    def clamp(self, a: Value, low: Value | None = None, high: Value | None = None) -> Value:
        """Return a, or the bound that it exceeds."""
        if low is not None:
            a = self.where(self.compare("lt", a, low), low, a)
        if high is not None:
            a = self.where(self.compare("lt", high, a), high, a)
        return a

    def clamp_min(self, a: Value, low: Value) -> Value:
        """Return a, or the bound that it is below."""
        return self.clamp(a, low=low)

    def nan_to_num(
        self, a: Value, nan: Value | None = None, posinf: Value | None = None, neginf: Value | None = None
    ) -> Value:
        """Return a, or what stands for it where it is not finite."""
        largest = float(np.finfo(np.float32 if a.type == "float" else np.float64).max)
        for infinity, other in ((np.inf, posinf), (-np.inf, neginf)):
            instead = other or self.const(np.copysign(largest, infinity), a)
            a = self.where(self.compare("eq", a, self.const(infinity, a)), instead, a)
        return self.where(self.compare("ne", a, a), nan or self.const(0.0, a), a)

    def lerp(self, start: Value, end: Value, weight: Value) -> Value:
        """Return the linear interpolation, computed from the nearer end."""
        from_end = self.neg(self._folded_sub(self.const(1.0, weight), weight))
        near_start = self._is_below_half(weight)
        # which end it is computed from is chosen before, as the choice between weights is often shared by all runs
        return self.fma(
            self.where(near_start, weight, from_end),
            self.sub(end, start),
            self.where(near_start, start, end),
        )

    def _is_below_half(self, weight: Value) -> Value:
        if weight.constant is not None:
            return self._program.const(float(abs(weight.constant) < 0.5), "i1")
        given = weight.operands[0] if weight.op == "cast" else weight
        if given.op == "fsub" and given.operands[0].constant == 1.0 and given.operands[1] in self._program.sides:
            return self._program.const(float(self._program.sides[given.operands[1]]), "i1")
        return self.compare("lt", self.abs(weight), self.const(0.5, weight))

    def addcmul(self, a: Value, b: Value, c: Value, value: Value | None = None) -> Value:
        """Return a + value b c."""
        return self.fma(b if value is None else self.mul(value, b), c, a)

    def addcdiv(self, a: Value, b: Value, c: Value, value: Value | None = None) -> Value:
        """Return a + value b / c."""
        return self.add(a, self.div(b if value is None else self.mul(value, b), c))

    def pow(self, base: Value, exponent: Value) -> Value:
        """Return base ** exponent for a double: torch has special cases, and computes the rest in double."""
        apart: dict[float | None, Callable[[], Value]] = {
            0.0: lambda: self.const(1.0, base),
            1.0: lambda: base,
            2.0: lambda: self.mul(base, base),
            3.0: lambda: self.mul(self.mul(base, base), base),
            0.5: lambda: self.sqrt(base),
            -0.5: lambda: self.rsqrt(base),
            -1.0: lambda: self.reciprocal(base),
            -2.0: lambda: self.reciprocal(self.mul(base, base)),
        }
        if exponent.constant in apart:
            return apart[exponent.constant]()
        return self._program.cast(self.any_power(self._program.cast(base, "double"), exponent), base.type)

    def any_power(self, base: Value, exponent: Value) -> Value:
        """Return base ** exponent as torch does where the exponent is a tensor."""
        return self._apply("pow", base, exponent)

    def sum(self, terms: Sequence[Value]) -> Value:
        """Return the sum of contiguous numbers, added in torch's order."""
        zero = self.const(0.0, terms[0])
        lanes = vector_lanes(terms[0].type)
        if len(terms) < lanes:
            return self._four_at_a_time([[term] for term in terms], zero)[0]
        n_whole = len(terms) // lanes
        vectors = [list(terms[i * lanes : (i + 1) * lanes]) for i in range(n_whole)]
        total = zero
        for term in terms[n_whole * lanes :]:
            total = self.add(total, term)
        for partial in self._four_at_a_time(vectors, zero):
            total = self.add(total, partial)
        return total

    def dot(self, a: Iterable[Value], b: Iterable[Value]) -> Value:
        """Return an entry of a product of small matrices: products added one after the other."""
        products = [self.mul(one, other) for one, other in zip(a, b, strict=True)]
        return reduce(self.add, products, self.const(0.0, products[0]))

    def norm(self, terms: Sequence[Value]) -> Value:
        """Return the Euclidean norm of contiguous numbers, with squares added in torch's order."""
        lanes = vector_lanes(terms[0].type)
        whole = len(terms) // lanes * lanes
        plain = whole + (len(terms) - whole) // 4 * 4
        partials = [self.const(0.0, terms[0])] * lanes
        for index, term in enumerate(terms[:whole]):
            partials[index % lanes] = self.add(partials[index % lanes], self.mul(term, term))
        total = partials[0]
        for partial in partials[1:]:
            total = self.add(total, partial)
        for term in terms[whole:plain]:
            total = self.add(total, self.mul(term, term))
        for term in terms[plain:]:
            total = self.fma(term, term, total)
        return self.root(total)

    def _four_at_a_time(self, rows: Sequence[Sequence[Value]], zero: Value) -> list[Value]:
        """Return the column sums of up to 64 rows: four running sums, the remaining rows, then all combined."""
        sums = [[zero] * len(rows[0]) for _ in range(4)] if rows else []
        whole = len(rows) // 4 * 4
        for index, row in enumerate(rows):
            partial = index % 4 if index < whole else 0
            sums[partial] = [self.add(a, b) for a, b in zip(sums[partial], row, strict=True)]
        total = sums[0]
        for partial_sums in sums[1:]:
            total = [self.add(a, b) for a, b in zip(total, partial_sums, strict=True)]
        return total

    def _folded_sub(self, a: Value, b: Value) -> Value:
        if a.constant is None or b.constant is None:
            return self.sub(a, b)
        number = np.float32 if a.type == "float" else np.float64
        return self.const(float(number(a.constant) - number(b.constant)), a)
