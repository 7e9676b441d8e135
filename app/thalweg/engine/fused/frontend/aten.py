"""Interpreting a traced graph symbolically: a tensor becomes a numpy array of scalar values of one program.

numpy's views alias as torch's do, so an in-place operation reaches every view.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch._ops import OpOverload
from torch.fx import GraphModule, Node

from thalweg.engine.fused.frontend.arithmetic import Scalars
from thalweg.engine.fused.frontend.program import COMPARISONS, Program, Untraceable, Value, type_of
from thalweg.engine.fused.frontend.refusals import (
    LARGEST_FLOAT32,
    OVERFLOW,
    POWER_OVERFLOW,
    ZERO_DIVISION,
    refuses_overflow,
)
from thalweg.native.builder import Type

_FUNCTIONS = {
    *("cos", "sin", "tan", "exp", "log", "log2", "log10", "tanh", "asin", "acos", "atan"),
    *("log1p", "expm1", "exp2", "sinh", "cosh", "asinh", "acosh", "atanh", "erf", "erfc"),
}
_ELEMENTWISE = {
    *("add", "sub", "rsub", "mul", "div", "neg", "reciprocal", "sqrt", "rsqrt", "abs", "sign", "sgn"),
    *("floor", "ceil", "trunc", "round", "remainder", "fmod", "atan2", "hypot", "relu", "threshold_backward"),
    *("maximum", "minimum", "clamp", "clamp_min", "nan_to_num", "lerp", "addcmul", "addcdiv", "tanh_backward"),
    *("bitwise_not", "any_power", "div_floor", "div_trunc"),
}
_PYTHON: dict[Any, str] = {
    operator.add: "add",
    operator.sub: "sub",
    operator.mul: "mul",
    operator.truediv: "div",
    operator.neg: "neg",
    operator.mod: "remainder",
    torch._sym_sqrt: "root",  # type: ignore[attr-defined]  # noqa: SLF001 - it has no public name
}
_PYTHON_COMPARISONS: dict[Any, str] = {getattr(operator, name): name for name in COMPARISONS}
_PRODUCTS_OF_LIBRARY = 400
_SAME = {"detach", "alias", "lift_fresh_copy", "lift_fresh", "clone", "contiguous", "_to_copy"}
_VIEWS = {"detach", "alias"}


def run(graph: GraphModule, program: Program, arguments: Sequence[Any]) -> tuple[Any, Value]:
    """Return the graph's result for `arguments`, and the code of the refusal that torch raises in it, a double.

    The operations are appended to the program.

    Args:
        graph: A graph of ATen operations, as `torch.fx.experimental.proxy_tensor.make_fx` makes it.
        program: The program to extend.
        arguments: For each input tensor of the graph, an array of `Value` of its shape.

    Raises:
        Untraceable: An operation is unknown.
    """
    interpreter = Interpreter(graph, program)
    return interpreter.run(arguments), interpreter.raised


class Interpreter:
    """Computes the results of a graph's nodes one by one, with numpy arrays of values for tensors."""

    def __init__(self, graph: GraphModule, program: Program) -> None:
        self._graph = graph
        self._program = program
        self._scalars = Scalars(program)
        self._results: dict[Node, Any] = {}
        self._refusals: list[tuple[Value | None, int]] = []

    def run(self, arguments: Sequence[Any]) -> Any:
        """Return the graph's result for `arguments`."""
        given = iter(arguments)
        for node in self._graph.graph.nodes:
            match node.op:
                case "placeholder":
                    self._results[node] = next(given)
                case "get_attr":
                    self._results[node] = self._constant_tensor(getattr(self._graph, node.target))
                case "call_function":
                    self._results[node] = self._call(node)
                case "output":
                    return torch.fx.map_arg(node.args[0], self._results.__getitem__)
        raise Untraceable("the graph returns nothing")

    @property
    def raised(self) -> Value:
        """The code of the first refusal whose condition holds; 0 if none does."""
        code = self._program.const(0.0, "double")
        for condition, refusal in reversed(self._refusals):
            refused = self._program.const(float(refusal), "double")
            code = refused if condition is None else self._scalars.where(condition, refused, code)
        return code

    def _refuse(self, condition: Value | None, refusal: int) -> None:
        """Add a refusal that is raised where the condition holds; None means always."""
        self._refusals.append((condition, refusal))

    def _refuse_overflow(self, node: Node, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        if getattr(node.meta.get("val"), "dtype", None) != torch.float32:
            return
        operands: list[tuple[int | str, Any]] = [*enumerate(args), *kwargs.items()]
        for place, operand in operands:
            if isinstance(operand, Value):
                condition = self._is_beyond_float32(operand)
            elif isinstance(operand, float) and LARGEST_FLOAT32 < abs(operand) < math.inf:
                condition = None
            else:
                continue
            if refuses_overflow(node, place):
                self._refuse(condition, OVERFLOW)

    def _is_beyond_float32(self, value: Value) -> Value:
        size = self._scalars.abs(value)
        beyond = self._scalars.compare("gt", size, self._program.const(LARGEST_FLOAT32, "double"))
        finite = self._scalars.compare("lt", size, self._program.const(math.inf, "double"))
        return self._scalars.where(beyond, finite, beyond)

    def _constant_tensor(self, tensor: torch.Tensor) -> np.ndarray:
        if tensor.dtype == torch.int64:  # indices, not numbers to compute with
            return np.asarray(tensor.tolist(), dtype=np.int64)
        of_type = type_of(tensor.dtype)
        return self._mapped(lambda number: self._program.const(number, of_type), np.asarray(tensor.tolist()))

    def _call(self, node: Node) -> Any:
        args: Any = torch.fx.map_arg(node.args, self._results.__getitem__)
        given: Any = torch.fx.map_arg(node.kwargs, self._results.__getitem__)
        kwargs: dict[str, Any] = dict(given)
        target: Any = node.target
        if target is operator.getitem:
            return args[0][args[1]]
        if not isinstance(target, OpOverload):
            return self._python(target, args)
        if target.namespace == "profiler":
            return None
        self._refuse_overflow(node, args, kwargs)
        name = target._schema.name.removeprefix("aten::")  # noqa: SLF001 - it has no public name
        if "out" in kwargs:
            into = kwargs.pop("out")
            self._write(into, self._tensor(name, node, args, kwargs))
            return into
        if name.endswith("_") and not name.startswith("_"):
            return self._in_place(name.removesuffix("_"), node, args, kwargs)
        return self._tensor(name, node, args, kwargs)

    def _python(self, target: Any, args: Sequence[Any]) -> Value:
        """Return the result of a Python operation on floats, which are doubles."""
        values = [self._scalar(arg, "double") for arg in args]
        if target is operator.truediv and not values[1].constant and not self._is_positive(values[1]):
            zero = self._program.const(0.0, "double")
            self._refuse(self._scalars.compare("eq", values[1], zero), ZERO_DIVISION)
        if target in _PYTHON:
            result: Value = getattr(self._scalars, _PYTHON[target])(*values)
            return result
        if target in _PYTHON_COMPARISONS:
            return self._scalars.compare(_PYTHON_COMPARISONS[target], *values)
        if target is operator.pow:
            power = self._program.apply("pow", *values)
            # Python raises where a power overflows; with a base or an exponent in [0, 1] these do not
            if not any(map(self._is_up_to_one, values)):
                self._refuse(self._overflows(power), POWER_OVERFLOW)
            return power
        raise Untraceable(f"{target} of numbers")

    def _is_up_to_one(self, value: Value) -> bool:
        return value in self._program.units or (value.constant is not None and 0 <= value.constant <= 1)

    def _is_positive(self, value: Value) -> bool:
        """Return whether a value is 1 less a power of a number below 1, with the number of the step."""
        if value.op != "fsub" or value.operands[0].constant != 1.0 or value.operands[1].op != "pow":
            return False
        base, exponent = value.operands[1].operands
        step = exponent.operands[0] if exponent.op == "cast" else exponent
        counts = step.constant or (step.op == "fadd" and step.operands[1].constant) or 0.0
        return base in self._program.fractions and counts >= 1.0

    def _overflows(self, power: Value) -> Value:
        """Return whether a power of finite numbers is infinite."""
        infinity = self._program.const(math.inf, "double")
        found = self._scalars.compare("eq", self._scalars.abs(power), infinity)
        for operand in power.operands:
            finite = self._scalars.compare("lt", self._scalars.abs(operand), infinity)
            found = self._scalars.where(found, finite, found)
        return found

    def _in_place(self, name: str, node: Node, args: Sequence[Any], kwargs: Mapping[str, Any]) -> np.ndarray:
        into: np.ndarray = args[0]
        match name:
            case "copy":
                result = args[1]
            case "fill":
                result = self._broadcast(args[1], node)
            case "index_put":
                (mask,), values = args[1], args[2]
                result = self._where(node, mask, values, into)
            case _:
                result = self._tensor(name, node, args, kwargs)
        self._write(into, self._cast(result, type_of(node.meta["val"].dtype)))
        return into

    def _tensor(self, name: str, node: Node, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        if name in _SAME:
            if args[0].dtype == np.int64:
                if node.meta["val"].dtype != torch.int64:
                    raise Untraceable("indices used as numbers")
                return args[0]
            return args[0] if name in _VIEWS else self._cast(args[0].copy(), type_of(node.meta["val"].dtype))
        if name == "pow" and self._is_tensor(args[1]):
            name = "any_power"
        if name == "div" and (rounding := kwargs.get("rounding_mode")):
            name, kwargs = f"div_{rounding}", {}
        if name in _ELEMENTWISE:
            return self._elementwise(getattr(self._scalars, name), node, args, kwargs)
        if name in _FUNCTIONS:
            return self._elementwise(lambda value: self._scalars.call(name, value), node, args, kwargs)
        if name in COMPARISONS:
            return self._compare(name, args)
        method: Callable[..., Any] | None = getattr(self, f"_op_{name}", None)
        if method is None:
            raise Untraceable(f"aten::{name}")
        return method(node, *args, **kwargs)

    def _op__local_scalar_dense(self, _node: Node, tensor: np.ndarray) -> Value:
        return self._item(tensor.item())

    def _item(self, value: Value) -> Value:
        return value if value.type == "i1" else self._program.cast(value, "double")

    def _op_where(self, node: Node, condition: np.ndarray, a: Any, b: Any) -> np.ndarray:
        return self._where(node, condition, a, b)

    def _op_logical_and(self, _node: Node, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self._mapped(lambda one, other: self._scalars.where(one, other, one), a, b)

    _op_bitwise_and = _op_logical_and

    def _op_logical_or(self, _node: Node, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return self._mapped(lambda one, other: self._scalars.where(one, one, other), a, b)

    _op_bitwise_or = _op_logical_or

    def _op_masked_fill(self, node: Node, tensor: np.ndarray, mask: np.ndarray, value: Any) -> np.ndarray:
        return self._where(node, mask, value, tensor)

    def _op_pow(self, _node: Node, base: np.ndarray, exponent: Any) -> np.ndarray:
        return self._mapped(partial(self._scalars.pow, exponent=self._scalar(exponent, "double")), base)

    def _op_sum(self, node: Node, terms: np.ndarray, dim: Any = None, *_: Any, **__: Any) -> np.ndarray:
        return self._reduce(self._scalars.sum, node, terms, dim)

    def _op_mean(self, node: Node, terms: Any, dim: Any = None, *_: Any, **__: Any) -> Any:
        total = self._op_sum(node, terms, dim)
        return self._elementwise(self._scalars.div, node, [total, float(terms.size // total.size)], {})

    def _op_linalg_vector_norm(
        self, node: Node, terms: np.ndarray, order: float = 2, dim: Any = None, *_: Any, **__: Any
    ) -> np.ndarray:
        if order != 2:
            raise Untraceable(f"a norm of order {order}")
        return self._reduce(self._scalars.norm, node, terms, dim)

    def _op_stack(self, _node: Node, tensors: Sequence[np.ndarray], dim: int = 0) -> np.ndarray:
        return np.stack(tensors, axis=dim)

    def _op_cat(self, _node: Node, tensors: Sequence[np.ndarray], dim: int = 0) -> np.ndarray:
        return np.concatenate(tensors, axis=dim)

    def _op_gather(self, _node: Node, tensor: np.ndarray, dim: int, index: np.ndarray, **_: Any) -> np.ndarray:
        return np.take_along_axis(tensor, index, axis=dim)

    def _op_scatter_add(
        self, _node: Node, tensor: np.ndarray, dim: int, index: np.ndarray, terms: np.ndarray
    ) -> np.ndarray:
        """Add each term at its index, one after the other."""
        result = np.moveaxis(tensor.copy(), dim, -1)
        index, terms = np.moveaxis(index, dim, -1), np.moveaxis(terms, dim, -1)
        for place in np.ndindex(index.shape):
            into = (*place[:-1], index[place])
            result[into] = self._scalars.add(result[into], terms.item(place))
        return np.moveaxis(result, -1, dim)

    def _op_unbind(self, _node: Node, tensor: np.ndarray, dim: int = 0) -> list[np.ndarray]:
        return [_view(tensor, dim, index) for index in range(tensor.shape[dim])]

    def _op_split_with_sizes(
        self, _node: Node, tensor: np.ndarray, sizes: Sequence[int], dim: int = 0
    ) -> list[np.ndarray]:
        return np.split(tensor, np.cumsum(sizes)[:-1], axis=dim)

    def _op_select(self, _node: Node, tensor: np.ndarray, dim: int, index: int) -> np.ndarray:
        return _view(tensor, dim, index)

    def _op_slice(
        self,
        _node: Node,
        tensor: np.ndarray,
        dim: int = 0,
        start: int | None = None,
        end: int | None = None,
        step: int = 1,
    ) -> np.ndarray:
        return np.moveaxis(np.moveaxis(tensor, dim, 0)[start:end:step], 0, dim)

    def _op_select_backward(
        self, node: Node, gradient: np.ndarray, _sizes: Any, dim: int, index: int
    ) -> np.ndarray:
        whole = self._filled(node, 0.0)
        _view(whole, dim, index)[...] = gradient
        return whole

    def _op_slice_backward(
        self, node: Node, gradient: np.ndarray, _sizes: Any, dim: int, start: int, end: int, step: int
    ) -> np.ndarray:
        whole = self._filled(node, 0.0)
        self._op_slice(node, whole, dim, start, end, step)[...] = gradient
        return whole

    def _op_expand(self, node: Node, tensor: np.ndarray, *_: Any, **__: Any) -> np.ndarray:
        return np.broadcast_to(tensor, _shape(node))

    def _op_view(self, node: Node, tensor: np.ndarray, _shape_wanted: Any) -> np.ndarray:
        return tensor.reshape(_shape(node))

    _op__unsafe_view = _op_reshape = _op_unsqueeze = _op_squeeze = _op_view

    def _op_permute(self, _node: Node, tensor: np.ndarray, dims: Sequence[int]) -> np.ndarray:
        return np.transpose(tensor, dims)

    def _op_transpose(self, _node: Node, tensor: np.ndarray, one: int, other: int) -> np.ndarray:
        return np.swapaxes(tensor, one, other)

    def _op_bmm(self, _node: Node, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        n_rows, n_products, n_columns = a.shape[1], a.shape[2], b.shape[2]
        if n_rows * n_products * n_columns >= _PRODUCTS_OF_LIBRARY:
            raise Untraceable("a matrix product that torch leaves to a library")
        result = np.empty((len(a), n_rows, n_columns), dtype=object)
        for batch, row, column in np.ndindex(result.shape):
            result[batch, row, column] = self._scalars.dot(a[batch, row], b[batch, :, column])
        return result

    def _op_zeros(self, node: Node, *_: Any, **__: Any) -> np.ndarray:
        return self._filled(node, 0.0)

    _op_zeros_like = _op_new_zeros = _op_empty_like = _op_zeros  # an empty tensor is never read

    def _op_ones(self, node: Node, *_: Any, **__: Any) -> np.ndarray:
        return self._filled(node, 1.0)

    _op_ones_like = _op_new_ones = _op_ones

    def _op_full(self, node: Node, _like: Any, value: Any, **_: Any) -> np.ndarray:
        return self._filled(node, value)

    _op_full_like = _op_full

    def _op_scalar_tensor(self, node: Node, value: Any, **_: Any) -> np.ndarray:
        return self._filled(node, value)

    def _elementwise(
        self, scalar: Callable[..., Value], node: Node, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> np.ndarray:
        of_type = type_of(node.meta["val"].dtype)
        names = list(kwargs)
        operands = [*args, *kwargs.values()]
        given = [index for index, operand in enumerate(operands) if operand is not None]

        def place(*values: Value) -> Value:
            column: list[Value | None] = [None] * len(operands)
            for index, value in zip(given, values, strict=True):
                column[index] = value
            return scalar(*column[: len(args)], **dict(zip(names, column[len(args) :], strict=True)))

        return self._mapped(place, *(self._array(operands[index], of_type) for index in given))

    def _compare(self, name: str, args: Sequence[Any]) -> np.ndarray:
        of_type = max((arg for arg in args if self._is_tensor(arg)), key=np.ndim).flat[0].type
        return self._mapped(partial(self._scalars.compare, name), *(self._array(arg, of_type) for arg in args))

    def _where(self, node: Node, condition: np.ndarray, a: Any, b: Any) -> np.ndarray:
        of_type = type_of(node.meta["val"].dtype)
        return self._mapped(self._scalars.where, condition, self._array(a, of_type), self._array(b, of_type))

    def _reduce(
        self, reduce: Callable[[Sequence[Value]], Value], node: Node, terms: np.ndarray, dim: Any
    ) -> np.ndarray:
        """Reduce the last axis; any other axis to reduce must have length one."""
        axes = range(terms.ndim) if dim in (None, []) else [dim] if isinstance(dim, int) else dim
        long_axes = [axis % terms.ndim for axis in axes if terms.shape[axis] > 1]
        if any(axis != terms.ndim - 1 for axis in long_axes):
            raise Untraceable("a reduction over an axis that is not the last")
        rows = terms.reshape(-1, terms.shape[-1]) if long_axes else terms.reshape(-1, 1)
        result = np.empty(len(rows), dtype=object)
        result[:] = [reduce(row.tolist()) for row in rows]
        return result.reshape(_shape(node))

    def _filled(self, node: Node, value: Any) -> np.ndarray:
        return self._broadcast(value, node).copy()

    def _broadcast(self, value: Any, node: Node) -> np.ndarray:
        return np.broadcast_to(self._array(value, type_of(node.meta["val"].dtype)), _shape(node))

    def _array(self, operand: Any, of_type: Type) -> np.ndarray:
        if self._is_tensor(operand):
            return self._cast(operand, of_type)
        whole = np.empty((), dtype=object)
        whole[()] = self._scalar(operand, of_type)
        return whole

    def _scalar(self, operand: Any, of_type: Type) -> Value:
        if isinstance(operand, Value):
            return self._program.cast(operand, of_type)
        return self._program.const(operand, of_type)

    def _cast(self, array: np.ndarray, of_type: Type) -> np.ndarray:
        return self._mapped(lambda value: self._program.cast(value, of_type), array)

    @staticmethod
    def _mapped(scalar: Callable[..., Value], *arrays: np.ndarray) -> np.ndarray:
        return mapped(scalar, *arrays)

    @staticmethod
    def _is_tensor(operand: Any) -> bool:
        return isinstance(operand, np.ndarray)

    @staticmethod
    def _write(into: np.ndarray, result: np.ndarray) -> None:
        into[...] = result


def mapped(scalar: Callable[..., Value], *arrays: np.ndarray) -> np.ndarray:
    """Return `scalar` applied elementwise to `arrays`, broadcast against each other."""
    whole: list[Any] = list(np.broadcast_arrays(*arrays))
    result = np.empty(whole[0].shape, dtype=object)
    for place in np.ndindex(result.shape):
        result[place] = scalar(*(array[place] for array in whole))
    return result


def _view(tensor: np.ndarray, dim: int, index: int) -> np.ndarray:
    # the ellipsis keeps a 0-d view, where an index alone would return the element
    return np.moveaxis(tensor, dim, 0)[index, ...]


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(int(size) for size in node.meta["val"].shape)
