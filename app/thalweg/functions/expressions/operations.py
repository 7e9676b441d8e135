"""Functions and operators of formulas as torch operations.

Value, gradient and Hessian of a point are the same to the bit alone and in a batch. Some torch kernels round
differently in their vector code; these get their operands `one_by_one`, which selects the scalar code, in their
derivatives too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Final, TypeAlias

import torch

from thalweg.functions.base import one_by_one

Operand: TypeAlias = torch.Tensor | float
Evaluate: TypeAlias = Callable[..., torch.Tensor]

_LARGEST_PRODUCT: Final = 16.0


@dataclass(frozen=True, slots=True)
class ElementaryFunction:
    """A function available to formulas.

    Attributes:
        evaluate: Maps operands, at least one of them a tensor, to a tensor.
        least: Minimum number of operands.
        most: Maximum number of operands; None for any number.
        untraceable: Whether its gradient has operations that cannot be compiled.
    """

    evaluate: Evaluate
    least: int = 1
    most: int | None = 1
    untraceable: bool = False


def _unary(name: str, *, untraceable: bool = False) -> ElementaryFunction:
    return ElementaryFunction(getattr(torch, name), untraceable=untraceable)


def _alone(name: str, n_operands: int = 1, *, untraceable: bool = False) -> ElementaryFunction:
    function = getattr(torch, name)

    def evaluate(*operands: Operand) -> torch.Tensor:
        result: torch.Tensor = function(*map(one_by_one, _tensors(operands)))
        return result

    return ElementaryFunction(evaluate, n_operands, n_operands, untraceable)


def _tensors(operands: tuple[Operand, ...]) -> list[torch.Tensor]:
    """Return all operands as tensors; numbers get the dtype of the first tensor."""
    dtype = next(operand.dtype for operand in operands if isinstance(operand, torch.Tensor))
    return [
        operand if isinstance(operand, torch.Tensor) else torch.full((), operand, dtype=dtype)
        for operand in operands
    ]


def power(base: Operand, exponent: Operand) -> torch.Tensor:
    """Return base ** exponent; integer exponents up to 16 are computed by squaring."""
    if isinstance(base, torch.Tensor) and isinstance(exponent, float):
        return _constant_power(base, exponent)
    if isinstance(base, float):
        return torch.pow(base, *map(one_by_one, _tensors((exponent,))))
    return torch.pow(*map(one_by_one, _tensors((base, exponent))))


def _constant_power(base: torch.Tensor, exponent: float) -> torch.Tensor:
    if exponent in {1.0, 2.0, 3.0}:
        return base**exponent
    size = abs(exponent)
    if exponent == -1.0 or not size.is_integer() or size > _LARGEST_PRODUCT:
        return one_by_one(base) ** exponent
    if exponent < 0:
        return _constant_power(_constant_power(base, size), -1.0)
    if size % 2 == 0:
        return _constant_power(base**2, size / 2)
    return base * _constant_power(base, size - 1)


def remainder(a: Operand, b: Operand) -> torch.Tensor:
    """Return Python's a % b, which has the sign of b. Its gradient ignores the jumps."""
    return torch.remainder(*map(one_by_one, _tensors((a, b))))


def floor_quotient(a: Operand, b: Operand) -> torch.Tensor:
    """Return Python's a // b, whose gradient is 0."""
    a, b = map(one_by_one, _tensors((a, b)))
    return torch.div(a, b, rounding_mode="floor")


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """Return 1 / (1 + exp(-x)) without overflow."""
    small = torch.exp(_minus_size(x))
    return torch.where(x < 0, small, 1.0) / (1.0 + small)


def softplus(x: torch.Tensor) -> torch.Tensor:
    """Return log(1 + exp(x)) without overflow."""
    return torch.where(x < 0, 0.0, x) + torch.log1p(torch.exp(_minus_size(x)))


def _minus_size(x: torch.Tensor) -> torch.Tensor:
    # -|x| with a derivative at 0, where that of abs is 0
    return torch.where(x < 0, x, -x)


def cbrt(x: torch.Tensor) -> torch.Tensor:
    """Return the real cube root."""
    root = _constant_power(torch.where(x < 0, -x, x), 1.0 / 3.0)
    return torch.where(x < 0, -root, root)


def clamp(x: Operand, low: Operand, high: Operand) -> torch.Tensor:
    """Return x, limited to the bounds."""
    x, low, high = _tensors((x, low, high))
    return smallest(largest(x, low), high)


def largest(*operands: Operand) -> torch.Tensor:
    """Return the maximum of the operands."""
    return reduce(larger, _tensors(operands))


def smallest(*operands: Operand) -> torch.Tensor:
    """Return the minimum of the operands."""
    return reduce(_smaller, _tensors(operands))


def larger(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the maximum of two numbers; of 0.0 and -0.0 the first, unlike torch's vector code."""
    return torch.maximum(one_by_one(a), b)


def _smaller(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.minimum(one_by_one(a), b)


def logarithm(x: Operand, base: Operand | None = None) -> torch.Tensor:
    """Return the logarithm to a base, by default the natural one."""
    if base is None:
        return torch.log(*_tensors((x,)))
    x, base = _tensors((x, base))
    return torch.log(x) / torch.log(base)


_ANY: Final = None

FUNCTIONS: Final = {
    **{name: _unary(name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "tanh", "asinh", "acosh")},
    **{name: _unary(name) for name in ("exp", "expm1", "log1p", "log2", "log10", "sqrt", "erf", "erfc")},
    **{name: _unary(name) for name in ("abs", "sign", "floor", "ceil", "trunc", "round", "relu")},
    **{name: _alone(name) for name in ("sinh", "cosh", "atanh", "exp2")},
    "lgamma": _alone("lgamma", untraceable=True),
    "atan2": _alone("atan2", 2),
    "hypot": _alone("hypot", 2),
    "fmod": _alone("fmod", 2),
    "log": ElementaryFunction(logarithm, 1, 2),
    "cbrt": ElementaryFunction(cbrt),
    "sigmoid": ElementaryFunction(sigmoid),
    "softplus": ElementaryFunction(softplus),
    "fabs": _unary("abs"),
    "pow": ElementaryFunction(power, 2, 2),
    "clamp": ElementaryFunction(clamp, 3, 3),
    "minimum": ElementaryFunction(smallest, 2, 2),
    "maximum": ElementaryFunction(largest, 2, 2),
}
"""Functions by name."""

OPERATORS: Final[dict[str, Evaluate]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": floor_quotient,
    "%": remainder,
    "**": power,
    "negative": lambda a: -a,
    "min": smallest,
    "max": largest,
}
"""Operators by symbol, and the minimum and maximum of several values."""

RELATIONS: Final[dict[str, Evaluate]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
