"""Descents by jax and optax under `jit`, in float64 and on one thread.

XLA sizes its pool by `NPROC`, and `check_one_thread` makes sure. (`--xla_cpu_multi_thread_eigen=false` alone still
uses all cores.)
"""

import os
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

os.environ["NPROC"] = "1"  # read when XLA starts

import jax
import numpy as np
import optax

jax.config.update("jax_enable_x64", True)  # noqa: FBT003 - jax's own way to say it

ADAM = optax.adam(1e-3, b1=0.9, b2=0.999, eps=1e-8)

Loss = Callable[[Any], Any]  # of one point (dim,)


def himmelblau(point: Any) -> Any:
    """Return Himmelblau's function at a point `(2,)`."""
    x, y = point
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def rosenbrock(point: Any) -> Any:
    """Return Rosenbrock's function at a point `(dim,)`."""
    x, y = point[:-1], point[1:]
    return (100 * (y - x**2) ** 2 + (1 - x) ** 2).sum()


def one(start: tuple[float, float], steps: int) -> Callable[[], tuple[Any, Any]]:
    """Return one descent on Himmelblau's function, every step recorded: x `(steps + 1, 2)`, f `(steps + 1,)`."""

    @jax.jit
    def descend(x: Any) -> Any:
        (x, _), (before, values) = jax.lax.scan(_himmelblau_step, (x, ADAM.init(x)), length=steps)
        return jax.numpy.concatenate([before, x[None]]), jax.numpy.append(values, himmelblau(x))

    return _warm(descend, np.array(start))


def many(starts: np.ndarray, steps: int) -> Callable[[], Any]:
    """Return descents on Himmelblau's function from all starts `(n, 2)`, whose ends `(n, 2)` are kept.

    The whole descent is under vmap, so that the count of steps is one for all.
    """

    def descend(x: Any) -> Any:
        (x, _), _ = jax.lax.scan(
            lambda carry, _: (_himmelblau_step(carry, _)[0], None), (x, ADAM.init(x)), length=steps
        )
        return x

    return _warm(jax.jit(jax.vmap(descend)), starts)


def each(starts: np.ndarray, steps: int) -> Callable[[], Any]:
    """Return the same with an optimizer's state for each start: `init` and `update` under vmap.

    Each start then counts its steps itself, and takes the powers of beta for its bias corrections.
    """

    def descend(x: Any) -> Any:
        carry = x, jax.vmap(ADAM.init)(x)
        step = jax.vmap(_himmelblau_step, in_axes=(0, None))
        (x, _), _ = jax.lax.scan(lambda carry, _: (step(carry, None)[0], None), carry, length=steps)
        return x

    return _warm(jax.jit(descend), starts)


def nested(loss: Loss, start: np.ndarray, steps: int, every: int) -> Callable[[], tuple[Any, Any]]:
    """Return one descent that records every `every`-th entry, x `(m, dim)` and f `(m,)`: a scan of loops."""

    @jax.jit
    def descend(x: Any) -> Any:
        def some(carry: Any, _: Any) -> Any:
            moved = jax.lax.fori_loop(0, every, lambda _, carry: _step(loss, carry)[0], carry)
            return moved, (carry[0], loss(carry[0]))

        (x, _), (before, values) = jax.lax.scan(some, (x, ADAM.init(x)), length=steps // every)
        return jax.numpy.concatenate([before, x[None]]), jax.numpy.append(values, loss(x))

    return _warm(descend, start)


def flat(loss: Loss, start: np.ndarray, steps: int, every: int) -> Callable[[], tuple[Any, Any]]:
    """Return the same as one scan over all steps, of which every `every`-th entry is kept."""

    @jax.jit
    def descend(x: Any) -> Any:
        (x, _), (before, values) = jax.lax.scan(
            lambda carry, _: _step(loss, carry), (x, ADAM.init(x)), length=steps
        )
        xs, fs = before[::every], values[::every]
        return jax.numpy.concatenate([xs, x[None]]), jax.numpy.append(fs, loss(x))

    return _warm(descend, start)


def network(layers: Sequence[int], x: np.ndarray, y: np.ndarray) -> Loss:
    """Return the binary cross-entropy of a network with tanh in its hidden layers, of all parameters `(dim,)`.

    The parameters of a layer are a matrix with a row per input and the biases as its last row.
    """
    inputs, targets = jax.numpy.asarray(x), jax.numpy.asarray(y)
    return lambda point: _cross_entropy(_nets(layers, point, inputs), targets)


def drawn(
    layers: Sequence[int], x: np.ndarray, y: np.ndarray, size: int, start: np.ndarray, steps: int, every: int
) -> Callable[[], tuple[Any, Any]]:
    """Return a descent on mini-batches; a batch is a window of the samples, which are shuffled once an epoch.

    The remainder of an epoch is dropped: batches of two sizes do not fit into a scan.
    """
    n_batches = len(x) // size
    samples = jax.numpy.concatenate([jax.numpy.asarray(x), jax.numpy.asarray(y)], axis=1)
    n_inputs = x.shape[1]

    def step(carry: Any) -> Any:
        point, state, order, count, key = carry
        at = count % n_batches

        def shuffle(_: Any) -> Any:
            new, used = jax.random.split(key)
            return jax.random.permutation(used, order), new

        order, key = jax.lax.cond(at == 0, shuffle, lambda _: (order, key), None)
        rows = samples[jax.lax.dynamic_slice(order, (at * size,), (size,))]

        def loss(point: Any) -> Any:
            return _cross_entropy(_nets(layers, point, rows[:, :n_inputs]), rows[:, n_inputs:])

        f, gradient = jax.value_and_grad(loss)(point)
        updates, state = ADAM.update(gradient, state, point)
        return (optax.apply_updates(point, updates), state, order, count + 1, key), f

    @jax.jit
    def descend(point: Any) -> Any:
        def some(carry: Any, _: Any) -> Any:
            moved, values = jax.lax.scan(lambda carry, _: step(carry), carry, length=every)
            return moved, (carry[0], values)

        carry = point, ADAM.init(point), jax.numpy.arange(len(x)), 0, jax.random.key(0)
        (point, *_), (before, values) = jax.lax.scan(some, carry, length=steps // every)
        return jax.numpy.concatenate([before, point[None]]), values.ravel()

    return _warm(descend, start)


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


def _step(loss: Loss, carry: Any) -> Any:
    x, state = carry
    f, gradient = jax.value_and_grad(loss)(x)
    updates, state = ADAM.update(gradient, state, x)
    return (optax.apply_updates(x, updates), state), (x, f)


def _himmelblau_step(carry: Any, _: Any) -> Any:
    return _step(himmelblau, carry)


def _nets(layers: Sequence[int], point: Any, inputs: Any) -> Any:
    begin, last = 0, len(layers) - 2
    for index, (n_in, n_out) in enumerate(pairwise(layers)):
        matrix = point[begin : begin + (n_in + 1) * n_out].reshape(n_in + 1, n_out)
        begin += (n_in + 1) * n_out
        inputs = inputs @ matrix[:-1] + matrix[-1]
        if index < last:
            inputs = jax.numpy.tanh(inputs)
    return inputs


def _cross_entropy(nets: Any, targets: Any) -> Any:
    return optax.sigmoid_binary_cross_entropy(nets, targets).mean()


def _warm(compiled: Any, start: np.ndarray) -> Callable[[], Any]:
    on_device = jax.numpy.asarray(start)

    def way() -> Any:
        return jax.block_until_ready(compiled(on_device))

    way()
    return way
