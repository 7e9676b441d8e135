"""Where jobs are, for those who wait for them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import select

from thalweg.db.models import JOBS
from thalweg.db.session import Database
from thalweg.jobs.status import Status
from thalweg.jobs.watcher import Standing

_IDS_OF_A_QUERY = 500
_COLUMNS = (JOBS.c.id, JOBS.c.revision, JOBS.c.status, JOBS.c.step, JOBS.c.steps)


class StandingSource:
    """The rows of all jobs. It fulfils `thalweg.jobs.watcher.Source`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def looking(self) -> Iterator["RowLook"]:
        """Give a look at the rows. Raises `Unavailable`."""
        with self._database.version() as version:
            yield RowLook(self._database, version)


class RowLook:
    """Looks at rows. It fulfils `thalweg.jobs.watcher.Look`."""

    def __init__(self, database: Database, version: Callable[[], int]) -> None:
        self._database = database
        self.version = version

    def standings(self, job_ids: Iterable[str]) -> dict[str, Standing]:
        """Return where these jobs are, without those that are gone. Raises `Unavailable`."""
        wanted = list(job_ids)
        found = {}
        with self._database.reader() as connection:
            for i in range(0, len(wanted), _IDS_OF_A_QUERY):
                query = select(*_COLUMNS).where(JOBS.c.id.in_(wanted[i : i + _IDS_OF_A_QUERY]))
                for row in connection.execute(query):
                    found[row.id] = Standing(row.revision, Status(row.status), row.step, row.steps)
        return found
