"""The database: its connections, its readers and writers, its migrations."""

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import event, func, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from alembic import command
from tests.store.stores import (
    NO_JOB,
    Stores,
    opened,
    state,
)
from tests.unit.driving import job
from thalweg.db import migrations
from thalweg.db.migrations import migrate
from thalweg.db.ownership import owned
from thalweg.db.session import Database
from thalweg.db.store import JobStore
from thalweg.db.tables import JOBS, METADATA, TAGS
from thalweg.errors import SettingsError, Unavailable
from thalweg.jobs.filter import JobFilter

# the database


def test_every_connection_is_configured(stores: Stores) -> None:
    def pragmas(_: int) -> tuple[Any, ...]:
        with stores.database.read() as connection:
            barrier.wait(timeout=30)  # each holds a connection of its own
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            return tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names)

    barrier = threading.Barrier(12)
    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(pragmas, range(12))) == {("wal", 2, 1, 30_000)}


@pytest.mark.parametrize(("durable", "synchronous"), [(True, 2), (False, 1)])  # FULL, NORMAL
def test_only_a_transaction_that_is_not_durable_does_not_wait_for_the_disk(
    stores: Stores, durable: bool, synchronous: int
) -> None:
    with stores.database.write(durable=durable) as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        assert connection.connection.in_transaction
    assert pragmas == ["wal", synchronous, 1]


def test_foreign_keys_are_enforced(stores: Stores) -> None:
    with pytest.raises(IntegrityError), stores.database.write() as connection:
        connection.execute(insert(TAGS), {"job_id": NO_JOB, "tag": "a"})


def test_a_reader_sees_one_state_and_does_not_stop_a_writer(stores: Stores) -> None:
    stores.created(job())
    counted = select(func.count()).select_from(JOBS)
    with stores.database.read() as connection:
        assert connection.execute(counted).scalar_one() == 1
        stores.created(job())
        assert connection.execute(counted).scalar_one() == 1
    assert stores.n_rows()["jobs"] == 2


def create_many(path: str, n: int) -> list[str]:
    database = opened(Path(path))
    stores = Stores(database)
    ids = []
    for i in range(n):
        job_id = stores.created(job(steps=3, label=str(i)))
        ids.append(job_id)
        if i % 5 == 0:
            stores.finish(job_id, [1])
        stores.jobs.find(JobFilter(), 5)
    database.dispose()
    return ids


def test_threads_that_write_at_once_wait_for_each_other(stores: Stores, path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create_many(str(path), 50), range(8)))
    assert len({job_id for ids in made for job_id in ids}) == 400
    assert stores.n_rows()["jobs"] == 400
    assert all(ids == sorted(ids) for ids in made)


def test_a_writer_backs_off_and_gives_up_in_time(stores: Stores, path: Path) -> None:
    patient = Database(f"sqlite:///{path}", patience_seconds=1)
    tries: list[float] = []

    def traced(statement: str) -> None:
        if statement == "BEGIN IMMEDIATE":
            tries.append(time.monotonic())

    def trace(connection: sqlite3.Connection, *_: object) -> None:
        connection.set_trace_callback(traced)

    event.listen(patient._writing, "connect", trace)  # noqa: SLF001 what is seen only there
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="locked"), patient.write():
            pass
        assert time.monotonic() - begun >= 1
        n_first = sum(then < begun + 0.1 for then in tries)
        assert 1 < n_first <= 101  # each takes a millisecond
        # pauses of 2.5 ms at least, and of 25 ms in the end: a try each millisecond would be 900
        assert 10 < len(tries) - n_first < 150
        assert stores.jobs.find(JobFilter(), 5) == []
        other.execute("ROLLBACK")
    Stores(patient).created(job())
    assert stores.n_rows()["jobs"] == 1
    patient.dispose()


@pytest.mark.parametrize(
    "url", ["", "thalweg.db", "sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "sqlite:///"]
)
def test_an_unsupported_database_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        Database(url)


# migrations


def alembic_config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations._SCRIPTS))  # noqa: SLF001 the one place that knows
    config.attributes["database"] = database
    return config


def test_the_migrations_make_the_tables(stores: Stores) -> None:
    with stores.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    command.check(alembic_config(stores.database))


def test_migrating_again_keeps_what_is_there(stores: Stores) -> None:
    job_id = stores.finished(job())
    before = state(stores, job_id)
    migrate(stores.database)
    assert state(stores, job_id) == before


def test_the_migrations_go_back_and_forth(stores: Stores) -> None:
    stores.finished(job(tags=["a"]))
    command.downgrade(alembic_config(stores.database), "base")
    assert inspect(stores.database.engine).get_table_names() == ["alembic_version"]
    migrate(stores.database)
    assert set(stores.n_rows().values()) == {0}


def test_a_database_of_a_later_version_is_refused_and_left_alone(stores: Stores) -> None:
    job_id = stores.finished(job())
    with stores.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = state(stores, job_id)
    with pytest.raises(SettingsError, match=r"9999.*later"):
        migrate(stores.database)
    assert state(stores, job_id) == before


def test_missing_migrations_are_an_error(stores: Stores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(migrations, "_SCRIPTS", tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="nowhere"):
        migrate(stores.database)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/a.db", "no folder .*missing"),
        ("text.db", "text.db is not an SQLite database"),
        ("folder.db", "folder.db cannot be opened for writing"),
    ],
)
def test_an_unusable_path_is_an_error_with_the_reason(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "text.db").write_text("this is no database, and is longer than what one begins with")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(SettingsError, match=reason), owned(tmp_path / name):
        pass


@pytest.mark.parametrize("name", ["empty.db", "new.db"])
def test_a_database_is_locked_under_all_its_names(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.db").touch()
    path = tmp_path / name
    database = opened(path)
    with owned(path):
        migrate(database)
        (tmp_path / "link.db").symlink_to(path)
        (tmp_path / "twin.db").hardlink_to(path)
        for other in (path, tmp_path / "link.db", tmp_path / "twin.db"):
            with pytest.raises(SettingsError, match="another service uses the database"), owned(other):
                pass
        with database.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET revision = revision")
            # SQLite's own locks on the file were not dropped by the attempts to own it
            locked = sqlite3.connect(path, timeout=0)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                locked.execute("BEGIN IMMEDIATE")
            locked.close()
    database.dispose()
    with owned(path):
        pass


def test_a_corrupt_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\0" + bytes(range(1, 250)) * 40)
    database = opened(tmp_path / "broken.db")
    with pytest.raises(Unavailable, match="does not answer"):
        JobStore(database).ping()
    database.dispose()
