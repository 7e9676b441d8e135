"""What workers ask of the store: the queue, the right to run a job, and to write what comes of it."""

import time
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, insert, select, update

from thalweg.db.blocks import blocks
from thalweg.db.endings import end_early, recorded_results
from thalweg.db.rows import moment, stored_spec
from thalweg.db.session import Database
from thalweg.db.tables import BLOCKS, CHECKPOINTS, JOBS, LOSSES
from thalweg.db.transitions import holds, progress, transition
from thalweg.engine.columns import pack, unpack
from thalweg.engine.outcome import Checkpoint, Chunk, Outcome, Results
from thalweg.jobs.record import Attempt, QueuedJob
from thalweg.jobs.status import UNFINISHED, Status, Transition

MAX_LOST_ATTEMPTS = 3
_OVERDUE_PER_WRITE = 50

_TIMED_OUT = "its time was up"
_THIS = JOBS.c.id == bindparam("b_id")
_WAITING = (
    select(JOBS.c.id, JOBS.c.generation)
    .where(JOBS.c.status.in_(UNFINISHED))
    .order_by(JOBS.c.queued_at, JOBS.c.id)
    .limit(bindparam("b_limit"))
)
_RUNNING = select(JOBS.c.id).where(JOBS.c.status == Status.running)
_RECALL = (
    update(JOBS)
    .where(_THIS, JOBS.c.generation == bindparam("b_generation"), JOBS.c.status == Status.queued)
    .values(generation=JOBS.c.generation + 1)
)
_SET_DEADLINE = update(JOBS).where(_THIS).values(deadline_at=bindparam("b_deadline_at"))
_OVERDUE = (
    select(JOBS.c.id)
    .where(JOBS.c.finished_at.is_(None), JOBS.c.deadline_at < bindparam("b_before"))
    .limit(_OVERDUE_PER_WRITE)
)
_CHECKPOINT = select(CHECKPOINTS).where(CHECKPOINTS.c.job_id == bindparam("b_id"))
_INSERT_BLOCKS = insert(BLOCKS)
_INSERT_LOSSES = insert(LOSSES)
_INSERT_CHECKPOINT = insert(CHECKPOINTS)
_UPDATE_CHECKPOINT = update(CHECKPOINTS).where(CHECKPOINTS.c.job_id == bindparam("b_id"))


class AttemptStore:
    """The workers' side of the job store. Every write names its attempt, and only the latest attempt may write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int) -> list[QueuedJob]:
        """Return up to `limit` jobs that have not ended, the longest waiting first."""
        with self._database.read() as connection:
            return [QueuedJob(*row) for row in connection.execute(_WAITING, {"b_limit": limit})]

    def unfinished(self, jobs: Iterable[QueuedJob]) -> dict[QueuedJob, Status]:
        """Return the states of those jobs that have not ended and are still of this generation."""
        wanted = set(jobs)
        if not wanted:
            return {}
        query = select(JOBS.c.id, JOBS.c.generation, JOBS.c.status).where(
            JOBS.c.id.in_({job.id for job in wanted}), JOBS.c.status.in_(UNFINISHED)
        )
        with self._database.read() as connection:
            return {QueuedJob(row.id, row.generation): Status(row.status) for row in connection.execute(query)}

    def requeue_orphans(self) -> int:
        """Requeue every running job, and return how many there were: for when no worker can be running any."""
        with self._database.write() as connection:
            orphans = connection.scalars(_RUNNING).all()
            for job_id in orphans:
                transition(connection, Transition.requeued, job_id, reason="the service was restarted")
        return len(orphans)

    def recall(self, jobs: Iterable[QueuedJob]) -> set[QueuedJob]:
        """Keep these jobs from being started any more, and return those that had not been.

        They stay queued, in the next generation.
        """
        with self._database.write() as connection:
            return {
                job
                for job in jobs
                if connection.execute(_RECALL, {"b_id": job.id, "b_generation": job.generation}).rowcount
            }

    def put_back(self, jobs: Iterable[QueuedJob]) -> None:
        """Requeue those of these jobs that are running: for when their worker gave them up, and lives."""
        reason = "its worker could not reach the database"
        with self._database.write() as connection:
            for job in jobs:
                transition(connection, Transition.requeued, job.id, generation=job.generation, reason=reason)

    def refuse(self, job_id: str, generation: int, reason: str) -> None:
        """Fail a job that cannot be started, with the reason."""
        with self._database.write() as connection:
            transition(connection, Transition.failed, job_id, generation=generation, reason=reason)

    def begin(self, job_id: str, generation: int) -> Attempt | None:
        """Start a job, or return None if it has ended, was deleted, or is of another generation by now.

        A job that is running already has lost its worker. After `MAX_LOST_ATTEMPTS` of these it fails.

        Raises:
            NotUnderstood: This version cannot run the job, which is left as it was.
        """
        now = time.time()
        # a power cut that undoes this leaves the job as it was, and kills whoever could write for it
        with self._database.write(durable=False) as connection:
            row = transition(connection, Transition.started, job_id, generation=generation, at=now)
            if row is None and _is_lost(connection, job_id, generation):
                row = transition(connection, Transition.started, job_id, generation=generation, at=now)
            if row is None:
                return None
            spec, deadline_at = stored_spec(row).parsed(), row.deadline_at
            if deadline_at is None and spec.timeout_s is not None:
                deadline_at = now + spec.timeout_s
                connection.execute(_SET_DEADLINE, {"b_id": job_id, "b_deadline_at": deadline_at})
        return Attempt(
            job_id=job_id,
            spec=spec,
            engine=row.engine,
            number=row.attempt,
            deadline_at=None if deadline_at is None else moment(deadline_at),
        )

    def checkpoint(self, attempt: Attempt) -> Checkpoint | None:
        """Return the job's last checkpoint, or None if it has none."""
        with self._database.read() as connection:
            row = connection.execute(_CHECKPOINT, {"b_id": attempt.job_id}).one_or_none()
        return None if row is None else Checkpoint(row.step, row.state, Results.from_columns(unpack(row.results)))

    def record(self, attempt: Attempt, chunk: Chunk, *, ended_by: Outcome | None = None) -> bool:
        """Store a chunk and its checkpoint together, and return whether this attempt may go on writing.

        Args:
            attempt: Whose chunk it is. If it is not the job's latest, nothing is stored.
            chunk: What to store.
            ended_by: With it the job has succeeded: the outcome of runs that have not ended on their own.
        """
        results, step = chunk.checkpoint.results, chunk.checkpoint.step
        if ended_by is not None:
            results, step = results.ended(ended_by), int(results.n_steps.max())
        checkpoint = {
            "step": chunk.checkpoint.step,
            "state": chunk.checkpoint.state,
            "results": pack(results.columns()),
        }
        entries = list(blocks(attempt.job_id, chunk))
        losses = [] if chunk.losses is None else list(blocks(attempt.job_id, chunk.losses))
        with self._database.write() as connection:
            if ended_by is None:
                written = progress(connection, attempt, step)
            else:
                ended = {"step": step, "n_diverged": results.n_diverged}
                reason = _TIMED_OUT if ended_by is Outcome.timed_out else None
                written = _succeeded(connection, attempt, ended, reason)
            if not written:
                return False
            if entries:
                connection.execute(_INSERT_BLOCKS, entries)
            if losses:
                connection.execute(_INSERT_LOSSES, losses)
            _replace_checkpoint(connection, attempt.job_id, checkpoint)
        return ended_by is None

    def is_latest(self, attempt: Attempt) -> bool:
        """Return whether this attempt may still write."""
        with self._database.read() as connection:
            return holds(connection, attempt)

    def time_out(self, attempt: Attempt) -> None:
        """End a job whose time is up, its runs where the last checkpoint has them."""
        with self._database.write() as connection:
            _time_out(connection, attempt.job_id, attempt.number)

    def time_out_overdue(self, before: float) -> int:
        """End all jobs whose deadline was before that time, whoever runs them, and return how many there were."""
        n_ended = 0
        while self._are_overdue(before):
            with self._database.write() as connection:
                overdue = connection.scalars(_OVERDUE, {"b_before": before}).all()
                for job_id in overdue:
                    _time_out(connection, job_id)
            n_ended += len(overdue)
        return n_ended

    def _are_overdue(self, before: float) -> bool:
        with self._database.read() as connection:  # usually there are none, and no writer has to wait
            return connection.execute(_OVERDUE, {"b_before": before}).first() is not None

    def finish(self, attempt: Attempt) -> None:
        """End a job that had nothing left to do: it has succeeded."""
        with self._database.write() as connection:
            results = recorded_results(connection, attempt.job_id)
            counted = {} if results is None else {"n_diverged": results.n_diverged}
            _succeeded(connection, attempt, counted)

    def fail(self, attempt: Attempt, reason: str) -> None:
        """End a job that the service could not run, with the reason."""
        with self._database.write() as connection:
            transition(connection, Transition.failed, attempt.job_id, attempt=attempt.number, reason=reason)


def _is_lost(connection: Connection, job_id: str, generation: int) -> bool:
    """Requeue a job if it is running, as its worker is lost; return whether it may be started again."""
    reason = "the worker process that ran it died"
    lost = transition(connection, Transition.lost, job_id, generation=generation, reason=reason)
    if lost is None:
        return False
    if lost.n_lost < MAX_LOST_ATTEMPTS:
        return True
    reason = (
        f"the worker process that ran this job died {lost.n_lost} times, as it does when the job needs more memory "
        "than there is; what was recorded before is kept"
    )
    transition(connection, Transition.failed, job_id, reason=reason)
    return False


def _succeeded(connection: Connection, attempt: Attempt, values: dict[str, int], reason: str | None = None) -> bool:
    row = transition(
        connection, Transition.succeeded, attempt.job_id, values, attempt=attempt.number, reason=reason
    )
    return row is not None


def _time_out(connection: Connection, job_id: str, attempt: int | None = None) -> None:
    end_early(connection, Transition.succeeded, job_id, Outcome.timed_out, attempt=attempt, reason=_TIMED_OUT)


def _replace_checkpoint(connection: Connection, job_id: str, checkpoint: dict[str, object]) -> None:
    # without reading the old one, which can be large
    if not connection.execute(_UPDATE_CHECKPOINT, {"b_id": job_id, **checkpoint}).rowcount:
        connection.execute(_INSERT_CHECKPOINT, {"job_id": job_id, **checkpoint})
