import itertools
from collections.abc import Callable
from typing import Any

from mpmath import cos, cospi, exp, fprod, hypot, mpf, sin, sqrt

FORMULAS: dict[str, Callable[..., Any]] = {
    "alpine_n1": lambda *x: sum(abs(t) * abs(sin(t) + mpf(1) / 10) for t in x),
    "alpine_n2": lambda *x: sqrt(fprod(x)) * fprod(map(sin, x)),
    "cosine_mixture": lambda *x: sum(t * t - cospi(5 * t) / 10 for t in x),
    "exponential": lambda *x: -fprod(exp(-t * t / 2) for t in x),
    "salomon": lambda *x: 1 - cospi(2 * sqrt(sum(t * t for t in x))) + sqrt(sum(t * t for t in x)) / 10,
    "schwefel_1_2": lambda *x: sum(partial**2 for partial in itertools.accumulate(x)),
    "schwefel_2_20": lambda *x: sum(map(abs, x)),
    "schwefel_2_21": lambda *x: max(*x, -min(x)),
    "schwefel_2_22": lambda *x: sum(map(abs, x)) + abs(fprod(x)),
    "schwefel_2_23": lambda *x: sum(t**10 for t in x),
    "xin_she_yang_n2": lambda *x: sum(map(abs, x)) / exp(sum(sin(t * t) for t in x)),
    "xin_she_yang_n3": lambda *x: (
        exp(-sum((t / 15) ** 10 for t in x)) - 2 * fprod(exp(-t * t) * cos(t) ** 2 for t in x)
    ),
    "xin_she_yang_n4": lambda *x: (
        (sum(sin(t) ** 2 for t in x) - exp(-sum(t * t for t in x))) / exp(sum(sin(sqrt(abs(t))) ** 2 for t in x))
    ),
    "ackley_n4": lambda *x: sum(
        hypot(a, b) / exp(mpf(1) / 5) + 3 * cos(2 * a) + 3 * sin(2 * b) for a, b in itertools.pairwise(x)
    ),
    "wavy": lambda *x: sum(1 - cos(10 * t) * exp(-t * t / 2) for t in x) / len(x),
}
