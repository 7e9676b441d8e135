"""Mini-batches that are a function of (seed, run, step), so that they do not depend on how a job is cut."""

import numpy as np

_WORDS_PER_TICK = 4
_APART = 1  # the last word of the counter: nothing else that is drawn with this seed has the same


class Minibatches:
    """Which samples each run looks at in each step: every epoch, each sample once, in an order of its own.

    Counter-based: the order of (seed, run, epoch) sorts the samples by words of the Philox stream with `seed` as
    key and the epoch as the third word of the counter. Neither the other runs nor the steps before play a part.
    The last batch of an epoch holds what is left, as torch's DataLoader has it.

    Args:
        n_samples: Samples that there are.
        size: Samples in a batch.
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
        """Return the samples that `step` looks at, for each of the ascending `runs`, `(len(runs), size)`."""
        epoch, batch = divmod(step, self._per_epoch)
        key = epoch, runs.tobytes()
        latest = self._latest  # another thread may replace it at any time
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
