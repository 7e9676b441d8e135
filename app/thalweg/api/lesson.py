"""The job that the page opens with."""

from fastapi import APIRouter, Response

from thalweg.api import wire
from thalweg.api.dependencies import Computing, Wired
from thalweg.api.jobs import read_job

router = APIRouter(prefix="/v1/lesson", tags=["jobs"])


@router.put("")
async def put_lesson(services: Wired, compute: Computing, response: Response) -> wire.Job:
    """Return the job that the page opens with: three descents on Himmelblau's function.

    The first request submits it, and so does one after it was deleted or cancelled; all others find it.
    """
    posted = await services.writing.run(services.lesson.job)
    record, job = await read_job(services, posted.id, compute)
    response.headers["Location"] = f"/v1/jobs/{record.id}"
    response.headers["ETag"] = wire.etag(record)
    return job
