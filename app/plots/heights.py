"""How high a value is drawn: on a log scale that begins at the lowest value there is."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Heights:
    """Heights of values: log10(1 + (f - low) / unit), or f itself on a linear scale.

    The unit is about a thousandth of what most of the ground rises, so that the scale is even where f is negative.
    """

    low: float
    high: float
    unit: float
    log: bool

    def of(self, f: np.ndarray) -> np.ndarray:
        """Return the heights of values, NaN where they are not finite."""
        f = np.where(np.isfinite(f), f, np.nan)
        if not self.log:
            return f
        height: np.ndarray = np.log10(1 + np.maximum(f - self.low, 0) / self.unit)
        return height

    def ticks(self) -> tuple[np.ndarray, list[str]]:
        """Return where an axis of heights is marked, and with what: values of f."""
        if not self.log:
            values = np.linspace(self.low, self.high, 6)
            return values, [f"{value:.4g}" for value in values]
        n_decades = max(int(np.floor(np.log10(max((self.high - self.low) / self.unit, 1)))), 0)
        values = self.low + np.array([0.0, *(self.unit * 10.0**k for k in range(1, n_decades + 1))])
        return self.of(values), [f"{value:.4g}" for value in values]


def heights(z: np.ndarray, minima: np.ndarray, *, log: bool) -> Heights:
    """Return the heights of a ground with values `z` and the values of minima on it."""
    finite = np.concatenate([z[np.isfinite(z)].ravel(), minima])
    if not len(finite):
        return Heights(0.0, 1.0, 1.0, log)
    low, high = float(finite.min()), float(finite.max())
    most = float(np.quantile(finite, 0.9)) - low
    unit = 10.0 ** np.floor(np.log10(max(most / 500, 1e-300)))
    return Heights(low, high, float(unit), log)
