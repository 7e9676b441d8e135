"""Rules for every route: HEAD wherever there is GET, and no unknown query parameters."""

from typing import Any

import httpx
import pytest

from tests.api.test_bad_input import GOOD, assert_problem
from tests.api.test_jobs import ended, posted, valid
from thalweg.main import create_app
from thalweg.settings import Settings

BODIES: dict[str, dict[str, Any]] = {
    "/v1/jobs": GOOD,
    "/v1/jobs/{job_id}/extend": {"steps": 5},
    "/v1/surface": {"function": "himmelblau", "points": 3},
    "/v1/evaluate": {"function": "himmelblau", "points": [[0, 0]]},
    "/v1/critical-points": {"function": "himmelblau"},
    "/v1/mlp/backprop": {"layers": [2, 1], "input": [1, 0], "target": [1]},
}


def routes() -> list[tuple[str, str]]:
    paths = create_app(Settings()).openapi()["paths"]
    return [(method.upper(), path) for path, ways in paths.items() for method in ways]


def at(path: str, job_id: str) -> str:
    return path.format(job_id=job_id, name="himmelblau", form="png")


@pytest.mark.parametrize(("method", "path"), [route for route in routes() if route[1].startswith("/v1")])
def test_an_unknown_query_parameter_is_rejected(idle: httpx.Client, method: str, path: str) -> None:
    job = posted(idle)
    query = {"nonsense": "1"}
    answer = idle.request(method, at(path, job["id"]), params=query, json=BODIES.get(path))
    problem = assert_problem(answer, 422)
    assert problem["errors"][0]["pointer"] == "#/query/nonsense"
    assert "unknown query parameter 'nonsense'" in problem["detail"]
    assert valid(idle.get("/v1/jobs"))["items"][0]["status"] == "queued"


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/jobs?stat=running", "did you mean status?"),
        ("/v1/jobs?status=running&Limit=5", "did you mean limit?"),
        ("/v1/functions/sphere?dims=3", "did you mean dim?"),
        ("/v1/jobs?zzz=1", "This path takes status, function, optimizer, tag, limit, cursor"),
        ("/v1/optimizers?limit=1", "this path takes none"),
    ],
)
def test_the_likely_query_parameter_is_suggested(idle: httpx.Client, path: str, meant: str) -> None:
    assert meant in assert_problem(idle.get(path), 422)["detail"]


@pytest.mark.parametrize("path", [path for method, path in routes() if method == "GET"])
def test_head_is_get_without_the_body(running: httpx.Client, path: str) -> None:
    network = {"mlp": {"layers": [2, 2, 1], "dataset": "xor"}}
    job_id = ended(running, function=network, init={"random": 1})["id"]
    assert_head(running, at(path, job_id))


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/nowhere", "/v1/jobs/none", "/v1/surface"])
def test_head_is_get_outside_of_the_api(idle: httpx.Client, path: str) -> None:
    assert_head(idle, path)


def assert_head(client: httpx.Client, path: str) -> None:
    ours = {"X-Request-ID": "the-same"}
    head = client.head(path, headers=ours)
    with client.stream("GET", path, headers=ours) as get:
        expected = dict(get.headers)
    assert head.content == b""
    assert head.status_code == get.status_code
    own = {"date", "transfer-encoding"}  # chunking is meaningless without a body
    assert {k: v for k, v in head.headers.items() if k not in own} == {
        k: v for k, v in expected.items() if k not in own
    }
    assert client.get("/healthz").status_code == 200  # on the same connection


def test_head_of_a_stream_does_not_wait_for_its_end(idle: httpx.Client) -> None:
    job = posted(idle)
    assert idle.head(job["links"]["events"]).headers["content-type"].startswith("text/event-stream")
    assert valid(idle.get(job["links"]["self"]))["status"] == "queued"
