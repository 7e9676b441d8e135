import itertools
from collections.abc import Callable
from typing import Any

from mpmath import cospi, e, exp, sqrt

FORMULAS: dict[str, Callable[..., Any]] = {
    "sphere": lambda *x: sum(t * t for t in x),
    "rosenbrock": lambda *x: sum(100 * (b - a * a) ** 2 + (a - 1) ** 2 for a, b in itertools.pairwise(x)),
    "rastrigin": lambda *x: sum(10 + t * t - 10 * cospi(2 * t) for t in x),
    "ackley": lambda *x: (
        20 + e - 20 * exp(-sqrt(sum(t * t for t in x) / len(x)) / 5) - exp(sum(cospi(2 * t) for t in x) / len(x))
    ),
    "styblinski_tang": lambda *x: sum(t**4 - 16 * t**2 + 5 * t for t in x) / 2,
}
