"""What all runs of a job share, update after update: bias corrections and the like, in tables."""

import threading
from collections import OrderedDict

import numpy as np

from app.engine.fused.kernels import Kernel
from app.engine.fused.rates import LearningRates

PIECE = 16_384
"""Updates of one table, at most; it begins at a multiple of that and stays in the processor's cache."""

_KEPT_PIECES = 4
_MAX_KEPT = 64


class SharedTables:
    """The tables of a job, one after the other.

    The first tables of jobs with one learning rate are kept in the process: they are the same for each.

    Args:
        kernel: What computes them.
        rates: The learning rates, from the present update on.
        state: What all runs share after the updates so far, raw, 8 bytes each; None at the start.
    """

    def __init__(self, kernel: Kernel, rates: LearningRates, state: np.ndarray | None = None) -> None:
        self._kernel = kernel
        self._rates = rates
        self.state = np.zeros(len(kernel.layout.shared), np.uint64) if state is None else state

    def rows(self, first: int, last: int) -> np.ndarray:
        """Return the rows of updates `first` to `last - 1`, which are the next ones, all of one piece."""
        if not self._rates.constant or first >= _KEPT_PIECES * PIECE:
            return self._computed(first, last)
        begin = first // PIECE * PIECE
        rows = self._whole(begin)[first - begin : last - begin]
        if len(rows):
            self.state = rows[-1, self._kernel.layout.n_shared :].copy()
        return rows

    def _computed(self, first: int, last: int) -> np.ndarray:
        rows = np.empty((last - first, self._kernel.layout.n_columns), np.uint64)
        rates = self._rates.next(last - first)
        addresses = rates.ctypes.data, len(rates) > 1, self.state.ctypes.data, rows.ctypes.data
        if len(rows):
            self._kernel.functions.schedule(first, len(rows), *addresses)
        return rows

    def _whole(self, begin: int) -> np.ndarray:
        """Return a whole piece of one of the first tables."""
        key = self._kernel.key, self._rates.next(1).item(), begin
        rows = _kept.get(key)
        if rows is None:
            before = SharedTables(self._kernel, self._rates)
            if begin > 0:
                before.state = self._whole(begin - PIECE)[-1, self._kernel.layout.n_shared :].copy()
            rows = before._computed(begin, begin + PIECE)
            _kept.put(key, rows)
        return rows


class _Kept:
    """The tables that were used last."""

    def __init__(self) -> None:
        self._tables: OrderedDict[tuple[str, float, int], np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, float, int]) -> np.ndarray | None:
        with self._lock:
            if key in self._tables:
                self._tables.move_to_end(key)
            return self._tables.get(key)

    def put(self, key: tuple[str, float, int], rows: np.ndarray) -> None:
        with self._lock:
            self._tables[key] = rows
            if len(self._tables) > _MAX_KEPT:
                self._tables.popitem(last=False)


_kept = _Kept()
