"""Functions of the plane with roots, waves and exponentials."""

from collections.abc import Callable
from typing import Any

from mpmath import cos, cospi, exp, mpf, pi, sin, sinpi, sqrt

# (x, y, weight) of the five waves: Molga and Smutnicki, 2005
LANGERMANN = ((3, 5, 1), (5, 2, 2), (2, 1, 5), (1, 4, 2), (7, 9, 3))


def schaffer(wave: Any, x: Any, y: Any) -> Any:
    return mpf("0.5") + (wave - mpf("0.5")) / (1 + mpf("0.001") * (x**2 + y**2)) ** 2


def langermann(x: Any, y: Any) -> Any:
    squares = [((x - a) ** 2 + (y - b) ** 2, weight) for a, b, weight in LANGERMANN]
    return sum(weight * exp(-square / pi) * cos(pi * square) for square, weight in squares)


def de_jong_n5(x: Any, y: Any) -> Any:
    total = mpf(1) / 500
    for row in range(5):
        for column in range(5):
            total += 1 / (5 * row + column + 1 + (x + 32 - 16 * column) ** 6 + (y + 32 - 16 * row) ** 6)
    return 1 / total


def shubert(x: Any, y: Any) -> Any:
    return sum(i * j * cos((i + 1) * x + i) * cos((j + 1) * y + j) for i in range(1, 6) for j in range(1, 6))


def branin(x: Any, y: Any) -> Any:
    return (y - mpf("5.1") * x**2 / (2 * pi) ** 2 + 5 * x / pi - 6) ** 2 + 10 * (1 - 1 / (8 * pi)) * cos(x) + 10


def chichinadze(x: Any, y: Any) -> Any:
    return (x - 6) ** 2 - 25 + 10 * cospi(x / 2) + 8 * sinpi(5 * x / 2) - sqrt(5) / 5 * exp(-((y - 0.5) ** 2) / 2)


FORMULAS: dict[str, Callable[..., Any]] = {
    "bukin_n6": lambda x, y: 10 * sqrt(abs(100 * y - x**2)) + abs(x + 10) / 100,
    "levy_n13": lambda x, y: (
        sinpi(3 * x) ** 2 + (x - 1) ** 2 * (1 + sinpi(3 * y) ** 2) + (y - 1) ** 2 * (1 + sinpi(2 * y) ** 2)
    ),
    "easom": lambda x, y: -cos(x) * exp(-((x - pi) ** 2)) * cos(y) * exp(-((y - pi) ** 2)),
    "cross_in_tray": lambda x, y: (
        -((abs(sin(x) * sin(y)) * exp(abs(100 - sqrt(x * x + y * y) / pi)) + 1) ** mpf("0.1")) / 10000
    ),
    "eggholder": lambda x, y: -(y + 47) * sin(sqrt(abs(x / 2 + y + 47))) - x * sin(sqrt(abs(x - y - 47))),
    "holder_table": lambda x, y: -abs(sin(x) * cos(y)) * exp(abs(1 - sqrt(x * x + y * y) / pi)),
    "mccormick": lambda x, y: sin(x + y) + (x - y) ** 2 + (5 * y - 3 * x) / 2 + 1,
    "schaffer_n1": lambda x, y: schaffer(sin((x**2 + y**2) ** 2) ** 2, x, y),
    "schaffer_n1_scipy": lambda x, y: schaffer(sin(x**2 + y**2) ** 2, x, y),
    "schaffer_n2": lambda x, y: schaffer(sin(x**2 - y**2) ** 2, x, y),
    "schaffer_n3": lambda x, y: schaffer(sin(cos(abs(x**2 - y**2))) ** 2, x, y),
    "schaffer_n4": lambda x, y: schaffer(cos(sin(abs(x**2 - y**2))) ** 2, x, y),
    "branin": branin,
    "drop_wave": lambda x, y: -2 * (1 + cos(12 * sqrt(x * x + y * y))) / (x * x + y * y + 4),
    "bohachevsky_n1": lambda x, y: x**2 + 2 * y**2 + (7 - 3 * cospi(3 * x) - 4 * cospi(4 * y)) / 10,
    "bohachevsky_n2": lambda x, y: x**2 + 2 * y**2 + 3 * (1 - cospi(3 * x) * cospi(4 * y)) / 10,
    "bohachevsky_n3": lambda x, y: x**2 + 2 * y**2 + 3 * (1 - cospi(3 * x + 4 * y)) / 10,
    "shubert": shubert,
    "langermann": langermann,
    "langermann_neg": lambda x, y: -langermann(x, y),
    "de_jong_n5": de_jong_n5,
    "adjiman": lambda x, y: cos(x) * sin(y) - x / (1 + y**2),
    "bartels_conn": lambda x, y: abs(x**2 + y**2 + x * y) + abs(sin(x)) + abs(cos(y)),
    "bird": lambda x, y: (x - y) ** 2 + sin(x) * exp((1 - cos(y)) ** 2) + cos(y) * exp((1 - sin(x)) ** 2),
    "brent": lambda x, y: (x + 10) ** 2 + (y + 10) ** 2 + exp(-(x**2)) * exp(-(y**2)),
    "chichinadze": chichinadze,
}
