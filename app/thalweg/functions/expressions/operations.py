"""What formulas can do to numbers, each as operations of torch.

A point gives the same bits alone and as a row of a batch, in value, gradient and Hessian. Some of torch's kernels
compute a number differently in a vector and alone; these get their operands `one_by_one`, so that the digits are
always those of a number alone. Their derivatives are computed from the same operands, and so in the same way.
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
    """A function that a formula can call.

    Attributes:
        evaluate: Its operands, at least one of them a tensor, to a tensor.
        least: How many operands it has at least.
        most: How many it has at most; None for any number.
        untraceable: Whether its gradient has operations that only torch itself has.
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
    """Return all operands as tensors; a number gets the dtype of the first tensor."""
    dtype = next(operand.dtype for operand in operands if isinstance(operand, torch.Tensor))
    return [
        operand if isinstance(operand, torch.Tensor) else torch.full((), operand, dtype=dtype)
        for operand in operands
    ]


def power(base: Operand, exponent: Operand) -> torch.Tensor:
    """Return base ** exponent; whole exponents up to 16 are products of squares."""
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
    """Return 1 / (1 + exp(-x)), whose exponential never overflows."""
    small = torch.exp(_minus_size(x))
    return torch.where(x < 0, small, 1.0) / (1.0 + small)


def softplus(x: torch.Tensor) -> torch.Tensor:
    """Return log(1 + exp(x)), whose exponential never overflows."""
    return torch.where(x < 0, 0.0, x) + torch.log1p(torch.exp(_minus_size(x)))


def _minus_size(x: torch.Tensor) -> torch.Tensor:
    # -|x| with a slope at 0, where abs has none
    return torch.where(x < 0, x, -x)


def cbrt(x: torch.Tensor) -> torch.Tensor:
    """Return the real cube root."""
    root = _constant_power(torch.where(x < 0, -x, x), 1.0 / 3.0)
    return torch.where(x < 0, -root, root)


def clamp(x: Operand, low: Operand, high: Operand) -> torch.Tensor:
    """Return x, or the bound that it is beyond."""
    x, low, high = _tensors((x, low, high))
    return smallest(largest(x, low), high)


def largest(*operands: Operand) -> torch.Tensor:
    """Return the largest of its operands."""
    return reduce(larger, _tensors(operands))


def smallest(*operands: Operand) -> torch.Tensor:
    """Return the smallest of its operands."""
    return reduce(_smaller, _tensors(operands))


def larger(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return the larger one of two numbers; of 0.0 and -0.0 the first, where torch's vectors have the second."""
    return torch.maximum(one_by_one(a), b)


def _smaller(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.minimum(one_by_one(a), b)


def logarithm(x: Operand, base: Operand | None = None) -> torch.Tensor:
    """Return the natural logarithm, or that of another base."""
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
"""What a formula calls by name."""

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
"""What a formula writes with signs, and the least and largest of several values."""

RELATIONS: Final[dict[str, Evaluate]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
