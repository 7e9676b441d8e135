"""The OpenAPI document: valid, enough to generate a client from, with examples that work."""

import importlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.test_jobs import ended, posted, valid
from tests.contract import check_answer, document

LESSON = {
    "function": "himmelblau",
    "optimizer": "adam",
    "lr": 0.001,
    "init": [[0, 0], [4, 0], [-4, 0]],
    "steps": 20000,
}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, ways in document()["paths"].items():
        for method, operation in ways.items():
            yield method.upper(), path, operation


def test_the_document_is_valid() -> None:
    assert document()["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document()).validate()
    assert "itemSchema" not in json.dumps(document())


def test_names_are_distinct() -> None:
    titles = Counter(schema["title"] for schema in document()["components"]["schemas"].values())
    assert [title for title, n in titles.items() if n > 1] == []
    ids = Counter(operation["operationId"] for _, _, operation in operations())
    assert [name for name, n in ids.items() if n > 1] == []
    assert {"post_job", "get_job", "get_trajectory"} <= ids.keys()


def test_headers_are_plain_strings() -> None:
    found = {
        (parameter["name"], json.dumps(parameter["schema"].get("type")))
        for _, _, operation in operations()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    assert {("Prefer", '"string"'), ("Idempotency-Key", '"string"')} <= found
    assert {kind for _, kind in found} == {'"string"'}


def test_every_answer_has_a_schema_in_each_of_its_media_types() -> None:
    for method, path, operation in operations():
        for status, response in operation["responses"].items():
            if status in {"204", "304"}:
                assert "content" not in response
                continue
            for media_type, media in response["content"].items():
                assert media.get("schema"), f"{method} {path} {status} {media_type}"
    (trajectory,) = (operation for _, path, operation in operations() if path.endswith("/trajectory"))
    content = trajectory["responses"]["200"]["content"]
    assert set(content) == {"application/json", "text/csv", "application/x-ndjson"}
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/TrajectoryColumns"}


@pytest.mark.parametrize(
    ("path", "operation"), [(path, each) for method, path, each in operations() if "requestBody" in each]
)
def test_the_example_of_a_body_works(running: httpx.Client, path: str, operation: dict[str, Any]) -> None:
    example = operation["requestBody"]["content"]["application/json"]["example"]
    if path == "/v1/jobs":
        assert example == LESSON
    job_id = ended(running)["id"] if "{job_id}" in path else ""
    answer = running.post(path.format(job_id=job_id), json=example)
    assert answer.is_success, answer.text


def test_an_undocumented_response_is_noticed(idle: httpx.Client) -> None:
    answer = idle.get(posted(idle)["links"]["self"])
    for change in ({"attempt": "none"}, {"status": "odd"}, {"runs": [{"run": 0}]}, {"progress": None}):
        wrong = httpx.Response(200, json={**valid(answer), **change}, request=answer.request)
        with pytest.raises(AssertionError, match=next(iter(change))):
            check_answer(wrong)
    with pytest.raises(AssertionError, match="not documented"):
        check_answer(httpx.Response(201, json={}, request=answer.request))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The importable name of a client generated from the document."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(document()))
    (folder / "config.json").write_text(json.dumps({"post_hooks": []}))
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning", "--meta", "none"]
    places = {"--path": "openapi.json", "--config": "config.json", "--output-path": "thalweg_generated"}
    arguments = [argument for place in places.items() for argument in place]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield "thalweg_generated"


def test_a_generated_client_has_every_operation(generated: str) -> None:
    folder = Path(importlib.import_module(generated).__path__[0]) / "api"
    assert {path.stem for path in folder.glob("*/*.py")} - {"__init__"} == {
        operation["operationId"] for _, _, operation in operations()
    }


def test_a_generated_client_runs_a_job(generated: str, running: httpx.Client) -> None:
    def of(module: str) -> Any:
        return importlib.import_module(f"{generated}.{module}")

    models = of("models")
    with of("client").Client(base_url=str(running.base_url)) as client:
        assert_runs_a_job(of, models, client, running)


def assert_runs_a_job(of: Any, models: Any, client: Any, running: httpx.Client) -> None:
    spec = models.JobSpec(
        function="himmelblau",
        optimizer=models.Adam(name="adam"),
        lr=0.01,
        init=[[0.0, 0.0], [4.0, 0.0]],
        steps=300,
    )
    job = of("api.jobs.post_job").sync(client=client, body=spec, prefer="wait=60", idempotency_key="generated")
    assert isinstance(job, models.Job), job
    assert (job.status, job.n_runs, job.runs[1].n_steps) == ("succeeded", 2, 300)
    again = of("api.jobs.get_job").sync(job.id, client=client)
    assert again == job
    assert job.to_dict()["runs"] == valid(running.get(f"/v1/jobs/{job.id}"))["runs"]
    trajectory = of("api.jobs.get_trajectory").sync(job.id, client=client, run=1, max_points=10)
    assert trajectory.x[0] == [4.0, 0.0]
    assert trajectory.downsampling.of_points == 301
    assert [each.id for each in of("api.jobs.list_jobs").sync(client=client, limit=1).items] == [job.id]
    refused = of("api.jobs.post_job").sync(client=client, body=models.JobSpec.from_dict({**LESSON, "lr": -1}))
    assert isinstance(refused, models.Problem)
    assert refused.errors[0].pointer == "#/lr"
