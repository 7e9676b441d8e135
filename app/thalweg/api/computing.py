"""Computing for answers: few long computations at once, and none for clients that have left."""

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
"""Numbers that are computed in about a tenth of a second."""

LONG = 2 * SHORT_VALUES
"""A number for what always takes longer."""

_SHORT_WAITING = 500
_SHORT_WAIT_SECONDS = 10
_LONG_WAIT_SECONDS = 20
_RETRY_SECONDS = 5


class Computations:
    """The threads that compute for answers. Short computations do not wait for long ones."""

    def __init__(self, settings: Settings) -> None:
        n = settings.computations
        waiting = settings.queued_computations
        self._short = Lane("computations", n, _SHORT_WAITING, _SHORT_WAIT_SECONDS, 1)
        self._long = Lane("long computations", n, waiting, _LONG_WAIT_SECONDS, _RETRY_SECONDS)

    async def run(self, request: Request, n_values: int, work: Callable[[], T]) -> T:
        """Return what `work` returns, which makes about `n_values` numbers.

        Raises:
            Unavailable: Too many others wait.
            Abandoned: The client has left.
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
                gone.set()  # also where the service stops, which does not wait for threads
                watching.cancel()
        raise Abandoned("the client has left")


@dataclass(frozen=True, slots=True)
class Compute:
    """Computes for one request, for as long as its client waits."""

    computations: Computations
    request: Request

    async def __call__(self, n_values: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns, which makes about `n_values` numbers. Raises `Unavailable`."""
        return await self.computations.run(self.request, n_values, partial(work, *args, **kwargs))


async def _leave(request: Request, gone: threading.Event, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
    scope.cancel()
