"""The distribution function of the normal distribution, as accurate in its tail as in its middle.

Method: Φ(-y) = exp(-y²/2) G(t) / (y + 5) for y from 0, where t = (y - 5) / (y + 5) and G is a smooth function of
t from -1 to 1, which a polynomial interpolates at Chebyshev's points.

Source: M. M. Shepherd, J. G. Laframboise: Chebyshev approximation of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞,
Mathematics of Computation 36 (1981), for the variable t.
"""

from dataclasses import dataclass
from typing import Final

from thalweg.native.elementary import Exponential, Pair, exponential, product, quotient, sum_of
from thalweg.native.lanes import Lanes, polynomial

_MIDDLE: Final = 5.0
_LARGEST: Final = 40.0  # Φ(-40) · 40 is less than every double above 0
_DENSITY_AT_0: Final = 0.3989422804014327  # 1 / sqrt(2 pi)

_G: Final = (
    0.769193049750063,
    -0.6653825028900568,
    0.49530561596997624,
    -0.31353315667128684,
    0.16502036617039925,
    -0.06911863870690364,
    0.020795066799424885,
    -0.0029933767613781795,
    -0.000797869391016416,
    0.0005448989875711746,
    -5.937579729300215e-05,
    -4.976242286549574e-05,
    1.6681606239553063e-05,
    3.979668246020095e-06,
    -2.7706673577333692e-06,
    -3.3420876116615687e-07,
    4.3630855178173227e-07,
    3.955092951292153e-08,
    -7.037836390945866e-08,
    -7.903144443469098e-09,
    1.1239006700979712e-08,
    1.8762483696659112e-09,
    -1.5336075571599545e-09,
    -3.5307469016946584e-10,
    1.2469361647253148e-10,
    3.51925785389433e-11,
)
_G_REST: Final = (-1.4685144247526876e-17, -7.507950133265757e-18, -2.2536261942518278e-17, -6.655629149567769e-18)
_EXACT_STEPS: Final = 3
_G_SLOPE: Final = (-0.6678026, 0.9691137, -0.9018115, 0.7711921, -0.4223036)  # to three digits


@dataclass(frozen=True, slots=True)
class Tail:
    """Φ(-|x|) as a product.

    Attributes:
        power: exp(-x²/2).
        factor: Φ(-|x|) / 2^k, with the k of `power`.
    """

    power: Exponential
    factor: Pair


def gelu(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return x Φ(x) and its derivative Φ(x) + x φ(x)."""
    bounded = x.at_least(-_LARGEST)
    tail = _tail(abs(bounded).at_most(_LARGEST))
    is_negative = x < 0.0
    first, second = tail.power.scales()
    near, rest, density = (
        number * first * second for number in (*tail.factor, tail.power.mantissa.high * _DENSITY_AT_0)
    )
    # 1 - Φ(-x) for positive x; for negative x scaled last, as Φ may be smaller than any normal number
    above = sum_of(x.like(1.0), -near, -rest)
    high = is_negative.choose(tail.factor.high, above.high)
    low = is_negative.choose(tail.factor.low, above.low)
    unscaled = bounded * high
    unscaled = unscaled + bounded.fma(low, bounded.fma(high, -unscaled))
    value = is_negative.choose(unscaled * first * second, (x < float("inf")).choose(unscaled, x))
    distribution = is_negative.choose(near, above.high)
    return value, bounded.at_most(_LARGEST).fma(density, distribution)


def _tail(y: Lanes) -> Tail:
    """Return Φ(-y) for y from 0 to 40."""
    denominator = sum_of(*_ordered(y), y.like(0.0))
    less = y - _MIDDLE
    t = quotient(Pair(less, y - (less + _MIDDLE)), denominator)
    smooth = Pair(polynomial(t.high, _G[_EXACT_STEPS:]), y.like(0.0))
    for coefficient in reversed(_G[:_EXACT_STEPS]):
        smooth = _horner_step(t.high, smooth, coefficient)
    rest = t.low.fma(polynomial(t.high, _G_SLOPE), polynomial(t.high, _G_REST))
    smooth = Pair(smooth.high, smooth.low + rest).tight
    square = y * y
    power = exponential(-0.5 * square, -0.5 * y.fma(y, -square))
    return Tail(power, product(power.mantissa, quotient(smooth, denominator)))


def _ordered(y: Lanes) -> tuple[Lanes, Lanes]:
    """Return y and 5, the larger first."""
    is_larger = y > _MIDDLE
    five = y.like(_MIDDLE)
    return is_larger.choose(y, five), is_larger.choose(five, y)


def _horner_step(t: Lanes, value: Pair, coefficient: float) -> Pair:
    """Return coefficient + t · value, with what rounding lost."""
    scaled = t * value.high
    high = scaled + coefficient
    # Knuth's, as either may be the larger
    part = high - scaled
    lost = (scaled - (high - part)) + (coefficient - part)
    return Pair(high, t.fma(value.low, t.fma(value.high, -scaled) + lost))
