"""Sigmoid, tanh and their kin: values at most 1 ulp from the exact one, with derivatives to a few roundings."""

from dataclasses import dataclass

from thalweg.native.elementary import Pair, expm1, exponential, log1p, quotient, sum_of
from thalweg.native.lanes import Lanes

_LOWEST = -760.0  # x exp(x) of it is 0
_TANH_IS_1 = 40.0  # well above where tanh rounds to 1
_EXPM1_IS_MINUS_1 = -50.0
_IS_EXPONENTIAL = -40.0  # log(1 + exp(x)) below is exp(x)


@dataclass(frozen=True, slots=True)
class Share:
    """1 / (1 + exp(-x)) as a number times two powers of two, so that small results round once.

    Attributes:
        number: The number.
        first: A power of two; 1 for positive x.
        second: Another one.
        part: exp(-|x|).
    """

    number: Pair
    first: Lanes
    second: Lanes
    part: Pair

    @property
    def value(self) -> Lanes:
        """The share, rounded."""
        return self.number.sum * self.first * self.second


def sigmoid(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return 1 / (1 + exp(-x)) and its derivative."""
    value = _share(x).value
    return value, (-value).fma(value, value)


def silu(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return x / (1 + exp(-x)) and its derivative."""
    bounded = x.at_least(_LOWEST).at_most(-_LOWEST)
    share = _share(x)
    high, low = share.number
    value = bounded * high
    value = value + bounded.fma(low, bounded.fma(high, -value))
    slope = share.value
    return (
        (x < -_LOWEST).choose(value * share.first * share.second, x),
        (slope * bounded).fma(1.0 - slope, slope),
    )


def softplus(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return log(1 + exp(x)) and its derivative, the sigmoid."""
    share = _share(x)
    positive = (x > 0.0).choose(x, 0.0)
    rest = log1p(share.part)
    # either may be the larger one
    high = positive + rest.high
    lost = (positive > rest.high).choose((positive - high) + rest.high, (rest.high - high) + positive)
    value = high + (lost + rest.low)
    return (x < _IS_EXPONENTIAL).choose(share.part.high, value), share.value


def log_of_falling(x: Lanes) -> Lanes:
    """Return log(1 + exp(-|x|))."""
    part = _falling(x).scaled
    return (abs(x) > -_IS_EXPONENTIAL).choose(part.high, log1p(part).sum)


def tanh(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return the hyperbolic tangent and its derivative."""
    down = expm1(-2.0 * abs(x).at_most(_TANH_IS_1))
    size = quotient(Pair(-down.high, -down.low), sum_of(x.like(2.0), down.high, down.low)).sum
    value = size.signed(x)
    return value, (-value).fma(value, 1.0)


def elu(x: Lanes) -> tuple[Lanes, Lanes]:
    """Return x above 0, else exp(x) - 1; and its derivative."""
    is_on = x > 0.0
    down = expm1(is_on.choose(x.like(0.0), x).at_least(_EXPM1_IS_MINUS_1)).high
    return is_on.choose(x, down), is_on.choose(x.like(1.0), down + 1.0)


@dataclass(frozen=True, slots=True)
class _Falling:
    mantissa: Pair
    first: Lanes
    second: Lanes

    @property
    def scaled(self) -> Pair:
        high, low = self.mantissa
        return Pair(high * self.first * self.second, low * self.first * self.second)


def _falling(x: Lanes) -> _Falling:
    """Return exp(-|x|)."""
    power = exponential((-abs(x)).at_least(_LOWEST))
    return _Falling(power.mantissa, *power.scales())


def _share(x: Lanes) -> Share:
    falling = _falling(x)
    part = falling.scaled
    is_negative = x < 0.0
    high, low = falling.mantissa
    numerator = Pair(is_negative.choose(high, 1.0), is_negative.choose(low, 0.0))
    return Share(
        number=quotient(numerator, sum_of(x.like(1.0), *part)),
        first=is_negative.choose(falling.first, 1.0),
        second=is_negative.choose(falling.second, 1.0),
        part=part,
    )
