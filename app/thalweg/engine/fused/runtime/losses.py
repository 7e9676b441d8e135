"""The values of all entries of a chunk, for jobs that record these beside a sparser trajectory."""

import numpy as np

from thalweg.engine.outcome import Record


class Losses:
    """Values that native code writes, with a row for each run.

    Args:
        first: The first entry that native code judges.
        last: The last one.
        n_runs: Rows.
        dtype: Of the values.
    """

    def __init__(self, first: int, last: int, n_runs: int, dtype: np.dtype) -> None:
        self._first = first
        self._values = np.empty((n_runs, last + 1 - first), dtype)

    def place(self, entry: int) -> tuple[int, int]:
        """Return the address of an entry of the first run, and the numbers from one run to the next."""
        return self._values[:, entry - self._first :].ctypes.data, self._values.shape[1]

    def record(self, begun: int, runs: np.ndarray, n_steps: np.ndarray) -> Record:
        """Return the entries from `begun` on of `runs`, which end after `n_steps` updates, `(len(runs),)`."""
        values = self._values[:, begun - self._first :]
        steps = np.arange(begun, begun + values.shape[1])
        return Record(
            steps=steps,
            runs=runs,
            x=np.empty((*values.shape, 0), values.dtype),
            f=np.ascontiguousarray(values),
            n_valid=np.searchsorted(steps, n_steps, side="right"),
        )
