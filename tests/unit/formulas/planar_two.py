from collections.abc import Callable
from typing import Any

from mpmath import cos, exp, hypot, mpf, sin, sqrt


def deckkers_aarts(x: Any, y: Any) -> Any:
    s = x * x + y * y
    return 10**5 * x * x + y * y - s**2 + s**4 / 10**5


def freudenstein_roth(x: Any, y: Any) -> Any:
    return (x - y**3 + 5 * y**2 - 2 * y - 13) ** 2 + (x + y**3 + y**2 - 14 * y - 29) ** 2


def giunta(*x: Any) -> Any:
    turned = [1 - 16 * t / 15 for t in x]
    return mpf(3) / 5 + sum(sin(t) ** 2 - sin(t) - sin(4 * t) / 50 for t in turned)


def happy_cat(x: Any, y: Any) -> Any:
    return sqrt(sqrt(abs(x * x + y * y - 2))) + ((x + 1) ** 2 + (y + 1) ** 2) / 4


def trefethen(x: Any, y: Any) -> Any:
    sines = sin(60 * exp(y)) + sin(70 * sin(x)) + sin(sin(80 * y)) - sin(10 * x + 10 * y)
    return exp(sin(50 * x)) + sines + (x / 2) ** 2 + (y / 2) ** 2


def whitley(*x: Any) -> Any:
    total = mpf(0)
    for a in x:
        for b in x:
            t = 100 * (a * a - b) ** 2 + (1 - b) ** 2
            total += t * t / 4000 + 2 * sin(t / 2) ** 2
    return total


def sine_envelope(x: Any, y: Any) -> Any:
    r = hypot(x, y)
    return (1 - cos(2 * r) / (1 + r * r / 1000) ** 2) / 2


FORMULAS: dict[str, Callable[..., Any]] = {
    "cube": lambda x, y: 100 * x**6 - 200 * x**3 * y + 100 * y**2 + x**2 - 2 * x + 1,
    "deckkers_aarts": deckkers_aarts,
    "egg_crate": lambda *x: sum(t * t + (1 - cos(2 * t)) * 25 / 2 for t in x),
    "freudenstein_roth": freudenstein_roth,
    "giunta": giunta,
    "hosaki": lambda x, y: (1 + x * (-8 + x * (7 + x * (x / 4 - mpf(7) / 3)))) * y * y / exp(y),
    "keane": lambda x, y: -((sin(x) ** 2 - sin(y) ** 2) ** 2) / hypot(x, y),
    "leon": lambda x, y: 100 * x**4 - 200 * x**2 * y + 100 * y**2 + x**2 - 2 * x + 1,
    "schwefel_2_6": lambda x, y: max(x + 2 * y - 7, 7 - x - 2 * y, 2 * x + y - 5, 5 - 2 * x - y),
    "price_n1": lambda x, y: x * x + y * y - 10 * abs(x) - 10 * abs(y) + 50,
    "price_n2": lambda x, y: 2 - (cos(2 * x) + cos(2 * y)) / 2 - exp(-x * x - y * y) / 10,
    "price_n4": lambda x, y: y * y * (2 * x**3 - y * y) ** 2 + (6 * x + y * (1 - y)) ** 2,
    "ackley_n2": lambda x, y: -200 / exp(hypot(x, y) / 50),
    "ackley_n3": lambda x, y: -200 / exp(hypot(x, y) / 50) + 5 * exp(cos(3 * x)) * exp(sin(3 * y)),
    "happy_cat": happy_cat,
    "trefethen": trefethen,
    "zettl": lambda x, y: ((x - 1) ** 2 + y**2 - 1) ** 2 + x / 4,
    "treccani": lambda x, y: (x * (x + 2)) ** 2 + y**2,
    "zirilli": lambda x, y: x**4 / 4 - x**2 / 2 + x / 10 + y**2 / 2,
    "parsopoulos": lambda x, y: 1 + (cos(2 * x) - cos(2 * y)) / 2,
    "whitley": whitley,
    "ursem_n1": lambda x, y: cos(2 * x) - 3 * cos(y) - x / 2,
    "sine_envelope": sine_envelope,
}
