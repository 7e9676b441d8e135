"""The client: each method returns what its endpoint returns."""

import re
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from tests.serving import NoWorkers, served
from thalweg.client import ApiError, Client
from thalweg.settings import Settings

NETWORK = {"mlp": {"layers": [2, 3, 1], "dataset": "xor"}}


@pytest.fixture(scope="module")
def client(running: httpx.Client) -> Iterator[Client]:
    with Client(str(running.base_url)) as client:
        yield client


def test_network_methods(client: Client, running: httpx.Client) -> None:
    spec = {"function": NETWORK, "optimizer": "adam", "init": {"random": 2}, "steps": 40, "record_every": 10}
    job = client.wait(client.submit(spec)["id"])
    at = f"/v1/jobs/{job['id']}"
    assert client.loss(job["id"], 1, from_step=5) == running.get(f"{at}/loss?run=1&from_step=5").json()
    assert client.landscape(job["id"], method="random", points=4) == (
        running.get(f"{at}/landscape?method=random&points=4").json()
    )
    assert client.backprop(job["id"], step=10, sample=3) == running.get(f"{at}/backprop?step=10&sample=3").json()
    assert client.backprop(job["id"])["step"] == 40


def test_methods_without_a_job(client: Client) -> None:
    passed = client.backpropagate(layers=[2, 2, 1], input=[1, 0], target=[1], seed=3)
    assert passed["autograd_max_abs_difference"] < 1e-12
    assert "cross_entropy" in [loss["name"] for loss in client.networks()["losses"]]
    formula = {"expression": "x**2 - y**2", "variables": ["x", "y"]}
    found = client.critical_points(formula, low=[-1, -1], high=[1, 1])
    assert [point["kind"] for point in found["critical_points"]] == ["saddle"]


def test_errors_carry_the_detail_of_the_problem(client: Client) -> None:
    with pytest.raises(ApiError, match="unknown name z") as refused:
        client.submit(
            {"function": {"expression": "z", "variables": ["x"]}, "optimizer": "adam", "init": [1], "steps": 1}
        )
    assert refused.value.status == 422
    assert refused.value.problem["errors"][0]["column"] == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


LESSON: dict[str, Any] = {"function": "himmelblau", "optimizer": "adam", "lr": 0.01, "init": [0, 0], "steps": 30}


def test_a_job_from_submission_to_its_end(client: Client, running: httpx.Client) -> None:
    key = "a-key-of-the-client"
    job = client.submit(LESSON, idempotency_key=key, wait=60)
    assert job["status"] == "succeeded"
    assert client.submit(LESSON, idempotency_key=key)["id"] == job["id"]
    at = f"/v1/jobs/{job['id']}"
    assert (
        client.job(job["id"]) == client.wait(job["id"]) == client.job(job["id"], wait=0.5) == running.get(at).json()
    )

    whole = client.trajectory(job["id"])
    assert (whole["step"], whole["x"][0]) == (list(range(31)), [0, 0])
    part = client.trajectory(job["id"], 0, from_step=3, to_step=9)
    assert (part["step"], part["x"]) == (whole["step"][3:10], whole["x"][3:10])
    assert client.trajectory(job["id"], max_points=10)["downsampling"]["of_points"] == 31

    assert client.extend(job["id"], 5, idempotency_key="once")["progress"]["steps"] == 35
    assert client.extend(job["id"], 5, idempotency_key="once")["progress"]["steps"] == 35
    client.wait(job["id"])
    assert client.extend(job["id"], to_step=50)["progress"]["steps"] == 50
    assert client.wait(job["id"], timeout=60)["runs"][0]["n_steps"] == 50

    client.delete(job["id"])
    with pytest.raises(ApiError, match="no job") as gone:
        client.job(job["id"])
    assert gone.value.status == 404


def test_cancelling_and_giving_up_on_a_job(client: Client) -> None:
    endless = {**LESSON, "lr": 1e-10, "steps": 500_000_000, "record_every": 100_000}
    job = client.submit(endless)
    with pytest.raises(TimeoutError, match=job["id"]):
        client.wait(job["id"], timeout=0.2)
    assert client.cancel(job["id"])["status"] == "cancelled"
    assert client.wait(job["id"])["status"] == "cancelled"
    assert list(client.progress(job["id"]))[-1]["status"] == "cancelled"


def test_lists_are_read_page_by_page(client: Client) -> None:
    made = [client.submit({**LESSON, "tags": ["paged"], "label": str(i)})["id"] for i in range(5)]
    assert [job["id"] for job in client.jobs(tag="paged", page=2)] == made[::-1]
    assert list(client.jobs(tag="paged", function="sphere")) == []
    many = client.wait(client.submit({**LESSON, "init": {"random": 7}})["id"])
    assert list(client.runs(many["id"], page=3)) == many["runs"]
    names = [function["name"] for function in client.functions()]
    assert "himmelblau" in names
    assert len(names) == len(set(names)) > 100
    assert client.optimizer("adam") in list(client.optimizers())
    assert "step_lr" in [scheduler["name"] for scheduler in client.schedulers()]


def test_progress_ends_with_the_job(client: Client) -> None:
    job = client.submit({**LESSON, "steps": 4000, "engine": "eager"})
    seen = list(client.progress(job["id"]))
    assert seen[-1] == {"step": 4000, "steps": 4000, "status": "succeeded"}
    steps = [place["step"] for place in seen]
    assert steps == sorted(steps)
    assert all(one != other for one, other in pairwise(seen))


def test_functions_and_their_values(client: Client) -> None:
    assert client.function("sphere", 3)["dim"] == 3
    formula = {"expression": "x**2 + 2*y**2", "variables": ["x", "y"]}
    found = client.evaluate(formula, [[1, 2], [0, 0]], gradient=True, hessian=True)
    assert found["f"] == [9, 0]
    assert found["gradient"] == [[2, 8], [0, 0]]
    assert found["hessian"] == [[[2, 0], [0, 4]]] * 2
    window = {"x_min": -1, "x_max": 1, "y_min": 0, "y_max": 2, "points": 3}
    assert client.surface(formula, **window)["z"] == [[1, 0, 1], [3, 2, 3], [9, 8, 9]]
    by_name = client.surface("sphere", **window)
    assert (
        by_name["z"]
        == client.surface({"name": "sphere", "dim": 2}, **window)["z"]
        == [[1, 0, 1], [2, 1, 2], [5, 4, 5]]
    )
    assert client.surface("sphere", axes=[0, 1], fixed=[0, 0], **window)["z"] == by_name["z"]
    assert client.ready()


def test_ready_is_false_without_a_service() -> None:
    with Client(f"http://127.0.0.1:{free_port()}") as client:
        assert not client.ready()
        with pytest.raises(httpx.ConnectError):
            next(client.progress("any"))


def test_a_key_is_sent(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "api_keys": "secret"})
    with served(settings, NoWorkers()) as service:
        with Client(str(service.base_url), api_key="secret") as client:
            assert list(client.jobs()) == []
        with Client(str(service.base_url)) as client, pytest.raises(ApiError) as refused:
            list(client.jobs())
    assert refused.value.status == 401


# broken event streams


def progress(step: int) -> str:
    return f'event: progress\nid: {step}\ndata: {{"step": {step}, "steps": 9, "status": "running"}}\n\n'


DONE = 'event: done\nid: 9\ndata: {"id": "j", "status": "succeeded", "progress": {"step": 9, "steps": 9}}\n\n'
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
BUSY = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
GONE = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Script:
    """A server that sends each connection the next scripted response, and then closes it."""

    def __init__(self, answers: list[str]) -> None:
        self.requests: list[str] = []
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # unblocks accept()
        self._thread.join()
        self._listener.close()

    @property
    def address(self) -> str:
        return "http://{}:{}".format(*self._listener.getsockname())

    def last_ids(self) -> list[str | None]:
        """Return the Last-Event-ID of each connection."""
        found = [re.search(r"last-event-id: (\S+)", request, re.IGNORECASE) for request in self.requests]
        return [None if each is None else each[1] for each in found]

    def _serve(self) -> None:
        for answer in self._answers:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            with connection:
                self.requests.append(connection.recv(65536).decode())
                connection.sendall(answer.encode())


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of the client in seconds, recorded instead of slept."""
    made: list[float] = []
    monkeypatch.setattr("thalweg.client.time.sleep", made.append)
    return made


def test_a_broken_stream_resumes_after_the_last_event(pauses: list[float]) -> None:
    broken = HEAD + progress(2) + progress(4) + "event: progress\nid: 5\ndata: {"  # in the middle of an event
    script = [broken, BUSY, HEAD, HEAD + progress(7), HEAD + DONE]
    with Script(script) as service, Client(service.address) as client:
        seen = [place["step"] for place in client.progress("j")]
    assert seen == [2, 4, 7, 9]
    assert service.last_ids() == [None, "4", "4", "4", "7"]
    assert all(request.startswith("GET /v1/jobs/j/events ") for request in service.requests)
    assert pauses == [0.25, 0.5, 1, 0.25]  # doubles until an event arrives


def test_a_stream_sets_the_pause_before_reconnecting(pauses: list[float]) -> None:
    with Script([HEAD + "retry: 2000\n" + progress(2), HEAD + DONE]) as service, Client(service.address) as client:
        assert [place["step"] for place in client.progress("j")] == [2, 9]
    assert pauses == [2]


def test_a_deleted_job_is_not_requested_again(pauses: list[float]) -> None:
    with Script([HEAD + progress(2), GONE]) as service, Client(service.address) as client:
        followed = client.progress("j")
        assert next(followed)["step"] == 2
        with pytest.raises(ApiError) as gone:
            next(followed)
    assert gone.value.status == 404
    assert len(pauses) == 1


def test_reconnecting_gives_up_in_the_end(pauses: list[float]) -> None:
    with Script([HEAD + progress(2), *[BUSY] * 20]) as service, Client(service.address) as client:
        followed = client.progress("j")
        next(followed)
        with pytest.raises(ApiError) as busy:
            next(followed)
    assert busy.value.status == 503
    assert pauses == [0.25, 0.5, 1, 2, 4, 4, 4, 4]


def test_a_first_connection_is_not_retried(pauses: list[float]) -> None:
    with Script([HEAD]) as service, Client(service.address) as client, pytest.raises(httpx.TransportError):
        next(client.progress("j"))
    assert pauses == []
