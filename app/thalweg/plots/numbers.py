"""Numbers as pictures write them, and the round ones at which an axis is marked."""

from math import ceil, floor, log10

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
PLAIN_FROM, PLAIN_TO = 1e-4, 1e5  # sizes that are written without a power of ten
DIGITS = 10
LEAST_STEP = 1e-300


def text(value: float, digits: int = DIGITS) -> str:
    """Return a number as text: plain, or as a multiple of a power of ten where it is very large or small."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if PLAIN_FROM <= abs(value) < PLAIN_TO:
        plain = f"{value:.{max(digits - 1 - int(exponent), 0)}f}"
        return _trimmed(plain).replace("-", "\N{MINUS SIGN}")
    factor = _trimmed(mantissa).replace("-", "\N{MINUS SIGN}")
    power = power_of_ten(int(exponent))
    if factor.strip("\N{MINUS SIGN}") == "1":
        return factor[:-1] + power
    return f"{factor}·{power}"


def power_of_ten(exponent: int) -> str:
    """Return 10ⁿ as text."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def indexed(name: str, index: int) -> str:
    """Return the name of a coordinate, as x₀."""
    return name + str(index).translate(_SUBSCRIPTS)


def ticks(low: float, high: float, n: int) -> list[float]:
    """Return at most about `n` multiples of 1, 2 or 5 times a power of ten between two numbers."""
    if not low < high:
        return [low]
    least = high / n - low / n
    if least < LEAST_STEP:
        return [low, high]
    power = 10.0 ** floor(log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _trimmed(decimals: str) -> str:
    return decimals.rstrip("0").rstrip(".") if "." in decimals else decimals
