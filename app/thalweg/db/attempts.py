"""What workers ask of the store: the queue, the right to run a job, and to write what it brings."""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import ColumnElement, Connection, bindparam, case, func, insert, select, update
from sqlalchemy.orm import Session

from thalweg.db.models import BLOCKS, CHECKPOINTS, JOBS, LOSSES, Checkpoint, Job
from thalweg.db.session import Database
from thalweg.db.store import stored_spec
from thalweg.engine.columns import pack, unpack
from thalweg.engine.outcome import Checkpoint as EngineCheckpoint
from thalweg.engine.outcome import Chunk, Outcome, Record, Results
from thalweg.jobs.record import Attempt
from thalweg.jobs.status import ENDED, Status

MAX_LOST_ATTEMPTS = 3
_BLOCK_BYTES = 1_000_000
_JOBS_OF_A_WRITE = 50

JobKey = tuple[str, int]  # a job's id and its generation

_THIS = JOBS.c.id == bindparam("b_id")
_CHANGED = {"revision": JOBS.c.revision + 1}
_WAITING = (
    select(JOBS.c.id, JOBS.c.generation)
    .where(JOBS.c.status.in_((Status.queued, Status.running)))
    .order_by(JOBS.c.queued_at, JOBS.c.id)
    .limit(bindparam("b_limit"))
)
_BEGIN = (
    update(JOBS)
    .where(
        _THIS,
        JOBS.c.generation == bindparam("b_generation"),
        JOBS.c.status.in_((Status.queued, Status.running)),
    )
    .values(
        **_CHANGED,
        attempt=JOBS.c.attempt + 1,
        n_lost=JOBS.c.n_lost + case((JOBS.c.status == Status.running, 1), else_=0),
        status=Status.running,
        started_at=func.coalesce(JOBS.c.started_at, bindparam("b_now")),
    )
    .returning(JOBS)
)
_GO_ON = (
    update(JOBS)
    .where(_THIS, JOBS.c.attempt == bindparam("b_attempt"), JOBS.c.status == Status.running)
    .values(**_CHANGED, step=bindparam("b_step"))
)
_OVERDUE = (
    select(JOBS.c.id)
    .where(JOBS.c.finished_at.is_(None), JOBS.c.deadline_at < bindparam("b_before"))
    .limit(_JOBS_OF_A_WRITE)
)
_END = _GO_ON.values(status=Status.succeeded, finished_at=bindparam("b_now"), n_diverged=bindparam("b_n_diverged"))
_INSERT_BLOCKS = insert(BLOCKS)
_INSERT_LOSSES = insert(LOSSES)
_INSERT_CHECKPOINT = insert(CHECKPOINTS)
_UPDATE_CHECKPOINT = update(CHECKPOINTS).where(CHECKPOINTS.c.job_id == bindparam("b_id"))


class AttemptStore:
    """The side of the job store that workers use. Every write names its attempt, and only the latest counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int) -> list[JobKey]:
        """Return up to `limit` jobs that have not ended, the longest waiting first."""
        with self._database.reader() as connection:
            return [(row.id, row.generation) for row in connection.execute(_WAITING, {"b_limit": limit})]

    def unfinished(self, jobs: Iterable[JobKey]) -> dict[JobKey, Status]:
        """Return which of these have not ended and were not queued anew since, with their states."""
        ids = {job_id for job_id, _ in jobs}
        query = select(JOBS.c.id, JOBS.c.generation, JOBS.c.status).where(
            JOBS.c.id.in_(ids), JOBS.c.status.in_((Status.queued, Status.running))
        )
        if not ids:
            return {}
        with self._database.reader() as connection:
            return {(row.id, row.generation): Status(row.status) for row in connection.execute(query)}

    def requeue_orphans(self) -> int:
        """Queue again whatever is running, and return how much that was: for when no worker can be at it."""
        query = update(Job).where(Job.status == Status.running)
        with self._database.write() as session:
            done = session.execute(query.values(status=Status.queued, revision=Job.revision + 1))
            return int(done.rowcount)  # type: ignore[attr-defined]

    def recall(self, jobs: Iterable[JobKey]) -> set[JobKey]:
        """Let none of these begin any more, and return which had not begun.

        Those wait on, as jobs of the next generation.
        """
        recalled = set()
        with self._database.write() as session:
            for job_id, generation in jobs:
                query = update(Job).where(
                    Job.id == job_id, Job.generation == generation, Job.status == Status.queued
                )
                if session.execute(query.values(generation=generation + 1)).rowcount:  # type: ignore[attr-defined]
                    recalled.add((job_id, generation))
        return recalled

    def put_back(self, jobs: Iterable[JobKey]) -> None:
        """Queue again which of these run: for when a worker gave them up, and lives."""
        with self._database.write() as session:
            for job_id, generation in jobs:
                query = update(Job).where(
                    Job.id == job_id, Job.generation == generation, Job.status == Status.running
                )
                session.execute(query.values(status=Status.queued, revision=Job.revision + 1))

    def refuse(self, job_id: str, generation: int, reason: str) -> None:
        """Say that a job has failed that cannot even be begun, and why."""
        query = update(Job).where(Job.id == job_id, Job.generation == generation, Job.status.not_in(ENDED))
        with self._database.write() as session:
            session.execute(query.values({**_ended(Status.failed), "error": reason}))

    def begin(self, job_id: str, generation: int) -> Attempt | None:
        """Take a job up, or return None if it has ended, is gone, or was queued anew since.

        A job that is taken up while it runs has lost its worker. After `MAX_LOST_ATTEMPTS` of these it fails.

        Raises:
            NotUnderstood: This version cannot run it; it is left as it was.
        """
        now = time.time()
        which = {"b_id": job_id, "b_generation": generation, "b_now": now}
        # a power cut that undoes this leaves the job as it was, and nobody alive who could write for it
        with self._database.writer(durable=False) as connection:
            job = connection.execute(_BEGIN, which).one_or_none()
            if job is None:
                return None
            this = update(JOBS).where(JOBS.c.id == job_id)
            if job.n_lost >= MAX_LOST_ATTEMPTS:
                reason = (
                    f"the worker process that ran this job died {job.n_lost} times, as it does when the job "
                    "needs more memory than there is; what was recorded before is kept"
                )
                connection.execute(this.values(status=Status.failed, finished_at=now, error=reason))
                return None
            spec, deadline_at = stored_spec(job).parsed(), job.deadline_at
            if deadline_at is None and spec.timeout_s is not None:
                deadline_at = now + spec.timeout_s
                connection.execute(this.values(deadline_at=deadline_at))
        return Attempt(
            job_id=job_id,
            spec=spec,
            engine=job.engine,
            number=job.attempt,
            deadline_at=None if deadline_at is None else datetime.fromtimestamp(deadline_at, UTC),
        )

    def checkpoint(self, attempt: Attempt) -> EngineCheckpoint | None:
        """Return where the job's last attempt got to, or None if it got nowhere."""
        query = select(Checkpoint.step, Checkpoint.state, Checkpoint.results)
        with self._database.read() as session:
            row = session.execute(query.where(Checkpoint.job_id == attempt.job_id)).one_or_none()
        if row is None:
            return None
        return EngineCheckpoint(row.step, row.state, Results.from_columns(unpack(row.results)))

    def record(self, attempt: Attempt, chunk: Chunk, *, ended_by: Outcome | None = None) -> bool:
        """Store a chunk and its checkpoint together, and return whether this attempt may go on writing.

        Args:
            attempt: Whose chunk it is. If it is not the job's latest, nothing is stored.
            chunk: What to store.
            ended_by: With it the job has succeeded: the outcome of the runs that had not ended on their own.
        """
        results, step = chunk.checkpoint.results, chunk.checkpoint.step
        if ended_by is not None:
            results, step = results.ended(ended_by), int(results.n_steps.max())
        saved = {
            "step": chunk.checkpoint.step,
            "state": chunk.checkpoint.state,
            "results": pack(results.columns()),
        }
        blocks = list(_blocks(attempt.job_id, chunk))
        losses = [] if chunk.losses is None else list(_blocks(attempt.job_id, chunk.losses))
        written = {
            "b_id": attempt.job_id,
            "b_attempt": attempt.number,
            "b_step": step,
            "b_now": time.time(),
            "b_n_diverged": results.n_diverged,
        }
        with self._database.writer() as connection:
            if not connection.execute(_GO_ON if ended_by is None else _END, written).rowcount:
                return False
            if blocks:
                connection.execute(_INSERT_BLOCKS, blocks)
            if losses:
                connection.execute(_INSERT_LOSSES, losses)
            _replace_checkpoint(connection, attempt.job_id, saved)
        return ended_by is None

    def is_latest(self, attempt: Attempt) -> bool:
        """Return whether this attempt may still write."""
        query = select(Job.id).where(*_latest(attempt))
        with self._database.read() as session:
            return session.execute(query).first() is not None

    def time_out(self, attempt: Attempt) -> None:
        """Say that a job's time was up; its runs end where its last checkpoint has them."""
        with self._database.write() as session:
            if self._write(session, attempt, _ended(Status.succeeded)):
                _time_out_runs(session, attempt.job_id)

    def time_out_overdue(self, before: float) -> int:
        """Say so of all jobs whose time was up at `before`, whoever is at them, and return how many these were."""
        n_ended = 0
        while self._are_overdue(before):
            with self._database.write() as session:
                job_ids = session.scalars(_OVERDUE, {"b_before": before}).all()
                for job_id in job_ids:
                    session.execute(update(Job).where(Job.id == job_id).values(_ended(Status.succeeded)))
                    _time_out_runs(session, job_id)
            n_ended += len(job_ids)
        return n_ended

    def _are_overdue(self, before: float) -> bool:
        with self._database.reader() as connection:  # nearly always there are none, and nobody has to wait
            return connection.execute(_OVERDUE, {"b_before": before}).first() is not None

    def finish(self, attempt: Attempt) -> None:
        """Say that a job has succeeded that had nothing left to do."""
        with self._database.write() as session:
            self._write(session, attempt, _ended(Status.succeeded))

    def fail(self, attempt: Attempt, reason: str) -> None:
        """Say that a job has failed, and why."""
        with self._database.write() as session:
            self._write(session, attempt, {**_ended(Status.failed), "error": reason})

    @staticmethod
    def _write(session: Session, attempt: Attempt, values: dict[str, object]) -> bool:
        return bool(session.execute(update(Job).where(*_latest(attempt)).values(values)).rowcount)  # type: ignore[attr-defined]


def _latest(attempt: Attempt) -> tuple[ColumnElement[bool], ...]:
    return Job.id == attempt.job_id, Job.attempt == attempt.number, Job.status == Status.running


def _time_out_runs(session: Session, job_id: str) -> None:
    if (checkpoint := session.get(Checkpoint, job_id)) is not None:
        results = Results.from_columns(unpack(checkpoint.results)).resumed()
        checkpoint.results = pack(results.ended(Outcome.timed_out).columns())
        session.execute(update(Job).where(Job.id == job_id).values(n_diverged=results.n_diverged))


def _replace_checkpoint(connection: Connection, job_id: str, saved: dict[str, object]) -> None:
    # without reading first the one that is there
    if not connection.execute(_UPDATE_CHECKPOINT, {"b_id": job_id, **saved}).rowcount:
        connection.execute(_INSERT_CHECKPOINT, {"job_id": job_id, **saved})


def _ended(status: Status) -> dict[str, object]:
    return {"status": status, "finished_at": time.time(), "revision": Job.revision + 1}


def _blocks(job_id: str, record: Record) -> Iterator[dict[str, object]]:
    """Cut recorded entries into blocks of about a megabyte, runs of a block side by side."""
    if not record.steps.size:
        return
    entry_bytes = (record.x.shape[-1] + 1) * record.x.itemsize
    n_steps = max(1, min(len(record.steps), _BLOCK_BYTES // entry_bytes))
    n_runs = max(1, _BLOCK_BYTES // (entry_bytes * n_steps))
    for i in range(0, len(record.runs), n_runs):
        runs = slice(i, i + n_runs)
        for j in range(0, len(record.steps), n_steps):
            n_valid = np.clip(record.n_valid[runs] - j, 0, n_steps)
            if not n_valid.any():
                continue
            steps = slice(j, j + int(n_valid.max()))
            yield {
                "job_id": job_id,
                "first_run": int(record.runs[runs][0]),
                "last_run": int(record.runs[runs][-1]),
                "first_step": int(record.steps[steps][0]),
                "last_step": int(record.steps[steps][-1]),
                "data": pack(
                    {
                        "steps": record.steps[steps],
                        "runs": record.runs[runs],
                        "n_valid": n_valid,
                        "x": record.x[runs, steps].swapaxes(1, 2),
                        "f": record.f[runs, steps],
                    }
                ),
            }
