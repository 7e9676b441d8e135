"""The part of an axis that a picture shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log10

import numpy as np

from thalweg.plots import numbers
from thalweg.spec.starts import LARGEST

_MARGIN = 0.15  # of what paths span, on both sides
_LEAST_WIDTH = 1e-6  # of the numbers in it
AWAY = 10.0  # times as far as its start: there a diverging path is not followed any more
_USUAL = (1e-50, 1e50)  # sizes of coordinates that every drawing library takes
_N_TICKS = 7
MOST_UNEQUAL = 3.0  # widths of axes that are drawn on one scale


@dataclass(frozen=True, slots=True)
class Window:
    """What an axis shows, from `low` to `high`; it is drawn in multiples of `unit`, a power of ten."""

    name: str
    low: float
    high: float

    @property
    def unit(self) -> float:
        """1, or what brings coordinates to a size that can be drawn."""
        size = max(abs(self.low), abs(self.high))
        return 1.0 if _USUAL[0] <= size <= _USUAL[1] else 10.0 ** floor(log10(size))

    @property
    def title(self) -> str:
        """The name of the coordinate, with the unit."""
        return self.name if self.unit == 1 else f"{self.name} / {numbers.text(self.unit)}"

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends, as drawn."""
        return self.low / self.unit, self.high / self.unit

    def share(self, values: np.ndarray) -> np.ndarray:
        """Return where values are, from 0 to 1 within the window."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray((values / 2 - self.low / 2) / (self.high / 2 - self.low / 2))

    def drawn(self, shares: np.ndarray) -> np.ndarray:
        """Return what stands at such shares, as drawn."""
        low, high = self.ends
        return low * (1 - shares) + high * shares

    def ticks(self) -> tuple[list[float], list[str]]:
        """Return where the axis is marked, as drawn, and with what."""
        at = numbers.ticks(*self.ends, _N_TICKS)
        return at, [numbers.text(value) for value in at]


def are_alike(one: Window, other: Window) -> bool:
    """Whether two axes are to be drawn on the same scale: their widths are not too different."""
    ratio = (one.high - one.low) / (other.high - other.low)
    return 1 / MOST_UNEQUAL <= ratio <= MOST_UNEQUAL


def window(name: str, domain: tuple[float, float] | None, paths: Iterable[np.ndarray]) -> Window:
    """Return what an axis is to show.

    Args:
        name: What its coordinate is called.
        domain: Where the function is usually looked at.
        paths: The coordinate along each path, which says where to look if there is no domain.
    """
    if domain is not None:
        low, high = domain
    else:
        followed = np.concatenate([_followed(path) for path in paths])
        low, high = (float(followed.min()), float(followed.max())) if len(followed) else (-1.0, 1.0)
        size = max(abs(low), abs(high))
        margin = max(_MARGIN * 2 * (high / 2 - low / 2), _LEAST_WIDTH * size) if low < high else 0.1 * size or 1.0
        low, high = max(low - margin, -LARGEST), min(high + margin, LARGEST)
    if high / 2 - low / 2 > LARGEST / 2:  # too wide for its width to be a number
        middle = min(max(low / 2 + high / 2, -LARGEST / 2), LARGEST / 2)
        low, high = middle - LARGEST / 2, middle + LARGEST / 2
    return Window(name, low, high)


def _followed(path: np.ndarray) -> np.ndarray:
    finite = path[np.isfinite(path)]
    if not len(finite):
        return np.asarray(finite)
    with np.errstate(over="ignore"):
        return np.asarray(finite[np.abs(finite) <= AWAY * (1 + abs(finite[0]))])
