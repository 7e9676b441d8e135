"""Exceptions that are a run's result, told apart from those that mean that the service cannot do its work.

torch raises where numbers lead it astray: a line search that meets a NaN runs out of its bracket (IndexError), a
learning rate outgrows float32 (RuntimeError), a number is divided by zero. A loop by hand would end there, and so
does the run. Out of memory, errors of the store and bugs of Thalweg's own code fail the job instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from thalweg.errors import ThalwegError

_BY_NUMBERS: Final = (ArithmeticError, ValueError, RuntimeError)
_BY_NUMBERS_IN_TORCH: Final = (LookupError, TypeError, AttributeError, AssertionError)
"""In torch's own code a NaN can lead to these; in Thalweg's they are bugs."""

_NEVER: Final = (ThalwegError, RecursionError, NotImplementedError)
_OUT_OF_MEMORY: Final = "DefaultCPUAllocator"  # torch has no class for it on a CPU


class Raised(Exception):
    """A run ends with an exception; the text is its sentence, such as `IndexError: list index out of range`."""


@contextmanager
def raising_results() -> Iterator[None]:
    """Raise `Raised` in place of an exception that is a run's result; let all others pass."""
    try:
        yield
    except (*_BY_NUMBERS, *_BY_NUMBERS_IN_TORCH) as error:
        if not _is_result(error):
            raise
        raise Raised(sentence(error)) from error


def sentence(error: Exception) -> str:
    """Return an exception as clients see it: its class and what it says."""
    return f"{type(error).__name__}: {error}"


def _is_result(error: Exception) -> bool:
    if isinstance(error, _NEVER) or _OUT_OF_MEMORY in str(error):
        return False
    return isinstance(error, _BY_NUMBERS) or _is_from_torch(error)


def _is_from_torch(error: Exception) -> bool:
    """Return whether the innermost frame that raised is of torch's code."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] == "torch"
