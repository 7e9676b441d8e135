"""Thinning a trajectory so that it looks the same: for pictures, never for numbers."""

import numpy as np
from tsdownsample import MinMaxLTTBDownsampler

METHOD = "minmaxlttb"
MIN_POINTS = 4


def downsample(x: np.ndarray, f: np.ndarray, max_points: int) -> np.ndarray:
    """Return ascending indices of at most `max_points` entries that represent all.

    First, last, lowest and highest value are always among them, then the extremes of each coordinate as far as
    there is room. MinMaxLTTB over the values picks the rest. The choice is deterministic.

    Args:
        x: `(m, dim)` points.
        f: `(m,)` values. Entries that are not finite are kept only as first or last.
        max_points: At least `MIN_POINTS`.

    Source: Van Der Donckt et al., "MinMaxLTTB: leveraging MinMax-preselection to scale LTTB", IEEE VIS 2023.
    """
    m = len(f)
    if m <= max_points:
        return np.arange(m)
    finite = np.flatnonzero(np.isfinite(f) & np.isfinite(x).all(axis=1))
    kept = dict.fromkeys([0, m - 1])
    if finite.size:
        values = f[finite]
        kept |= dict.fromkeys(finite[[values.argmin(), values.argmax()]].tolist())
        for coordinate in x.T:
            if len(kept) + 2 > max_points:
                break
            ends = coordinate[finite]
            kept |= dict.fromkeys(finite[[ends.argmin(), ends.argmax()]].tolist())
        kept |= dict.fromkeys(_shape(values, finite, max_points - len(kept)))
    return np.array(sorted(kept))


def _shape(values: np.ndarray, indices: np.ndarray, room: int) -> list[int]:
    if room < 3:  # the downsampler keeps both ends, so fewer would show nothing
        return []
    thinned = MinMaxLTTBDownsampler().downsample(np.ascontiguousarray(values, np.float64), n_out=room)
    chosen: list[int] = indices[thinned].tolist()
    return chosen
