"""Telling exceptions that are a run's result from those that fail the job.

torch raises on bad numbers: a line search that meets a NaN runs out of its bracket (IndexError), a learning rate
overflows float32 (RuntimeError), a number is divided by zero. A loop written by hand would end there, and so does
the run. Out of memory, database errors and bugs in Thalweg fail the job instead.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from thalweg.errors import ThalwegError

_BY_NUMBERS: Final = (ArithmeticError, ValueError, RuntimeError)
_BY_NUMBERS_IN_TORCH: Final = (LookupError, TypeError, AttributeError, AssertionError)
"""A NaN can cause these in torch's own code; in Thalweg's they are bugs."""

_NEVER: Final = (ThalwegError, RecursionError, NotImplementedError)
_OUT_OF_MEMORY: Final = "DefaultCPUAllocator"  # on a CPU torch has no exception class for it


class Raised(Exception):
    """A run ends with an exception. The text is its sentence, such as `IndexError: list index out of range`."""


@contextmanager
def raising_results() -> Iterator[None]:
    """Turn an exception that is a run's result into `Raised`; let all others pass."""
    try:
        yield
    except (*_BY_NUMBERS, *_BY_NUMBERS_IN_TORCH) as error:
        if not _is_result(error):
            raise
        raise Raised(sentence(error)) from error


def sentence(error: Exception) -> str:
    """Return an exception as clients see it: class and message."""
    return f"{type(error).__name__}: {error}"


def _is_result(error: Exception) -> bool:
    if isinstance(error, _NEVER) or _OUT_OF_MEMORY in str(error):
        return False
    return isinstance(error, _BY_NUMBERS) or _is_from_torch(error)


def _is_from_torch(error: Exception) -> bool:
    """Return whether the innermost frame of the traceback is torch's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
    return module.partition(".")[0] == "torch"
