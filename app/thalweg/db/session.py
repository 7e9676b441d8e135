"""Connections to the database, and what kind of transaction each piece of work gets."""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.orm import Session

from thalweg.db.reserve import Reserve
from thalweg.errors import DiskFull, SettingsError, Unavailable

_PATIENCE_SECONDS = 30
_TRY_SECONDS = 0.001
_EAGER_SECONDS = 0.1  # for which one try follows the other
_PAUSE_SHARE = 0.05  # of the time waited so far: how long to pause between later tries, and
_LONGEST_PAUSE_SECONDS = 0.05
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_PRIMARY_CODE = 0xFF  # of SQLite's result codes; the rest says more of the circumstances
_BROKEN_FILE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


class Database:
    """A database, by its SQLAlchemy URL.

    SQLite is opened so that what was committed survives a power cut (WAL, `synchronous=FULL`), and so that
    writers wait their turn instead of failing (`BEGIN IMMEDIATE` for whatever writes: a transaction that begins as
    a reader is refused at once when it turns writer beside another). Readers wait for nobody.

    Args:
        url: SQLAlchemy's URL of the database.
        patience_seconds: How long to wait for a lock that another connection holds.

    Raises:
        SettingsError: The URL is not one, or names a kind of database that is not supported.
    """

    def __init__(self, url: str, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise SettingsError(f"DATABASE_URL is not a database URL: {error}") from error
        if self.url.get_backend_name() != "sqlite" or self.url.database in (None, "", ":memory:"):
            raise SettingsError(
                "DATABASE_URL must name an SQLite file, as in sqlite:///data/thalweg.db: "
                "no other database is supported yet"
            )
        self.path = Path(self.url.database or "")
        self.reserve = Reserve(self.path)
        begin_writing = partial(_begin_writing, patience_seconds)
        self.engine = self._engine("FULL", patience_seconds, _begin)
        self._writing = self._engine("FULL", _TRY_SECONDS, begin_writing)
        self._lightly_writing = self._engine("NORMAL", _TRY_SECONDS, begin_writing)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one state of the database and does not write. Raises `Unavailable`."""
        with _answering(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session that is the only writer until the block ends, which commits. Raises `Unavailable`."""
        with _answering(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """Give what `read` gives, without a session: for statements that every job needs. Raises `Unavailable`."""
        with _answering(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writer(self, *, durable: bool = True) -> Iterator[Connection]:
        """Give what `write` gives, without a session. Raises `Unavailable`.

        What is not `durable` is written for all to see, and survives whatever is killed, but is on the disk only
        with the next transaction that is. Until then a power cut undoes it.
        """
        engine = self._writing if durable else self._lightly_writing
        with _answering(), engine.begin() as connection:
            yield connection

    @contextmanager
    def version(self) -> Iterator[Callable[[], int]]:
        """Give a question that is cheap to ask, and whose answer is another one after anybody has committed.

        Raises `Unavailable`.
        """
        with _answering(), self.engine.connect() as connection:
            cursor: Any = connection.connection.cursor()  # outside any transaction, which would see one version
            yield lambda: int(cursor.execute("PRAGMA data_version").fetchone()[0])

    def dispose(self) -> None:
        """Close all connections."""
        for engine in (self.engine, self._writing, self._lightly_writing):
            engine.dispose()

    def _engine(self, synchronous: str, busy_seconds: float, begin: Callable[[Connection], None]) -> Engine:
        engine = create_engine(
            self.url,
            connect_args={"timeout": busy_seconds},
            pool_size=8,
            max_overflow=-1,
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        event.listen(engine, "connect", partial(_configure, synchronous))
        event.listen(engine, "begin", begin)
        return engine


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code in _NO_ROOM:
            raise DiskFull(
                "there is no room on the disk of the database: delete jobs that are not needed any more, or make "
                "room in another way"
            ) from error
        if code is not None and code & _PRIMARY_CODE == sqlite3.SQLITE_BUSY:
            raise Unavailable("another process has locked the database: try again") from error
        if isinstance(error, OperationalError) or code in _BROKEN_FILE:
            raise Unavailable(f"the database does not answer: {error.orig}") from error
        raise


def _configure(synchronous: str, connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # or the driver begins transactions of its own
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(patience_seconds: float, connection: Connection) -> None:
    """Begin as the only writer, when it is one's turn.

    The usual wait is that for another short transaction, and SQLite's own waiting would sleep for longer and longer
    while nobody has the lock any more: so there is a try every millisecond first. Whoever has held the lock for
    longer will not let go of it within a millisecond.
    """
    begun = time.monotonic()
    cursor: Any = connection.connection.cursor()
    try:
        while (waited := time.monotonic() - begun) < patience_seconds:
            try:
                cursor.execute(_BEGIN_WRITING)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY:
                    break
            else:
                return
            if waited > _EAGER_SECONDS:
                pause = min(_PAUSE_SHARE * waited, _LONGEST_PAUSE_SECONDS)
                time.sleep(random.uniform(0.5, 1.5) * pause)  # noqa: S311 no secret
    finally:
        cursor.close()
    connection.exec_driver_sql(_BEGIN_WRITING)  # whatever is wrong is said as of any other statement
