"""Tables for the classes of runs that have equal numbers, see `thalweg.engine.fused.codegen.classes`."""

from typing import Final

import numpy as np

from thalweg.engine.fused.runtime.kernels import Kernel

_MOST_BYTES: Final = 1 << 24
"""Of the tables of all classes for the updates of one call: what stays near the processor."""

_LEAST_ROWS: Final = 16


class ClassTables:
    """The classes of some runs, and their tables.

    Args:
        kernel: The kernel that fills and reads the tables.
        own: The runs' own numbers, rows of `Layout.own`, `(n_own, n)`.
        n_columns: How many columns the runs take, `n` or more.
    """

    def __init__(self, kernel: Kernel, own: np.ndarray, n_columns: int) -> None:
        self._kernel = kernel
        layout = kernel.layout
        self._groups = layout.groups
        self._classes = np.zeros((len(self._groups), n_columns), np.int64)
        self._values = []
        for k, group in enumerate(self._groups):
            rows = own[[layout.own.index(name) for name in group.own]]
            one_of_each, of_run = _distinct(rows)
            values = rows[:, one_of_each].T
            self._values.append(np.ascontiguousarray(values))
            # what fills the last block is of the class of the last run
            self._classes[k] = np.pad(of_run, (0, n_columns - len(of_run)), mode="edge") if len(of_run) else 0
        row = 8 * sum(
            len(values) * group.n_columns for values, group in zip(self._values, self._groups, strict=True)
        )
        self.most_rows = max(_LEAST_ROWS, _MOST_BYTES // row) if row else _MOST_BYTES

    def fill(self, first: int, table: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Fill the tables for the updates from `first` on, of which `table` has what all runs share.

        Returns:
            The addresses of the tables, which stay until the next call, and where each run's class begins in them.
        """
        n = len(table)
        begins = np.empty_like(self._classes)
        self._tables = []
        for k, (group, values) in enumerate(zip(self._groups, self._values, strict=True)):
            filled = np.empty((len(values), n, group.n_columns), np.uint64)
            addresses = (array.ctypes.data for array in (fixed, table, values, filled))
            self._kernel.functions.tabulate(k, len(values), first, n, *addresses)
            begins[k] = self._classes[k] * (n * group.n_columns)
            self._tables.append(filled)
        return np.array([filled.ctypes.data for filled in self._tables], np.uint64), begins


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of one of each distinct column, and for each column which of these it is like."""
    codes = np.zeros(rows.shape[1], np.int64)
    for row in rows:  # sorting whole columns takes twenty times as long
        values, place = np.unique(row, return_inverse=True)
        codes = np.unique(codes * len(values) + place, return_inverse=True)[1]
    _, one_of_each = np.unique(codes, return_index=True)
    return one_of_each, codes
