"""Events and standings for those who wait for jobs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Row, Select, bindparam, func, select

from thalweg.db.session import Database
from thalweg.db.tables import EVENTS, JOBS
from thalweg.jobs.status import Status
from thalweg.jobs.watcher import Standing

_IDS_PER_QUERY = 500
_LATEST = select(func.coalesce(func.max(EVENTS.c.seq), 0))
_COLUMNS: tuple[Column[Any], ...] = (JOBS.c.id, JOBS.c.revision, JOBS.c.status, JOBS.c.step, JOBS.c.steps)
_CHANGES: Select[Any] = select(EVENTS.c.seq, *_COLUMNS).join(JOBS).where(EVENTS.c.seq > bindparam("b_seq"))


class EventSource:
    """The events of all jobs. Implements `thalweg.jobs.watcher.EventSource`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def reading(self) -> Iterator["EventReader"]:
        """Yield a reader. Raises `Unavailable`."""
        with self._database.version() as version:
            yield EventReader(self._database, version)


class EventReader:
    """Reads events and standings. Implements `thalweg.jobs.watcher.EventReader`."""

    def __init__(self, database: Database, version: Callable[[], int]) -> None:
        self._database = database
        self.version = version

    def latest(self) -> int:
        """Return the `seq` of the latest event; 0 if there is none. Raises `Unavailable`."""
        with self._database.read() as connection:
            return int(connection.execute(_LATEST).scalar_one())

    def changes_after(self, seq: int) -> tuple[int, dict[str, Standing]]:
        """Return the `seq` of the latest event, and where the jobs with later events are. Raises `Unavailable`."""
        with self._database.read() as connection:
            rows = connection.execute(_CHANGES, {"b_seq": seq}).all()
        return max((row.seq for row in rows), default=seq), {row.id: _standing(row) for row in rows}

    def standings(self, job_ids: Iterable[str]) -> dict[str, Standing]:
        """Return where these jobs are, without those that were deleted. Raises `Unavailable`."""
        wanted = list(job_ids)
        found: dict[str, Standing] = {}
        with self._database.read() as connection:
            for i in range(0, len(wanted), _IDS_PER_QUERY):
                query = select(*_COLUMNS).where(JOBS.c.id.in_(wanted[i : i + _IDS_PER_QUERY]))
                found |= {row.id: _standing(row) for row in connection.execute(query)}
        return found


def _standing(row: Row[Any]) -> Standing:
    return Standing(row.revision, Status(row.status), row.step, row.steps)
