"""Counter-based noise: a function of (seed, run, step), so that it does not depend on how a job is cut."""

import numpy as np

_TWO_PI = 2 * np.pi
_WORDS_PER_TICK = 4
# drawing this many unused words takes as long as setting up a second generator behind them
_NARROW_GAP_WORDS = 2048
# from this many ticks a step, one generator per step is faster than numpy over all steps
_MANY_TICKS = 100
_TICKS_IN_CACHE = 10_000

_HALF = np.uint64(32)
_LOW_HALF = np.uint64(2**32 - 1)
_MULTIPLIERS = np.array([[0xD2E7470EE14C6C93], [0xCA5A826395121157]], dtype=np.uint64)
_LOW_MULTIPLIERS, _HIGH_MULTIPLIERS = _MULTIPLIERS & _LOW_HALF, _MULTIPLIERS >> _HALF
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_N_ROUNDS = 10


def standard_normal(seed: int, step: int, runs: np.ndarray, dim: int) -> np.ndarray:
    """Return a standard normal number for each run and coordinate, float64, `(len(runs), dim)`.

    The number for (seed, step, run, coordinate) is the Box-Muller transform of two words of the Philox stream that
    has `seed` as its key and `step` as the third word of its counter, at position 2 (run dim + coordinate). It does
    not depend on the order in which numbers are drawn.

    Args:
        seed: From 0 to 2^64 - 1.
        step: The update that the noise is for, from 0.
        runs: `(n,)` run numbers, ascending, at least one.
        dim: Coordinates of a point.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11 (Philox-4x64).
    """
    n_words = 2 * dim
    gaps = np.flatnonzero(np.diff(runs) * n_words > _NARROW_GAP_WORDS) + 1
    parts = [_words(seed, step, together, n_words) for together in np.split(runs, gaps)]
    return _box_muller(np.concatenate(parts).reshape(len(runs), dim, 2))


def standard_normal_block(seed: int, first: int, last: int, runs: np.ndarray, dim: int) -> np.ndarray:
    """Return `standard_normal` of the steps `first` to `last - 1`, `(last - first, len(runs), dim)`.

    Faster than a call per step where there are many steps and few runs.

    Args:
        seed: From 0 to 2^64 - 1.
        first: The first step, from 0.
        last: One past the last step.
        runs: `(n,)` run numbers, ascending, at least one.
        dim: Coordinates of a point.
    """
    drawn = np.empty((last - first, len(runs), dim))
    positions = 2 * dim * runs[:, None] + np.arange(2 * dim)
    ticks, tick_of = np.unique(positions // _WORDS_PER_TICK, return_inverse=True)
    if len(ticks) > _MANY_TICKS:
        for step in range(first, last):
            drawn[step - first] = standard_normal(seed, step, runs, dim)
        return drawn
    asked = _WORDS_PER_TICK * tick_of.reshape(positions.shape) + positions % _WORDS_PER_TICK
    n_steps = _TICKS_IN_CACHE // len(ticks)
    for begun in range(first, last, n_steps):
        steps = np.arange(begun, min(begun + n_steps, last), dtype=np.uint64)
        words = _philox(seed, ticks.astype(np.uint64), steps)
        if asked.size < words.shape[1]:
            words = words[:, asked]
        drawn[begun - first : begun - first + len(steps)] = _box_muller(words.reshape(len(steps), -1, dim, 2))
    return drawn


def _words(seed: int, step: int, runs: np.ndarray, n_words: int) -> np.ndarray:
    """Return the `n_words` words of each run, `(len(runs), n_words)`; words in gaps are drawn and dropped."""
    first, last = n_words * int(runs[0]), n_words * (int(runs[-1]) + 1)
    tick, skipped = divmod(first, _WORDS_PER_TICK)
    # the generator increments its counter before it draws
    drawn = np.random.Philox(key=seed, counter=[tick, 0, step, 0]).random_raw(skipped + last - first)
    words: np.ndarray = drawn[skipped:].reshape(-1, n_words)[runs - runs[0]]
    return words


def _philox(seed: int, ticks: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the words of numpy's Philox for each step, tick by tick, `(len(steps), 4 len(ticks))`."""
    # words 0 and 2 of the counter are multiplied, words 1 and 3 mixed in
    even = np.stack([np.tile(ticks + np.uint64(1), len(steps)), np.repeat(steps, len(ticks))])
    odd = np.zeros_like(even)
    high, scratch = np.empty_like(even), (np.empty_like(even), np.empty_like(even))
    keys = seed, 0
    for _ in range(_N_ROUNDS):
        _high_product(even, high, scratch)
        even *= _MULTIPLIERS
        odd ^= high[::-1]
        odd ^= np.array(keys, dtype=np.uint64)[:, None]
        even, odd = odd, even[::-1]
        keys = (keys[0] + _WEYL[0]) % 2**64, (keys[1] + _WEYL[1]) % 2**64
    return np.stack([even[0], odd[0], even[1], odd[1]], axis=-1).reshape(len(steps), -1)


def _high_product(words: np.ndarray, high: np.ndarray, scratch: tuple[np.ndarray, np.ndarray]) -> None:
    """Write the upper 64 bits of words `(2, n)` times their multipliers into `high`, by 32-bit halves."""
    low, middle = scratch
    np.bitwise_and(words, _LOW_HALF, out=low)
    np.right_shift(words, _HALF, out=high)
    np.multiply(low, _LOW_MULTIPLIERS, out=middle)
    middle >>= _HALF
    low *= _HIGH_MULTIPLIERS
    low += middle
    np.multiply(high, _LOW_MULTIPLIERS, out=middle)
    high *= _HIGH_MULTIPLIERS
    # adding all three at once could overflow
    middle += low & _LOW_HALF
    low >>= _HALF
    middle >>= _HALF
    high += low
    high += middle


def _box_muller(words: np.ndarray) -> np.ndarray:
    """Return a standard normal number for each pair of words along the last axis."""
    # 1 - u lies in (0, 1], where the logarithm is finite
    radius = np.sqrt(-2.0 * np.log1p(-_uniform(words[..., 0])))
    drawn: np.ndarray = radius * np.cos(_TWO_PI * _uniform(words[..., 1]))
    return drawn


def _uniform(words: np.ndarray) -> np.ndarray:
    numbers: np.ndarray = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers
