"""Powers with the digits of libm, and so of Python's `**`, computed without a call where the result is known.

Each function is LLVM assembly to add to a module; LLVM inlines its calls.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from thalweg.engine.fused.frontend.program import Value

DECLARATIONS: Final = {
    "declare double @pow(double, double)",
    "declare double @llvm.sqrt.f64(double)",
    "declare double @llvm.fabs.f64(double)",
    "declare double @llvm.fma.f64(double, double, double)",
}
"""The functions called by these."""

ONE_MINUS_POWER: Final = """\
define internal double @one_minus_power(double %base, double %exponent, double %beyond) alwaysinline {
entry:
  %vanishes = fcmp ogt double %exponent, %beyond
  br i1 %vanishes, label %done, label %call
call:
  %power = call double @pow(double %base, double %exponent) nobuiltin
  %rest = fsub double 1.0, %power
  br label %done
done:
  %result = phi double [1.0, %entry], [%rest, %call]
  ret double %result
}"""
"""1 - base ** exponent; 1 without a call where the exponent exceeds `beyond`, see `vanishing_beyond`."""

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


def vanishing_beyond(base: float) -> float | None:
    """Return the exponent above which 1 - base ** exponent is 1 however libm rounds; None if there is none."""
    return 56.0 / -math.log2(base) + 1.0 if 0.0 < base < 1.0 else None


def is_one_minus_power(value: Value) -> bool:
    """Whether a value is 1 - base ** exponent with a constant base in (0, 1)."""
    if value.op != "fsub" or value.type != "double":
        return False
    one, power = value.operands
    if one.constant != 1.0 or power.op != "pow":
        return False
    base = power.operands[0].constant
    return base is not None and vanishing_beyond(base) is not None


def is_root_power(value: Value) -> bool:
    """Whether a value is base ** 0.5."""
    return value.op == "pow" and value.type == "double" and value.operands[1].constant == 0.5


def without_hidden(values: Sequence[Value], outputs: Iterable[Value]) -> list[Value]:
    """Drop the powers that are used only inside a 1 - base ** exponent."""
    used = set(outputs)
    for value in values:
        used.update(value.operands if not is_one_minus_power(value) else value.operands[1].operands)
    return [value for value in values if value in used]
