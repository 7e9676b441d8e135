"""Timing two ways to do the same thing, turn by turn, so that noise falls on both."""

import time
from collections.abc import Callable, Mapping
from statistics import median

Way = Callable[[], object]


def ratios(ways: Mapping[str, Way], rounds: int = 5) -> dict[str, float]:
    """Return how long each way takes, as a multiple of the first one; the median over the rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - begun)
    reference, *_ = seconds.values()
    return {
        name: median(taken / base for taken, base in zip(column, reference, strict=True))
        for name, column in seconds.items()
    }


def table(title: str, rows: Mapping[str, float], unit: str) -> None:
    """Print a table of figures."""
    print(f"\n{title}")
    for name, figure in rows.items():
        print(f"  {name:<42} {figure:8.3f} {unit}")
