"""Interpreting a traced graph on arrays: a tensor stays a tensor, whatever its size.

The arithmetic is that of `Scalars`, done once for all cells of an array. What consists of constants alone is
computed by torch itself.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch._ops import OpOverload
from torch.fx import GraphModule, Node

from thalweg.engine.fused.frontend.arithmetic import Scalars, vector_lanes
from thalweg.engine.fused.frontend.arrays import Array, Arrays, View
from thalweg.engine.fused.frontend.aten import Interpreter
from thalweg.engine.fused.frontend.buffers import CALLED, Buffer, Gather, Reduce, ScatterAdd, Task
from thalweg.engine.fused.frontend.program import Untraceable, Value, type_of
from thalweg.native.builder import Type

_FEW: Final = 16
"""Rows of at most so many numbers are reduced as straight lines, all rows side by side."""


def run(graph: GraphModule, arrays: Arrays, arguments: Sequence[Array]) -> tuple[Any, Value]:
    """Return the graph's result for `arguments`, and the code of the refusal that torch raises in it, a double.

    Raises:
        Untraceable: An operation is unknown.
    """
    interpreter = _WideInterpreter(graph, arrays)
    return interpreter.run(arguments), interpreter.raised


class ArrayScalars(Scalars):
    """Arithmetic on the cells of arrays; elementary functions are called for whole arrays.

    Attributes:
        shape: The shape of the arrays.
    """

    def __init__(self, arrays: Arrays) -> None:
        super().__init__(arrays.tasks.program)
        self._arrays = arrays
        self.shape: tuple[int, ...] = ()

    def call(self, name: str, a: Value) -> Value:
        """Return an elementary function of a in every cell."""
        if not a.varying or name not in CALLED:
            return super().call(name, a)
        given = Array(self.shape, a.type, a)
        if 0 in self.shape:
            return a
        buffer, offset = self._arrays.contiguous(given)
        return self._arrays.called(name, buffer, offset, given).value


class _WideInterpreter(Interpreter):
    def __init__(self, graph: GraphModule, arrays: Arrays) -> None:
        super().__init__(graph, arrays.tasks.program)
        self._arrays = arrays
        self._scalars: ArrayScalars = ArrayScalars(arrays)

    def _refuse(self, condition: Value | None, refusal: int) -> None:
        """Add a refusal that is raised where the condition holds, for this run alone if it depends on the point."""
        self._refusals.append((condition, refusal))

    def _constant_tensor(self, tensor: torch.Tensor) -> Array:  # type: ignore[override]
        return self._arrays.constant(tensor)

    def _tensor(self, name: str, node: Node, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        folded = self._folded(node, args, kwargs)
        if folded is not None:
            return folded
        if name in {"detach", "alias"}:
            return args[0]
        if name in _COPIES:
            return self._copied(self._cast(args[0], type_of(node.meta["val"].dtype)))
        return super()._tensor(name, node, args, kwargs)

    def _folded(self, node: Node, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Return the result of an operation on constants; None if there are others, or it is one in place."""
        target: Any = node.target
        operands = [*args, *kwargs.values()]
        operands += [each for operand in operands if isinstance(operand, list) for each in operand]
        if isinstance(target, OpOverload) and target._schema.is_mutable:  # noqa: SLF001 - it has no public name
            return None
        if any(isinstance(each, Value) or (isinstance(each, Array) and each.tensor is None) for each in operands):
            return None
        if "_local_scalar_dense" in str(target):
            return None

        def real(operand: Any) -> Any:
            return operand.tensor if isinstance(operand, Array) else operand

        given = [list(map(real, each)) if isinstance(each, list) else real(each) for each in args]
        try:
            result = target(*given, **{name: real(each) for name, each in kwargs.items()})
        except RuntimeError:
            return None  # a refusal, which is noted elsewhere
        if isinstance(result, torch.Tensor):
            return self._arrays.constant(result)
        return [self._arrays.constant(each) for each in result]

    def _copied(self, array: Array) -> Array:
        copy = Array(array.shape, array.type, tensor=array.tensor, parts=array.parts)
        copy.become(array)
        return copy

    def _mapped(self, scalar: Callable[..., Value], *arrays: Array) -> Array:  # type: ignore[override]
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        values = [self._arrays.broadcast(array, shape) for array in arrays]
        self._scalars.shape = shape
        value = scalar(*values)
        return Array(shape, value.type, value)

    @staticmethod
    def _is_tensor(operand: Any) -> bool:
        return isinstance(operand, Array)

    def _write(self, into: Array, result: Array) -> None:  # type: ignore[override]
        if result.shape != into.shape:
            value = self._arrays.broadcast(result, into.shape)
            result = Array(into.shape, value.type, value)
        into.become(result)

    def _cast(self, array: Array, of_type: Type) -> Array:  # type: ignore[override]
        if array.type == of_type:
            return array
        return self._mapped(lambda value: self._program.cast(value, of_type), array)

    def _array(self, operand: Any, of_type: Type) -> Array:  # type: ignore[override]
        if isinstance(operand, Array):
            return self._cast(operand, of_type)
        return Array((), of_type, self._scalar(operand, of_type))

    def _broadcast(self, value: Any, node: Node) -> Array:  # type: ignore[override]
        dtype, shape = node.meta["val"].dtype, node.meta["val"].shape
        if isinstance(value, (int, float)):
            return self._arrays.constant(torch.full(tuple(shape), value, dtype=dtype))
        array = self._array(value, type_of(dtype))
        return Array(shape, array.type, self._arrays.broadcast(array, shape))

    def _filled(self, node: Node, value: Any) -> Array:  # type: ignore[override]
        return self._broadcast(value, node)

    def _compare(self, name: str, args: Sequence[Any]) -> Array:  # type: ignore[override]
        of_type = max((arg for arg in args if isinstance(arg, Array)), key=lambda array: len(array.shape)).type
        return self._mapped(
            lambda one, other: self._scalars.compare(name, one, other), *(self._array(arg, of_type) for arg in args)
        )

    def _op__local_scalar_dense(self, _node: Node, tensor: Array) -> Value:  # type: ignore[override]
        return self._item(self._arrays.value(tensor))

    def _reduce(  # type: ignore[override]
        self, reduce: Callable[[Sequence[Value]], Value], node: Node, terms: Array, dim: Any
    ) -> Array:
        rank = len(terms.shape)
        axes = range(rank) if dim in (None, []) else [dim] if isinstance(dim, int) else dim
        long_axes = [axis % rank for axis in axes if terms.shape[axis] > 1]
        if any(axis != rank - 1 for axis in long_axes):
            raise Untraceable("a reduction over an axis that is not the last")
        length = terms.shape[-1] if long_axes else 1
        shape = tuple(node.meta["val"].shape)
        n_rows = terms.size // max(1, length)
        if length < vector_lanes(terms.type) or (n_rows > 1 and length <= _FEW):
            rows = self._arrays.reshaped(terms, (n_rows, length))
            columns = [self._arrays.moved(rows, _at(1, k)) for k in range(length)]
            summed = self._mapped(lambda *values: reduce(values), *columns)
            return self._arrays.reshaped(summed, shape)
        buffer, offset = self._arrays.contiguous(terms)
        op = "sum" if reduce == self._scalars.sum else "norm"
        into = self._arrays.buffer(n_rows, terms.type)
        self._append(Reduce(op, buffer, offset, length, into))
        return self._arrays.read(into, shape)

    def _append(self, task: Task) -> None:
        self._arrays.tasks.tasks.append(task)

    def _op_stack(self, node: Node, tensors: Sequence[Array], dim: int = 0) -> Array:  # type: ignore[override]
        shape = tuple(node.meta["val"].shape)
        axis = dim % len(shape)

        def stacked() -> Value:
            parts = [(part, _at(axis, k)) for k, part in enumerate(tensors)]
            return self._arrays.joined(shape, tensors[0].type, parts).value

        return Array(shape, tensors[0].type, stacked, parts=(axis, list(tensors)))

    def _op_cat(self, node: Node, tensors: Sequence[Array], dim: int = 0) -> Array:  # type: ignore[override]
        shape = tuple(node.meta["val"].shape)
        whole = [tensor for tensor in tensors if tensor.size]
        if len(whole) == 1:
            return self._copied(whole[0])
        ends = np.cumsum([tensor.shape[dim] for tensor in whole]).tolist()
        parts = [
            (part, _between(dim % len(shape), end - part.shape[dim], end))
            for part, end in zip(whole, ends, strict=True)
        ]
        return self._arrays.joined(shape, whole[0].type, parts)

    def _op_gather(self, node: Node, tensor: Array, dim: int, index: Array, **_: Any) -> Array:  # type: ignore[override]
        places = self._places(tensor, dim, index)
        step = _step(places)
        row = self._arrays.reshaped(tensor, (tensor.size,))
        if step is not None:
            first, n = int(places[0]), len(places)
            spread = self._arrays.moved(row, lambda numbers: _spread(numbers, first, step, n))
            return self._arrays.reshaped(spread, tuple(node.meta["val"].shape))
        buffer, offset = self._arrays.contiguous(tensor)
        into = self._arrays.buffer(len(places), tensor.type)
        self._append(Gather(buffer, offset, _indices(places), into))
        return self._arrays.read(into, tuple(node.meta["val"].shape))

    def _op_scatter_add(  # type: ignore[override]
        self, node: Node, tensor: Array, dim: int, index: Array, terms: Array
    ) -> Array:
        """Add each term at its index, one after the other."""
        places = self._places(tensor, dim, index)
        into = self._arrays.buffer(tensor.size, tensor.type)
        self._arrays.store(tensor, into)
        buffer, offset = self._arrays.contiguous(terms)
        self._append(ScatterAdd(buffer, offset, _indices(places), into))
        return self._arrays.read(into, tuple(node.meta["val"].shape))

    @staticmethod
    def _places(tensor: Array, dim: int, index: Array) -> np.ndarray:
        axis = dim % len(tensor.shape)
        if index.tensor is None or tensor.shape[axis] != tensor.size or index.shape[axis] != index.size:
            raise Untraceable("indices along an axis of a larger array, or that are not constant")
        return np.array(index.tensor.reshape(-1).numpy())

    def _op_unbind(self, node: Node, tensor: Array, dim: int = 0) -> list[Array]:  # type: ignore[override]
        return [self._op_select(node, tensor, dim, k) for k in range(tensor.shape[dim])]

    def _op_split_with_sizes(  # type: ignore[override]
        self, _node: Node, tensor: Array, sizes: Sequence[int], dim: int = 0
    ) -> list[Array]:
        ends = np.cumsum(sizes).tolist()
        return [
            self._arrays.view(tensor, _between(dim % len(tensor.shape), end - size, end))
            for size, end in zip(sizes, ends, strict=True)
        ]

    def _op_select(self, _node: Node, tensor: Array, dim: int, index: int) -> Array:  # type: ignore[override]
        axis = dim % len(tensor.shape)
        if tensor.parts is not None and tensor.parts[0] == axis:
            part = self._copied(tensor.parts[1][index])
            return part.as_base()
        return self._arrays.view(tensor, _at(axis, index))

    def _op_slice(  # type: ignore[override]
        self,
        _node: Node,
        tensor: Array,
        dim: int = 0,
        start: int | None = None,
        end: int | None = None,
        step: int = 1,
    ) -> Array:
        return self._arrays.view(tensor, _sliced(dim, start, end, step))

    def _op_select_backward(  # type: ignore[override]
        self, _node: Node, gradient: Array, sizes: Sequence[int], dim: int, index: int
    ) -> Array:
        shape = tuple(map(int, sizes))
        axis = dim % len(shape)

        def whole() -> Value:
            return self._arrays.padded(shape, gradient, _at(axis, index)).value

        if shape[axis] > _FEW:
            return Array(shape, gradient.type, whole())
        zeros = self._arrays.constant(torch.zeros(gradient.shape, dtype=_dtype(gradient.type)))
        parts = [gradient if k == index % shape[axis] else zeros for k in range(shape[axis])]
        return Array(shape, gradient.type, whole, parts=(axis, parts))

    def _op_slice_backward(  # type: ignore[override]
        self, _node: Node, gradient: Array, sizes: Sequence[int], dim: int, start: int, end: int, step: int
    ) -> Array:
        return self._arrays.padded(tuple(map(int, sizes)), gradient, _sliced(dim, start, end, step))

    def _op_expand(self, node: Node, tensor: Array, *_: Any, **__: Any) -> Array:  # type: ignore[override]
        shape = tuple(node.meta["val"].shape)
        return self._arrays.view(tensor, lambda numbers: np.broadcast_to(numbers, shape))

    def _op_view(self, node: Node, tensor: Array, _shape_wanted: Any) -> Array:  # type: ignore[override]
        return self._arrays.reshaped(tensor, tuple(node.meta["val"].shape), is_view=True)

    _op__unsafe_view = _op_reshape = _op_unsqueeze = _op_squeeze = _op_view  # type: ignore[assignment]

    def _op_permute(self, _node: Node, tensor: Array, dims: Sequence[int]) -> Array:  # type: ignore[override]
        return self._arrays.view(tensor, lambda numbers: np.transpose(numbers, dims))

    def _op_transpose(self, _node: Node, tensor: Array, one: int, other: int) -> Array:  # type: ignore[override]
        return self._arrays.view(tensor, lambda numbers: np.swapaxes(numbers, one, other))

    def _op_bmm(self, _node: Node, _a: Array, _b: Array) -> Array:  # type: ignore[override]
        raise Untraceable("a product of matrices")


_COPIES = {"lift_fresh_copy", "lift_fresh", "clone", "contiguous", "_to_copy"}


def _at(axis: int, index: int) -> View:
    # the ellipsis keeps a 0-d view, where an index alone would return the element
    return lambda numbers: np.moveaxis(numbers, axis, 0)[index, ...]


def _between(axis: int, begin: int, end: int) -> View:
    return _sliced(axis, begin, end, 1)


def _sliced(axis: int, start: int | None, end: int | None, step: int) -> View:
    return lambda numbers: np.moveaxis(np.moveaxis(numbers, axis, 0)[start:end:step], 0, axis)


def _spread(numbers: np.ndarray, first: int, step: int, n: int) -> np.ndarray:
    (stride,) = numbers.strides
    return np.lib.stride_tricks.as_strided(numbers[first:], (n,), (step * stride,))


def _step(places: np.ndarray) -> int | None:
    """Return the common difference of indices; None if there is none."""
    steps = np.unique(np.diff(places))
    return int(steps[0]) if len(steps) == 1 else 0 if len(places) == 1 else None


def _indices(places: np.ndarray) -> Buffer:
    return Buffer(len(places), "i64", data=places.astype(np.int64))  # type: ignore[arg-type]  # never computed with


def _dtype(of_type: Type) -> torch.dtype:
    return torch.float32 if of_type == "float" else torch.float64
