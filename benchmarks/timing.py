"""Timing ways to do the same thing, turn by turn, so that noise falls on all of them."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median

Way = Callable[[], object]
Seconds = dict[str, list[float]]


def seconds(
    ways: Mapping[str, Way], rounds: int = 5, least: float = 0.0, scale: Mapping[str, float] | None = None
) -> Seconds:
    """Return how long each way took in each round.

    Args:
        ways: What to time, by name.
        rounds: How often each way has its turn.
        least: Seconds that a turn lasts at least: a short way is gone again and again, and the mean counts.
        scale: By what to multiply the time of a way that does only a part, or more than the others.
    """
    taken: Seconds = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun, n_times, elapsed = time.perf_counter(), 0, 0.0
            while n_times == 0 or elapsed < least:
                way()
                n_times, elapsed = n_times + 1, time.perf_counter() - begun
            taken[name].append(elapsed / n_times * (scale or {}).get(name, 1.0))
    return taken


def multiple(taken: Seconds, way: str, base: str) -> float:
    """Return how many times as long as `base` a way took; the median over the rounds."""
    return median(one / other for one, other in zip(taken[way], taken[base], strict=True))


def ratios(
    ways: Mapping[str, Way], rounds: int = 5, least: float = 0.0, scale: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return how long each way takes, as a multiple of the first one; the median over the rounds."""
    taken = seconds(ways, rounds, least, scale)
    reference, *_ = taken
    return {name: multiple(taken, name, reference) for name in taken}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, and what it should be at least or at most where something is promised of it."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def verdict(self) -> str:
        """What was promised, and whether it holds; empty if nothing was."""
        promises = [
            (f"at least {self.at_least:g}", self.value >= self.at_least) if self.at_least is not None else None,
            (f"at most {self.at_most:g}", self.value <= self.at_most) if self.at_most is not None else None,
        ]
        given = [promise for promise in promises if promise is not None]
        if not given:
            return ""
        wanted = " and ".join(text for text, _ in given)
        return f"({wanted}: {'held' if all(held for _, held in given) else 'MISSED'})"


def table(title: str, rows: Mapping[str, float] | Iterable[Figure], unit: str = "") -> None:
    """Print a table of figures."""
    figures = [Figure(*row) for row in rows.items()] if isinstance(rows, Mapping) else list(rows)
    print(f"\n{title}")
    for figure in figures:
        print(f"  {figure.name:<42} {figure.value:10.3f} {unit} {figure.verdict}".rstrip(), flush=True)
