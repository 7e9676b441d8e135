"""Powers with the digits of libm, and so of Python's `**`, computed without a call where the result is known.

Each function is LLVM assembly to add to a module; LLVM inlines its calls.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from thalweg.engine.fused.codegen.lowering import Library, LoweredFunction
from thalweg.engine.fused.frontend.program import Value

DECLARATIONS: Final = {
    "declare double @pow(double, double)",
    "declare double @llvm.sqrt.f64(double)",
    "declare double @llvm.fabs.f64(double)",
    "declare double @llvm.fma.f64(double, double, double)",
}
"""The functions called by these."""

ONE_MINUS_POWER: Final = """\
define internal double @one_minus_power(double %base, double %exponent, ptr %vanished) alwaysinline {
entry:
  %largest_place = getelementptr double, ptr %vanished, i64 0
  %least_place = getelementptr double, ptr %vanished, i64 1
  %largest = load double, ptr %largest_place
  %least = load double, ptr %least_place
  %is_positive = fcmp oge double %base, 0.0
  %is_below = fcmp ole double %base, %largest
  %is_beyond = fcmp oge double %exponent, %least
  %is_smaller = and i1 %is_below, %is_beyond
  %vanishes = and i1 %is_smaller, %is_positive
  br i1 %vanishes, label %done, label %call
call:
  %power = call double @pow(double %base, double %exponent) nobuiltin
  %rest = fsub double 1.0, %power
  %is_tiny = fcmp olt double %power, 0x3C30000000000000
  %is_fraction = fcmp olt double %base, 1.0
  %falls = and i1 %is_fraction, %is_positive
  %is_gone = and i1 %falls, %is_tiny
  br i1 %is_gone, label %note, label %done
note:
  store double %base, ptr %largest_place
  store double %exponent, ptr %least_place
  br label %done
done:
  %result = phi double [1.0, %entry], [%rest, %call], [%rest, %note]
  ret double %result
}"""
"""1 - base ** exponent; 1 without a call where the power is smaller than one that vanished.

`vanished` holds base and exponent of a power below 2^-60, whose base lies in [0, 1): a smaller base or a larger
exponent gives less, and 1 less that is 1 from 2^-54 on. A base of -1 stands for none.
"""

ROOT_POWER: Final = """\
define internal double @root_power(double %base) alwaysinline {
entry:
  %is_one = fcmp oeq double %base, 1.0
  br i1 %is_one, label %done, label %try
try:
  %root = call double @llvm.sqrt.f64(double %base)
  %minus_root = fneg double %root
  %rest = call double @llvm.fma.f64(double %minus_root, double %root, double %base)
  %size = call double @llvm.fabs.f64(double %rest)
  %root_bits = bitcast double %root to i64
  %power_bits = and i64 %root_bits, 9218868437227405312
  %power = bitcast i64 %power_bits to double
  %unit = fmul double %power, 0x3CB0000000000000
  %room = fmul double %unit, 0.8
  %bound = fmul double %room, %root
  %is_near = fcmp olt double %size, %bound
  %is_large = fcmp oge double %base, 0x07B0000000000000
  %is_certain = and i1 %is_near, %is_large
  br i1 %is_certain, label %done, label %call
call:
  %called = call double @pow(double %base, double 0.5) nobuiltin
  br label %done
done:
  %result = phi double [1.0, %entry], [%root, %try], [%called, %call]
  ret double %result
}"""
"""base ** 0.5.

libm's error is less than 0.6 ulp, so its result is the nearest double wherever the root is within 0.4 ulp of one.
That is where the residual of the base, which fma gives exactly, is less than 0.8 ulp times the root.
"""


def is_one_minus_power(value: Value) -> bool:
    """Whether a value is 1 - base ** exponent."""
    if value.op != "fsub" or value.type != "double":
        return False
    one, power = value.operands
    return one.constant == 1.0 and power.op == "pow"


def is_root_power(value: Value) -> bool:
    """Whether a value is base ** 0.5."""
    return value.op == "pow" and value.type == "double" and value.operands[1].constant == 0.5


def without_hidden(values: Sequence[Value], outputs: Iterable[Value]) -> list[Value]:
    """Drop the powers that are used only inside a 1 - base ** exponent."""
    used = set(outputs)
    for value in values:
        used.update(value.operands if not is_one_minus_power(value) else value.operands[1].operands)
    return [value for value in values if value in used]


class PowersFunction(LoweredFunction):
    """A function of single numbers, whose powers call libm only where the result is not known in advance."""

    def __init__(self) -> None:
        super().__init__(1, Library(vml=False))

    def expression(self, value: Value) -> str:
        """Lower a value."""
        if is_one_minus_power(value):
            given = ", ".join(f"double {self.operand(operand)}" for operand in value.operands[1].operands)
            self.declarations |= {*DECLARATIONS, ONE_MINUS_POWER}
            return self.new(f"call double @one_minus_power({given}, ptr {self._vanished()})")
        if is_root_power(value):
            self.declarations |= {*DECLARATIONS, ROOT_POWER}
            return self.new(f"call double @root_power(double {self.operand(value.operands[0])})")
        return super().expression(value)

    def _vanished(self) -> str:
        """Return a variable for base and exponent of a power that vanishes beside 1; at first there is none."""
        place = self.alloca("[2 x double]")
        self.at_entry(f"store [2 x double] [double {self.literal(-1.0, 'double')}, double 0.0], ptr {place}")
        return place
