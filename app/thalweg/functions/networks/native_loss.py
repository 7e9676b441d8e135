"""The native loss of a network, callable: values, gradients and outputs at many points."""

import ctypes
from functools import cache
from typing import Any

import numpy as np
import torch

from thalweg.functions.networks.architecture import Architecture, errors, last_nets, with_ones
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.problem import SCRATCH, Problem
from thalweg.functions.networks.routine import emit_objective
from thalweg.native import machine
from thalweg.native.builder import BYTES, Type

_TYPES: dict[np.dtype[Any], Type] = {np.dtype(np.float64): "double", np.dtype(np.float32): "float"}


class NativeLoss:
    """The loss of a network on samples, as a function of its parameters.

    A point has the same digits alone and among others. Native code runs without the interpreter's lock.

    Args:
        architecture: The network.
        x: Inputs, `(s, n_inputs)`, float64 or float32: the dtype that everything is computed in.
        y: Targets, `(s, n_outputs)`, of the same dtype.
        batch: Size of the mini-batches that runs draw; None for all samples.
        seed: Of the mini-batches.
    """

    def __init__(
        self, architecture: Architecture, x: np.ndarray, y: np.ndarray, batch: int | None = None, seed: int = 0
    ) -> None:
        self.architecture = architecture
        self._x, self._y = x, y
        divided_by = architecture.layers[-1] if LOSSES[architecture.loss].mean_of_outputs else 1
        self.problem = Problem(architecture, x, y, divided_by, batch, seed)
        self._evaluate = _compiled(
            architecture.activation, str(architecture.output_activation), architecture.loss, _TYPES[x.dtype]
        )

    def values(
        self, points: np.ndarray, orders: np.ndarray | None = None, scratch: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the loss at points `(n, dim)`: `(n,)`.

        Args:
            points: Parameters, of the dtype of the samples.
            orders: The numbers of the samples to take at each point, `(n, k)`; None for all samples.
            scratch: The problem's scratch memory, where the caller wants to look into it.
        """
        return self._run(points, orders=orders, scratch=scratch)

    def values_and_gradients(
        self, points: np.ndarray, orders: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss at points `(n, dim)`, `(n,)`, and its gradients, `(n, dim)`.

        Args:
            points: Parameters, of the dtype of the samples.
            orders: As for `values`.
        """
        gradients = np.empty(points.shape, points.dtype)
        return self._run(points, gradients=gradients, orders=orders), gradients

    def _run(
        self,
        points: np.ndarray,
        *,
        gradients: np.ndarray | None = None,
        outputs: np.ndarray | None = None,
        orders: np.ndarray | None = None,
        scratch: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return the values, and fill the arrays given."""
        problem = self.problem
        values = np.empty(len(points), points.dtype)
        given = np.ascontiguousarray(points)
        drawn = None if orders is None else np.ascontiguousarray(orders, np.int64)
        memory = problem.scratch() if scratch is None else scratch
        self._evaluate(
            len(points),
            given.ctypes.data,
            problem.dim,
            values.ctypes.data,
            _address(gradients),
            _address(outputs),
            problem.n_samples * problem.n_outputs,
            _address(drawn),
            0 if drawn is None else drawn.shape[1],
            memory.ctypes.data,
        )
        return values

    def outputs(self, points: torch.Tensor) -> torch.Tensor:
        """Return the outputs for all samples at points `(n, dim)`: `(n, s, n_outputs)`."""
        problem = self.problem
        found = np.empty((len(points), problem.n_samples, problem.n_outputs), problem.dtype)
        self._run(points.detach().numpy(), outputs=found)
        return torch.from_numpy(found)

    def in_torch(self, points: torch.Tensor, orders: np.ndarray | None = None) -> torch.Tensor:
        """Return the loss at points `(n, dim)` by torch's operations, to derive it twice.

        Args:
            points: Parameters.
            orders: As for `at`.
        """
        x, y = torch.from_numpy(self._x), torch.from_numpy(self._y)
        if orders is not None:
            drawn = torch.from_numpy(np.ascontiguousarray(orders))
            x, y = x[drawn], y[drawn]
        error = errors(self.architecture, last_nets(self.architecture, points, with_ones(x)), y)
        return error.mean(-1)


def _address(array: np.ndarray | None) -> int | None:
    return None if array is None else array.ctypes.data


@cache
def _compiled(activation: str, output_activation: str, loss: str, real: Type) -> Any:
    return callable_of(machine.compiled(emit(activation, output_activation, loss, real)))


def emit(activation: str, output_activation: str, loss: str, real: Type) -> str:
    """Return the module that is compiled once for all networks of these activations and this loss."""
    declarations, functions = emit_objective(activation, output_activation, loss, real)
    return "\n".join([*sorted(declarations), *functions, _evaluate(real)])


def callable_of(code: bytes) -> Any:
    """Return `evaluate` of a compiled module."""
    linked = machine.Linked(code, ("evaluate",))
    whole, pointer = ctypes.c_int64, ctypes.c_void_p
    return linked.function(
        "evaluate", whole, pointer, whole, pointer, pointer, pointer, whole, pointer, whole, pointer
    )


def _evaluate(real: Type) -> str:
    """Return the function that evaluates the objective at `n` points one after the other.

    `gradients`, `outputs` and `orders` may be null; `n_outputs` and `n_order` are what each point takes of them.
    """
    order, n_rows, outputs = (SCRATCH.index(name) for name in ("order", "n_rows", "outputs"))

    def part(base: str, size: str, of_type: str) -> str:
        # null stays null: its parts have no size
        return f"""
  %{base}_size = mul i64 %k, {size}
  %{base}_none = icmp eq ptr %{base}, null
  %{base}_step = select i1 %{base}_none, i64 0, i64 %{base}_size
  %{base}_k = getelementptr {of_type}, ptr %{base}, i64 %{base}_step"""

    return f"""
define void @evaluate(i64 %n, ptr %points, i64 %dim, ptr %values, ptr %gradients, ptr %outputs, i64 %n_outputs,
                      ptr %orders, i64 %n_order, ptr %scratch) {{
entry:
  %to_order = getelementptr i64, ptr %scratch, i64 {order}
  %to_n_rows = getelementptr i64, ptr %scratch, i64 {n_rows}
  %to_outputs = getelementptr i64, ptr %scratch, i64 {outputs}
  store i64 %n_order, ptr %to_n_rows
  br label %test
test:
  %k = phi i64 [ 0, %entry ], [ %next, %body ]
  %goes_on = icmp slt i64 %k, %n
  br i1 %goes_on, label %body, label %end
body:{part("points", "%dim", real)}{part("gradients", "%dim", real)}{part("outputs", "%n_outputs", real)}
  {part("orders", "%n_order", "i64")}
  store ptr %orders_k, ptr %to_order
  store ptr %outputs_k, ptr %to_outputs
  %f = call {real} @objective(ptr %points_k, ptr %gradients_k, ptr %scratch, i64 0, i64 -1)
  %to_value = getelementptr {real}, ptr %values, i64 %k
  store {real} %f, ptr %to_value, align {BYTES[real]}
  %next = add i64 %k, 1
  br label %test
end:
  ret void
}}
"""
