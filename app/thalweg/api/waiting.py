"""Waiting until a job ends, without holding a thread."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Annotated

import anyio
from fastapi import Depends, Header, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from thalweg.jobs.watcher import Watcher

MAX_WAIT_SECONDS = 60

_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])', re.IGNORECASE)


class WhenMade(Response):
    """A response that is made when it is sent, by which time the request's body is freed."""

    def __init__(self, make: Callable[[], Awaitable[Response]]) -> None:
        super().__init__()
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the response, and send it."""
        response = await self._make()
        await response(scope, receive, send)


async def _wanted_wait(
    request: Request,
    _prefer: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description=f"`wait=N`: answer when the job has ended, or after N seconds, at most {MAX_WAIT_SECONDS}",
            examples=["wait=10"],
        ),
    ] = None,
) -> int | None:
    found = _WAIT.search(",".join(request.headers.getlist("prefer")))
    return None if found is None else min(int(found[1]), MAX_WAIT_SECONDS)


Wait = Annotated[int | None, Depends(_wanted_wait)]
"""The seconds that `Prefer: wait` asks for (RFC 7240), at most `MAX_WAIT_SECONDS`; None without one."""


async def wait_for_end(watcher: Watcher, job_id: str, seconds: float) -> None:
    """Return when the job has ended or was deleted, or after this many seconds."""
    with anyio.move_on_after(seconds):
        await asyncio.wrap_future(watcher.end_of(job_id))
