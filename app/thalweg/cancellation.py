"""Cooperative cancellation: aborting a computation whose result is no longer wanted."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from thalweg.errors import Abandoned

_is_wanted: ContextVar[Callable[[], bool] | None] = ContextVar("is_wanted", default=None)


@contextmanager
def while_wanted(is_wanted: Callable[[], bool]) -> Iterator[None]:
    """Make `check_wanted` raise within the block as soon as `is_wanted` returns False."""
    token = _is_wanted.set(is_wanted)
    try:
        yield
    finally:
        _is_wanted.reset(token)


def check_wanted() -> None:
    """Raise if the result is no longer wanted. Call it about every tenth of a second of work.

    Raises:
        Abandoned: The client no longer waits.
    """
    is_wanted = _is_wanted.get()
    if is_wanted is not None and not is_wanted():
        raise Abandoned("the client no longer waits for the result")
