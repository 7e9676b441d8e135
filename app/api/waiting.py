"""Holding a connection until a job ends, without holding a thread."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.jobs.watcher import Watcher

MAX_WAIT_SECONDS = 60

_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])', re.IGNORECASE)


class WhenMade(Response):
    """A response that is made when it is sent: by then the request's own body is gone."""

    def __init__(self, make: Callable[[], Awaitable[Response]]) -> None:
        super().__init__()
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the response, and send it."""
        response = await self._make()
        await response(scope, receive, send)


def wanted_wait(prefer: list[str] | None) -> int | None:
    """Return the seconds, at most `MAX_WAIT_SECONDS`, that `Prefer` headers ask to wait (RFC 7240)."""
    found = _WAIT.search(",".join(prefer or []))
    return None if found is None else min(int(found[1]), MAX_WAIT_SECONDS)


async def wait_for_end(watcher: Watcher, job_id: str, seconds: float) -> None:
    """Return when the job has ended, or is gone, or after so many seconds."""
    with anyio.move_on_after(seconds):
        await asyncio.wrap_future(watcher.end_of(job_id))
