"""Noise that is a function of (seed, run, step), so that it does not depend on how a job is cut."""

import numpy as np

_TWO_PI = 2 * np.pi


def standard_normal(seed: int, step: int, runs: np.ndarray, dim: int) -> np.ndarray:
    """Return one standard normal number for each run and coordinate, float64, `(len(runs), dim)`.

    Counter-based: the number for (seed, step, run, coordinate) is the Box-Muller transform of two words of
    the Philox stream with `seed` as key and `step` as the third word of the counter, at the position
    2 (run dim + coordinate). Whoever draws it, in whichever order, finds the same.

    Args:
        seed: From 0 to 2^64 - 1.
        step: The update that the noise belongs to, from 0.
        runs: `(n,)` run numbers, ascending.
        dim: Coordinates of a point.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11 (Philox-4x64).
    """
    n_words = 2 * dim * (int(runs[-1]) + 1)
    words = np.random.Philox(key=seed, counter=[0, 0, step, 0]).random_raw(n_words)
    uniform = (words.reshape(-1, dim, 2)[runs] >> np.uint64(11)).astype(np.float64) * 2.0**-53
    # 1 - u lies in (0, 1], where the logarithm is finite
    radius = np.sqrt(-2.0 * np.log1p(-uniform[..., 0]))
    drawn: np.ndarray = radius * np.cos(_TWO_PI * uniform[..., 1])
    return drawn
