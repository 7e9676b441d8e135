"""Mini-batches as a function of (seed, run, step), so that they do not depend on how a job is cut into chunks."""

import numpy as np

_WORDS_PER_TICK = 4
_APART = 1  # last word of the counter, unique to mini-batches among the streams of a seed


class Minibatches:
    """The samples that each run uses in each step: each sample once per epoch, shuffled anew.

    Counter-based: samples are sorted by words of the Philox stream with `seed` as the key and the epoch as the
    third word of the counter, so their order depends on (seed, run, epoch) only. The last batch of an epoch holds
    the remainder, as in torch's DataLoader.

    Args:
        n_samples: Size of the data set.
        size: Size of a batch.
        seed: From 0 to 2^64 - 1.

    Source: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11 (Philox-4x64).
    """

    def __init__(self, n_samples: int, size: int, seed: int) -> None:
        self._n_samples = n_samples
        self._size = size
        self._seed = seed
        self._per_epoch = -(-n_samples // size)
        self._latest: tuple[tuple[int, bytes], np.ndarray] | None = None

    def at(self, step: int, runs: np.ndarray) -> np.ndarray:
        """Return the indices of the samples of `step` for each of the ascending `runs`, `(len(runs), size)`."""
        epoch, batch = divmod(step, self._per_epoch)
        key = epoch, runs.tobytes()
        latest = self._latest  # read once: another thread may replace it
        if latest is None or latest[0] != key:
            latest = self._latest = key, self._orders(epoch, runs)
        return latest[1][:, batch * self._size : (batch + 1) * self._size]

    def _orders(self, epoch: int, runs: np.ndarray) -> np.ndarray:
        neighbors = np.split(runs, np.flatnonzero(np.diff(runs) != 1) + 1)
        words = [self._words(epoch, int(group[0]), len(group)) for group in neighbors]
        return np.argsort(np.concatenate(words), axis=1, kind="stable")

    def _words(self, epoch: int, first_run: int, n_runs: int) -> np.ndarray:
        ticks = -(-self._n_samples // _WORDS_PER_TICK)
        generator = np.random.Philox(key=self._seed, counter=[first_run * ticks, 0, epoch, _APART])
        words = generator.random_raw(n_runs * ticks * _WORDS_PER_TICK)
        return words.reshape(n_runs, -1)[:, : self._n_samples]
