"""Other ways to run Adam on Himmelblau's function: what somebody would write who needs it fast.

Each way is a function that prepares it: it returns a callable that was compiled and called once already, does
the whole work each time, and returns what it found. XLA is held to one thread: it sizes its pool by `NPROC`,
and `check_one_thread` makes sure. (`--xla_cpu_multi_thread_eigen=false` alone still uses all cores.)
"""

import os
import time
from collections.abc import Callable
from math import sqrt
from typing import Any

os.environ["NPROC"] = "1"  # read when XLA starts

import jax
import numba
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - jax's own way to say it

LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
LANES = 32

Trajectory = tuple[Any, Any]  # x (steps + 1, 2) and f (steps + 1,), numpy's or jax's

# division as numpy does it: a check for zero before each would keep LLVM from vectorizing
_compiled = numba.njit(nogil=True, error_model="numpy")


def numba_one(start: tuple[float, float], steps: int) -> Callable[[], Trajectory]:
    """Return one descent written by hand in Numba, every step recorded."""

    def way() -> Trajectory:
        x, f = np.empty((steps + 1, 2)), np.empty(steps + 1)
        _descend(*start, x, f)
        return x, f

    way()
    return way


def numba_many(starts: np.ndarray, steps: int) -> Callable[[], np.ndarray]:
    """Return descents from all starts `(n, 2)`, by hand in Numba, whose ends `(n, 2)` are kept."""

    def way() -> np.ndarray:
        ends = np.empty_like(starts)
        _descend_side_by_side(starts, steps, ends)
        return ends

    way()
    return way


def optax_one(start: tuple[float, float], steps: int) -> Callable[[], Trajectory]:
    """Return one descent by optax under `jax.lax.scan`, every step recorded."""

    @jax.jit
    def descend(x: Any) -> Any:
        (x, _), (before, values) = jax.lax.scan(_optax_step, (x, _OPTAX_ADAM.init(x)), length=steps)
        last_f = _himmelblau(x)
        return jax.numpy.concatenate([before, x[None]]), jax.numpy.append(values, last_f)

    return _warm(descend, np.array(start))


def optax_many(starts: np.ndarray, steps: int) -> Callable[[], Any]:
    """Return descents from all starts `(n, 2)` by optax under vmap and scan, whose ends `(n, 2)` are kept.

    The whole descent is under vmap, so that the count of steps is one for all.
    """

    def descend(x: Any) -> Any:
        (x, _), _ = jax.lax.scan(
            lambda carry, _: (_optax_step(carry, _)[0], None), (x, _OPTAX_ADAM.init(x)), length=steps
        )
        return x

    return _warm(jax.jit(jax.vmap(descend)), starts)


def optax_each(starts: np.ndarray, steps: int) -> Callable[[], Any]:
    """Return the same with an optimizer's state for each start: `init` and `update` under vmap.

    Each start then counts its steps itself, and takes the powers of beta for its bias corrections.
    """

    def descend(x: Any) -> Any:
        carry = x, jax.vmap(_OPTAX_ADAM.init)(x)
        each = jax.vmap(_optax_step, in_axes=(0, None))
        (x, _), _ = jax.lax.scan(lambda carry, _: (each(carry, None)[0], None), carry, length=steps)
        return x

    return _warm(jax.jit(descend), starts)


def check_one_thread(way: Callable[[], object]) -> None:
    """Check that a way keeps one core busy, not more.

    Raises:
        RuntimeError: It used more processor time than time went by.
    """
    begun, begun_cpu = time.perf_counter(), time.process_time()
    way()
    n_cores = (time.process_time() - begun_cpu) / (time.perf_counter() - begun)
    if n_cores > 1.1:
        raise RuntimeError(f"{n_cores:.2f} cores were busy, not one")


_OPTAX_ADAM = optax.adam(LR, b1=BETA1, b2=BETA2, eps=EPS)


def _himmelblau(point: Any) -> Any:
    x, y = point
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def _optax_step(carry: Any, _: Any) -> Any:
    x, state = carry
    f, gradient = jax.value_and_grad(_himmelblau)(x)
    updates, state = _OPTAX_ADAM.update(gradient, state, x)
    return (optax.apply_updates(x, updates), state), (x, f)


def _warm(compiled: Any, start: np.ndarray) -> Callable[[], Any]:
    on_device = jax.numpy.asarray(start)

    def way() -> Any:
        return jax.block_until_ready(compiled(on_device))

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
