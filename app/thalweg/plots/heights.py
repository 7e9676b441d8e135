"""How high a value is drawn."""

from dataclasses import dataclass

import numpy as np

from thalweg.plots import numbers

MOST = 0.9  # share of the values that lie below what the log scale resolves
RESOLVED = 500.0  # parts of that
TICK_ROOM = 0.11  # of the axis, for each mark
N_LINEAR_TICKS = 6
ROUNDEST_FIRST = ((0,), (1,), (5,), (2,), (3, 4, 6, 7, 8, 9))
FEW = 3


@dataclass(frozen=True, slots=True)
class Heights:
    """Heights of values, from 0 at `low` to `top` at `high`.

    On the log scale log10(1 + (f - low) / unit), which is even where f is negative; on the linear scale the share
    of the way from low to high. The unit is about a five-hundredth of what most of the ground rises.
    """

    low: float
    high: float
    unit: float
    log: bool

    @property
    def top(self) -> float:
        """How high the highest value is drawn; 0 where all are the same."""
        return float(self.of(np.array([self.high]))[0])

    def of(self, f: np.ndarray) -> np.ndarray:
        """Return the heights of values, NaN where they are not finite."""
        f = np.where(np.isfinite(f), f, np.nan)
        rise = np.maximum(f / 2 - self.low / 2, 0)  # halves, as the whole rise may be too large for a double
        if not self.log:
            whole = self.high / 2 - self.low / 2
            return np.asarray(np.minimum(rise / whole if whole > 0 else 0 * rise, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.logaddexp(0, np.log(rise) - np.log(self.unit / 2)) / np.log(10))

    def ticks(self) -> tuple[np.ndarray, list[str]]:
        """Return where an axis of heights is marked, and with what: round values of f."""
        values = self._round_values() if self.log else numbers.ticks(self.low, self.high, N_LINEAR_TICKS)
        return self.of(np.array(values)), [numbers.text(value) for value in values]

    def _round_values(self) -> list[float]:
        """Return values as far apart as their texts need: 0, powers of ten, and others where these are too few."""
        marked: dict[float, float] = {}
        room = TICK_ROOM * self.top
        largest = max(abs(self.low), abs(self.high), self.unit)
        exponents = range(int(np.floor(np.log10(self.unit))), int(np.floor(np.log10(largest))) + 1)
        for factors in ROUNDEST_FIRST:
            lowest = min(marked, default=np.inf)
            candidates = {
                float(f"{sign}{factor}e{exponent}") for exponent in exponents for factor in factors for sign in "+-"
            }
            for value in sorted(candidates):
                is_needed = len(marked) < FEW or factors == (1,) or value < lowest
                if not (is_needed and self.low <= value <= self.high):
                    continue
                height = float(self.of(np.array([value]))[0])
                if all(abs(height - other) >= room for other in marked.values()):
                    marked[value] = height
        return sorted(marked) or [self.low]


def heights(z: np.ndarray, minima: np.ndarray, *, log: bool) -> Heights:
    """Return the heights of a ground with values `z` and the values of minima on it."""
    finite = np.concatenate([z[np.isfinite(z)].ravel(), minima[np.isfinite(minima)]])
    if not len(finite):
        return Heights(0.0, 1.0, 1.0, log)
    low, high = float(finite.min()), float(finite.max())
    most = 2 * (float(np.quantile(finite / 2, MOST)) - low / 2) / RESOLVED
    return Heights(low, high, 10.0 ** int(np.floor(np.log10(max(min(most, 1e300), 1e-300)))), log)
