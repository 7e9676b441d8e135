"""Adam on Himmelblau's function, by hand in Numba."""

from collections.abc import Callable
from math import sqrt

import numba
import numpy as np

LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
LANES = 32

Trajectory = tuple[np.ndarray, np.ndarray]  # x (steps + 1, 2) and f (steps + 1,)

# division as numpy does it: a check for zero before each would keep LLVM from vectorizing
_compiled = numba.njit(nogil=True, error_model="numpy")


def one(start: tuple[float, float], steps: int) -> Callable[[], Trajectory]:
    """Return one descent, every step recorded."""

    def way() -> Trajectory:
        x, f = np.empty((steps + 1, 2)), np.empty(steps + 1)
        _descend(*start, x, f)
        return x, f

    way()
    return way


def many(starts: np.ndarray, steps: int) -> Callable[[], np.ndarray]:
    """Return descents from all starts `(n, 2)`, whose ends `(n, 2)` are kept."""

    def way() -> np.ndarray:
        ends = np.empty_like(starts)
        _descend_side_by_side(starts, steps, ends)
        return ends

    way()
    return way


@_compiled
def _descend(x: float, y: float, points: np.ndarray, values: np.ndarray) -> None:
    mx = my = vx = vy = 0.0
    power1 = power2 = 1.0
    for step in range(len(values)):
        a = x * x + y - 11.0
        b = x + y * y - 7.0
        points[step, 0], points[step, 1], values[step] = x, y, a * a + b * b
        gx = 4.0 * a * x + 2.0 * b
        gy = 2.0 * a + 4.0 * b * y
        power1 *= BETA1
        power2 *= BETA2
        scale = LR / (1.0 - power1)
        root = 1.0 / sqrt(1.0 - power2)
        mx = BETA1 * mx + (1.0 - BETA1) * gx
        my = BETA1 * my + (1.0 - BETA1) * gy
        vx = BETA2 * vx + (1.0 - BETA2) * gx * gx
        vy = BETA2 * vy + (1.0 - BETA2) * gy * gy
        x -= scale * mx / (sqrt(vx) * root + EPS)
        y -= scale * my / (sqrt(vy) * root + EPS)


@_compiled
def _descend_side_by_side(starts: np.ndarray, steps: int, ends: np.ndarray) -> None:
    x, y, mx, my, vx, vy = np.empty((6, LANES))
    for first in range(0, len(starts), LANES):
        n_lanes = min(LANES, len(starts) - first)
        for lane in range(n_lanes):
            x[lane], y[lane] = starts[first + lane]
        mx[:], my[:], vx[:], vy[:] = 0.0, 0.0, 0.0, 0.0
        power1 = power2 = 1.0
        for _ in range(steps):
            power1 *= BETA1
            power2 *= BETA2
            scale = LR / (1.0 - power1)
            root = 1.0 / sqrt(1.0 - power2)
            for lane in range(LANES):
                a = x[lane] * x[lane] + y[lane] - 11.0
                b = x[lane] + y[lane] * y[lane] - 7.0
                gx = 4.0 * a * x[lane] + 2.0 * b
                gy = 2.0 * a + 4.0 * b * y[lane]
                mx[lane] = BETA1 * mx[lane] + (1.0 - BETA1) * gx
                my[lane] = BETA1 * my[lane] + (1.0 - BETA1) * gy
                vx[lane] = BETA2 * vx[lane] + (1.0 - BETA2) * gx * gx
                vy[lane] = BETA2 * vy[lane] + (1.0 - BETA2) * gy * gy
                x[lane] -= scale * mx[lane] / (sqrt(vx[lane]) * root + EPS)
                y[lane] -= scale * my[lane] / (sqrt(vy[lane]) * root + EPS)
        for lane in range(n_lanes):
            ends[first + lane, 0], ends[first + lane, 1] = x[lane], y[lane]
