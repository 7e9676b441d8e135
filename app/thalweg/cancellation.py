"""Ending a computation that nobody waits for any more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from thalweg.errors import Abandoned

_is_wanted: ContextVar[Callable[[], bool] | None] = ContextVar("is_wanted", default=None)


@contextmanager
def while_wanted(is_wanted: Callable[[], bool]) -> Iterator[None]:
    """Let what is computed within the block end early: `check_wanted` raises once `is_wanted` is false."""
    token = _is_wanted.set(is_wanted)
    try:
        yield
    finally:
        _is_wanted.reset(token)


def check_wanted() -> None:
    """Return if somebody waits for the result; to be called between pieces of work of a tenth of a second or so.

    Raises:
        Abandoned: Nobody does.
    """
    is_wanted = _is_wanted.get()
    if is_wanted is not None and not is_wanted():
        raise Abandoned("nobody waits for the result any more")
