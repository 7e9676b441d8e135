"""Whatever one client sends or holds open, the service answers others, and has its memory back soon."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psutil
import pytest

from tests.workers.probing import Probe
from tests.workers.service import Service, until

AT_ONCE = 45
SILENT = 500
MEGABYTE = 2**20
JOB = '{"function": "himmelblau", "optimizer": "adam", "steps": 10, '


def repeated(item: str, n: int) -> str:
    return f"[{','.join([item] * n)}]"


WORST: dict[str, tuple[str, str]] = {
    "empty lists": ("/v1/jobs", f'{JOB}"init": {repeated("[]", 2_700_000)}}}'),
    "as many lists as may be": ("/v1/jobs", f'{JOB}"init": {repeated("[0,0]", 160_000)}}}'),
    "wrong types": ("/v1/jobs", f'{JOB}"init": {repeated("[null,null]", 160_000)}}}'),
    "one wrong point, the last": (
        "/v1/evaluate",
        f'{{"function": "himmelblau", "points": {repeated("[0,0]", 160_000)[:-1]},[0]]}}',
    ),
    "unknown fields": ("/v1/jobs", JOB + ", ".join(f'"{"k" * 800}{i}": 0' for i in range(9900)) + "}"),
    "a long text": ("/v1/jobs", f'{JOB}"init": [0, 0], "label": "{"a" * 8_000_000}"}}'),
    "a large dimension": (
        "/v1/jobs",
        '{"function": {"name": "sphere", "dim": 1000000}, "optimizer": "adam", "init": {"random": 1}, "steps": 1}',
    ),
    "a long index": (
        "/v1/jobs",
        json.dumps(
            {
                "function": {
                    "expression": f"sum(x[{'+'.join(['i'] * 700)}-{699}*i] for i in range(n))",
                    "variables": ["x"],
                    "dim": 1000,
                },
                "optimizer": "adam",
                "init": [0] * 1000,
                "steps": 0,
            }
        ),
    ),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("abused"), workers=1) as service:
        service.ended(service.post())
        yield service


def posted(service: Service, path: str, body: bytes) -> int:
    """Return the status of what is answered to a body, and read no more of it."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with connected(service) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        answer = connection.recv(MEGABYTE)
        assert answer.startswith(b"HTTP/1.1 "), answer
        return int(answer[9:12])


def connected(service: Service) -> socket.socket:
    return socket.create_connection(("127.0.0.1", service.client.base_url.port or 0), timeout=120)


def send_without_end(service: Service, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            with connected(service) as connection:
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Endless: ")
                while not ended.is_set():
                    connection.sendall(b"a" * 65_536)
        except ConnectionError:
            continue


def test_worst_bodies_silence_and_headers_without_end(service: Service) -> None:
    process = psutil.Process(service.pid)
    before = process.memory_info().rss
    ended = threading.Event()
    with ExitStack() as held, ThreadPoolExecutor(AT_ONCE + 1) as pool:
        for _ in range(SILENT):
            held.enter_context(connected(service))
        endless = pool.submit(send_without_end, service, ended)
        try:
            for name, (path, text) in WORST.items():
                body = text.encode()
                with Probe(service.client.base_url.port or 0) as probe:
                    statuses = list(pool.map(lambda _, p=path, b=body: posted(service, p, b), range(AT_ONCE)))
                assert set(statuses) <= {413, 422, 503}, name
                # a second on a machine that does nothing else; here as much longer as all takes, and twice for luck
                assert probe.found.worst_seconds < 2 * probe.found.slowdown, (name, probe.found)
        finally:
            ended.set()
        endless.result()
    until(lambda: process.memory_info().rss < before + 100 * MEGABYTE)
