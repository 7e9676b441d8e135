"""The job store: what clients ask of it. `thalweg.db.attempts` holds what workers ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, delete, exists, insert, select

from thalweg.db import idempotency
from thalweg.db.endings import end_early, recorded_results
from thalweg.db.rows import event_of, record_of, row_of
from thalweg.db.session import Database
from thalweg.db.tables import CHECKPOINTS, EVENTS, JOBS, TAGS
from thalweg.db.transitions import transition
from thalweg.engine.columns import unpack
from thalweg.engine.outcome import Outcome, Results
from thalweg.errors import DiskFull, NotFound, Remedy
from thalweg.jobs.filter import JobFilter
from thalweg.jobs.idempotency import Key
from thalweg.jobs.record import Event, JobRecord, before_start
from thalweg.jobs.status import Status, Transition
from thalweg.jobs.stored_spec import StoredSpec

_THIS = JOBS.c.id == bindparam("b_id")
_ROW = select(JOBS).where(_THIS)
_ROW_WITH_RESULTS = select(JOBS, CHECKPOINTS.c.results).outerjoin(CHECKPOINTS).where(_THIS)
_STANDING = select(JOBS.c.revision, JOBS.c.status, JOBS.c.step).where(_THIS)
_DELETE = delete(JOBS).where(_THIS)
_INSERT_TAGS = insert(TAGS)
_HISTORY = (
    select(EVENTS)
    .where(EVENTS.c.job_id == bindparam("b_id"), EVENTS.c.seq > bindparam("b_after"))
    .order_by(EVENTS.c.seq)
    .limit(bindparam("b_limit"))
)


class JobStore:
    """All jobs, in one database. Implements `thalweg.jobs.ports.JobStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, job_id: str) -> JobRecord:
        """Return a job. Raises `NotFound`."""
        with self._database.read() as connection:
            return record_of(_one(connection, _ROW, job_id))

    def revision(self, job_id: str) -> tuple[int, Status, int]:
        """Return a job's revision, status and step, without the rest of it. Raises `NotFound`."""
        with self._database.read() as connection:
            row = _one(connection, _STANDING, job_id)
        return row.revision, Status(row.status), row.step

    def get_with_results(self, job_id: str) -> tuple[JobRecord, Results]:
        """Return a job and its results, both as of one moment. Raises `NotFound`."""
        with self._database.read() as connection:
            row = _one(connection, _ROW_WITH_RESULTS, job_id)
        record = record_of(row)
        if row.results is None:
            return record, before_start(record)
        results = Results.from_columns(unpack(row.results))
        return record, results if record.status.ended else results.resumed()

    def find(self, chosen: JobFilter, limit: int, before: str | None = None) -> list[JobRecord]:
        """Return up to `limit` jobs, newest first; with `before`, only those older than that job."""
        query, job_id = _filtered(chosen)
        query = query.order_by(job_id.desc()).limit(limit)
        if before is not None:
            query = query.where(job_id < before)
        with self._database.read() as connection:
            return [record_of(row) for row in connection.execute(query)]

    def history(self, job_id: str, limit: int, after: int = 0) -> list[Event]:
        """Return up to `limit` events of a job with a `seq` above `after`, oldest first. Raises `NotFound`."""
        with self._database.read() as connection:
            _one(connection, _STANDING, job_id)
            asked = {"b_id": job_id, "b_after": after, "b_limit": limit}
            return [event_of(row) for row in connection.execute(_HISTORY, asked)]

    @contextmanager
    def writing(self) -> Iterator["JobWriter"]:
        """Yield a writer whose transaction is committed when the block ends. Raises `Unavailable`."""
        with self._database.write() as connection:
            yield JobWriter(connection)

    def delete(self, job_id: str) -> None:
        """Delete a job and all that was recorded for it. Raises `NotFound`."""
        try:
            self._delete(job_id)
        except DiskFull:
            if not self._database.reserve.release():
                raise
            self._delete(job_id)

    def _delete(self, job_id: str) -> None:
        with self._database.write() as connection:
            if not connection.execute(_DELETE, {"b_id": job_id}).rowcount:
                raise _no_job(job_id)

    def ping(self) -> None:
        """Return if the database answers and has this version's tables."""
        with self._database.read() as connection:
            connection.execute(select(JOBS.c.id).limit(1))


class JobWriter:
    """One transaction over jobs. Implements `thalweg.jobs.ports.JobWriter`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, job_id: str) -> JobRecord:
        """Return a job. Raises `NotFound`."""
        return record_of(_one(self._connection, _ROW, job_id))

    def results(self, job_id: str) -> Results | None:
        """Return the results that were recorded last, as they were then; None if there are none."""
        return recorded_results(self._connection, job_id)

    def add(self, record: JobRecord, tags: tuple[str, ...]) -> None:
        """Store a new job."""
        values = row_of(record)
        transition(self._connection, Transition.created, record.id, values, at=values["created_at"])
        if tags:
            self._connection.execute(_INSERT_TAGS, [{"job_id": record.id, "tag": tag} for tag in tags])

    def end(self, job_id: str, kind: Transition, outcome: Outcome) -> bool:
        """End an unfinished job, and its unfinished runs with `outcome`. Return False if it had ended before."""
        return end_early(self._connection, kind, job_id, outcome)

    def extend(self, job_id: str, spec: StoredSpec) -> None:
        """Queue an ended job again, with this specification."""
        values = {"spec": spec.text, "spec_version": spec.version, "steps": spec.steps}
        transition(self._connection, Transition.extended, job_id, values)

    def answered(self, key: Key, digest: str) -> str | None:
        """Return the id of the job that the request of this key led to; None if the key is new.

        Raises:
            InvalidInput: The key came with a request of another digest.
        """
        return idempotency.answered(self._connection, key, digest)

    def remember(self, key: Key, digest: str, job_id: str) -> None:
        """Store that the request of this key led to this job."""
        idempotency.remember(self._connection, key, digest, job_id)


def _one(connection: Connection, query: Select[Any], job_id: str) -> Row[Any]:
    row = connection.execute(query, {"b_id": job_id}).one_or_none()
    if row is None:
        raise _no_job(job_id)
    return row


def _no_job(job_id: str) -> NotFound:
    return NotFound(f"there is no job {job_id!r}", Remedy.jobs)


def _filtered(chosen: JobFilter) -> tuple[Select[Any], Column[Any]]:
    """Return a query for jobs, and the column of their ids in the index that has them in order."""
    wanted = (
        (JOBS.c.status, chosen.status),
        (JOBS.c.function, chosen.function),
        (JOBS.c.optimizer, chosen.optimizer),
    )
    conditions = [column == value for column, value in wanted if value is not None]
    tagged = (TAGS.c.job_id == JOBS.c.id, TAGS.c.tag == chosen.tag)
    if chosen.tag is None:
        return select(JOBS).where(*conditions), JOBS.c.id
    if conditions:
        return select(JOBS).where(*conditions, exists().where(*tagged)), JOBS.c.id
    return select(JOBS).join(TAGS, tagged[0]).where(tagged[1]), TAGS.c.job_id
