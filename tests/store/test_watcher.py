"""The watcher: prompt whichever process changed a job, one reader for all, and idle while nobody waits."""

import threading
from collections.abc import Iterable
from concurrent.futures import CancelledError, Future, wait
from pathlib import Path

import pytest

from tests.store.stores import NO_JOB, Stores, opened
from tests.unit.driving import job
from thalweg.db.events import EventReader, EventSource
from thalweg.db.session import Database
from thalweg.errors import Unavailable
from thalweg.jobs.status import Status
from thalweg.jobs.watcher import Standing, Watcher

SOON_SECONDS = 10


def watching(database: Database) -> Watcher:
    return Watcher(EventSource(database))


def looks() -> bool:
    return any(thread.name == "watcher" and thread.is_alive() for thread in threading.enumerate())


def until_nobody_looks() -> None:
    for thread in threading.enumerate():
        if thread.name == "watcher":
            thread.join(SOON_SECONDS)
    assert not looks()


def standing(future: Future[Standing | None]) -> Standing:
    found = future.result(SOON_SECONDS)
    assert found is not None
    return found


def test_a_future_resolves_when_its_own_job_ends(stores: Stores) -> None:
    watcher = watching(stores.database)
    one, other = stores.created(job()), stores.created(job())
    waiting: list[Future[Standing | None]] = [watcher.end_of(one), watcher.end_of(one), watcher.end_of(other)]
    stores.begin(other)
    assert not wait(waiting, 0.05).done
    stores.finish(one)
    revision = stores.jobs.get(one).revision
    for future in waiting[:2]:
        assert future.result(SOON_SECONDS) == Standing(revision, Status.succeeded, 100, 100)
    assert not waiting[2].done()
    stores.cancel(other)
    assert standing(waiting[2]).status is Status.cancelled
    until_nobody_looks()


def test_a_future_of_an_ended_or_deleted_job_resolves_at_once(stores: Stores) -> None:
    watcher = watching(stores.database)
    ended, deleted = stores.finished(job()), stores.created(job())
    waiting = watcher.end_of(deleted)
    stores.delete(deleted)
    for future in (waiting, watcher.end_of(deleted), watcher.end_of(NO_JOB)):
        assert future.result(SOON_SECONDS) is None
    assert standing(watcher.end_of(ended)).status is Status.succeeded


def test_an_end_that_another_connection_commits_is_seen(stores: Stores) -> None:
    job_id = stores.created(job())
    waiting = watching(stores.database).end_of(job_id)
    other = Stores(opened(stores.database.path))
    other.cancel(job_id)
    assert standing(waiting).status is Status.cancelled
    other.database.dispose()


def test_the_watcher_stops_when_all_futures_are_cancelled(stores: Stores) -> None:
    waiting = watching(stores.database).end_of(stores.created(job()))
    assert looks()
    waiting.cancel()
    until_nobody_looks()
    with pytest.raises(CancelledError):
        waiting.result()


def test_an_unreadable_database_is_raised_by_every_future(tmp_path: Path) -> None:
    database = opened(tmp_path / "empty.db")  # it has no tables
    watcher = watching(database)
    for _ in range(2):
        with pytest.raises(Unavailable):
            watcher.end_of(NO_JOB).result(SOON_SECONDS)
    until_nobody_looks()
    database.dispose()


def test_many_can_wait(stores: Stores) -> None:
    watcher = watching(stores.database)
    job_ids = [stores.created(job()) for _ in range(3)]
    waiting = [watcher.end_of(job_ids[i % 3]) for i in range(3000)] + [
        watcher.end_of(f"none-{i}") for i in range(1200)
    ]
    for job_id in job_ids:
        stores.cancel(job_id)
    assert wait(waiting, SOON_SECONDS).not_done == set()


def test_changes_are_seen_in_order(stores: Stores) -> None:
    watcher = watching(stores.database)
    job_id = stores.created(job(steps=10))
    queued = standing(watcher.change_of(job_id, None))
    assert (queued.status, queued.step, queued.steps) == (Status.queued, 0, 10)
    changed = watcher.change_of(job_id, queued)
    assert not wait([changed], 0.05).done
    attempt = stores.begin(job_id)
    running = standing(changed)
    assert (running.status, running.step) == (Status.running, 0)
    changed = watcher.change_of(job_id, running)
    stores.work(attempt, [4])
    assert standing(changed).step == 4
    changed = watcher.change_of(job_id, standing(changed))
    stores.delete(job_id)
    assert changed.result(SOON_SECONDS) is None


def test_a_job_is_not_read_again_until_it_has_an_event(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []
    read = EventReader.standings

    def counted(self: EventReader, job_ids: Iterable[str]) -> dict[str, Standing]:
        asked.append(set(job_ids))
        return read(self, job_ids)

    monkeypatch.setattr(EventReader, "standings", counted)
    monkeypatch.setattr("thalweg.jobs.watcher._SWEEP_SECONDS", 1000.0)
    watcher = watching(stores.database)
    waited_for, other = [stores.created(job()) for _ in range(3)], stores.created(job())
    waiting = [watcher.end_of(job_id) for job_id in waited_for]
    while sum(map(len, asked)) < 3:  # each is read once when somebody begins to wait
        wait(waiting, 0.005)
    for _ in range(20):
        stores.begin(other)
        stores.attempts.requeue_orphans()
        wait(waiting, 0.01)
    for job_id in waited_for:
        stores.cancel(job_id)
    assert wait(waiting, SOON_SECONDS).not_done == set()
    assert {standing(future).status for future in waiting} == {Status.cancelled}
    assert sum(map(len, asked)) == 3


def test_a_deleted_job_is_noticed_beside_others_that_are_waited_for(stores: Stores) -> None:
    watcher = watching(stores.database)
    kept, deleted = stores.created(job()), stores.created(job())
    waiting, gone = watcher.end_of(kept), watcher.end_of(deleted)
    wait([waiting], 0.05)
    stores.delete(deleted)
    assert gone.result(SOON_SECONDS) is None
    assert not waiting.done()
    waiting.cancel()


def test_one_reader_serves_all(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []
    look = EventReader.standings

    def counted(self: EventReader, job_ids: Iterable[str]) -> dict[str, Standing]:
        asked.append(set(job_ids))
        return look(self, job_ids)

    monkeypatch.setattr(EventReader, "standings", counted)
    watcher = watching(stores.database)
    job_ids = [stores.created(job()) for _ in range(3)]
    first = [watcher.change_of(job_id, None) for job_id in job_ids]
    known = {job_id: standing(future) for job_id, future in zip(job_ids, first, strict=True)}
    changes = [watcher.change_of(job_ids[i % 3], known[job_ids[i % 3]]) for i in range(300)]
    ends = [watcher.end_of(job_ids[i % 3]) for i in range(300)]
    begun = len(asked)
    for job_id in job_ids:
        stores.begin(job_id)
    assert wait(changes, SOON_SECONDS).not_done == set()
    for job_id in job_ids:
        stores.cancel(job_id)
    assert wait(ends, SOON_SECONDS).not_done == set()
    until_nobody_looks()
    # a commit is read once, or twice if another one came meanwhile, and once more by the sweep after it
    assert len(asked) - begun <= 2 * 6 + 2
    assert all(looked_at <= set(job_ids) for looked_at in asked)
