"""The service itself: request ids, readiness, documents, settings, refusal to start."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import httpx
import pytest

from tests.api.test_bad_input import assert_problem
from tests.api.test_jobs import ended, valid
from tests.serving import NoWorkers, served
from thalweg.errors import SettingsError
from thalweg.main import create_app
from thalweg.settings import Settings, load

COMMITTED = Path(__file__).parents[2] / "openapi.json"


def operations() -> list[tuple[str, dict[str, Any]]]:
    paths = create_app(Settings()).openapi()["paths"]
    return [(f"{method.upper()} {path}", item) for path, ways in paths.items() for method, item in ways.items()]


@pytest.mark.parametrize("sent", ["mine", "a-b_c.d:e/f+g=@", "x" * 128])
def test_a_request_keeps_its_id(idle: httpx.Client, sent: str) -> None:
    for path in ("/healthz", "/v1/jobs", "/v1/jobs/nothing", "/nowhere"):
        assert idle.get(path, headers={"X-Request-ID": sent}).headers.get_list("x-request-id") == [sent]


@pytest.mark.parametrize("sent", [None, "", "x" * 129, "two words", "ü"])
def test_a_request_without_a_valid_id_gets_one(idle: httpx.Client, sent: str | None) -> None:
    headers = {} if sent is None else {b"X-Request-ID": sent.encode()}
    ids = [idle.get("/healthz", headers=headers).headers["x-request-id"] for _ in range(2)]
    assert UUID(ids[0]) != UUID(ids[1])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthz"),
        ("GET", "/v1/functions"),
        ("GET", "/v1/functions/himmelblau/surface"),
        ("POST", "/v1/jobs"),
        ("PATCH", "/v1/jobs"),
        ("GET", "/nowhere"),
        ("GET", "/openapi.json"),
        ("GET", "/docs"),
    ],
)
def test_every_answer_has_an_id(idle: httpx.Client, method: str, path: str) -> None:
    assert idle.request(method, path).headers["x-request-id"]


def test_alive(idle: httpx.Client) -> None:
    assert valid(idle.get("/healthz")) == {"status": "ok"}


def test_ready_with_workers(running: httpx.Client) -> None:
    ended(running)
    answer = running.get("/readyz")
    assert answer.status_code == 200
    assert valid(answer)["status"] == "ready"
    assert 1 <= valid(answer)["workers"] <= 2


def test_not_ready_without_workers(idle: httpx.Client) -> None:
    answer = idle.get("/readyz")
    assert "worker" in assert_problem(answer, 503)["detail"]
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(("name", "operation"), operations(), ids=lambda value: str(value)[:60])
def test_every_operation_is_documented(name: str, operation: dict[str, Any]) -> None:
    assert operation.get("summary"), name
    assert operation.get("description"), name
    for parameter in operation.get("parameters", []):
        assert parameter.get("schema"), name
    content = operation["responses"]["4XX"]["content"]
    assert set(content) == {"application/problem+json"}, name
    assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert "422" not in operation["responses"], name
    assert "HTTPValidationError" not in json.dumps(operation)


def test_every_endpoint_of_the_contract_is_there() -> None:
    found = {name for name, _ in operations()}
    assert found >= {
        "POST /v1/jobs",
        "GET /v1/jobs",
        "GET /v1/jobs/{job_id}",
        "DELETE /v1/jobs/{job_id}",
        "GET /v1/jobs/{job_id}/runs",
        "POST /v1/jobs/{job_id}/cancel",
        "POST /v1/jobs/{job_id}/extend",
        "GET /v1/jobs/{job_id}/trajectory",
        "GET /v1/jobs/{job_id}/events",
        "GET /v1/functions",
        "GET /v1/functions/{name}",
        "GET /v1/functions/{name}/surface",
        "POST /v1/surface",
        "POST /v1/evaluate",
        "GET /v1/optimizers",
        "GET /v1/schedulers",
        "GET /v1/mlp",
        "GET /healthz",
        "GET /readyz",
    }


def test_the_served_openapi_document_is_the_committed_one(idle: httpx.Client) -> None:
    served_now = valid(idle.get("/openapi.json"))
    assert served_now == create_app(Settings()).openapi()
    assert idle.get("/docs").status_code == 200
    if COMMITTED.exists():
        assert served_now == json.loads(COMMITTED.read_text()), "run 'make openapi' and commit openapi.json"


def test_references_in_the_openapi_document_resolve() -> None:
    document = create_app(Settings()).openapi()

    def references(node: Any) -> list[str]:
        if isinstance(node, list):
            return [found for item in node for found in references(item)]
        if not isinstance(node, dict):
            return []
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for item in node.values() for found in references(item)]

    for reference in set(references(document)):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1", "[::1]"])
def test_loopback_needs_no_keys(host: str) -> None:
    assert Settings(host=host).check_exposure().host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])  # noqa: S104 the point
def test_beyond_loopback_keys_or_no_auth_are_required(host: str) -> None:
    with pytest.raises(SettingsError, match="THALWEG_API_KEYS"):
        Settings(host=host).check_exposure()
    with pytest.raises(SettingsError):
        Settings(host=host, api_keys=" , ").check_exposure()
    Settings(host=host, api_keys="key").check_exposure()
    Settings(host=host, no_auth=True).check_exposure()


def test_options_override_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THALWEG_PORT", "1234")
    monkeypatch.setenv("THALWEG_MAX_STEPS", "77")
    monkeypatch.setenv("THALWEG_API_KEYS", " a, b ,")
    assert (load().port, load(port=99).port, load(port=None).port) == (1234, 99, 1234)
    assert load().max_steps == 77
    assert [key.get_secret_value() for key in load().api_keys] == ["a", "b"]
    assert "'a'" not in repr(load())
    monkeypatch.setenv("THALWEG_MAX_STEPS", "many")
    with pytest.raises(SettingsError, match="THALWEG_MAX_STEPS"):
        load()


def test_a_second_service_on_the_same_data_refuses_to_start(tmp_path: Path) -> None:
    configured = Settings(data_dir=tmp_path / "data")

    async def start() -> None:
        app = create_app(configured)
        async with app.router.lifespan_context(app):
            pass

    with served(configured, NoWorkers()) as client:
        with pytest.raises(SettingsError, match="another service"):
            anyio.run(start)
        assert client.get("/healthz").status_code == 200
    anyio.run(start)


def test_jobs_outlive_the_service(tmp_path: Path) -> None:
    configured = Settings(data_dir=tmp_path)
    body = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 10}
    with served(configured, NoWorkers()) as client:
        found = valid(client.post("/v1/jobs", json=body))
    with served(configured, NoWorkers()) as client:
        assert valid(client.get(found["links"]["self"])) == found
