"""Holding a connection until a job ends, without holding a thread."""

import re

import anyio
from anyio.to_thread import run_sync

from app.db.store import JobStore

MAX_WAIT_SECONDS = 60
_FIRST_LOOK_SECONDS = 0.02
LOOK_SECONDS = 0.2

_WAIT = re.compile(r'(?:^|[,;\s])wait\s*=\s*"?(\d{1,9})"?\s*(?:$|[,;])', re.IGNORECASE)


def wanted_wait(prefer: list[str] | None) -> int | None:
    """Return the seconds, at most `MAX_WAIT_SECONDS`, that `Prefer` headers ask to wait (RFC 7240)."""
    found = _WAIT.search(",".join(prefer or []))
    return None if found is None else min(int(found[1]), MAX_WAIT_SECONDS)


async def wait_for_end(jobs: JobStore, job_id: str, seconds: float) -> bool:
    """Return whether the job has ended, as soon as it has or after so many seconds."""
    pause = _FIRST_LOOK_SECONDS
    until = anyio.current_time() + seconds
    while True:
        _, status, _ = await run_sync(jobs.revision, job_id)
        left = until - anyio.current_time()
        if status.ended or left <= 0:
            return status.ended
        await anyio.sleep(min(pause, left))
        pause = min(2 * pause, LOOK_SECONDS)
