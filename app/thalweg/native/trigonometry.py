"""Sine and cosine of doubles of any size, at most 1 ulp from the exact value.

Method: less the nearest multiple of π/2, in three parts for small arguments (Cody and Waite). For large ones the
bits of 2/π that matter are multiplied by the mantissa as whole numbers (Payne and Hanek), lane by lane, in a
function of its own, and only where a lane needs it.

Source: J.-M. Muller, Elementary Functions, 3rd edition, 2016, chapter 11.
"""

from typing import Final

from thalweg.native.builder import Builder, bits
from thalweg.native.elementary import ROUNDER
from thalweg.native.lanes import LANES, Lanes, polynomial

_TWO_OVER_PI: Final = 0.6366197723675814
_PARTS: Final = (
    1.570796326794607,
    2.8960739716218175e-13,
    1.6446256936324258e-26,
)  # of π/2; 42 bits in the first two
_HALF_PI: Final = (1.5707963267948966, 6.123233995736766e-17)
_LARGEST_SMALL: Final = 1500.0  # less than 2^10 multiples of π/2, so that those of the parts are exact

_SIN: Final = (
    -0.16666666666666666,
    0.008333333333333331,
    -0.00019841269841264968,
    2.755731921926441e-06,
    -2.5052106206531682e-08,
    1.605852751943773e-10,
    -7.586455940017973e-13,
)
_COS: Final = (
    0.041666666666666664,
    -0.0013888888888887367,
    2.480158729872029e-05,
    -2.7557317248229367e-07,
    2.0876141380294955e-09,
    -1.1382280957702634e-11,
)

_WORDS_BEFORE: Final = 1  # zeros in front of the point
_WORDS: Final = 20


def sine_and_cosine(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return the sine and the cosine; NaN for what is not finite."""
    code = x.code
    shifted = x.fma(_TWO_OVER_PI, ROUNDER)
    k = shifted - ROUNDER
    first, second, third = _PARTS
    near = (-k).fma(first, x)
    by_second = k * second
    reduced = near - by_second
    # what that rounded away, whichever of the two is larger (Knuth)
    part = reduced - near
    rest = (near - (reduced - part)) - (by_second + part)
    rest = (-k).fma(third, rest)
    high = reduced + rest
    places = [code.alloca(x.wide) for _ in range(3)]
    for place, value in zip(places, (shifted, high, (reduced - high) + rest), strict=True):
        code.put(f"store {x.wide} {value.name}, ptr {place}")
    given = code.alloca(x.wide)
    code.put(f"store {x.wide} {x.name}, ptr {given}")
    large, behind = code.labels("large", "reduced")
    code.branch(code.new(f"xor i1 {(abs(x) > _LARGEST_SMALL).any()}, true"), behind, large)
    code.label(large)
    code.put(f"call void @reduce_large(ptr {given}, {', '.join(f'ptr {place}' for place in places)})")
    code.put(f"br label %{behind}")
    code.label(behind)
    shifted, high, low = (Lanes(code, code.new(f"load {x.wide}, ptr {place}")) for place in places)
    return _of_quadrant(shifted, high, low)


def _of_quadrant(shifted: Lanes, r: Lanes, low: Lanes) -> tuple[Lanes, Lanes]:
    square = r * r
    half = 0.5 * square
    near_one = 1.0 - half
    sine = r + (square * r).fma(polynomial(square, _SIN), low * near_one)
    cosine = near_one + (square * square).fma(polynomial(square, _COS), (-r).fma(low, (1.0 - near_one) - half))
    is_odd, is_other_half = shifted.has_bit(0), shifted.has_bit(1)
    s, c = is_odd.choose(cosine, sine), is_odd.choose(sine, cosine)
    turned = shifted.integer("add", 1).has_bit(1)
    return is_other_half.choose(-s, s), turned.choose(-c, c)


def reduce_large(code: Builder) -> str:
    """Return the function that reduces arguments above 1500, as text; `code` collects its declarations.

    `reduce_large(x, shifted, high, low)`: for each such lane of x the number of quarter turns in the lowest bits of
    `shifted`, and what is beyond them, as the sum of `high` and `low`.
    """
    code.declare("double", "llvm.fma.f64", "double", "double", "double")
    code.declare("double", "llvm.fabs.f64", "double")
    code.declare("i64", "llvm.fshl.i64", "i64", "i64", "i64")
    code.declare("i128", "llvm.ctlz.i128", "i128", "i1")
    words = ", ".join(f"i64 {word}" for word in _two_over_pi())
    n = _WORDS_BEFORE + _WORDS
    pi_half, pi_half_low = (f"0x{bits(part, 'double'):016X}" for part in _HALF_PI)
    return f"""
@two_over_pi = internal constant [{n} x i64] [{words}]
define internal void @reduce_large(ptr %x, ptr %shifted, ptr %high, ptr %low) noinline {{
entry:
  br label %next
next:
  %lane = phi i64 [ 0, %entry ], [ %after, %done ]
  %at_x = getelementptr double, ptr %x, i64 %lane
  %given = load double, ptr %at_x
  %size = call double @llvm.fabs.f64(double %given)
  %is_large = fcmp ogt double %size, {_LARGEST_SMALL:e}
  br i1 %is_large, label %reduce, label %done
reduce:
  %bits = bitcast double %size to i64
  %exponent = lshr i64 %bits, 52
  %is_finite = icmp ult i64 %exponent, 2047
  %fraction = and i64 %bits, {(1 << 52) - 1}
  %mantissa = or i64 %fraction, {1 << 52}
  ; x = mantissa 2^e; bits of 2/pi above 2^(1 - e) only add whole turns
  %e = sub i64 %exponent, 1075
  %skipped = add i64 %e, {64 * _WORDS_BEFORE - 2}
  %at_least = select i1 %is_finite, i64 %skipped, i64 0
  %word = lshr i64 %at_least, 6
  %shift = and i64 %at_least, 63
  %at_word = getelementptr i64, ptr @two_over_pi, i64 %word
  %w0 = load i64, ptr %at_word
  %at_1 = getelementptr i64, ptr %at_word, i64 1
  %w1 = load i64, ptr %at_1
  %at_2 = getelementptr i64, ptr %at_word, i64 2
  %w2 = load i64, ptr %at_2
  %at_3 = getelementptr i64, ptr %at_word, i64 3
  %w3 = load i64, ptr %at_3
  %a0 = call i64 @llvm.fshl.i64(i64 %w0, i64 %w1, i64 %shift)
  %a1 = call i64 @llvm.fshl.i64(i64 %w1, i64 %w2, i64 %shift)
  %a2 = call i64 @llvm.fshl.i64(i64 %w2, i64 %w3, i64 %shift)
  ; the product modulo 4, with 190 bits behind the point
  %wide_m = zext i64 %mantissa to i128
  %wide_1 = zext i64 %a1 to i128
  %wide_2 = zext i64 %a2 to i128
  %p0 = mul i64 %mantissa, %a0
  %p1 = mul i128 %wide_m, %wide_1
  %p2 = mul i128 %wide_m, %wide_2
  %p2_high = lshr i128 %p2, 64
  %middle = add i128 %p1, %p2_high
  %p0_wide = zext i64 %p0 to i128
  %p0_up = shl i128 %p0_wide, 64
  %product = add i128 %p0_up, %middle
  ; quarter turns, rounded to nearest, and the signed rest in units of 2^-126
  %quarter = lshr i128 %product, 126
  %turns = trunc i128 %quarter to i64
  %behind = shl i128 %product, 2
  %is_above = icmp slt i128 %behind, 0
  %carry = zext i1 %is_above to i64
  %n = add i64 %turns, %carry
  %rest = ashr i128 %behind, 2
  ; its first 53 bits and the next 53 as doubles
  %is_below = icmp slt i128 %rest, 0
  %minus = sub i128 0, %rest
  %magnitude = select i1 %is_below, i128 %minus, i128 %rest
  %zeros = call i128 @llvm.ctlz.i128(i128 %magnitude, i1 false)
  %up = shl i128 %magnitude, %zeros
  %top = lshr i128 %up, 75
  %top_64 = trunc i128 %top to i64
  %next_bits = lshr i128 %up, 22
  %next_64 = trunc i128 %next_bits to i64
  %next_53 = and i64 %next_64, {(1 << 53) - 1}
  %top_d = uitofp i64 %top_64 to double
  %next_d = uitofp i64 %next_53 to double
  %zeros_64 = trunc i128 %zeros to i64
  ; 2^(75 - 126 - zeros) as a double
  %power = sub i64 {1023 + 75 - 126}, %zeros_64
  %power_bits = shl i64 %power, 52
  %unit = bitcast i64 %power_bits to double
  %h = fmul double %top_d, %unit
  %tiny = fmul double %next_d, 0x{(1023 - 53) << 52:016X}
  %l = fmul double %tiny, %unit
  ; times pi / 2
  %r = fmul double %h, {pi_half}
  %r_minus = fneg double %r
  %r_error = call double @llvm.fma.f64(double %h, double {pi_half}, double %r_minus)
  %r_1 = call double @llvm.fma.f64(double %l, double {pi_half}, double %r_error)
  %r_2 = call double @llvm.fma.f64(double %h, double {pi_half_low}, double %r_1)
  %sum = fadd double %r, %r_2
  %lost = fsub double %r, %sum
  %sum_low = fadd double %lost, %r_2
  ; the sign of x, and of the rest
  %is_minus = fcmp olt double %given, 0.0
  %flips = xor i1 %is_below, %is_minus
  %sum_minus = fneg double %sum
  %low_minus = fneg double %sum_low
  %s = select i1 %flips, double %sum_minus, double %sum
  %s_low = select i1 %flips, double %low_minus, double %sum_low
  %n_minus = sub i64 0, %n
  %n_signed = select i1 %is_minus, i64 %n_minus, i64 %n
  %n_low = and i64 %n_signed, 3
  %n_double = bitcast i64 %n_low to double
  %s_or_nan = select i1 %is_finite, double %s, double 0x7FF8000000000000
  %at_shifted = getelementptr double, ptr %shifted, i64 %lane
  %at_high = getelementptr double, ptr %high, i64 %lane
  %at_low = getelementptr double, ptr %low, i64 %lane
  store double %n_double, ptr %at_shifted
  store double %s_or_nan, ptr %at_high
  store double %s_low, ptr %at_low
  br label %done
done:
  %after = add i64 %lane, 1
  %goes_on = icmp ult i64 %after, {LANES}
  br i1 %goes_on, label %next, label %end
end:
  ret void
}}
"""


def _two_over_pi() -> list[int]:
    """Return the bits of 2/π in words of 64, behind words of zeros."""
    n_bits = 64 * _WORDS
    guard = 64
    numerator = 1 << (2 * (n_bits + guard))
    fraction = 2 * numerator // _pi(n_bits + guard) >> guard
    words = [(fraction >> (64 * (_WORDS - 1 - place))) & ((1 << 64) - 1) for place in range(_WORDS)]
    return [0] * _WORDS_BEFORE + words


def _pi(n_bits: int) -> int:
    """Return π · 2^n_bits, rounded down, by Machin's formula."""

    def arctangent_of_inverse(x: int) -> int:
        term = (1 << (n_bits + 32)) // x
        total, n, sign = term, 1, 1
        while term:
            term //= x * x
            n, sign = n + 2, -sign
            total += sign * (term // n)
        return total

    return (16 * arctangent_of_inverse(5) - 4 * arctangent_of_inverse(239)) >> 32
