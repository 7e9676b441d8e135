"""Tables of what all runs of a job share in each update: bias corrections and the like."""

import threading
from collections import OrderedDict
from typing import TypeAlias

import numpy as np

from thalweg.engine.fused.frontend.refusals import sentence_of
from thalweg.engine.fused.runtime.kernels import Kernel
from thalweg.engine.fused.runtime.rates import LearningRates

PIECE = 16_384
"""Rows of a table. It starts at a multiple of this, and fits in the processor's cache."""

_KEPT_PIECES = 4
_MAX_KEPT = 64

_Table: TypeAlias = tuple[np.ndarray, str | None]


class SharedTables:
    """The tables of a job, computed piece by piece.

    The first pieces for a constant learning rate are cached in the process, as jobs with the same kernel and rate
    share them.

    Args:
        kernel: The kernel that computes them.
        rates: The learning rates from the next update on.
        state: The shared state after the updates so far, raw, 8 bytes each; None at the start.

    Attributes:
        raised: The message of what torch raises in the update after the last row; None for nothing.
    """

    def __init__(self, kernel: Kernel, rates: LearningRates, state: np.ndarray | None = None) -> None:
        self._kernel = kernel
        self._rates = rates
        self.state = np.zeros(len(kernel.layout.shared), np.uint64) if state is None else state
        self.raised: str | None = None

    def rows(self, first: int, last: int) -> np.ndarray:
        """Return the rows of the next updates, `first` to `last - 1`, which must lie in one piece.

        There are fewer if torch raises in an update; see `raised`.
        """
        if not self._rates.constant or first >= _KEPT_PIECES * PIECE:
            return self._computed(first, last)
        begin = first // PIECE * PIECE
        whole, raised = self._whole(begin)
        rows = whole[first - begin : last - begin]
        if len(rows):
            self.state = rows[-1, self._kernel.layout.n_shared :].copy()
        if len(rows) < last - first:
            self.raised = raised
        return rows

    def _computed(self, first: int, last: int) -> np.ndarray:
        rows = np.empty((last - first, self._kernel.layout.n_columns), np.uint64)
        if not len(rows):
            return rows
        rates = self._rates.next(len(rows))
        n_rates = len(rows) if self._rates.constant else len(rates)
        end = np.array([n_rates, 0])
        addresses = rates.ctypes.data, len(rates) > 1, self.state.ctypes.data, rows.ctypes.data, end.ctypes.data
        self._kernel.functions.schedule(first, n_rates, *addresses)
        n_rows, code = end.tolist()
        if code:
            self.raised = sentence_of(code)
        elif self._rates.raised is not None:
            n_rows, self.raised = n_rates - 1, self._rates.raised
        return rows[:n_rows]

    def _whole(self, begin: int) -> _Table:
        """Return a whole piece from the cache, computed if missing, and what torch raises after it."""
        key = self._kernel.key, self._rates.next(1).item(), begin
        kept = _kept.get(key)
        if kept is None:
            before = SharedTables(self._kernel, self._rates)
            if begin > 0:
                rows, _ = self._whole(begin - PIECE)
                before.state = rows[-1, self._kernel.layout.n_shared :].copy()
            kept = before._computed(begin, begin + PIECE), before.raised
            _kept.put(key, kept)
        return kept


class _Kept:
    """An LRU cache of pieces, each with what torch raises after it."""

    def __init__(self) -> None:
        self._tables: OrderedDict[tuple[str, float, int], _Table] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, float, int]) -> _Table | None:
        with self._lock:
            if key in self._tables:
                self._tables.move_to_end(key)
            return self._tables.get(key)

    def put(self, key: tuple[str, float, int], table: _Table) -> None:
        with self._lock:
            self._tables[key] = table
            if len(self._tables) > _MAX_KEPT:
                self._tables.popitem(last=False)


_kept = _Kept()
