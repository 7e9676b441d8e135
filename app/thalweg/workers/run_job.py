"""The task that a worker process runs: a job, or a few short ones, each from its checkpoint to its end."""

import logging
import time
from collections.abc import Callable
from functools import lru_cache
from math import inf

import torch

from thalweg.db.attempts import AttemptStore
from thalweg.db.session import Database
from thalweg.engine.outcome import Outcome
from thalweg.engine.run import Interrupted, Run
from thalweg.engine.start import start
from thalweg.errors import NotUnderstood, Unavailable
from thalweg.jobs.record import Attempt
from thalweg.workers.warm import kept_in

_log = logging.getLogger(__name__)

_CHUNK_SECONDS = 0.25
_MAX_CHUNK_SECONDS = 2.0
_ASK_SECONDS = 0.25
_MAX_CHUNK_VALUES = 16_000_000


def run_jobs(url: str, kernels: str, jobs: list[tuple[str, int]]) -> None:
    """Run jobs, each by its id and generation, one after the other; see `run_job`."""
    for job_id, generation in jobs:
        run_job(url, kernels, job_id, generation)


def run_job(url: str, kernels: str, job_id: str, generation: int) -> None:
    """Run a job to its end, storing each chunk; or return at once if it has ended or is of another generation.

    Compiled kernels are kept in the folder `kernels`.

    Raises:
        Unavailable: The database does not answer; the job is to be requeued. Any other error fails the job.
    """
    torch.set_num_threads(1)
    store = _store(url)
    try:
        attempt = store.begin(job_id, generation)
    except Unavailable:
        raise
    except NotUnderstood as error:
        store.refuse(job_id, generation, str(error))
        return
    except Exception as error:  # noqa: BLE001 it would be the same the next time
        _log.exception("job %s cannot be started", job_id)
        store.refuse(job_id, generation, f"{type(error).__name__}: {error}")
        return
    if attempt is None:
        return
    try:
        checkpoint = store.checkpoint(attempt) if attempt.number > 1 else None
        _drive(start(attempt.spec, attempt.engine, checkpoint, kept_in(kernels)), attempt, store)
    except Unavailable:
        raise
    except Interrupted:
        if _is_late(attempt):
            store.time_out(attempt)
    except Exception as error:  # noqa: BLE001 whatever it is, it is the reason that the job failed
        _log.exception("job %s failed", job_id)
        store.fail(attempt, f"{type(error).__name__}: {error}")


def _drive(run: Run, attempt: Attempt, store: AttemptStore) -> None:
    if run.finished:
        store.finish(attempt)
        return
    keep_going = _asking(attempt, store)
    n_steps = run.first_steps
    may_go_on = True
    while may_go_on:
        begun = time.monotonic()
        chunk = run.advance(min(n_steps, run.most_steps(_MAX_CHUNK_VALUES)), keep_going)
        computed = time.monotonic()
        may_go_on = store.record(attempt, chunk, ended_by=_ended_by(run, attempt))
        stored = time.monotonic()
        # a large job spends at most a fifth of its time on storing, a small one shows its progress often
        wanted = min(max(_CHUNK_SECONDS, 4 * (stored - computed)), _MAX_CHUNK_SECONDS, _seconds_left(attempt))
        n_steps = max(1, min(int(n_steps * wanted / max(computed - begun, 1e-6)), 4 * n_steps))


def _ended_by(run: Run, attempt: Attempt) -> Outcome | None:
    if run.finished:
        return Outcome.max_steps
    return Outcome.timed_out if _is_late(attempt) else None


def _is_late(attempt: Attempt) -> bool:
    return _seconds_left(attempt) <= 0.0


def _seconds_left(attempt: Attempt) -> float:
    return inf if attempt.deadline_at is None else attempt.deadline_at.timestamp() - time.time()


def _asking(attempt: Attempt, store: AttemptStore) -> Callable[[], bool]:
    """Return a callable that says whether to go on, cheap to call often: a chunk of many runs can take minutes."""
    asked_at = time.monotonic()

    def keep_going() -> bool:
        nonlocal asked_at
        if time.monotonic() - asked_at < _ASK_SECONDS:
            return True
        asked_at = time.monotonic()
        return store.is_latest(attempt) and not _is_late(attempt)

    return keep_going


@lru_cache(maxsize=4)
def _store(url: str) -> AttemptStore:
    return AttemptStore(Database(url))
