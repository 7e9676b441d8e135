"""Tables of what all runs of a job share in each update: bias corrections and the like."""

import threading
from collections import OrderedDict
from typing import TypeAlias

import numpy as np

from thalweg.engine.fused.frontend.refusals import sentence_of
from thalweg.engine.fused.runtime.hyperparameters import Hyperparameters
from thalweg.engine.fused.runtime.kernels import Kernel

PIECE = 16_384
"""Rows of a table. It starts at a multiple of this, and fits in the processor's cache."""

_KEPT_PIECES = 4
_MAX_KEPT = 64

_Table: TypeAlias = tuple[np.ndarray, np.ndarray, str | None]


class SharedTables:
    """The tables of a job, computed piece by piece.

    The first pieces for hyperparameters that stay the same are cached in the process: jobs with the same kernel and
    numbers share them.

    Args:
        kernel: The kernel that computes them.
        hyper: The hyperparameters from the next update on.
        state: The shared state after the updates so far, raw, 8 bytes each; None at the start.

    Attributes:
        fixed: The numbers that are the same in all updates, once the first row is computed.
        raised: The message of what torch raises in the update after the last row; None for nothing.
    """

    def __init__(self, kernel: Kernel, hyper: Hyperparameters, state: np.ndarray | None = None) -> None:
        self._kernel = kernel
        self._hyper = hyper
        self.state = np.zeros(len(kernel.layout.shared), np.uint64) if state is None else state
        self.fixed = np.zeros(kernel.layout.n_fixed, np.uint64)
        self.raised: str | None = None

    def rows(self, first: int, last: int) -> np.ndarray:
        """Return the rows of the next updates, `first` to `last - 1`, which must lie in one piece.

        There are fewer if torch raises in an update; see `raised`.
        """
        if not self._hyper.constant or first >= _KEPT_PIECES * PIECE:
            return self._computed(first, last)
        begin = first // PIECE * PIECE
        whole, self.fixed, raised = self._whole(begin)
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
        hyper = self._hyper.next(len(rows))
        n_known = len(rows) if self._hyper.constant else len(hyper)
        stride = 0 if self._hyper.constant else hyper.shape[1]
        end = np.array([n_known, 0])
        written = (array.ctypes.data for array in (self.state, self.fixed, rows, end))
        self._kernel.functions.schedule(first, n_known, hyper.ctypes.data, stride, *written)
        n_rows, code = end.tolist()
        if code:
            self.raised = sentence_of(code)
        elif self._hyper.raised is not None:
            n_rows, self.raised = n_known - 1, self._hyper.raised
        return rows[:n_rows]

    def _whole(self, begin: int) -> _Table:
        """Return a whole piece from the cache, what is fixed, and what torch raises after the piece."""
        key = self._kernel.key, self._hyper.next(1).tobytes(), begin
        kept = _kept.get(key)
        if kept is None:
            before = SharedTables(self._kernel, self._hyper)
            if begin > 0:
                rows, *_ = self._whole(begin - PIECE)
                before.state = rows[-1, self._kernel.layout.n_shared :].copy()
            kept = before._computed(begin, begin + PIECE), before.fixed, before.raised
            _kept.put(key, kept)
        return kept


class _Kept:
    """An LRU cache of pieces, each with what torch raises after it."""

    def __init__(self) -> None:
        self._tables: OrderedDict[tuple[str, bytes, int], _Table] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, bytes, int]) -> _Table | None:
        with self._lock:
            if key in self._tables:
                self._tables.move_to_end(key)
            return self._tables.get(key)

    def put(self, key: tuple[str, bytes, int], table: _Table) -> None:
        with self._lock:
            self._tables[key] = table
            if len(self._tables) > _MAX_KEPT:
                self._tables.popitem(last=False)


_kept = _Kept()
