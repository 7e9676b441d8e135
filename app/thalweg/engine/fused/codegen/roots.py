"""Square roots with the digits of torch's vector library, which does not always round correctly.

Where the library refines the processor's estimate, its steps are repeated here. Elsewhere its result is the nearest
number unless the root lies close to the middle between two, as its error before rounding is small. Which of the two
holds on this processor is determined by comparison (`thalweg.engine.fused.runtime.libraries`).
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from thalweg.native.builder import BITS, BYTES, MANTISSA_BITS, Builder, Type, bits

Way = Callable[[Builder, str, Type], tuple[str, str]]
"""Takes square roots; returns them and the mask of lanes in which they certainly equal the library's."""


class Roots(StrEnum):
    """How to take square roots with the library's digits."""

    asked = "asked"
    """The library is called."""
    nearest = "nearest"
    """The nearest number, where that is certainly the library's."""
    repeated = "repeated"
    """The library's own steps, repeated inline; for doubles."""


SMALLEST: Final[dict[Type, float]] = {"double": 2.0**-900, "float": 2.0**-100}
LARGEST: Final = 2.0**900
"""The range of numbers whose roots can be taken inline."""

_ERROR: Final = 0.04  # bound on the library's error before rounding, in units of the root's 2**-53

NEEDED_FEATURES: Final = ("avx512f", "avx512vl", "fma")
"""Processor features needed for roots inline."""

# (1 - e)^(-1/2) = 1 + e (c0 + c1 e + c2 e^2 + c3 e^3), the best fit for |e| up to 1.5 * 2^-11. Coefficients and
# steps were found by comparison with the library's results where the least difference shows: at those million of
# 1.6e11 numbers for which the sum of the two parts lies closest to the middle between two numbers.
_SERIES: Final = tuple(
    float.fromhex(number)
    for number in (
        "0x1.ffffffffffe71p-2",
        "0x1.80000000000f6p-2",
        "0x1.40000b13001dcp-2",
        "0x1.180003233b5acp-2",
    )
)
_FLOAT_BITS: Final = 24
_LARGEST_FLOAT: Final = 2.0**126
_UPPER_BITS: Final = 26  # of the 53 of a double, in the upper of two parts


def ways(how: Roots, of_type: Type, width: int) -> list[Way]:
    """Return the ways to take roots inline, in the order to try them."""
    nearest = _nearest_side_by_side if width > 1 else _nearest_alone
    if how is Roots.asked:
        return []
    if how is Roots.nearest or of_type == "float":
        return [nearest]
    return [_repeated_in_range, _repeated] if width > 1 else [nearest, _repeated]


def _repeated_in_range(builder: Builder, x: str, of_type: Type) -> tuple[str, str]:
    """Take roots by the library's steps; certain for numbers in the range of a float."""
    cut = _cut(builder, x, _FLOAT_BITS)
    y = _estimate(builder, builder.cast("fptrunc", cut, of_type, "float"))
    root = _root(builder, x, y)
    # for a number too small for a float the estimate is infinite, and so is the result
    finite = builder.compare("olt", of_type, root, builder.literal(_LARGEST_FLOAT, of_type))
    return root, builder.mask(
        "and", finite, builder.compare("olt", of_type, x, builder.literal(_LARGEST_FLOAT, of_type))
    )


def _repeated(builder: Builder, x: str, of_type: Type) -> tuple[str, str]:
    """Take roots by the library's steps; certain for numbers from `SMALLEST` to `LARGEST` and zero."""
    whole = builder.cast("bitcast", x, of_type, "i64")
    # scaled by a power of 4 to between 1/2 and 2, with the same mantissa
    short = builder.cast("trunc", builder.binary("lshr", "i64", whole, builder.literal("29", "i64")), "i64", "i32")
    short = builder.binary("and", "i32", short, builder.literal(str(0xFFFFFF), "i32"))
    short = builder.binary("or", "i32", short, builder.literal(str(bits(0.5, "float")), "i32"))
    estimate = _estimate(builder, builder.cast("bitcast", short, "i32", "float"))
    half_exponent = builder.binary("lshr", "i64", whole, builder.literal("53", "i64"))
    power = builder.binary("shl", "i64", half_exponent, builder.literal("52", "i64"))
    shift = builder.binary("sub", "i64", builder.literal(str(511 << 52), "i64"), power)
    y = builder.binary("add", "i64", builder.cast("bitcast", estimate, of_type, "i64"), shift)
    smallest, largest = (bits(limit, of_type) for limit in (SMALLEST[of_type], LARGEST))
    above = builder.binary("sub", "i64", whole, builder.literal(str(smallest), "i64"))
    certain = builder.mask(
        "or",
        builder.compare("ult", "i64", above, builder.literal(str(largest - smallest), "i64")),
        builder.compare("eq", "i64", whole, builder.literal("0", "i64")),
    )
    return _root(builder, x, builder.cast("bitcast", y, "i64", of_type)), certain


def _root(builder: Builder, x: str, y: str) -> str:
    """Return the square root of x from y, an estimate of its reciprocal with 13 bits, accurate to about 12.

    With e = 1 - x y y, rounded once, the root is x y (1 - e)^(-1/2); x y is kept in two parts until the end.
    """

    def plus(a: str, b: str) -> str:
        return builder.binary("fadd", "double", a, b)

    def times(a: str, b: str) -> str:
        return builder.binary("fmul", "double", a, b)

    upper = _cut(builder, x, _UPPER_BITS)
    lower = builder.binary("fsub", "double", x, upper)
    e = builder.fma("double", builder.neg("double", times(y, y)), x, builder.literal(1.0, "double"))
    series = builder.literal(_SERIES[-1], "double")
    for coefficient in reversed(_SERIES[:-1]):
        series = plus(times(series, e), builder.literal(coefficient, "double"))
    # y times a part has few enough bits to be exact
    rest = builder.fma("double", lower, y, times(x, times(y, times(e, series))))
    return builder.fma("double", upper, y, rest)


def _cut(builder: Builder, x: str, n_bits: int) -> str:
    """Return doubles truncated to the first `n_bits` bits of their mantissas."""
    mask = builder.literal(str(-1 << (53 - n_bits)), "i64")
    return builder.cast(
        "bitcast", builder.binary("and", "i64", builder.cast("bitcast", x, "double", "i64"), mask), "i64", "double"
    )


def _estimate(builder: Builder, x: str) -> str:
    """Return the processor's estimates of reciprocal square roots of floats, as doubles."""
    lanes = 8 if builder.width > 1 else 4
    name = "llvm.x86.avx.rsqrt.ps.256" if lanes == 8 else "llvm.x86.sse.rsqrt.ps"
    return builder.cast("fpext", builder.by_parts(name, x, "float", lanes), "float", "double")


def _nearest_side_by_side(builder: Builder, x: str, of_type: Type) -> tuple[str, str]:
    return _nearest(builder, x, _goldschmidt(builder, x, of_type), of_type)


def _nearest_alone(builder: Builder, x: str, of_type: Type) -> tuple[str, str]:
    # for a single number the instruction is faster than an estimate and its corrections
    return _nearest(builder, x, builder.intrinsic("sqrt", of_type, [x]), of_type)


def _nearest(builder: Builder, x: str, s: str, of_type: Type) -> tuple[str, str]:
    """Return roots and the mask of lanes in which they certainly equal the library's.

    The nearest number is the library's result wherever the library's error before rounding, at most `_ERROR`,
    cannot carry the root across the middle between two numbers: where the residual x - s s, which is exact, is
    small enough.
    """
    size = builder.intrinsic("fabs", of_type, [_rest(builder, s, x, of_type)])
    whole, mantissa_bits = BITS[of_type], MANTISSA_BITS[of_type]
    exponent = builder.literal(str(bits(float("inf"), of_type)), whole)
    power = builder.binary("and", whole, builder.cast("bitcast", s, of_type, whole), exponent)
    power = builder.cast("bitcast", power, whole, of_type)
    room = builder.fma(of_type, s, builder.literal(-_ERROR, of_type), power)
    unit = builder.binary("fmul", of_type, s, builder.literal(2.0**-mantissa_bits, of_type))
    certain = builder.compare("olt", of_type, size, builder.binary("fmul", of_type, unit, room))
    # below `SMALLEST` the residual is not exact
    return s, builder.mask(
        "and", certain, builder.compare("oge", of_type, x, builder.literal(SMALLEST[of_type], of_type))
    )


def _goldschmidt(builder: Builder, x: str, of_type: Type) -> str:
    """Return the square root of a normal number, nearly always correctly rounded.

    An estimate of the reciprocal root with 14 bits is multiplied by x and corrected, for a double twice.

    Source: Markstein, "Software division and square root using Goldschmidt's algorithms", RNC'6, 2004.
    """
    estimate = _estimate_14(builder, x, of_type)
    s = builder.binary("fmul", of_type, estimate, x)
    h = builder.binary("fmul", of_type, estimate, builder.literal(0.5, of_type))
    if of_type == "double":
        error = builder.fma(of_type, builder.neg(of_type, s), h, builder.literal(0.5, of_type))
        s, h = builder.fma(of_type, error, s, s), builder.fma(of_type, error, h, h)
    return builder.fma(of_type, _rest(builder, s, x, of_type), h, s)


def _rest(builder: Builder, s: str, x: str, of_type: Type) -> str:
    return builder.fma(of_type, builder.neg(of_type, s), s, x)


def _estimate_14(builder: Builder, x: str, of_type: Type) -> str:
    size = 512 if builder.width > 1 else 128
    lanes = size // 8 // BYTES[of_type]
    name = f"llvm.x86.avx512.rsqrt14.{'pd' if of_type == 'double' else 'ps'}.{size}"
    everywhere = f"i{max(8, lanes)} -1"
    return builder.by_parts(name, x, of_type, lanes, f"<{lanes} x {of_type}> zeroinitializer", everywhere)


def emit_roots(of_type: Type, width: int, way: Way) -> str:
    """Return a module with a function `roots(given, got, n)` that takes square roots, to check their digits.

    `n` must be a multiple of `width`. Lanes that would need the library get NaN.
    """
    builder = Builder(width)
    wide, index, align = builder.wide(of_type), builder.alloca("i64"), BYTES[of_type]
    builder.put(f"store i64 0, ptr {index}", "br label %header")
    builder.label("header")
    builder.put(f"%index = load i64, ptr {index}")
    builder.put(f"%from = getelementptr {of_type}, ptr %given, i64 %index")
    builder.put(f"%to = getelementptr {of_type}, ptr %got, i64 %index")
    x = builder.new(f"load {wide}, ptr %from, align {align}")
    root, certain = way(builder, x, of_type)
    root = builder.select(certain, of_type, root, builder.literal(float("nan"), of_type))
    builder.put(f"store {wide} {root}, ptr %to, align {align}")
    builder.put(f"%after = add i64 %index, {width}", f"store i64 %after, ptr {index}")
    builder.put("%more = icmp ult i64 %after, %n", "br i1 %more, label %header, label %exit")
    builder.label("exit")
    builder.put("ret void")
    text = builder.whole("@roots(ptr %given, ptr %got, i64 %n)")
    return "\n".join([*sorted(builder.declarations), text])
