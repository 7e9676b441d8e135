"""The job store: what clients ask of it. What workers ask is in `thalweg.db.attempts`."""

import time
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import Row, Select, bindparam, exists, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from uuid6 import uuid7

from thalweg.analysis import gradient_check
from thalweg.analysis.gradient_check import GradientCheck
from thalweg.db.idempotency import Key, answered, digest, remember
from thalweg.db.models import CHECKPOINTS, JOBS, TAGS, Checkpoint, Job, Tag
from thalweg.db.session import Database
from thalweg.engine.columns import pack, unpack
from thalweg.engine.outcome import Outcome, Results
from thalweg.errors import Conflict, DiskFull, NotFound
from thalweg.jobs.extension import Extension
from thalweg.jobs.filter import JobFilter
from thalweg.jobs.record import JobRecord
from thalweg.jobs.status import EXTENDABLE, Status
from thalweg.jobs.stored_spec import StoredSpec
from thalweg.settings import Limits
from thalweg.spec.engine_choice import EngineName
from thalweg.spec.job import JobSpec
from thalweg.spec.limits import check_limits

_BEFORE_START = {Status.cancelled: Outcome.cancelled, Status.succeeded: Outcome.timed_out}

_THIS = JOBS.c.id == bindparam("b_id")
_ROW = select(JOBS).where(_THIS)
_ROW_WITH_RESULTS = select(JOBS, CHECKPOINTS.c.results).outerjoin(CHECKPOINTS).where(_THIS)
_INSERT_JOB = insert(JOBS)
_INSERT_TAGS = insert(TAGS)


class JobStore:
    """All jobs, in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, spec: JobSpec, *, checked: GradientCheck | None = None, key: Key | None = None
    ) -> tuple[JobRecord, bool]:
        """Store a job and return it, with whether it is new: a `key` that was used gives the job of then.

        Args:
            spec: What the job says.
            checked: Its gradient check, where it has been made already.
            key: The client's own name for the request.

        Raises:
            InvalidInput: The key came with another request before.
        """
        stored = StoredSpec.of(spec)
        asked = digest(stored.document)
        now = time.time()
        record = JobRecord(
            id=str(uuid7()),
            spec=stored,
            engine=spec.chosen_engine,
            status=Status.queued,
            generation=1,
            attempt=0,
            revision=1,
            step=0,
            created_at=_moment(now),
            started_at=None,
            finished_at=None,
            error=None,
            n_diverged=None,
            gradient_check=checked or gradient_check.checked(spec),
        )
        values = {
            "id": record.id,
            "spec": stored.text,
            "spec_version": stored.version,
            "function": stored.function,
            "optimizer": stored.optimizer,
            "n_runs": stored.n_runs,
            "dim": stored.dim,
            "steps": stored.steps,
            "record_every": stored.record_every,
            "engine": record.engine,
            "engine_reason": stored.engine_reason,
            "status": record.status,
            "generation": record.generation,
            "attempt": record.attempt,
            "n_lost": 0,
            "revision": record.revision,
            "step": record.step,
            "queued_at": now,
            "created_at": now,
            "gradient_check": record.gradient_check and record.gradient_check.model_dump(),
        }
        with self._database.writer() as connection:
            if key is not None and (job_id := answered(connection, key, asked)) is not None:
                return as_record(connection.execute(_ROW, {"b_id": job_id}).one()), False
            connection.execute(_INSERT_JOB, values)
            if spec.tags:
                connection.execute(_INSERT_TAGS, [{"job_id": record.id, "tag": tag} for tag in spec.tags])
            if key is not None:
                remember(connection, key, asked, record.id)
        return record, True

    def get(self, job_id: str) -> JobRecord:
        """Return a job. Raises `NotFound`."""
        with self._database.read() as session:
            return as_record(_row(session, job_id))

    def revision(self, job_id: str) -> tuple[int, Status, int]:
        """Return a job's revision, status and step, cheaply, for those who wait. Raises `NotFound`."""
        with self._database.read() as session:
            row = session.execute(select(Job.revision, Job.status, Job.step).where(Job.id == job_id)).one_or_none()
        if row is None:
            raise _no_job(job_id)
        return row.revision, Status(row.status), row.step

    def get_with_results(self, job_id: str) -> tuple[JobRecord, Results]:
        """Return a job and where its runs are, both of one moment. Raises `NotFound`."""
        with self._database.reader() as connection:
            row = connection.execute(_ROW_WITH_RESULTS, {"b_id": job_id}).one_or_none()
        if row is None:
            raise _no_job(job_id)
        record = as_record(row)
        if row.results is None:
            return record, before_start(record)
        results = Results.from_columns(unpack(row.results))
        return record, results if record.status.ended else results.resumed()

    def find(self, chosen: JobFilter, limit: int, before: str | None = None) -> list[JobRecord]:
        """Return up to `limit` jobs, newest first, only those older than the job `before` if it is given."""
        query, job_id = _filtered(chosen)
        query = query.order_by(job_id.desc()).limit(limit)
        if before is not None:
            query = query.where(job_id < before)
        with self._database.read() as session:
            return [as_record(job) for job in session.scalars(query)]

    def cancel(self, job_id: str) -> JobRecord:
        """End a job now, with what was recorded of it, and return it; one that has ended is left as it is.

        A worker that is at it finds, when it comes to write its next chunk, that it may not write any more.
        Raises `NotFound`.
        """
        with self._database.write() as session:
            job = _row(session, job_id)
            if not Status(job.status).ended:
                job.status = Status.cancelled
                job.finished_at = time.time()
                job.revision += 1
                if (checkpoint := session.get(Checkpoint, job_id)) is not None:
                    results = Results.from_columns(unpack(checkpoint.results)).resumed()
                    checkpoint.results = pack(results.ended(Outcome.cancelled).columns())
                    job.n_diverged = results.n_diverged
            return as_record(job)

    def extend(
        self, job_id: str, extension: Extension, limits: Limits, *, key: Key | None = None
    ) -> tuple[JobRecord, bool]:
        """Queue an ended job again, and return it, with whether it is: a `key` that was used does nothing more.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not ended, or it failed, or this version does not understand its specification.
            InvalidInput: It would be over a limit, or is that far already; or the key came with another request.
        """
        asked = digest([job_id, extension.model_dump()])
        with self._database.write() as session:
            job = _row(session, job_id)
            record = as_record(job)
            if key is not None and answered(session.connection(), key, asked) is not None:
                return record, False
            if record.status not in EXTENDABLE:
                raise Conflict(
                    f"the job is {record.status}; a job can be extended when it has succeeded or was cancelled"
                )
            stored = record.spec.extended(extension.end(_goes_on_from(job, record.spec, session)))
            spec = stored.parsed()
            spec.check_schedule(spec.steps)
            check_limits(spec, limits)
            job.spec, job.spec_version, job.steps = stored.text, stored.version, stored.steps
            job.status = Status.queued
            job.queued_at = time.time()
            job.finished_at = job.deadline_at = None
            job.generation += 1
            job.n_lost = 0
            job.revision += 1
            if key is not None:
                remember(session.connection(), key, asked, job_id)
            return as_record(job), True

    def delete(self, job_id: str) -> None:
        """Delete a job and all that was recorded of it; a worker that is at it stops. Raises `NotFound`."""
        try:
            self._delete(job_id)
        except DiskFull:
            if not self._database.reserve.release():
                raise
            self._delete(job_id)

    def _delete(self, job_id: str) -> None:
        with self._database.write() as session:
            session.delete(_row(session, job_id))

    def ping(self) -> None:
        """Return if the database answers and has this version's tables."""
        with self._database.read() as session:
            session.execute(select(Job.id).limit(1))


def before_start(record: JobRecord) -> Results:
    """Return where the runs of a job are of which nothing was recorded."""
    return Results.before_start(record.spec.starts()).ended(_BEFORE_START.get(record.status, Outcome.running))


def as_record(job: Job | Row[Any]) -> JobRecord:
    """Return a row as the rest of the service knows it."""
    return JobRecord(
        id=job.id,
        spec=stored_spec(job),
        engine=cast("EngineName", job.engine),
        status=Status(job.status),
        generation=job.generation,
        attempt=job.attempt,
        revision=job.revision,
        step=job.step,
        created_at=_moment(job.created_at),
        started_at=None if job.started_at is None else _moment(job.started_at),
        finished_at=None if job.finished_at is None else _moment(job.finished_at),
        error=job.error,
        n_diverged=job.n_diverged if Status(job.status).ended else None,
        gradient_check=None if job.gradient_check is None else GradientCheck.model_validate(job.gradient_check),
    )


def stored_spec(row: Job | Row[Any]) -> StoredSpec:
    """Return the specification that a row holds."""
    return StoredSpec(
        text=row.spec,
        version=row.spec_version,
        function=row.function,
        optimizer=row.optimizer,
        n_runs=row.n_runs,
        dim=row.dim,
        steps=row.steps,
        record_every=row.record_every,
        engine_reason=row.engine_reason,
    )


def _row(session: Session, job_id: str) -> Job:
    job = session.get(Job, job_id)
    if job is None:
        raise _no_job(job_id)
    return job


def _no_job(job_id: str) -> NotFound:
    return NotFound(f"there is no job {job_id!r}: GET /v1/jobs lists those there are")


def _filtered(chosen: JobFilter) -> tuple[Select[Job], InstrumentedAttribute[str]]:
    """Return a query for jobs and the column of their id that its index has in order."""
    wanted = ((Job.status, chosen.status), (Job.function, chosen.function), (Job.optimizer, chosen.optimizer))
    conditions = [column == value for column, value in wanted if value is not None]
    tagged = (Tag.job_id == Job.id, Tag.tag == chosen.tag)
    if chosen.tag is None:
        return select(Job).where(*conditions), Job.id
    if conditions:
        return select(Job).where(*conditions, exists().where(*tagged)), Job.id
    return select(Job).join(Tag, tagged[0]).where(tagged[1]), Tag.job_id


def _goes_on_from(job: Job, spec: StoredSpec, session: Session) -> int:
    """Return the step that an extension adds to: where the runs are, or where they all would have been."""
    checkpoint = session.get(Checkpoint, job.id)
    if checkpoint is None:
        return 0
    outcome = Results.from_columns(unpack(checkpoint.results)).resumed().outcome
    return checkpoint.step if (outcome == Outcome.running).any() else spec.steps


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
