"""Progress as it happens: server-sent events."""

import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api.dependencies import JobId, Wired

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


def _existing(job_id: JobId, services: Wired) -> str:
    services.jobs.revision(job_id)  # before the stream begins, or the 404 could not be said
    return job_id


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def get_events(
    job_id: Annotated[str, Depends(_existing)],
    services: Wired,
    last_event_id: Annotated[
        str | None, Header(description="the last `id` that was seen: events up to it are left out")
    ] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Send a `progress` event, with the step as its id, whenever the job is further; one `done` at its end.

    `progress` carries `step`, `steps` and `status`; `done` carries the job.
    """
    seen = int(last_event_id) if last_event_id is not None and re.fullmatch(r"[0-9]{1,18}", last_event_id) else -1
    async with aclosing(services.broadcasts.follow(job_id)) as followed:
        async for news in followed:
            if news.progress is not None and news.step > seen:
                seen = news.step
                yield news.progress
            if news.done is not None:
                yield news.done
