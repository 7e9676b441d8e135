"""Refusals: numbers on which torch or Python raises in an update, where native code would carry on.

In traced updates they are usually numbers that all runs share, such as the learning rate over a bias correction,
so that the exception ends all runs at once; where they are a run's own, as always in LBFGS, it ends that run. Each
kind of refusal has a code; 0 is none.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import torch
from torch.fx import Node

from thalweg.engine.raised import sentence

OVERFLOW: Final = 1
"""A Python float is too large for float32."""

ZERO_DIVISION: Final = 2
"""A Python float is divided by zero."""

POWER_OVERFLOW: Final = 3
"""A power of Python floats is too large for one."""

INDEX: Final = 4
"""A list is asked for more than it has, as by a line search that met a NaN."""

SCHEDULER: Final = 5
"""The scheduler raised behind the optimizer; it alone knows what."""

LARGEST_FLOAT32: Final = torch.finfo(torch.float32).max

_BEYOND: Final = 1e300


@cache
def sentence_of(code: int) -> str:
    """Return the message of the exception, obtained by provoking it."""
    provoke: Callable[[], Any] = {
        OVERFLOW: lambda: torch.zeros(1).add(torch.zeros(1), alpha=_BEYOND),
        ZERO_DIVISION: lambda: _BEYOND / float(OVERFLOW - 1),
        POWER_OVERFLOW: lambda: _BEYOND**2.0,
        INDEX: lambda: [code][OVERFLOW],
    }[code]
    try:
        provoke()
    except (RuntimeError, ArithmeticError, IndexError) as error:
        return sentence(error)
    raise AssertionError(f"nothing is raised for {code}")


def refuses_overflow(node: Node, place: int | str) -> bool:
    """Return whether an operation of a graph raises on an argument at `place` that is too large for float32.

    Some operations raise, others compute with infinity. This one is tried on tensors of ones.
    """

    def ones(argument: Node) -> Any:
        value = argument.meta["val"]
        return torch.ones(value.shape, dtype=value.dtype) if isinstance(value, torch.Tensor) else 1.0

    args: list[Any] = list(torch.fx.map_arg(node.args, ones))
    kwargs: dict[str, Any] = dict(torch.fx.map_arg(node.kwargs, ones))
    if isinstance(place, int):
        args[place] = _BEYOND
    else:
        kwargs[place] = _BEYOND
    target: Any = node.target
    try:
        target(*args, **kwargs)
    except RuntimeError as error:
        return sentence(error) == sentence_of(OVERFLOW)
    return False
