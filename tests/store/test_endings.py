"""Waiting for ends: told soon, whoever ended a job, and without looking where nobody waits."""

import threading
from concurrent.futures import CancelledError, Future, wait
from pathlib import Path

import pytest

from app.db.endings import Endings
from app.errors import Unavailable
from tests.store.stores import NO_JOB, Stores, opened
from tests.unit.driving import job

SOON_SECONDS = 10


def looks() -> bool:
    return any(thread.name == "endings" and thread.is_alive() for thread in threading.enumerate())


def until_nobody_looks() -> None:
    for thread in threading.enumerate():
        if thread.name == "endings":
            thread.join(SOON_SECONDS)
    assert not looks()


def test_those_who_wait_are_told_of_the_end_of_their_job_and_of_no_other(stores: Stores) -> None:
    endings = Endings(stores.database)
    one, other = stores.created(job()), stores.created(job())
    waiting: list[Future[None]] = [endings.of(one), endings.of(one), endings.of(other)]
    stores.begin(other)
    assert not wait(waiting, 0.05).done
    stores.finish(one)
    assert wait(waiting[:2], SOON_SECONDS).not_done == set()
    assert not waiting[2].done()
    stores.jobs.cancel(other)
    assert waiting[2].result(SOON_SECONDS) is None
    until_nobody_looks()


def test_who_comes_when_a_job_has_ended_or_is_gone_is_told_at_once(stores: Stores) -> None:
    endings = Endings(stores.database)
    ended, deleted = stores.finished(job()), stores.created(job())
    waiting = endings.of(deleted)
    stores.jobs.delete(deleted)
    for future in (waiting, endings.of(ended), endings.of(deleted), endings.of(NO_JOB)):
        assert future.result(SOON_SECONDS) is None


def test_an_end_that_another_connection_commits_is_seen(stores: Stores) -> None:
    job_id = stores.created(job())
    waiting = Endings(stores.database).of(job_id)
    other = Stores(opened(stores.database.path))
    other.jobs.cancel(job_id)
    assert waiting.result(SOON_SECONDS) is None
    other.database.dispose()


def test_nobody_looks_for_those_who_gave_up(stores: Stores) -> None:
    waiting = Endings(stores.database).of(stores.created(job()))
    assert looks()
    waiting.cancel()
    until_nobody_looks()
    with pytest.raises(CancelledError):
        waiting.result()


def test_a_database_that_cannot_say_is_an_error_for_all_who_wait(tmp_path: Path) -> None:
    database = opened(tmp_path / "empty.db")  # it has no tables
    endings = Endings(database)
    for _ in range(2):
        with pytest.raises(Unavailable):
            endings.of(NO_JOB).result(SOON_SECONDS)
    until_nobody_looks()
    database.dispose()


def test_many_can_wait(stores: Stores) -> None:
    endings = Endings(stores.database)
    job_ids = [stores.created(job()) for _ in range(3)]
    waiting = [endings.of(job_ids[i % 3]) for i in range(3000)] + [endings.of(f"none-{i}") for i in range(1200)]
    for job_id in job_ids:
        stores.jobs.cancel(job_id)
    assert wait(waiting, SOON_SECONDS).not_done == set()
