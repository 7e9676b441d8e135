from collections.abc import Callable
from typing import Any

from mpmath import mpf


def goldstein_price(x: Any, y: Any) -> Any:
    a = 1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x * x - 14 * y + 6 * x * y + 3 * y * y)
    b = 30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x * x + 48 * y - 36 * x * y + 27 * y * y)
    return a * b


FORMULAS: dict[str, Callable[..., Any]] = {
    "himmelblau": lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
    "beale": lambda x, y: sum((mpf(c) - x * (1 - y**k)) ** 2 for k, c in ((1, "1.5"), (2, "2.25"), (3, "2.625"))),
    "booth": lambda x, y: 5 * x * x + 5 * y * y + 8 * x * y - 34 * x - 38 * y + 74,
    "matyas": lambda x, y: (x + y) ** 2 / 100 + (x - y) ** 2 / 4,
    "goldstein_price": goldstein_price,
    "three_hump_camel": lambda x, y: 2 * x**2 - mpf("1.05") * x**4 + x**6 / 6 + x * y + y**2,
    "six_hump_camel": lambda x, y: 4 * x**2 - mpf("2.1") * x**4 + x**6 / 3 + x * y - 4 * y**2 + 4 * y**4,
}
