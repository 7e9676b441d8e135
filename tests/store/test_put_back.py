"""Jobs that a worker gave up without dying."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tests.store.stores import Stores, state
from tests.unit.driving import job
from tests.workers.service import until
from thalweg.db.tables import JOBS
from thalweg.errors import Unavailable
from thalweg.jobs.record import QueuedJob
from thalweg.jobs.status import Status
from thalweg.settings import Settings
from thalweg.workers.cluster import Worker
from thalweg.workers.dispatcher import QueueDispatcher
from thalweg.workers.run_job import run_job


class InlineFuture:
    """A future as Dask's client returns it, whose task has been run already."""

    def __init__(self, work: Any, *arguments: Any) -> None:
        self._result: Future[Any] = Future()
        try:
            self._result.set_result(work(*arguments))
        except Exception as error:  # noqa: BLE001 as Dask does
            self._result.set_exception(error)
        self.status = "error" if self._result.exception() else "finished"

    def done(self) -> bool:
        return True

    def exception(self) -> object:
        return self._result.exception()

    def add_done_callback(self, call: Any) -> None:
        call(self)

    def release(self) -> None: ...


class InlineCluster:
    """A cluster that runs each task when it is sent."""

    is_local = True
    complete = True
    patience = 1.0

    def __init__(self, _settings: Settings) -> None: ...

    def look(self, _most_seconds: float) -> list[Worker]:
        return [Worker("inline", 1)]

    def warm(self, work: Any, *arguments: Any) -> InlineFuture:
        return InlineFuture(work, *arguments)

    def send(self, _worker: Worker, work: Any, *arguments: Any, key: str) -> InlineFuture:  # noqa: ARG002 Dask's
        return InlineFuture(work, *arguments)

    def close(self) -> None: ...


def test_a_job_that_is_put_back_is_not_counted_as_lost(stores: Stores) -> None:
    job_id, ended = stores.created(job()), stores.finished(job())
    for number in range(1, 8):
        assert stores.begin(job_id).number == number
        stores.attempts.put_back([QueuedJob(job_id, 1), QueuedJob(ended, 1)])
        assert stores.jobs.get(job_id).status is Status.queued
        assert stores.jobs.get(ended).status is Status.succeeded
    stores.finish(job_id)
    assert stores.jobs.get(job_id).status is Status.succeeded


def test_a_locked_database_is_not_counted_as_a_lost_worker(
    stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_refusals = 5

    def run_jobs(url: str, kernels: str, jobs: list[tuple[str, int]]) -> None:
        nonlocal n_refusals
        n_refusals -= 1
        for job_id, generation in jobs:
            if n_refusals >= 0:
                assert stores.attempts.begin(job_id, generation) is not None
                raise Unavailable("the database does not answer: locked")
            run_job(url, kernels, job_id, generation)

    monkeypatch.setattr("thalweg.workers.feed.run_jobs", run_jobs)
    monkeypatch.setattr("thalweg.workers.dispatcher.Cluster", InlineCluster)
    monkeypatch.setattr("thalweg.workers.feed._RETRY_SECONDS", 0.01)
    monkeypatch.setattr("thalweg.workers.dispatcher._LOOK_SECONDS", 0.01)
    job_id = stores.created(job())
    settings = Settings(data_dir=tmp_path, database_url=str(stores.database.url))
    dispatcher = QueueDispatcher(settings)
    dispatcher.start()
    try:
        until(lambda: stores.jobs.get(job_id).status.ended)
    finally:
        dispatcher.stop()
    record = stores.jobs.get(job_id)
    assert (record.status, record.attempt, record.error) == (Status.succeeded, 6, None)


def test_a_job_that_cannot_be_started_fails_with_the_reason(stores: Stores, tmp_path: Path) -> None:
    job_id = stores.created(job())
    with stores.database.write() as connection:
        connection.execute(
            update(JOBS).where(JOBS.c.id == job_id).values(spec='{"function": "of another version"}')
        )
    run_job(str(stores.database.url), str(tmp_path / "kernels"), job_id, 1)
    columns, *_ = state(stores, job_id)
    assert columns["status"] == Status.failed
    assert 'there is no function "of another version"' in columns["error"].replace("'", '"')
    assert stores.attempts.waiting(10) == []
