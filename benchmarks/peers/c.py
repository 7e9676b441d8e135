"""Adam on Himmelblau's function in C: the limit for one lane and for many."""

import ctypes
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FLAGS = ("-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math")
LANES = 32


def one(start: tuple[float, float], steps: int, every: int) -> Callable[[], np.ndarray]:
    """Return one descent with every `every`-th entry recorded: x, y and f, `(steps // every + 1, 3)`."""
    given, best = np.array(start), np.empty(4)

    def way() -> np.ndarray:
        record = np.empty((steps // every + 1, 3))
        _library().one(
            given.ctypes.data, steps, every, ctypes.c_double(-np.inf), record.ctypes.data, best.ctypes.data
        )
        return record

    way()
    return way


def many(starts: np.ndarray, steps: int) -> Callable[[], np.ndarray]:
    """Return descents from all starts `(n, 2)`, whose ends `(n, 2)` are kept."""
    n = -(-len(starts) // LANES) * LANES
    columns = np.zeros((2, n))
    columns[:, : len(starts)] = starts.T

    def way() -> np.ndarray:
        ends, best = np.empty((2, n)), np.empty((3, n))
        _library().many(columns.ctypes.data, n, steps, ctypes.c_double(-np.inf), ends.ctypes.data, best.ctypes.data)
        return ends[:, : len(starts)].T

    way()
    return way


@cache
def _library() -> Any:
    source = Path(__file__).with_name("adam.c")
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / "adam.so"
        subprocess.run(["gcc", *FLAGS, "-shared", "-fPIC", source, "-o", built, "-lm"], check=True)  # noqa: S603, S607
        library = ctypes.CDLL(str(built))
    whole, pointer, real = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
    library.one.argtypes = [pointer, whole, whole, real, pointer, pointer]
    library.one.restype = whole
    library.many.argtypes = [pointer, whole, whole, real, pointer, pointer]
    library.many.restype = None
    return library
