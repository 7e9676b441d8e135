from collections.abc import Callable, Sequence
from typing import Any

from mpmath import atan2, exp, hypot, mpf, pi, sin, sinpi, sqrt

# depths, widths, and centers times 10,000
ROWS_3 = (
    ("1", "3 10 30", "3689 1170 2673"),
    ("1.2", "0.1 10 35", "4699 4387 7470"),
    ("3", "3 10 30", "1091 8732 5547"),
    ("3.2", "0.1 10 35", "381 5743 8828"),
)
ROWS_3_03815 = (*ROWS_3[:3], ("3.2", "0.1 10 35", "381.5 5743 8828"))
ROWS_6 = (
    ("1", "10 3 17 3.5 1.7 8", "1312 1696 5569 124 8283 5886"),
    ("1.2", "0.05 10 17 0.1 8 14", "2329 4135 8307 3736 1004 9991"),
    ("3", "3 3.5 1.7 10 17 8", "2348 1451 3522 2883 3047 6650"),
    ("3.2", "17 8 0.05 10 0.1 14", "4047 8828 8732 5743 1091 381"),
)
HOLES = "4444 1111 8888 6666 3737 2929 5353 8181 6262"
FLOORS = (1, 2, 2, 4, 4, 6, 3, 7, 5, 5)


def wells(rows: Sequence[tuple[str, str, str]], *x: Any) -> Any:
    """Return the sum of Hartmann's exponentials, each as a product over coordinates."""
    total = mpf(0)
    for depth, widths, centers in rows:
        product = mpf(depth)
        for t, width, center in zip(x, widths.split(), centers.split(), strict=False):
            product *= exp(-mpf(width) * (t - mpf(center) / 10_000) ** 2)
        total += product
    return total


def shekel(m: int, seventh: str, *x: Any) -> Any:
    rows: list[Sequence[Any]] = [list(map(mpf, digits)) for digits in HOLES.replace("5353", seventh).split()]
    rows.append([7, mpf(18) / 5] * 2)
    return sum(
        -1 / (sum(t * t - 2 * t * c + c * c for t, c in zip(x, row, strict=True)) + mpf(floor) / 10)
        for row, floor in list(zip(rows, FLOORS, strict=True))[:m]
    )


def box_betts(x: Any, y: Any, z: Any) -> Any:
    def decay(k: int, rate: Any) -> Any:
        return exp(-k * rate / 10)

    return sum((decay(k, x) - decay(k, y) - z * (decay(k, 1) - decay(k, mpf(10)))) ** 2 for k in range(1, 11))


def power_sum(*x: Any) -> Any:
    return sum((sum(t**k for t in x) - b) ** 2 for k, b in enumerate((8, 18, 44, 114), 1))


def colville(x: Any, y: Any, z: Any, w: Any) -> Any:
    a, b = y - 1, w - 1
    ends = mpf(101) / 10 * (a * a + b * b) + mpf(198) / 10 * a * b
    return (10 * (y - x * x)) ** 2 + (1 - x) ** 2 + 90 * (w - z * z) ** 2 + (1 - z) ** 2 + ends


FORMULAS: dict[str, Callable[..., Any]] = {
    "colville": colville,
    "hartmann3": lambda *x: -wells(ROWS_3, *x),
    "hartmann3_03815": lambda *x: -wells(ROWS_3_03815, *x),
    "hartmann4": lambda *x: (1100 - 1000 * wells(ROWS_6, *x)) / 839,
    "hartmann6": lambda *x: -wells(ROWS_6, *x),
    "shekel_m5": lambda *x: shekel(5, "5353", *x),
    "shekel_m7": lambda *x: shekel(7, "5353", *x),
    "shekel_m7_dixon_szego": lambda *x: shekel(7, "5533", *x),
    "shekel_m10": lambda *x: shekel(10, "5353", *x),
    "shekel_m10_dixon_szego": lambda *x: shekel(10, "5533", *x),
    "gramacy_lee": lambda x: sinpi(10 * x) / x / 2 + (1 - x) ** 4,
    "forrester": lambda x: 4 * (3 * x - 1) ** 2 * sin(4 * (3 * x - 1)),
    "power_sum": power_sum,
    "wolfe": lambda x, y, z: z + 4 * sqrt(sqrt((x * x + y * y - x * y) ** 3)) / 3,
    "helical_valley": lambda x, y, z: 100 * (z - 5 * atan2(y, x) / pi) ** 2 + 100 * (hypot(x, y) - 1) ** 2 + z * z,
    "box_betts": box_betts,
}
