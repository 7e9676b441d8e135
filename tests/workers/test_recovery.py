"""Whatever is killed, every accepted job ends with undisturbed results."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.unit.driving import OPTIMIZERS, drive, job, name_of
from tests.workers.service import Service, until
from thalweg.engine.fused.runtime.run import FusedRun

LONG: dict[str, Any] = {
    "optimizer": "nadam",
    "lr": 0.001,
    "init": [[0, 0], [4, 0], [-4, 0]],
    "steps": 12_000,
    "record_every": 7,
    "gradient_noise": {"std": 0.1, "seed": 3},
    "engine": "eager",
}
LONG_FUSED: dict[str, Any] = {
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "lr": 1e-12,  # on its way all the time: a run at rest would soon be done
    "init": [[0, 0], [4, 0], [-4, 0]],
    "steps": 200_000_000,
    "record_every": 1_000_003,
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed() -> Any:
    return drive(job(**LONG))


def assert_recorded(service: Service, job_id: str, undisturbed: Any) -> None:
    """Check that what the service holds of a job is what an undisturbed run of the engine gives."""
    for run in range(len(undisturbed.x)):
        trajectory = service.client.get(f"/v1/jobs/{job_id}/trajectory", params={"run": run}).json()
        last = int(undisturbed.results.n_steps[run])
        off_grid = last not in undisturbed.steps[run]
        assert trajectory["step"] == [*undisturbed.steps[run].tolist(), *([last] if off_grid else [])]
        n = len(undisturbed.steps[run])
        np.testing.assert_array_equal(np.array(trajectory["x"][:n]), undisturbed.x[run])
        np.testing.assert_array_equal(np.array(trajectory["f"][:n]), undisturbed.f[run])
        assert trajectory["x"][-1] == undisturbed.results.x[run].tolist()


def history(service: Service, job_id: str) -> str:
    items = service.client.get(f"/v1/jobs/{job_id}/history").json()["items"]
    return " ".join(item["kind"] for item in items)


def test_a_job_whose_worker_is_killed_ends_as_if_it_had_not_been(service: Service, undisturbed: Any) -> None:
    job_id = service.post(**LONG)
    for attempt in (1, 2):
        step = service.job(job_id)["progress"]["step"]
        until(lambda attempt=attempt, step=step: service.is_running(job_id, step + 1, attempt))
        for worker in service.workers():
            worker.kill()
    ended = service.ended(job_id)
    assert ended["status"] == "succeeded", ended["error"]
    assert ended["attempt"] == 3
    assert history(service, job_id) == "created started lost started lost started succeeded"
    assert_recorded(service, job_id, undisturbed)


def test_after_the_whole_service_is_killed_every_accepted_job_ends(tmp_path: Path, undisturbed: Any) -> None:
    with Service(tmp_path, workers=1) as service:
        long = service.post(**LONG)
        waiting = [service.post(steps=50) for _ in range(20)]
        until(lambda: service.is_running(long))
        for _ in range(4):  # more often than a job may lose its worker: the service's deaths are not the job's
            service.kill()
            service.start()
        for job_id in (long, *waiting):
            ended = service.ended(job_id)
            assert ended["status"] == "succeeded", ended["error"]
        first, *between, last = history(service, long).split(" requeued ")
        assert (first, last) == ("created started", "started succeeded")
        assert set(between) <= {"started"}
        assert_recorded(service, long, undisturbed)


def test_a_fused_job_whose_worker_is_killed_ends_as_if_it_had_not_been(service: Service) -> None:
    job_id = service.post(**LONG_FUSED)
    until(lambda: service.is_running(job_id, 1, 1))
    for worker in service.workers():
        worker.kill()
    ended = service.ended(job_id)
    assert (ended["status"], ended["engine"], ended["attempt"]) == ("succeeded", "fused", 2), ended["error"]
    assert_recorded(service, job_id, drive(job(**LONG_FUSED), engine=FusedRun))


def test_a_running_fused_job_is_cancelled_and_goes_on_when_extended(service: Service) -> None:
    job_id = service.post(**{**LONG_FUSED, "steps": 900_000_000})
    until(lambda: service.is_running(job_id, 1, 1))
    cancelled = service.client.post(f"/v1/jobs/{job_id}/cancel").json()
    assert (cancelled["status"], cancelled["engine"]) == ("cancelled", "fused")
    n_steps = cancelled["progress"]["step"]
    service.client.post(f"/v1/jobs/{job_id}/extend", json={"steps": 1000})
    assert service.ended(job_id)["status"] == "succeeded"
    assert_recorded(service, job_id, drive(job(**{**LONG_FUSED, "steps": n_steps + 1000}), engine=FusedRun))


def test_a_job_that_loses_its_worker_three_times_fails_alone(tmp_path: Path) -> None:
    with Service(tmp_path, workers=1) as service:
        culprit = service.post(steps=10_000_000, record_every=1000, engine="eager")
        others = [service.post(steps=30) for _ in range(5)]
        for attempt in (1, 2, 3):
            until(lambda attempt=attempt: service.is_running(culprit, attempt=attempt))
            (worker,) = service.workers()
            worker.kill()
        failed = service.ended(culprit)
        assert failed["status"] == "failed"
        assert "died 3 times" in failed["error"]
        assert history(service, culprit) == "created" + 3 * " started lost" + " failed"
        assert failed["progress"]["step"] > 0
        assert [service.ended(other)["status"] for other in others] == ["succeeded"] * 5
        assert service.client.post(f"/v1/jobs/{culprit}/extend", json={"steps": 5}).status_code == 409
        assert service.client.get(f"/v1/jobs/{culprit}/trajectory").json()["n_points"] > 1


@pytest.mark.timeout(600)
def test_a_burst_of_jobs_all_end_while_workers_are_killed(service: Service) -> None:
    stop, answers = threading.Event(), Counter[int]()

    def ask() -> None:
        with httpx.Client(base_url=service.client.base_url, timeout=30) as client:
            while not stop.is_set():
                answers[client.get("/healthz").status_code] += 1
                time.sleep(0.02)

    asking = threading.Thread(target=ask)
    asking.start()
    job_ids = []
    for number in range(1000):
        job_ids.append(service.post(init=[number / 500, 1], steps=15, tags=["burst"]))
        if number in {300, 500, 700, 900}:
            service.workers()[0].kill()
    until_ended: dict[str, str | int] = {"tag": "burst", "limit": 1000}

    def all_ended() -> bool:
        items = service.client.get("/v1/jobs", params=until_ended).json()["items"]
        return all(item["status"] not in {"queued", "running"} for item in items)

    try:
        until(all_ended)
    finally:
        stop.set()
        asking.join()
    items = service.client.get("/v1/jobs", params=until_ended).json()["items"]
    assert Counter(item["status"] for item in items) == {"succeeded": 1000}
    assert {item["id"] for item in items} == set(job_ids)
    assert set(answers) == {200}
    assert answers[200] > 50


def test_a_running_job_is_cancelled_at_once_and_frees_its_worker(tmp_path: Path) -> None:
    with Service(tmp_path, workers=1) as service:
        job_id = service.post(steps=1_000_000, init=[[0, 0], [1, 1]], engine="eager")
        until(lambda: service.is_running(job_id))
        cancelled = service.client.post(f"/v1/jobs/{job_id}/cancel").json()
        assert cancelled["status"] == "cancelled"
        assert [run["outcome"] for run in cancelled["runs"]] == ["cancelled", "cancelled"]
        n_steps = cancelled["progress"]["step"]
        assert service.ended(service.post(steps=20))["status"] == "succeeded"
        assert service.job(job_id) == service.client.post(f"/v1/jobs/{job_id}/cancel").json()
        trajectory = service.client.get(f"/v1/jobs/{job_id}/trajectory").json()
        assert trajectory["step"] == list(range(n_steps + 1))
        extended = service.client.post(f"/v1/jobs/{job_id}/extend", json={"steps": 10}).json()
        assert extended["progress"]["steps"] == n_steps + 10
        assert service.ended(job_id)["status"] == "succeeded"
        expected = drive(job(steps=n_steps + 10, init=[[0, 0], [1, 1]]))
        assert_recorded(service, job_id, expected)


def test_a_running_job_can_be_deleted(service: Service) -> None:
    job_id = service.post(steps=1_000_000, engine="eager")
    until(lambda: service.is_running(job_id))
    assert service.client.delete(f"/v1/jobs/{job_id}").status_code == 204
    assert service.client.get(f"/v1/jobs/{job_id}").status_code == 404
    assert service.ended(service.post())["status"] == "succeeded"
    assert service.client.get(f"/v1/jobs/{job_id}").status_code == 404


def test_a_job_whose_time_is_up_ends_with_what_it_has(service: Service) -> None:
    job_id = service.post(steps=5_000_000, record_every=100, timeout_s=1.0, engine="eager")
    ended = service.ended(job_id)
    assert ended["status"] == "succeeded"
    (run,) = ended["runs"]
    assert run["outcome"] == "timed_out"
    assert 0 < run["n_steps"] < 5_000_000
    trajectory = service.client.get(f"/v1/jobs/{job_id}/trajectory").json()
    assert trajectory["step"][-1] == run["n_steps"]
    assert trajectory["x"][-1] == run["x"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=name_of)
def test_an_extended_job_is_one_that_was_longer_from_the_start(service: Service, optimizer: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"optimizer": optimizer, "init": [[0, 0], [-1, 2]], "record_every": 4}
    job_id = service.post(**fields, steps=30)
    assert service.ended(job_id)["status"] == "succeeded"
    answer = service.client.post(f"/v1/jobs/{job_id}/extend", json={"steps": 33})
    assert answer.status_code == 202
    assert service.ended(job_id)["status"] == "succeeded"
    assert_recorded(service, job_id, drive(job(**fields, steps=63)))


def test_time_and_cancelling_end_a_job_of_which_one_step_takes_long(tmp_path: Path) -> None:
    slow: dict[str, Any] = {"optimizer": "lbfgs", "init": {"random": 20_000}, "steps": 5, "engine": "eager"}
    with Service(tmp_path, workers=1) as service:
        late = service.ended(service.post(**slow, timeout_s=1.5))
        assert late["status"] == "succeeded"
        assert {run["outcome"] for run in late["runs"]} == {"timed_out"}
        assert {run["n_steps"] for run in late["runs"]} == {0}
        unwanted = service.post(**slow)
        until(lambda: service.is_running(unwanted, step=0))
        service.client.post(f"/v1/jobs/{unwanted}/cancel")
        assert service.ended(service.post())["status"] == "succeeded"


def test_short_jobs_pass_a_long_one(service: Service) -> None:
    long = service.post(steps=10_000_000, record_every=1000, engine="eager")
    until(lambda: service.is_running(long))
    for job_id in [service.post(steps=20) for _ in range(30)]:
        assert service.ended(job_id)["status"] == "succeeded"
    assert service.is_running(long)
    service.client.post(f"/v1/jobs/{long}/cancel")


def test_short_jobs_that_share_a_task_with_a_long_one_are_taken_back_from_it(service: Service) -> None:
    shorts = [service.post(steps=2) for _ in range(100)]
    long = service.post(steps=10_000_000, record_every=1000, engine="eager")
    shorts += [service.post(steps=2) for _ in range(100)]
    for job_id in shorts:
        ended = service.ended(job_id)
        assert (ended["status"], ended["attempt"]) == ("succeeded", 1)
    assert service.is_running(long)
    service.client.post(f"/v1/jobs/{long}/cancel")


def test_a_worker_that_is_stopped_while_it_starts_holds_nothing_up(tmp_path: Path) -> None:
    with Service(tmp_path, workers=1) as service:
        (worker,) = service.workers()
        worker.kill()
        until(lambda: [process for process in service.workers() if process.pid != worker.pid])
        for process in service.worker_starters():
            process.suspend()
        assert service.ended(service.post())["status"] == "succeeded"
