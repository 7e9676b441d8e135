"""The dispatcher survives a failing cluster, and reports it meanwhile."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.store.stores import Stores
from tests.store.test_put_back import InlineCluster, InlineFuture
from tests.unit.driving import job
from tests.workers.service import until
from thalweg.errors import Unavailable
from thalweg.jobs.status import Status
from thalweg.settings import Settings
from thalweg.workers import cluster as clusters
from thalweg.workers.cluster import Cluster, Worker
from thalweg.workers.dispatcher import QueueDispatcher
from thalweg.workers.feed import _LATE_SECONDS


class Closed(Exception):
    """What is raised in place of Dask's own errors."""


@pytest.fixture
def settings(stores: Stores, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, database_url=str(stores.database.url), workers=1)


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.workers.dispatcher._RETRY_SECONDS", 0.05)


@pytest.fixture
def dispatcher(settings: Settings) -> Iterator[QueueDispatcher]:
    made = QueueDispatcher(settings)
    yield made
    made.stop()


@pytest.mark.parametrize("error", [Closed(), asyncio.CancelledError(), SystemExit()])
def test_the_dispatcher_survives_errors_of_the_feed_and_of_closing_the_cluster(
    stores: Stores, dispatcher: QueueDispatcher, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    n_looks = 0

    class FailingCluster(InlineCluster):
        def look(self, most_seconds: float) -> list[Worker]:
            nonlocal n_looks
            n_looks += 1
            if n_looks in {2, 4}:
                raise error
            return super().look(most_seconds)

        def close(self) -> None:
            raise error

    monkeypatch.setattr("thalweg.workers.dispatcher.Cluster", FailingCluster)
    dispatcher.start()
    for n_before in (0, 2, 4):
        until(lambda n_before=n_before: n_looks > n_before)
        job_id = stores.created(job())
        dispatcher.wake()
        until(lambda job_id=job_id: stores.jobs.get(job_id).status is Status.succeeded)
    until(lambda: is_ready(dispatcher))


def test_workers_that_cannot_be_started_are_reported_and_tried_again(
    stores: Stores, dispatcher: QueueDispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = False

    def start(settings: Settings) -> InlineCluster:
        if not works:
            raise OSError("no processes are left")
        return InlineCluster(settings)

    monkeypatch.setattr("thalweg.workers.dispatcher.Cluster", start)
    dispatcher.start()
    until(lambda: "no processes are left" in complaint(dispatcher))
    job_id = stores.created(job())
    works = True
    until(lambda: stores.jobs.get(job_id).status is Status.succeeded)
    until(lambda: is_ready(dispatcher))


def test_a_scheduler_that_does_not_answer_is_reported_at_once(
    dispatcher: QueueDispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = True

    class HangingCluster(InlineCluster):
        def look(self, most_seconds: float) -> list[Worker]:
            while hangs and dispatcher.n_looked > 0:  # type: ignore[attr-defined]
                time.sleep(0.01)
            dispatcher.n_looked += 1  # type: ignore[attr-defined]
            return super().look(most_seconds)

    monkeypatch.setattr("thalweg.workers.dispatcher.Cluster", HangingCluster)
    monkeypatch.setattr("thalweg.workers.dispatcher._STALE_SECONDS", 1.0)
    dispatcher.n_looked = 0  # type: ignore[attr-defined]
    dispatcher.start()
    until(lambda: is_ready(dispatcher))
    until(lambda: "scheduler has not answered" in complaint(dispatcher))
    hangs = False
    until(lambda: is_ready(dispatcher))


def test_a_worker_that_was_stopped_while_it_wrote_is_replaced(
    stores: Stores, dispatcher: QueueDispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    is_stopped = False
    lock = sqlite3.connect(stores.database.path, isolation_level=None, check_same_thread=False)

    class Pending(InlineFuture):
        def done(self) -> bool:
            return False

    class StoppedCluster(InlineCluster):
        def look(self, _most_seconds: float) -> list[Worker]:
            return [Worker("inline", 1, hears=not is_stopped, is_lost=is_stopped)]

        def send(self, worker: Worker, work: Any, *arguments: Any, key: str) -> InlineFuture:
            sent.append(key)
            # nothing is run the first time
            return super().send(worker, work, *arguments, key=key) if sent[1:] else Pending(lambda: None)

        def replace(self, _worker: Worker, _reason: str) -> None:
            nonlocal is_stopped
            is_stopped = False
            lock.execute("ROLLBACK")

    monkeypatch.setattr("thalweg.workers.dispatcher.Cluster", StoppedCluster)
    stores.created(job())
    dispatcher.start()
    until(lambda: sent)
    time.sleep(2 * _LATE_SECONDS)  # what was sent is late from then on, and is taken back from a silent worker
    with closing(lock):
        lock.execute("BEGIN IMMEDIATE")
        is_stopped = True
        until(lambda: not is_stopped)


def test_local_workers_whose_client_fails_are_stopped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[dict[str, Any]] = []

    class Local:
        def close(self, **options: Any) -> None:
            stopped.append(options)

    def fails(*_: object, **__: object) -> None:
        raise Closed

    monkeypatch.setattr(clusters, "_local_cluster", lambda *_: Local())
    monkeypatch.setattr(clusters, "Client", fails)
    with pytest.raises(Closed):
        Cluster(settings)
    assert len(stopped) == 1


def test_local_workers_are_stopped_although_their_client_cannot_be_closed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[dict[str, Any]] = []

    class Local:
        def close(self, **options: Any) -> None:
            stopped.append(options)

    class FailingClient:
        def __init__(self, *_: object, **__: object) -> None: ...

        def close(self, **_: object) -> None:
            raise Closed

    monkeypatch.setattr(clusters, "_local_cluster", lambda *_: Local())
    monkeypatch.setattr(clusters, "Client", FailingClient)
    opened = Cluster(settings)
    with pytest.raises(Closed):
        opened.close()
    assert len(stopped) == 1


def complaint(dispatcher: QueueDispatcher) -> str:
    try:
        dispatcher.n_workers()
    except Unavailable as error:
        return str(error)
    return ""


def is_ready(dispatcher: QueueDispatcher) -> bool:
    return not complaint(dispatcher) and dispatcher.n_workers() > 0
