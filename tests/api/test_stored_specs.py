"""Jobs whose specification this version cannot interpret are shown, and only running or extending them fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from tests.api.test_bad_input import GOOD, assert_problem
from tests.api.test_jobs import valid
from tests.serving import NoWorkers, served
from tests.store.stores import Stores
from thalweg.db.session import Database
from thalweg.settings import Settings
from thalweg.spec.job import SPEC_VERSION, JobSpec
from thalweg.workers.run_job import run_jobs

FORMS = ("application/json", "text/csv", "application/x-ndjson")
NETWORK = {"mlp": {"layers": [2, 2, 1], "dataset": "xor"}}


class Aged:
    """A service whose stored specifications can be altered as if another version had stored them."""

    def __init__(self, settings: Settings, client: httpx.Client) -> None:
        self.settings = settings
        self.client = client
        self.database = Database(settings.url)
        self.stores = Stores(self.database)

    def finished(self, **fields: Any) -> str:
        return self.stores.finished(JobSpec.model_validate({**GOOD, **fields}))

    def rewrite(self, job_id: str, change: dict[str, Any] | None = None, version: int = SPEC_VERSION) -> None:
        with self.database.write() as connection:
            read = text("SELECT spec FROM jobs WHERE id = :id")
            document = json.loads(connection.execute(read, {"id": job_id}).scalar_one())
            document.update(change or {})
            write = text("UPDATE jobs SET spec = :spec, spec_version = :version WHERE id = :id")
            connection.execute(write, {"spec": json.dumps(document), "version": version, "id": job_id})

    def get(self, job_id: str, at: str = "", accept: str = "application/json") -> httpx.Response:
        return self.client.get(f"/v1/jobs/{job_id}{at}", headers={"Accept": accept})


@pytest.fixture
def aged(tmp_path: Path) -> Iterator[Aged]:
    settings = Settings(data_dir=tmp_path)
    with served(settings, NoWorkers()) as client:
        aged = Aged(settings, client)
        yield aged
        aged.database.dispose()


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"function": {"name": "himmelblau_of_old", "dim": 2}}, "himmelblau_of_old"),
    ({"function": ["another", "form"]}, "function"),
    ({"momentum_of_old": 0.5}, "momentum_of_old"),
    ({"optimizer": {"name": "adam_of_old", "beta": 3}}, "adam_of_old"),
    ({"optimizer": None, "init": None, "dtype": "float16", "engine": 5}, "optimizer"),
    ({"lr": -1}, "lr"),
]


@pytest.mark.parametrize(("change", "reason"), CHANGES, ids=[reason for _, reason in CHANGES])
def test_an_unknown_specification_is_shown_unchanged(aged: Aged, change: dict[str, Any], reason: str) -> None:
    job_id = aged.finished(init=[[0, 0], [1, 2]], label="kept", tags=["a"])
    other = aged.finished()
    before = valid(aged.get(job_id))
    trajectories = [aged.get(job_id, "/trajectory?run=1", form).text for form in FORMS]
    aged.rewrite(job_id, change)

    listed = {item["id"]: item for item in valid(aged.client.get("/v1/jobs"))["items"]}
    assert set(listed) == {job_id, other}
    assert listed[job_id]["spec"] == {**before["spec"], **change}
    for query in ("tag=a", "function=himmelblau", "optimizer=adam"):
        assert job_id in [item["id"] for item in valid(aged.client.get(f"/v1/jobs?{query}"))["items"]]

    now = valid(aged.get(job_id))
    assert now["spec"] == {**before["spec"], **change}
    assert now["progress"] == before["progress"]
    for then, run in zip(before["runs"], now["runs"], strict=True):
        same = {name for name in then if name not in {"minimum", "init"}}
        assert {name: run[name] for name in same} == {name: then[name] for name in same}
        assert run["init"] == (then["init"] if "init" not in change else [None, None])
    assert valid(aged.get(job_id, "/runs"))["items"] == now["runs"]
    assert [aged.get(job_id, "/trajectory?run=1", form).text for form in FORMS] == trajectories

    for refused in (
        aged.client.post(f"/v1/jobs/{job_id}/extend", json={"steps": 5}),
        aged.get(job_id, "/landscape"),
    ):
        detail = assert_problem(refused, 409)["detail"]
        assert "does not understand" in detail
        assert reason in detail
    assert valid(aged.get(job_id)) == now


@pytest.mark.parametrize(
    "fields",
    [{"init": [[0, 0], [1, 2]]}, {"function": "sphere", "init": [1, 2, 3]}, {"function": "sphere", "init": [1]}],
)
@pytest.mark.parametrize("form", ["png", "svg", "html"])
def test_paths_of_an_unknown_function_are_drawn(aged: Aged, fields: dict[str, Any], form: str) -> None:
    job_id = aged.finished(**fields)
    aged.rewrite(job_id, {"function": {"name": "of_old", "dim": 2}})
    answer = aged.get(job_id, f"/plot.{form}", "*/*")
    assert answer.status_code == 200, answer.text
    if form != "png":
        assert "this version does not know the function" in answer.text


def test_losses_of_an_unknown_network_are_readable(aged: Aged) -> None:
    job_id = aged.finished(function=NETWORK, init={"random": 2}, record_every=4, steps=10)
    before = valid(aged.get(job_id))
    loss = valid(aged.get(job_id, "/loss"))
    trajectory = valid(aged.get(job_id, "/trajectory"))
    aged.rewrite(job_id, {"function": {"mlp": {"layers": [2, 2, 1], "dataset": "xor_of_old"}}})
    assert valid(aged.get(job_id, "/loss")) == loss
    assert len(loss["step"]) == 11
    del trajectory["accuracy"]  # the data set is unknown
    assert valid(aged.get(job_id, "/trajectory")) == trajectory
    runs = valid(aged.get(job_id))["runs"]
    assert [run["x"] for run in runs] == [run["x"] for run in before["runs"]]
    assert [run["init"] for run in runs] == [[None] * 9] * 2
    for at in ("/backprop", "/samples"):
        assert "xor_of_old" in assert_problem(aged.get(job_id, at), 409)["detail"]


def test_a_specification_of_a_later_version_is_shown_and_not_run(aged: Aged) -> None:
    job_id = aged.finished()
    before = valid(aged.get(job_id))
    aged.rewrite(job_id, version=SPEC_VERSION + 1)
    now = valid(aged.get(job_id))
    assert now["spec"] == before["spec"]
    assert now["runs"][0]["x"] == before["runs"][0]["x"]
    detail = assert_problem(aged.client.post(f"/v1/jobs/{job_id}/extend", json={"steps": 5}), 409)["detail"]
    assert f"of version {SPEC_VERSION + 1}" in detail


def test_an_unknown_queued_job_fails_alone(aged: Aged) -> None:
    ids = [valid(aged.client.post("/v1/jobs", json={**GOOD, "label": label}))["id"] for label in "abc"]
    aged.rewrite(ids[1], {"optimizer": {"name": "adam_of_old"}})
    assert valid(aged.get(ids[1]))["status"] == "queued"
    run_jobs(aged.settings.url, str(aged.settings.data_dir), [(job_id, 1) for job_id in ids])
    jobs = [valid(aged.get(job_id)) for job_id in ids]
    assert [job["status"] for job in jobs] == ["succeeded", "failed", "succeeded"]
    assert 'there is no optimizer "adam_of_old"' in jobs[1]["error"]
    assert jobs[1]["error"].startswith("this version of the service does not understand the job's specification")


def test_a_negative_zero_is_stored_as_zero(aged: Aged) -> None:
    body = {**GOOD, "init": [[-0.0, 1], [0, -0.0]], "stop": {"f": -0.0}, "label": "-0.0"}
    spec = valid(aged.client.post("/v1/jobs", json=body))["spec"]
    assert json.dumps(spec["init"]) == "[[0.0, 1.0], [0.0, 0.0]]"
    assert json.dumps(spec["stop"]["f"]) == "0.0"
    assert spec["label"] == "-0.0"
