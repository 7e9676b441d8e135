"""Letting Python's `math` take the symbols of a trace, in the modules that define an optimizer."""

import math
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch

_patching: Final = threading.RLock()


@contextmanager
def seen_by_math(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Let `math` in the modules of an optimizer's class take symbols.

    Other threads that compute with these modules meanwhile get the results that they get without.
    """
    names = {cls.__module__ for cls in type(optimizer).__mro__}
    modules = [
        module
        for name in sorted(names)
        if not name.startswith("torch.") and getattr(module := sys.modules[name], "math", None) is math
    ]
    with _patching:
        for module in modules:
            vars(module)["math"] = _MATH
        try:
            yield
        finally:
            for module in modules:
                vars(module)["math"] = math


class _Math:
    """The module `math`, some of whose functions take symbols, and tensors of one number."""

    def __getattr__(self, name: str) -> Any:
        return getattr(math, name)

    def sqrt(self, x: Any) -> Any:
        """Return the square root."""
        return _called(torch.sym_sqrt, math.sqrt, x)

    def pow(self, base: Any, exponent: Any) -> Any:
        """Return a power: C's, as that of the operator."""
        return _called(lambda one, other: one**other, math.pow, base, exponent)


def _called(of_symbols: Callable[..., Any], of_numbers: Callable[..., Any], *operands: Any) -> Any:
    numbers = [each.item() if isinstance(each, torch.Tensor) else each for each in operands]
    function = (
        of_symbols if any(isinstance(each, torch.SymFloat | torch.SymInt) for each in numbers) else of_numbers
    )
    return function(*numbers)


_MATH: Final = _Math()
