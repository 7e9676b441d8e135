"""Jobs: post, list, get, cancel, extend, delete, and their history."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query, Response

from thalweg.api import wire
from thalweg.api.computing import SHORT_VALUES, Compute
from thalweg.api.dependencies import Computing, Cursor, JobId, Limit, Services, Wired
from thalweg.api.routing import SENT, BodyRoute
from thalweg.api.waiting import Wait, WhenMade, wait_for_end
from thalweg.engine.outcome import Results
from thalweg.jobs.extend import Extension
from thalweg.jobs.filter import JobFilter
from thalweg.jobs.idempotency import Key
from thalweg.jobs.record import JobRecord, before_start
from thalweg.jobs.status import Status
from thalweg.spec.job import JobSpec

router = APIRouter(route_class=BodyRoute, prefix="/v1/jobs", tags=["jobs"])

_INLINE_VALUES = 500_000  # numbers that are computed in about the time of a read of the database
_IDEMPOTENCY_KEY = "Idempotency-Key"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=_IDEMPOTENCY_KEY,
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="sent again with the same request, it gives that job and has no further effect",
    ),
]


@router.post(
    "",
    status_code=202,
    response_model=wire.Job,
    responses={200: {"model": wire.Job, "description": "The job, ended"}},
)
async def post_job(
    spec: Annotated[JobSpec, SENT],
    services: Wired,
    compute: Computing,
    wait: Wait,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Submit a job. It is stored when the answer arrives, and will be run whatever happens to the service."""
    draft = services.submit.draft(spec)
    if draft.n_check_values > SHORT_VALUES:  # a long check waits its turn, and stops when its client leaves
        await compute(draft.n_check_values, draft.check_gradient)
    key = _key(services, idempotency_key)

    def submit() -> Shown:
        record, is_new = services.submit(draft, key=key)
        return _made_short(record, before_start(record)) if is_new else _shown(services, record.id)

    shown = await services.writing.run(submit)
    headers = {"Location": f"/v1/jobs/{shown.record.id}"}
    if wait is None:
        return await _sent(*await _whole(shown, compute), headers, 202)
    headers["Preference-Applied"] = f"wait={wait}"
    return WhenMade(partial(_ended, services, shown.record.id, compute, headers, wait))


async def _ended(services: Services, job_id: str, compute: Compute, headers: dict[str, str], wait: int) -> Response:
    await wait_for_end(services.watcher, job_id, wait)
    record, job = await read_job(services, job_id, compute)
    return await _sent(record, job, headers, 200 if record.status.ended else 202)


async def _sent(record: JobRecord, job: wire.Job, headers: dict[str, str], status: int = 200) -> Response:
    # in a thread, as the specification can be as long as a body
    content = await run_sync(job.model_dump_json)
    headers = {**headers, "ETag": wire.etag(record)}
    return Response(content, status, headers, media_type="application/json")


@router.get("")
def list_jobs(
    services: Wired,
    status: Status | None = None,
    function: Annotated[str | None, Query(max_length=100)] = None,
    optimizer: Annotated[str | None, Query(max_length=100)] = None,
    tag: Annotated[str | None, Query(max_length=100)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> wire.JobPage:
    """List the jobs that match, newest first, without their runs."""
    before = None if cursor is None else _job_position(cursor)
    chosen = JobFilter(status=status, function=function, optimizer=optimizer, tag=tag)
    records = services.jobs.find(chosen, limit + 1, before)
    page = records[:limit]
    more = len(records) > limit
    return wire.JobPage(
        items=[wire.job_summary(record) for record in page],
        next_cursor=wire.encode_cursor(page[-1].id) if more else None,
    )


@router.get(
    "/{job_id}",
    response_model=wire.Job,
    responses={304: {"description": "The job has not changed since the `ETag` in `If-None-Match`"}},
)
async def get_job(
    job_id: JobId,
    services: Wired,
    compute: Computing,
    wait: Wait,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Return a job with its first hundred runs."""
    headers = {}
    if wait is not None:
        headers["Preference-Applied"] = f"wait={wait}"
        await wait_for_end(services.watcher, job_id, wait)
    record, job = await read_job(services, job_id, compute)
    if _matches(if_none_match, wire.etag(record)):
        return Response(status_code=304, headers={**headers, "ETag": wire.etag(record)})
    return await _sent(record, job, headers)


@router.get("/{job_id}/runs")
async def list_runs(
    job_id: JobId, services: Wired, compute: Computing, limit: Limit = 100, cursor: Cursor = None
) -> wire.RunPage:
    """List the runs of a job, in order."""
    record, results = await run_sync(services.jobs.get_with_results, job_id)
    n_runs = record.spec.n_runs
    first = 0 if cursor is None else wire.list_position(cursor, n_runs)
    end = min(first + limit, n_runs)
    return wire.RunPage(
        items=await compute(wire.n_run_values(record, end - first), wire.runs, record, results, range(first, end)),
        next_cursor=wire.encode_cursor(end) if end < n_runs else None,
    )


@router.get("/{job_id}/history")
def get_history(job_id: JobId, services: Wired, limit: Limit = 100, cursor: Cursor = None) -> wire.EventPage:
    """List the events of a job, oldest first: one for every change of its state."""
    after = 0 if cursor is None else wire.seq_position(cursor)
    events = services.jobs.history(job_id, limit + 1, after)
    page = events[:limit]
    return wire.EventPage(
        items=[wire.event(event) for event in page],
        next_cursor=wire.encode_cursor(page[-1].seq) if len(events) > limit else None,
    )


@router.post("/{job_id}/cancel")
async def cancel_job(job_id: JobId, services: Wired, compute: Computing, response: Response) -> wire.Job:
    """End a job at once, keeping what was recorded; a job that has ended stays as it is."""
    await services.writing.run(partial(services.cancel, job_id))
    record, job = await read_job(services, job_id, compute)
    response.headers["ETag"] = wire.etag(record)
    return job


@router.post("/{job_id}/extend", status_code=202)
async def extend_job(
    job_id: JobId,
    extension: Annotated[Extension, SENT],
    services: Wired,
    compute: Computing,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> wire.Job:
    """Extend an ended job: it goes on as if it had been posted with that many more steps."""
    key = _key(services, idempotency_key)
    await services.writing.run(partial(services.extend, job_id, extension, key=key))
    record, job = await read_job(services, job_id, compute)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    response.headers["ETag"] = wire.etag(record)
    return job


@router.delete("/{job_id}", status_code=204, response_class=Response)
async def delete_job(job_id: JobId, services: Wired) -> None:
    """Delete a job and all that was recorded for it, also while it is running."""
    await services.writing.run(partial(services.delete, job_id))


@dataclass(frozen=True, slots=True)
class Shown:
    """A job with its results, and the answer about it if that was quick to make."""

    record: JobRecord
    results: Results
    job: wire.Job | None


def _shown(services: Services, job_id: str) -> Shown:
    return _made_short(*services.jobs.get_with_results(job_id))


def _made_short(record: JobRecord, results: Results) -> Shown:
    is_short = wire.n_run_values(record) <= _INLINE_VALUES
    return Shown(record, results, wire.job(record, results) if is_short else None)


async def _whole(shown: Shown, compute: Compute) -> tuple[JobRecord, wire.Job]:
    if shown.job is not None:
        return shown.record, shown.job
    return shown.record, await compute(SHORT_VALUES, wire.job, shown.record, shown.results)


async def read_job(services: Services, job_id: str, compute: Compute) -> tuple[JobRecord, wire.Job]:
    """Return a job and the answer about it; without a second thread for most jobs."""
    return await _whole(await run_sync(_shown, services, job_id), compute)


def _key(services: Services, sent: str | None) -> Key | None:
    hours = services.settings.idempotency_hours
    return None if sent is None else Key(sent, 3600.0 * hours, ("header", _IDEMPOTENCY_KEY))


def _matches(if_none_match: str | None, tag: str) -> bool:
    if if_none_match is None:
        return False
    sent = {part.strip().removeprefix("W/") for part in if_none_match.split(",")}
    return "*" in sent or tag in sent


def _job_position(cursor: str) -> str:
    position = wire.decode_cursor(cursor)
    try:
        return str(UUID(position))
    except ValueError:
        raise wire.bad_cursor() from None
