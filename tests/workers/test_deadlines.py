"""Deadlines and cancels hold, and a worker is free for what comes next, whatever it does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from tests.unit.driving import drive, job
from tests.workers.service import Service, until

# The service promises a deadline within one second, a free worker within two, and another one in the place of
# one that does not answer within eight. The rest is for machines whose processors have much else to do.
DEADLINE_SECONDS = 1.0 + 4.0
FREE_SECONDS = 2.0 + 10.0
REPLACED_SECONDS = 8.0 + 22.0

LONG_STEP: dict[str, Any] = {
    "function": {"mlp": {"layers": [2, 16, 16, 1], "dataset": {"name": "moons", "n": 20_000}}},
    "optimizer": {"name": "lbfgs", "lr": 0.01, "max_iter": 1000, "tolerance_change": 0, "tolerance_grad": 0},
    "init": {"random": 1},
    "steps": 100,
}
ENDLESS: dict[str, Any] = {"steps": 50_000_000, "record_every": 1000, "engine": "eager"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with a single worker."""
    with Service(tmp_path_factory.mktemp("alone"), workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with two workers."""
    with Service(tmp_path_factory.mktemp("pair")) as running:
        yield running


@contextmanager
def stopped(processes: list[psutil.Process]) -> Iterator[None]:
    """Keep processes from doing anything; those that are still there go on afterwards."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            if process.is_running():
                process.resume()


def took(ended: dict[str, Any], since: str) -> float:
    """Return the seconds from a moment of a job to its end, by the service's own clock."""
    moments = [datetime.fromisoformat(ended[name]) for name in (since, "finished_at")]
    return (moments[1] - moments[0]).total_seconds()


def begun(service: Service, **fields: Any) -> str:
    """Post a job, and return its id when a worker is at it."""
    job_id = service.post(**fields)
    until(lambda: service.job(job_id)["status"] == "running")
    return job_id


def assert_timed_out(ended: dict[str, Any]) -> None:
    assert (ended["status"], ended["error"]) == ("succeeded", None)
    assert {run["outcome"] for run in ended["runs"]} == {"timed_out"}


def test_a_deadline_passes_within_a_step_and_leaves_the_worker_free(alone: Service) -> None:
    ended = alone.ended(alone.post(**LONG_STEP, timeout_s=3.0))
    assert_timed_out(ended)
    assert 3.0 <= took(ended, "started_at") < 3.0 + DEADLINE_SECONDS
    assert took(alone.ended(alone.post()), "created_at") < FREE_SECONDS
    assert alone.job(ended["id"]) == ended  # its worker, which noticed later, wrote nothing


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_job_that_is_ended_within_a_step_leaves_the_worker_free(alone: Service, how: str) -> None:
    job_id = begun(alone, **LONG_STEP)
    if how == "delete":
        assert alone.client.delete(f"/v1/jobs/{job_id}").status_code == 204
    else:
        assert alone.client.post(f"/v1/jobs/{job_id}/cancel").json()["status"] == "cancelled"
    assert took(alone.ended(alone.post()), "created_at") < FREE_SECONDS


def test_a_worker_that_does_not_leave_a_cancelled_job_is_replaced(alone: Service) -> None:
    job_id = begun(alone, **ENDLESS)
    before = alone.workers()
    for worker in before:
        worker.suspend()
    cancelled = alone.client.post(
        f"/v1/jobs/{job_id}/cancel"
    ).json()  # waits if a worker was stopped while it wrote
    assert cancelled["status"] == "cancelled"
    ended = alone.ended(alone.post())
    assert (ended["status"], ended["attempt"]) == ("succeeded", 1)
    assert took(ended, "created_at") < REPLACED_SECONDS
    assert {worker.pid for worker in alone.workers()}.isdisjoint(worker.pid for worker in before)
    assert alone.job(job_id) == cancelled


def test_workers_come_back_although_what_starts_them_was_stopped_too(alone: Service) -> None:
    job_id = begun(alone, **ENDLESS)
    for process in alone.worker_starters():
        process.suspend()
    assert alone.client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert alone.ended(alone.post())["status"] == "succeeded"


def test_a_deadline_is_kept_while_every_worker_is_stopped(pair: Service) -> None:
    job_id = pair.post(**ENDLESS, timeout_s=2.0)
    until(lambda: pair.is_running(job_id))
    with stopped(pair.workers()):
        ended = pair.ended(job_id)
        assert 2.0 <= took(ended, "started_at") < 2.0 + DEADLINE_SECONDS
        until(lambda: pair.client.get("/readyz").status_code == 503)
        assert "no worker is ready" in pair.client.get("/readyz").json()["detail"]
    assert_timed_out(ended)
    (run,) = ended["runs"]
    assert run["n_steps"] == ended["progress"]["step"]
    until(lambda: pair.client.get("/readyz").status_code == 200)
    assert pair.job(job_id) == ended


def test_what_a_stopped_worker_was_handed_is_run_by_the_other(pair: Service) -> None:
    until(lambda: pair.client.get("/readyz").json().get("workers") == 2)
    long = begun(pair, steps=4000, engine="eager", record_every=5)
    with stopped(pair.workers()[:1]):
        shorts = [pair.post(steps=5, init=[number, 1]) for number in range(40)]
        for job_id in [*shorts, long]:
            assert pair.ended(job_id)["status"] == "succeeded"
        assert {pair.job(job_id)["attempt"] for job_id in shorts} <= {1, 2}
    expected = drive(job(steps=4000))
    np.testing.assert_array_equal(pair.job(long)["runs"][0]["x"], expected.results.x[0])


def test_a_deadline_that_passes_while_the_service_is_down_is_kept_when_it_starts(tmp_path: Path) -> None:
    with Service(tmp_path, workers=1) as service:
        job_id = begun(service, **ENDLESS, timeout_s=1.0)
        queued = service.post(steps=10)
        service.kill()
        service.start()
        ended = service.ended(job_id)
        assert_timed_out(ended)
        assert ended["attempt"] == 1
        assert service.ended(queued)["status"] == "succeeded"


def test_readiness_and_the_page_of_health_answer_while_workers_are_stopped(pair: Service) -> None:
    with stopped(pair.worker_starters()):
        until(lambda: pair.client.get("/readyz").status_code == 503)
        assert pair.client.get("/healthz").status_code == httpx.codes.OK
        job_id = pair.post(steps=3)
    assert pair.ended(job_id)["status"] == "succeeded"
