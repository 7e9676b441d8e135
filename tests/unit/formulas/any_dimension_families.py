import itertools
from collections.abc import Callable
from typing import Any

from mpmath import cos, fabs, log, mpf, pi, sin, sinpi, sqrt


def _levy(*x: Any) -> Any:
    w = [(t + 3) / 4 for t in x]
    between = sum((t - 1) ** 2 * (1 + 10 * sin(pi * t + 1) ** 2) for t in w[:-1])
    return sinpi(w[0]) ** 2 + between + (w[-1] - 1) ** 2 * (1 + sinpi(2 * w[-1]) ** 2)


def _griewank(*x: Any) -> Any:
    product = mpf(1)
    for i, t in enumerate(x, 1):
        product *= cos(t / sqrt(i))
    return sum(t * t for t in x) / 4000 - product + 1


def _dixon_price(*x: Any) -> Any:
    return (x[0] - 1) ** 2 + sum(i * (2 * b * b - a) ** 2 for i, (a, b) in enumerate(itertools.pairwise(x), 2))


def _zakharov(*x: Any) -> Any:
    half = sum(i * t for i, t in enumerate(x, 1)) / 2
    return sum(t * t for t in x) + half**2 * (1 + half**2)


def _powell(*x: Any) -> Any:
    return sum(
        (a + 10 * b) ** 2 + 5 * (c - d) ** 2 + (b - 2 * c) ** 4 + 10 * (a - d) ** 4
        for a, b, c, d in zip(x[::4], x[1::4], x[2::4], x[3::4], strict=True)
    )


def _power(base: Any, exponent: Any) -> Any:
    return mpf(0) if base == 0 else base**exponent


def _brown(*x: Any) -> Any:
    return sum(_power(a * a, b * b + 1) + _power(b * b, a * a + 1) for a, b in itertools.pairwise(x))


def _perm_0(*x: Any) -> Any:
    n = len(x)
    return sum(
        sum((j + 10) * (t**i - mpf(1) / mpf(j) ** i) for j, t in enumerate(x, 1)) ** 2 for i in range(1, n + 1)
    )


def _perm(*x: Any) -> Any:
    n = len(x)
    return sum(
        sum((1 + 1 / (2 * mpf(j) ** i)) * (t**i - mpf(j) ** i) for j, t in enumerate(x, 1)) ** 2
        for i in range(1, n + 1)
    )


# maximum of x sin(sqrt(x)) up to 500
_SCHWEFEL = "418.9828872724337062747864351956007"

FORMULAS: dict[str, Callable[..., Any]] = {
    "levy": _levy,
    "griewank": _griewank,
    "schwefel": lambda *x: sum(mpf(_SCHWEFEL) - t * sin(sqrt(fabs(t))) for t in x),
    "michalewicz": lambda *x: -sum(sin(t) * sin(i * t * t / pi) ** 20 for i, t in enumerate(x, 1)),
    "vincent": lambda *x: -sum(sin(10 * log(t)) for t in x),
    "sum_squares": lambda *x: sum(i * t * t for i, t in enumerate(x, 1)),
    "rotated_hyper_ellipsoid": lambda *x: sum(sum(t * t for t in x[:i]) for i in range(1, len(x) + 1)),
    "bent_cigar": lambda *x: x[0] ** 2 + 1000000 * sum(t * t for t in x[1:]),
    "trid": lambda *x: sum((t - 1) ** 2 for t in x) - sum(a * b for a, b in itertools.pairwise(x)),
    "sum_of_different_powers": lambda *x: sum(fabs(t) ** i for i, t in enumerate(x, 2)),
    "quartic": lambda *x: sum(i * t**4 for i, t in enumerate(x, 1)),
    "qing": lambda *x: sum((t * t - i) ** 2 for i, t in enumerate(x, 1)),
    "zakharov": _zakharov,
    "dixon_price": _dixon_price,
    "powell": _powell,
    "brown": _brown,
    "perm_0_d_beta": _perm_0,
    "perm_d_beta": _perm,
}
