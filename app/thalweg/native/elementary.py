"""Exponentials and logarithms of our own, at most 1 ulp from the exact value, the same on every processor.

Arguments and results are doubles, in lanes. Where a result goes on into further arithmetic, it is a `Pair`: its
rounded value and what rounding left, so that functions made of several steps round only once where it counts.

Method: an argument is reduced by multiples of log 2, or by a power of two, and a polynomial does the rest. The
polynomials interpolate at Chebyshev's points, with 60 digits, and are then rounded.

Source: J.-M. Muller, Elementary Functions, 3rd edition, 2016 (reduction, chapter 11; sums and products as pairs,
chapter 2).
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from thalweg.native.lanes import Lanes, polynomial

ROUNDER: Final = 6755399441055744.0
"""1.5 · 2^52: adding it leaves a double's whole part in the lowest bits of its pattern."""

_EXPONENT_BIT: Final = 52
_ONE: Final = 1023 << _EXPONENT_BIT  # the pattern of 1.0

_LOG2_E: Final = 1.4426950408889634
_LN2_HIGH: Final = 0.6931471805592082  # 40 bits, so that its multiples are exact
_LN2_LOW: Final = 7.371002565167799e-13

# (exp(r) - 1 - r - r^2 / 2) / r^3 for |r| up to log(2) / 2, to 2^-60 of exp(r)
_EXP: Final = (
    0.16666666666666669,
    0.041666666666666664,
    0.008333333333330051,
    0.0013888888888886545,
    0.00019841269863105968,
    2.4801587317181886e-05,
    2.7557268378684192e-06,
    2.755728291148268e-07,
    2.5100424157005067e-08,
    2.0911264239196083e-09,
)

# (2 artanh(s) - 2 s) / s^3 in s^2 up to 0.04, to 2^-60 of the logarithm
_ARTANH: Final = (
    0.6666666666666666,
    0.40000000000008523,
    0.2857142856701462,
    0.2222222309164114,
    0.18181734246400322,
    0.1538900212516573,
    0.13207080082069364,
    0.13629110721861268,
)

_ROOT_HALF: Final = 0x3FE6A09E667F3BCD  # the pattern of sqrt(1/2)
_MAGIC: Final = 4503599627370496.0  # 2^52
_MAGIC_PATTERN: Final = 0x4330000000000000


class Pair(NamedTuple):
    """A number as the sum of two, the second much smaller."""

    high: Lanes
    low: Lanes

    @property
    def sum(self) -> Lanes:
        """The number, rounded."""
        return self.high + self.low

    @property
    def tight(self) -> "Pair":
        """The same with a low part of at most half an ulp, as quotients need it."""
        high = self.sum
        return Pair(high, (self.high - high) + self.low)


@dataclass(frozen=True, slots=True)
class Exponential:
    """exp(x) as 2^k · (1 + rest).

    Attributes:
        shifted: k + `ROUNDER`.
        k: The power of two.
        reduced: The argument less k log 2.
        low: exp(reduced) - 1 - reduced.
    """

    shifted: Lanes
    k: Lanes
    reduced: Lanes
    low: Lanes

    @property
    def mantissa(self) -> Pair:
        """2^-k · exp(x)."""
        return sum_of(self.reduced.like(1.0), self.reduced, self.low).tight

    def scale(self) -> Lanes:
        """Return 2^k, for k from -1022 to 1023."""
        return _power_of_two(self.shifted)

    def scales(self) -> tuple[Lanes, Lanes]:
        """Return two factors of 2^k, for any k: 2^k alone may be no double."""
        half = self.k.fma(0.5, ROUNDER)
        return _power_of_two(half), _power_of_two(self.k - (half - ROUNDER) + ROUNDER)


def sum_of(larger: Lanes, smaller: Lanes, rest: Lanes) -> Pair:
    """Return larger + smaller + rest; `larger` is 0 or not below `smaller` in size."""
    high = larger + smaller
    return Pair(high, (larger - high) + smaller + rest)


def product(a: Pair, b: Pair) -> Pair:
    """Return the product of two tight pairs."""
    high = a.high * b.high
    return Pair(high, a.high.fma(b.high, -high) + a.high.fma(b.low, a.low * b.high))


def quotient(a: Pair, b: Pair) -> Pair:
    """Return the quotient of two tight pairs."""
    inverse = 1.0 / b.high
    high = a.high * inverse
    rest = (-high).fma(b.high, a.high) + (-high).fma(b.low, a.low)
    return Pair(high, rest * inverse)


def exponential(x: Lanes, low: Lanes | None = None) -> Exponential:
    """Return exp(x + low), for x from -746 to 710; NaN stays."""
    shifted = x.fma(_LOG2_E, ROUNDER)
    k = shifted - ROUNDER
    near = (-k).fma(_LN2_HIGH, x)
    if low is not None:
        near, low = near + low, (near - (near + low)) + low
    reduced = (-k).fma(_LN2_LOW, near)
    rest = (-k).fma(_LN2_LOW, near - reduced)
    if low is not None:
        rest = rest + low
    square = reduced * reduced
    cubic = (square * reduced).fma(polynomial(reduced, _EXP), rest.fma(reduced, rest))
    lost = reduced.fma(reduced, -square)
    return Exponential(shifted, k, reduced, square.fma(0.5, lost.fma(0.5, cubic)))


def exp(x: Lanes) -> Lanes:
    """Return the exponential; infinity above 709.8, 0 below -745.2."""
    power = exponential(x.at_least(-746.0).at_most(710.0))
    first, second = power.scales()
    return power.mantissa.high * first * second


def expm1(x: Lanes) -> Pair:
    """Return the exponential of x less 1, for x from -600 to 600."""
    power = exponential(x)
    scale = power.scale()
    less = scale - 1.0
    lost = scale - (less + 1.0)
    return sum_of(less, scale * power.reduced, scale.fma(power.low, lost)).tight


def log(x: Lanes) -> Lanes:
    """Return the logarithm, for x from 1 to infinity; NaN stays."""
    exponent = x.integer("sub", _ROOT_HALF).integer("lshr", _EXPONENT_BIT)
    k = exponent.integer("or", _MAGIC_PATTERN) - _MAGIC
    mantissa = x.minus_pattern(exponent.integer("shl", _EXPONENT_BIT))
    value = _log(mantissa - 1.0, x.like(0.0), k).sum
    return (x < float("inf")).choose(value, x)


def log1p(x: Pair) -> Pair:
    """Return the logarithm of 1 + x, for x from 0 to 1."""
    is_large = x.high > 0.5
    high = is_large.choose(x.high.fma(0.5, -0.5), x.high)
    low = is_large.choose(0.5 * x.low, x.low)
    return _log(high, low, is_large.choose(x.high.like(1.0), 0.0))


def _log(high: Lanes, low: Lanes, k: Lanes) -> Pair:
    """Return log(1 + high + low) + k log 2, for high from -0.3 to 0.5."""
    denominator = 2.0 + high
    inverse = 1.0 / denominator
    s = high * inverse
    rest = (-s).fma(denominator, high) + (-s).fma((2.0 - denominator) + high + low, low)
    twice, square = 2.0 * s, s * s
    tail = (square * s).fma(polynomial(square, _ARTANH), 2.0 * (rest * inverse))
    return sum_of(k * _LN2_HIGH, twice, k.fma(_LN2_LOW, tail))


def _power_of_two(shifted: Lanes) -> Lanes:
    return shifted.integer("shl", _EXPONENT_BIT).integer("add", _ONE)
