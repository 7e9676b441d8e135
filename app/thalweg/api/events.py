"""Progress as it happens: server-sent events."""

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT

from thalweg.api.broadcasts import Broadcasts
from thalweg.api.dependencies import JobId, Wired

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_UNBUFFERED = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}  # the second is for nginx


class EventStream(StreamingResponse):
    """Server-sent events that are encoded already: FastAPI's class would encode each event for each client."""

    media_type = "text/event-stream"


def _existing(job_id: JobId, services: Wired) -> str:
    services.jobs.revision(job_id)  # before the stream begins, as a 404 cannot be sent later
    return job_id


@router.get("/{job_id}/events", response_class=EventStream)
async def get_events(
    job_id: Annotated[str, Depends(_existing)],
    services: Wired,
    last_event_id: Annotated[
        str | None, Header(description="the last `id` received: events up to it are left out")
    ] = None,
) -> EventStream:
    """Send a `progress` event, with the step as its id, whenever the job advances, and `done` at its end.

    `progress` carries `step`, `steps` and `status`; `done` carries the job.
    """
    seen = int(last_event_id) if last_event_id is not None and re.fullmatch(r"[0-9]{1,18}", last_event_id) else -1
    return EventStream(_stream(services.broadcasts, job_id, seen), headers=_UNBUFFERED)


async def _stream(broadcasts: Broadcasts, job_id: str, seen: int) -> AsyncIterator[bytes]:
    async with aclosing(broadcasts.follow(job_id)) as followed:
        async for news in followed:
            if news is None:
                yield KEEPALIVE_COMMENT
                continue
            if news.progress is not None and news.step > seen:
                seen = news.step
                yield news.progress
            if news.done is not None:
                yield news.done
