"""Memory that native code works on, aligned for vectors."""

from typing import Final

import numpy as np

ALIGNMENT: Final = 64
"""Bytes: a line of the cache, and what torch's allocator aligns to, on which the digits of dot products depend."""


def padded(n_bytes: int) -> int:
    """Return a number of bytes rounded up to the alignment."""
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT


def aligned(n_bytes: int) -> np.ndarray:
    """Return that many bytes of 0, the first at a multiple of the alignment."""
    whole = np.zeros(n_bytes + ALIGNMENT, np.uint8)
    start = -whole.ctypes.data % ALIGNMENT
    return whole[start : start + n_bytes]
