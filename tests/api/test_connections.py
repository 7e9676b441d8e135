"""Connections that send too much, too slowly or nothing, or do not read."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import NoWorkers, served
from thalweg.settings import Settings

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
MOST_HEADER_BYTES = 65_536


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The application with short timeouts and at most ten connections."""
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("narrow"), idle_seconds=2, stall_seconds=2, max_connections=10
    )
    with served(settings, NoWorkers()) as client:
        yield client


@contextmanager
def connected(client: httpx.Client, **options: int) -> Iterator[socket.socket]:
    with socket.socket() as connection:
        for name, value in options.items():
            connection.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
        connection.settimeout(60)
        connection.connect((client.base_url.host, client.base_url.port))
        yield connection


def all_of(connection: socket.socket) -> bytes:
    """Return everything that the service sends until it closes the connection."""
    received = b""
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionError:
        pass
    return received


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


def refused(answer: bytes) -> dict[str, Any]:
    """Return the problem that the service sent before it closed a connection."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"x-request-id: " in head
    assert b"connection: close" in head
    problem: dict[str, Any] = json.loads(body)
    assert problem["status"] == status_of(answer)
    return problem


CHUNKED = b"Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n1\r\n{\r\n0\r\n"


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Endless: ",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Endless",
        b"GET /healthz?",
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"X-Trailer: ",
    ],
    ids=["value", "name", "path", "trailer"],
)
def test_an_endless_header_is_rejected(narrow: httpx.Client, beginning: bytes) -> None:
    with connected(narrow) as connection:
        n_sent = 0
        try:
            connection.sendall(beginning)
            while n_sent < 100 * 2**20:
                n_sent += connection.send(b"a" * 65_536)
        except ConnectionError:
            pass
        assert n_sent < 20 * 2**20  # socket buffers, and input discarded until the client sees the response
    assert narrow.get("/healthz").status_code == 200


def test_headers_over_the_limit_are_rejected(narrow: httpx.Client) -> None:
    assert narrow.get("/healthz", headers={"X-Long": "a" * 60_000}).status_code == 200
    for headers in ({"X-Long": "a" * MOST_HEADER_BYTES}, {f"X-{i}": "a" for i in range(101)}):
        with connected(narrow) as connection:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            connection.sendall(f"GET /healthz HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
            problem = refused(all_of(connection))
        assert problem["status"] == 431
        assert "max_header_bytes" in problem["detail"]
        assert problem["instance"] == "/healthz"


def test_invalid_http_gets_a_problem(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 10)
        assert refused(all_of(connection))["status"] == 400


def test_a_connection_that_sends_nothing_is_closed(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        assert all_of(connection) == b""


def test_headers_that_trickle_in_time_out(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        connection.settimeout(0.1)
        connection.sendall(HEALTH[:-2])
        answer = b""
        while not answer:  # one byte at a time
            connection.sendall(b"a")
            try:
                answer = connection.recv(65_536)
            except TimeoutError:
                continue
        assert status_of(answer) == 408


def test_an_idle_connection_times_out_after_a_response(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        connection.sendall(HEALTH)
        assert status_of(connection.recv(65_536)) == 200
        connection.sendall(HEALTH)
        assert status_of(connection.recv(65_536)) == 200
        assert all_of(connection) == b""


def test_an_unread_body_does_not_keep_a_connection_open(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert status_of(connection.recv(65_536)) == 200
        connection.settimeout(0.1)
        with pytest.raises(ConnectionError):  # noqa: PT012 - a byte now and then until it is closed
            while True:
                connection.sendall(b"a")
                try:
                    if not connection.recv(1):
                        raise ConnectionResetError
                except TimeoutError:
                    continue


def test_a_client_that_is_still_sending_sees_the_rejection(narrow: httpx.Client) -> None:
    length = 20 * 2**20
    with connected(narrow) as connection:
        head = (
            f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nContent-Type: application/json\r\n"
        )
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        connection.sendall(bytes(length))
        assert status_of(all_of(connection)) == 413


def test_waiting_for_a_job_is_not_idle_time(narrow: httpx.Client) -> None:
    job = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 10}
    begun = time.monotonic()
    answer = narrow.post("/v1/jobs", json=job, headers={"Prefer": "wait=5"})
    assert answer.status_code == 202
    assert time.monotonic() - begun > 4


def begun_answer(connection: socket.socket, n_points: int) -> tuple[int, int]:
    """Request a surface, and return the length of the response body and how much of it has arrived."""
    connection.sendall(f"GET /v1/functions/sphere/surface?points={n_points} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    received = connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(line[16:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: "))
    return int(length), len(body)


def test_a_client_that_stops_reading_is_disconnected(narrow: httpx.Client) -> None:
    with connected(narrow, SO_RCVBUF=4096) as connection:
        length, n_received = begun_answer(connection, 900)
        time.sleep(8)  # longer than `stall_seconds`: the silence is under test
        assert n_received + len(all_of(connection)) < length / 2


def test_a_slow_reader_gets_everything(narrow: httpx.Client) -> None:
    with connected(narrow, SO_RCVBUF=65_536) as connection:
        length, n_received = begun_answer(connection, 500)
        begun = time.monotonic()
        while n_received < length and (part := connection.recv(length // 60)):
            n_received += len(part)
            time.sleep(0.1)  # the slowness is under test
        assert n_received == length
        assert time.monotonic() - begun > 5


def test_the_longest_idle_connection_is_closed_first(narrow: httpx.Client) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(connected(narrow)) for _ in range(30)]
        with connected(narrow) as connection:
            connection.sendall(HEALTH)
            assert status_of(connection.recv(65_536)) == 200
        assert all_of(silent[0]) == b""


def test_beyond_the_limit_only_health_is_answered(narrow: httpx.Client) -> None:
    job = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 10}
    job_id = narrow.post("/v1/jobs", json=job).json()["id"]
    streams = f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(10):
            connection = stack.enter_context(connected(narrow))
            connection.sendall(streams)
            assert status_of(connection.recv(65_536)) == 200
        with connected(narrow) as connection:
            connection.sendall(HEALTH)
            assert status_of(connection.recv(65_536)) == 200
        with connected(narrow) as connection:
            connection.sendall(b"GET /v1/functions HTTP/1.1\r\nHost: x\r\n\r\n")
            assert refused(all_of(connection))["status"] == 503
    narrow.delete(f"/v1/jobs/{job_id}")


def test_pipelining_is_limited(narrow: httpx.Client) -> None:
    with connected(narrow) as connection:
        connection.sendall(HEALTH * 20)
        received = b""
        while received.count(b"HTTP/1.1 200 ") < 20:
            received += connection.recv(65_536)
    with connected(narrow) as connection:
        connection.sendall(HEALTH * 1000)
        assert all_of(connection).count(b"HTTP/1.1 200 ") < 1000


def test_limits_can_be_set(tmp_path: Path) -> None:
    with served(Settings(data_dir=tmp_path, max_header_bytes=1000), NoWorkers()) as client:
        answer = client.get("/healthz", headers={"X-Long": "a" * 1000})
    assert answer.status_code == 431
