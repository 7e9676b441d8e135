"""Connections to the database, and the kinds of transactions.

With `ownership` and `reserve`, this is all that is specific to SQLite.
"""

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

from thalweg.db.reserve import Reserve
from thalweg.errors import DiskFull, SettingsError, Unavailable

_PATIENCE_SECONDS = 30
_TRY_SECONDS = 0.001
_EAGER_SECONDS = 0.1  # during which it is tried without a pause
_PAUSE_SHARE = 0.05  # of the time waited so far: the pause between later tries,
_LONGEST_PAUSE_SECONDS = 0.05  # at most
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_PRIMARY_CODE = 0xFF  # of SQLite's result codes; the higher bits are details
_BROKEN_FILE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_ROOM = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


class Database:
    """A database, by its SQLAlchemy URL.

    SQLite is opened so that committed data survives a power cut (WAL, `synchronous=FULL`), and so that writers
    wait for each other instead of failing: they begin with `BEGIN IMMEDIATE`, as a transaction that begins as a
    reader is refused at once when it turns writer beside another. Readers do not wait.

    There are three pools, since a connection keeps its pragmas: readers wait long for the rare lock of a
    recovery, writers poll for theirs, and those that are not durable have another `synchronous`.

    Args:
        url: SQLAlchemy's URL of the database.
        patience_seconds: How long to wait for a lock of another connection.

    Raises:
        SettingsError: The URL is malformed, or names a database that is not supported.
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
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database and does not write. Raises `Unavailable`."""
        with _translated_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Connection]:
        """Yield a connection that is the only writer until the block ends, which commits. Raises `Unavailable`.

        A transaction that is not `durable` is visible at once and survives killed processes, but is on the disk
        only with the next durable one: a power cut before that undoes it.
        """
        engine = self._writing if durable else self._lightly_writing
        with _translated_errors(), engine.begin() as connection:
            yield connection

    @contextmanager
    def version(self) -> Iterator[Callable[[], int]]:
        """Yield a callable, cheap to call, whose value changes after any commit. Raises `Unavailable`."""
        with _translated_errors(), self.engine.connect() as connection:
            cursor: Any = (
                connection.connection.cursor()
            )  # outside any transaction, in which the value would not change
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
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        code = getattr(error.orig, "sqlite_errorcode", None)
        if code in _NO_ROOM:
            raise DiskFull(
                "there is no room on the disk of the database: delete jobs that are no longer needed, or free "
                "space in another way"
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
    """Begin as the only writer, as soon as the lock is free.

    Usually another short transaction holds it. SQLite's own waiting backs off, and would sleep on after the lock
    is free, so the lock is tried every millisecond first. Once it has been held for longer, tries become rarer.
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
    connection.exec_driver_sql(_BEGIN_WRITING)  # raises what any other statement would
