"""Bodies designed to cost the service more than they cost their sender."""

import codecs
import gzip
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from tests.api.test_bad_input import GOOD, assert_problem
from tests.serving import NoWorkers, served
from thalweg.api import bodies, functions, jobs, networks
from thalweg.api.routing import SENT
from thalweg.settings import Settings

KEY = "a-key"
JSON = {"Content-Type": "application/json"}
MOST_BYTES_OF_AN_ERROR = 100_000


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The application with a key and default limits."""
    settings = Settings.model_validate(
        {"data_dir": tmp_path_factory.mktemp("keyed"), "api_keys": KEY, "body_seconds": 5}
    )
    with served(settings, NoWorkers()) as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        yield client


def repeated(item: str, n: int) -> str:
    return f"[{','.join([item] * n)}]"


N = 150_000
NESTED = "[" * 90 + "]" * 90
WORST: list[tuple[str, str, str]] = [
    ("/v1/jobs", "init", repeated("[]", N)),
    ("/v1/jobs", "init", repeated("[null,null]", N)),
    ("/v1/jobs", "init", f"[{repeated('null', 3 * N)}]"),
    ("/v1/jobs", "init", repeated("null", 3 * N)),
    ("/v1/jobs", "init", repeated(NESTED, 2500)),
    ("/v1/jobs", "init", f"{repeated('[0,0]', N)[:-1]},[0]]"),
    ("/v1/jobs", "init", json.dumps({"grid": {"low": [None] * N, "high": [None] * N, "shape": [None] * N}})),
    ("/v1/jobs", "tags", repeated("null", 3 * N)),
    ("/v1/jobs", "tags", repeated(f'"{"é" * 40_000}"', 100)),
    ("/v1/jobs", "label", f'"{"a" * 8_000_000}"'),
    ("/v1/jobs", "function", f'"{"a" * 8_000_000}"'),
    ("/v1/jobs", "optimizer", json.dumps({"name": "adam", **{f"{'b' * 500}{i}": 0 for i in range(9000)}})),
    ("/v1/jobs", "optimizer", json.dumps({"name": "a" * 8_000_000})),
    ("/v1/jobs", "scheduler", json.dumps({"name": "chained_scheduler", "schedulers": ["x" * 50] * 90_000})),
    ("/v1/jobs", "function", json.dumps({"expression": "(" * 4_000_000, "variables": ["x"]})),
    ("/v1/jobs", "function", json.dumps({"expression": "x", "variables": [None] * N, "domain": [[]] * N})),
    ("/v1/jobs", "function", f'{{"expression": "x", "variables": ["x"], "constants": {{"{"c" * 8_000_000}": 1}}}}'),
    (
        "/v1/jobs",
        "function",
        json.dumps({"mlp": {"layers": [None] * N, "dataset": {"x": [[]] * N, "y": [None] * N}}}),
    ),
    ("/v1/jobs", "steps", "9" * 4000),
    ("/v1/jobs", "a" * 8_000_000, "0"),
    ("/v1/evaluate", "points", repeated("[[]]", 2 * N)),
    ("/v1/evaluate", "points", repeated("[true,true]", N)),
    ("/v1/surface", "fixed", repeated("null", 3 * N)),
    ("/v1/surface", "fixed", json.dumps({str(i): None for i in range(9900)})),
    ("/v1/critical-points", "low", repeated("{}", N)),
    ("/v1/mlp/backprop", "weights", repeated("[[null]]", 2 * N)),
    ("/v1/mlp/backprop", "input", repeated("null", 3 * N)),
]


@pytest.mark.parametrize(("path", "field", "value"), WORST, ids=lambda value: value[:20])
def test_a_body_full_of_errors_gets_a_short_response(
    keyed: httpx.Client, path: str, field: str, value: str
) -> None:
    body = json.dumps({key: GOOD[key] for key in GOOD if key != field})[:-1] + f', "{field}": {value}}}'
    begun = time.perf_counter()
    answer = keyed.post(path, content=body, headers=JSON)
    assert time.perf_counter() - begun < 20  # takes a second on an idle machine
    problem = assert_problem(answer, 422)
    assert 1 <= len(problem["errors"]) <= 100
    assert len(answer.content) < MOST_BYTES_OF_AN_ERROR


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (repeated("[]", 2_500_000), "max_body_values"),
        (json.dumps({str(i): 0 for i in range(10_001)}), "max_body_members"),
    ],
    ids=["lists", "members"],
)
def test_too_many_values_are_rejected_before_parsing(keyed: httpx.Client, body: str, limit: str) -> None:
    problem = assert_problem(keyed.post("/v1/jobs", content=body, headers=JSON), 422)
    assert problem["type"].endswith("limit-exceeded")
    assert limit in problem["detail"]


def test_errors_beyond_a_hundred_are_counted_only(keyed: httpx.Client) -> None:
    problem = assert_problem(keyed.post("/v1/jobs", json={**GOOD, **{f"field{i}": 0 for i in range(250)}}), 422)
    assert len(problem["errors"]) == 100
    assert problem["detail"].endswith("; and at least 245 more")
    problem = assert_problem(keyed.post("/v1/jobs", json={**GOOD, **{f"field{i}": 0 for i in range(7)}}), 422)
    assert problem["detail"].endswith("; and 2 more")


def test_the_key_is_checked_before_the_body_is_read(keyed: httpx.Client) -> None:
    head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
    with socket.create_connection((keyed.base_url.host, keyed.base_url.port or 0), timeout=30) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_body_that_does_not_arrive_times_out(keyed: httpx.Client) -> None:
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((keyed.base_url.host, keyed.base_url.port or 0), timeout=30) as connection:
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))  # the service closes the connection
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == 408


def test_total_size_of_bodies_is_bounded(keyed: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_MOST_BYTES", 0)
    answer = keyed.post("/v1/jobs", json=GOOD)
    assert_problem(answer, 503)
    assert answer.headers["Retry-After"]


def test_every_body_is_validated_off_the_event_loop_and_once() -> None:
    routes = [route for module in (jobs, functions, networks) for route in module.router.routes]
    fields = [route.body_field for route in routes if isinstance(route, APIRoute) and route.body_field]
    assert len(fields) == 6
    assert all(SENT in field.field_info.metadata for field in fields)


def test_a_large_valid_body_is_accepted(keyed: httpx.Client) -> None:
    starts: Any = [[i / 8, -i / 8] for i in range(90_000)]
    answer = keyed.post("/v1/jobs", json={**GOOD, "init": starts})
    assert answer.status_code == 202, answer.text[:1000]
    assert answer.json()["spec"]["init"] == starts


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            gzip.compress(json.dumps(GOOD).encode()),
            "the body is compressed with gzip, which is not supported",
        ),
        ('{"label": "früh"}'.encode("latin-1"), "the body is not UTF-8: byte 13 (0xfc) is invalid"),
        (json.dumps(GOOD).encode("utf-16"), "the body begins with a byte order mark: send UTF-8 without one"),
        (codecs.BOM_UTF8 + json.dumps(GOOD).encode(), "the body begins with a byte order mark"),
        (b'{"steps": ' + b"1" * 5000 + b"}", "a number is too long, at line 1 column"),
        (b'{"lr": -' + b"1" * 5000 + b".5}", "it has more than 4300 digits"),
        (b'{"init": ' + b"[" * 300 + b"]" * 300 + b"}", "nested too deeply, at line 1 column"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "lists and objects may be nested 200 levels deep"),
        (b'{"steps": 5,}', "malformed JSON: trailing comma at line 1 column 13"),
        (b"steps=5", "malformed JSON: expected value at line 1 column 1"),
    ],
    ids=["gzip", "latin-1", "utf-16", "mark", "integer", "real", "lists", "objects", "comma", "form"],
)
def test_malformed_json_is_explained(idle: httpx.Client, body: bytes, sentence: str) -> None:
    for path in ("/v1/jobs", "/v1/evaluate"):
        problem = assert_problem(idle.post(path, content=body, headers=JSON), 400)
        assert sentence in problem["detail"]
        assert [error["pointer"] for error in problem["errors"]] == ["#"]


@pytest.mark.parametrize(("digits", "depth"), [(4300, 190)])
def test_values_just_within_the_limits_are_accepted(idle: httpx.Client, digits: int, depth: int) -> None:
    long = b'{"steps": ' + b"1" * digits + b"}"
    assert "#/steps" in assert_problem(idle.post("/v1/jobs", content=long, headers=JSON), 422)["detail"]
    deep = b'{"init": ' + b"[" * depth + b"]" * depth + b"}"
    assert "#/init" in assert_problem(idle.post("/v1/jobs", content=deep, headers=JSON), 422)["detail"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "deflate, gzip"])
def test_a_body_with_content_encoding_is_rejected(idle: httpx.Client, encoding: str) -> None:
    headers = {**JSON, "Content-Encoding": encoding}
    answer = idle.post("/v1/jobs", content=gzip.compress(json.dumps(GOOD).encode()), headers=headers)
    problem = assert_problem(answer, 415)
    assert f"Content-Encoding: {encoding.lower()}" in problem["detail"]
    assert answer.headers["accept-encoding"] == "identity"
    assert idle.post("/v1/jobs", json=GOOD, headers={"Content-Encoding": "identity"}).status_code == 202
