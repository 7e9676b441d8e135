"""Square roots with the digits of torch's vector library, which are not always the nearest ones.

Its error before it rounds is small, so that its result is the nearest number unless the root lies close to the
middle between two. Whether that holds on this processor is found out by comparing (`app.engine.fused.native`).
"""

from typing import Final

from app.engine.fused.builder import BITS, BYTES, MANTISSA_BITS, Builder, bits
from app.engine.fused.program import Type

SMALLEST: Final[dict[Type, float]] = {"double": 2.0**-900, "float": 2.0**-100}
"""From here on to the largest number are those whose roots can be taken in place."""

ERROR: Final = 0.04
"""By how much the library's result may be off before it is rounded, in units of the root's 2**-53."""

_CHECKED_ERROR: Final = 0.032  # the check is content with less certainty than kernels are

NEEDED_FEATURES: Final = ("avx512f", "avx512vl", "fma")
"""What a processor must have for roots in place."""


def _goldschmidt(builder: Builder, x: str, of_type: Type) -> str:
    """Return the square root of an ordinary number, nearly always the nearest.

    An estimate of the reciprocal root, good to 14 bits, is multiplied with and corrected; for a double twice.

    Source: Markstein, "Software division and square root using Goldschmidt's algorithms", RNC'6, 2004.
    """
    estimate = _estimate_14(builder, x, of_type)
    s = builder.binary("fmul", of_type, estimate, x)
    h = builder.binary("fmul", of_type, estimate, builder.literal(0.5, of_type))
    if of_type == "double":
        error = builder.fma(of_type, builder.neg(of_type, s), h, builder.literal(0.5, of_type))
        s, h = builder.fma(of_type, error, s, s), builder.fma(of_type, error, h, h)
    return builder.fma(of_type, _rest(builder, s, x, of_type), h, s)


def nearest(builder: Builder, x: str, of_type: Type, error: float = ERROR) -> tuple[str, str]:
    """Return square roots, and the mask of lanes where the library's are the same for certain.

    They are where the library's error before it rounds, at most `error`, cannot carry the root over the middle
    between two numbers: where the rest x - s s is small enough. The rest is exact.
    """
    s = _goldschmidt(builder, x, of_type) if builder.width > 1 else builder.intrinsic("sqrt", of_type, [x])
    size = builder.intrinsic("fabs", of_type, [_rest(builder, s, x, of_type)])
    whole, mantissa_bits = BITS[of_type], MANTISSA_BITS[of_type]
    exponent = builder.literal(str(bits(float("inf"), of_type)), whole)
    power = builder.binary("and", whole, builder.cast("bitcast", s, of_type, whole), exponent)
    power = builder.cast("bitcast", power, whole, of_type)
    room = builder.fma(of_type, s, builder.literal(-error, of_type), power)
    unit = builder.binary("fmul", of_type, s, builder.literal(2.0**-mantissa_bits, of_type))
    certain = builder.compare("olt", of_type, size, builder.binary("fmul", of_type, unit, room))
    # below, the rest is not exact
    return s, builder.mask(
        "and", certain, builder.compare("oge", of_type, x, builder.literal(SMALLEST[of_type], of_type))
    )


def _rest(builder: Builder, s: str, x: str, of_type: Type) -> str:
    return builder.fma(of_type, builder.neg(of_type, s), s, x)


def _estimate_14(builder: Builder, x: str, of_type: Type) -> str:
    size = 512 if builder.width > 1 else 128
    lanes = size // 8 // BYTES[of_type]
    name = f"llvm.x86.avx512.rsqrt14.{'pd' if of_type == 'double' else 'ps'}.{size}"
    everywhere = f"i{max(8, lanes)} -1"
    return builder.by_parts(name, x, of_type, lanes, f"<{lanes} x {of_type}> zeroinitializer", everywhere)


def emit_roots(of_type: Type, width: int) -> str:
    """Return a module whose `roots(given, got, n)` takes square roots, for a check of their digits.

    `n` is a multiple of `width`, of ordinary numbers. Where the library is asked, NaN is left.
    """
    builder = Builder(width)
    wide, index, align = builder.wide(of_type), builder.alloca("i64"), BYTES[of_type]
    builder.put(f"store i64 0, ptr {index}", "br label %header")
    builder.label("header")
    builder.put(f"%index = load i64, ptr {index}")
    builder.put(f"%from = getelementptr {of_type}, ptr %given, i64 %index")
    builder.put(f"%to = getelementptr {of_type}, ptr %got, i64 %index")
    x = builder.new(f"load {wide}, ptr %from, align {align}")
    root, certain = nearest(builder, x, of_type, _CHECKED_ERROR)
    root = builder.select(certain, of_type, root, builder.literal(float("nan"), of_type))
    builder.put(f"store {wide} {root}, ptr %to, align {align}")
    builder.put(f"%after = add i64 %index, {width}", f"store i64 %after, ptr {index}")
    builder.put("%more = icmp ult i64 %after, %n", "br i1 %more, label %header, label %exit")
    builder.label("exit")
    builder.put("ret void")
    text = builder.whole("@roots(ptr %given, ptr %got, i64 %n)")
    return "\n".join([*sorted(builder.declarations), text])
