"""Computations for responses: a bounded number at once, aborted when their client disconnects."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from anyio import CancelScope
from fastapi import Request

from thalweg.api.lanes import Lane
from thalweg.cancellation import while_wanted
from thalweg.errors import Abandoned
from thalweg.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

SHORT_VALUES = 5_000_000
"""Number of values computed in about a tenth of a second."""

LONG = 2 * SHORT_VALUES
"""A number of values to state for computations that always take longer."""

_SHORT_WAITING = 500
_SHORT_WAIT_SECONDS = 10
_LONG_WAIT_SECONDS = 20
_RETRY_SECONDS = 5


class Computations:
    """The threads that compute responses. Short computations do not queue behind long ones."""

    def __init__(self, settings: Settings) -> None:
        n = settings.computations
        waiting = settings.queued_computations
        self._short = Lane("computations", n, _SHORT_WAITING, _SHORT_WAIT_SECONDS, 1)
        self._long = Lane("long computations", n, waiting, _LONG_WAIT_SECONDS, _RETRY_SECONDS)

    async def run(self, request: Request, n_values: int, work: Callable[[], T]) -> T:
        """Return the result of `work`, which computes about `n_values` values.

        Raises:
            Unavailable: The queue is full, or the wait was too long.
            Abandoned: The client has disconnected.
        """
        lane = self._short if n_values <= SHORT_VALUES else self._long
        gone = threading.Event()

        def computed() -> T:
            with while_wanted(lambda: not gone.is_set()):
                return work()

        with CancelScope() as scope:
            watching = asyncio.create_task(_leave(request, gone, scope))
            try:
                return await lane.run(computed)
            finally:
                gone.set()  # also at shutdown, which does not wait for threads
                watching.cancel()
        raise Abandoned("the client has disconnected")


@dataclass(frozen=True, slots=True)
class Compute:
    """Computes for one request while its client stays connected."""

    computations: Computations
    request: Request

    async def __call__(self, n_values: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of `work`, which computes about `n_values` values. Raises `Unavailable`."""
        return await self.computations.run(self.request, n_values, partial(work, *args, **kwargs))


async def _leave(request: Request, gone: threading.Event, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
    scope.cancel()
