"""Long computations and a locked database do not block other requests."""

import json
import select
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import NoWorkers, served
from thalweg.analysis.surface import Cut, Surface
from thalweg.cancellation import check_wanted
from thalweg.db.store import JobStore
from thalweg.settings import Settings

JOB = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 10}
LARGEST = {"function": {"name": "rastrigin", "dim": 100}, "points": 1000}  # 10^9 numbers: the limit
LONG = {"function": "himmelblau", "points": 600}  # 7 million
SOON_SECONDS = 5  # takes milliseconds on an idle machine
PATIENCE_SECONDS = 60


@contextmanager
def without_workers(settings: Settings) -> Iterator[httpx.Client]:
    with served(settings, NoWorkers()) as client:
        yield client


def assert_at_hand(client: httpx.Client) -> None:
    for path, status in (("/v1/jobs", 200), ("/v1/functions/himmelblau", 200), ("/readyz", 503), ("/healthz", 200)):
        begun = time.monotonic()
        answer = client.get(path)
        assert time.monotonic() - begun < SOON_SECONDS, path
        assert answer.status_code == status
        if path == "/readyz":
            assert "no worker" in answer.json()["detail"]


def asked(client: httpx.Client, path: str, body: Any) -> HTTPConnection:
    """Send a request without waiting for the response."""
    connection = HTTPConnection(client.base_url.host, client.base_url.port or 80)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    return connection


def answered(connections: list[HTTPConnection], n: int) -> list[HTTPConnection]:
    """Wait until `n` sockets have a response, and return them."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([each.sock for each in connections], [], [], 0.05)
        if len(ready) >= n:
            return [each for each in connections if each.sock in ready]
    raise AssertionError(f"{n} answers have not come")


def test_long_computations_block_nothing_and_end_with_their_clients(tmp_path: Path) -> None:
    with without_workers(Settings(data_dir=tmp_path, computations=2, queued_computations=4)) as client:
        connections = [asked(client, "/v1/surface", LARGEST) for _ in range(45)]
        try:
            refused = answered(connections, 45 - 2 - 4)
            assert_at_hand(client)
            short = client.post("/v1/surface", json={**LARGEST, "points": 5})
            assert short.status_code == 200
            for connection in refused:
                with closing(connection.getresponse()) as answer:
                    assert answer.status == 503
                    assert int(answer.headers["Retry-After"]) > 0
                    assert "busy" in json.loads(answer.read())["detail"]
            assert client.post("/v1/surface", json=LONG).status_code == 503
        finally:
            for connection in connections:
                connection.close()
        # slots of disconnected clients are free long before their surfaces would have been computed
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := client.post("/v1/surface", json=LONG)).status_code == 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(found.json()["z"]) == 600
        assert client.get("/v1/functions/himmelblau/surface?points=600").json() == found.json()


def test_a_locked_database_is_readable_and_writers_get_503(tmp_path: Path) -> None:
    with without_workers(Settings(data_dir=tmp_path, database_wait_seconds=1)) as client:
        job_id = client.post("/v1/jobs", json=JOB).json()["id"]
        with closing(sqlite3.connect(tmp_path / "thalweg.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            connections = [asked(client, "/v1/jobs", JOB) for _ in range(60)]
            connections.append(asked(client, f"/v1/jobs/{job_id}/cancel", None))
            try:
                while connections:
                    assert_at_hand(client)
                    for connection in answered(connections, 1):
                        with closing(connection.getresponse()) as answer:
                            assert answer.status == 503
                            assert int(answer.headers["Retry-After"]) > 0
                        connection.close()
                        connections.remove(connection)
            finally:
                for connection in connections:
                    connection.close()
            assert client.get(f"/v1/jobs/{job_id}").json()["status"] == "queued"
            other.execute("ROLLBACK")
        assert client.post("/v1/jobs", json=JOB).status_code == 202
        assert len(client.get("/v1/jobs").json()["items"]) == 2


def test_a_waiting_writer_proceeds_after_the_lock_is_released(tmp_path: Path) -> None:
    with (
        without_workers(Settings(data_dir=tmp_path, database_wait_seconds=PATIENCE_SECONDS)) as client,
        closing(sqlite3.connect(tmp_path / "thalweg.db", isolation_level=None)) as other,
        ThreadPoolExecutor(20) as pool,
    ):
        other.execute("BEGIN IMMEDIATE")
        posted = [pool.submit(client.post, "/v1/jobs", json=JOB) for _ in range(20)]
        assert_at_hand(client)
        assert client.get("/v1/jobs").json()["items"] == []
        other.execute("ROLLBACK")
        assert [each.result().status_code for each in posted] == [202] * 20
        assert len(client.get("/v1/jobs").json()["items"]) == 20


def test_readyz_reports_a_hanging_database_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    with without_workers(Settings(data_dir=tmp_path)) as client:
        monkeypatch.setattr(JobStore, "ping", lambda _: goes_on.wait(PATIENCE_SECONDS))
        try:
            for _ in range(3):
                begun = time.monotonic()
                answer = client.get("/readyz")
                assert time.monotonic() - begun < 2 + SOON_SECONDS
                assert answer.status_code == 503
                assert "did not answer within 2 s" in answer.json()["detail"]
                assert client.get("/v1/jobs").status_code == 200
        finally:
            goes_on.set()


@pytest.mark.parametrize("n_gone", [1, 3])
def test_a_computation_ends_when_its_client_disconnects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_gone: int
) -> None:
    begun = threading.Semaphore(0)

    def endless(_: Cut) -> None:
        begun.release()
        while True:
            check_wanted()
            time.sleep(0.001)

    with without_workers(Settings(data_dir=tmp_path, computations=1, queued_computations=3)) as client:
        with monkeypatch.context() as patch:
            patch.setattr(Cut, "surface", endless)
            connections = [asked(client, "/v1/surface", LONG) for _ in range(n_gone)]
            assert begun.acquire(timeout=PATIENCE_SECONDS)
            for connection in connections:
                connection.close()
        assert client.post("/v1/surface", json=LONG).status_code == 200


def test_waiting_for_a_computation_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    goes_on = threading.Event()
    monkeypatch.setattr("thalweg.api.computing._LONG_WAIT_SECONDS", 0.1)
    with (
        without_workers(Settings(data_dir=tmp_path, computations=1)) as client,
        ThreadPoolExecutor(1) as pool,
        monkeypatch.context() as patch,
    ):
        computed = Cut.surface
        began = threading.Event()

        def held(cut: Cut) -> Surface:
            began.set()
            goes_on.wait(PATIENCE_SECONDS)
            return computed(cut)

        patch.setattr(Cut, "surface", held)
        first = pool.submit(client.post, "/v1/surface", json=LONG)
        assert began.wait(PATIENCE_SECONDS)
        answer = client.post("/v1/surface", json=LONG)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        goes_on.set()
        assert first.result().status_code == 200
