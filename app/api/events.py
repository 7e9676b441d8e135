"""Progress as it happens: server-sent events."""

import re
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.api import wire
from app.api.dependencies import JobId, Services, Wired
from app.errors import NotFound

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_LOOK_SECONDS = 0.2


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
    try:
        async for event in _progress(services, job_id, seen):
            yield event
    except NotFound:
        yield ServerSentEvent(event="done", data={"id": job_id, "status": "deleted"})


async def _progress(services: Services, job_id: str, seen: int) -> AsyncIterator[ServerSentEvent]:
    known = None
    while True:
        revision, status, step = await run_sync(services.jobs.revision, job_id)
        if revision != known:
            known = revision
            if step > seen:
                seen = step
                record = await run_sync(services.jobs.get, job_id)
                data = {"step": step, "steps": record.spec.steps, "status": status}
                yield ServerSentEvent(event="progress", id=str(step), data=data)
            if status.ended:
                record, results = await run_sync(services.jobs.get_with_results, job_id)
                job = await run_sync(wire.job, record, results)
                yield ServerSentEvent(event="done", id=str(step), data=job.model_dump(mode="json"))
                return
        await anyio.sleep(_LOOK_SECONDS)
