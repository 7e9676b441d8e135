"""Databases of earlier schemas are migrated, read and continued by this version.

`NNNN.sql` is a database as the service of that schema left it, `NNNN.json` what that service said of its jobs;
`tests.releases.write` wrote both.
"""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_bad_input import assert_problem
from tests.releases.write import HERE, answers
from tests.serving import NoWorkers, served
from thalweg.db.attempts import AttemptStore
from thalweg.db.migrations import migrate
from thalweg.db.session import Database
from thalweg.settings import Settings
from thalweg.workers.run_job import run_job

SCHEMAS = sorted(path.stem for path in HERE.glob("*.sql"))
UNKNOWN_REASON = "the job was posted to a version of the service that did not keep the reason"


@pytest.fixture(params=SCHEMAS)
def schema(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(schema: str, tmp_path: Path) -> Settings:
    """A data directory with the database of a schema, not yet migrated."""
    settings = Settings(data_dir=tmp_path)
    with sqlite3.connect(Database(settings.url).path) as connection:
        connection.executescript(HERE.joinpath(f"{schema}.sql").read_text())
    return settings


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    with served(settings, NoWorkers()) as client:
        yield client


def said_then(schema: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(HERE.joinpath(f"{schema}.json").read_text())
    return said


def assert_still_said(then: Any, now: Any, place: str = "") -> None:
    """Check that an answer is what it was; fields may have been added."""
    if isinstance(then, dict):
        for name, value in then.items():
            assert_still_said(value, now[name], f"{place}/{name}")
    elif isinstance(then, list):
        assert len(now) == len(then), place
        for i, (one, other) in enumerate(zip(then, now, strict=True)):
            assert_still_said(one, other, f"{place}/{i}")
    elif place.endswith("/distance"):  # computed anew, and its last digit is the processor's
        assert now == pytest.approx(then), place
    else:
        assert now == then, place


def test_every_answer_about_a_job_is_unchanged(schema: str, client: httpx.Client) -> None:
    then = said_then(schema)
    now = answers(client, {name: said["job"]["id"] for name, said in then.items()})
    for name, said in then.items():
        for place in ("listed", "job"):
            if schema < "0004" and said[place]["engine_reason"] is not None:
                said[place]["engine_reason"] = UNKNOWN_REASON
        assert_still_said(said, now[name], name)


ENDS = {  # of what the columns of these jobs prove, the last event
    "succeeded": "succeeded",
    "single_precision": "succeeded",
    "diverged": "succeeded",
    "network": "succeeded",
    "formula": "succeeded",
    "cancelled": "cancelled",
    "failed": "failed",
    "timed_out": "succeeded",
}


def test_a_migrated_history_has_what_the_columns_prove(schema: str, client: httpx.Client) -> None:
    for name, said in said_then(schema).items():
        job = said["job"]
        events = client.get(f"/v1/jobs/{job['id']}/history").json()["items"]
        wanted = [("created", job["created_at"], 0, 0, None)]
        if job["started_at"] is not None:
            wanted.append(("started", job["started_at"], 1, 0, None))
        if job["finished_at"] is not None:
            wanted.append((ENDS[name], job["finished_at"], 1, job["progress"]["step"], job["error"]))
        assert [
            tuple(each[key] for key in ("kind", "at", "attempt", "step", "reason")) for each in events
        ] == wanted
        assert {each["steps"] for each in events} == {job["progress"]["steps"]}
        assert [each["seq"] for each in events] == sorted({each["seq"] for each in events})


def test_a_migrated_history_says_that_a_job_was_extended(schema: str, settings: Settings) -> None:
    """Its earlier number of steps is not known; that it was extended, and when, is."""
    job = said_then(schema)["succeeded"]["job"]
    with sqlite3.connect(Database(settings.url).path) as connection:
        connection.execute(
            "UPDATE jobs SET status = 'queued', finished_at = NULL, generation = 2, queued_at = created_at + 60 "
            "WHERE id = ?",
            (job["id"],),
        )
    with served(settings, NoWorkers()) as client:
        events = client.get(f"/v1/jobs/{job['id']}/history").json()["items"]
        assert [(each["kind"], each["steps"]) for each in events] == [
            ("created", None),
            ("started", None),
            ("extended", 12),
        ]
        assert client.post(f"/v1/jobs/{job['id']}/cancel").json()["status"] == "cancelled"
        (last,) = client.get(f"/v1/jobs/{job['id']}/history").json()["items"][3:]
        assert (last["kind"], last["attempt"], last["step"], last["steps"]) == ("cancelled", 1, 12, 12)


def test_filters_find_migrated_jobs(schema: str, client: httpx.Client) -> None:
    job = said_then(schema)["queued_network"]["job"]
    for query in ({"function": "mlp", "status": "queued"}, {"optimizer": "adam", "function": "mlp"}):
        assert [item["id"] for item in client.get("/v1/jobs", params=query).json()["items"]] == [job["id"]]
    tagged = client.get("/v1/jobs", params={"tag": "b"}).json()["items"]
    assert {item["id"] for item in tagged} == {
        said_then(schema)[name]["job"]["id"] for name in ("succeeded", "formula")
    }


def test_a_job_goes_on_where_it_was(schema: str, settings: Settings) -> None:
    then = said_then(schema)
    database = Database(settings.url)
    migrate(database)
    store = AttemptStore(database)
    for job_id, generation in store.waiting(100):
        run_job(settings.url, str(settings.data_dir), job_id, generation)
    assert not store.waiting(100)
    database.dispose()
    with served(settings, NoWorkers()) as client:
        for name in ("running", "queued", "queued_network"):
            job = client.get(f"/v1/jobs/{then[name]['job']['id']}").json()
            steps = then[name]["job"]["progress"]["steps"]
            assert (job["status"], job["error"], job["progress"]["step"]) == ("succeeded", None, steps)
        for name, steps in (("succeeded", 15), ("network", 11), ("cancelled", 10)):
            extended = client.post(f"/v1/jobs/{then[name]['job']['id']}/extend", json={"steps": 3})
            assert extended.json()["progress"]["steps"] == steps
            assert extended.json()["spec"]["steps"] == steps
        failed = client.post(f"/v1/jobs/{then['failed']['job']['id']}/extend", json={"steps": 3})
        assert_problem(failed, 409)
