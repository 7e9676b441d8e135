"""The lesson: there is one job, however many ask for it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.test_jobs import waited_for
from tests.serving import NoWorkers, served
from thalweg.settings import Settings


def lesson(client: httpx.Client) -> dict[str, Any]:
    answer = client.put("/v1/lesson")
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}"
    return job


def ids(client: httpx.Client) -> list[str]:
    return [job["id"] for job in client.get("/v1/jobs?tag=lesson&limit=1000").json()["items"]]


def test_the_lesson_descends_to_three_minima(running: httpx.Client) -> None:
    job = waited_for(running, lesson(running)["id"])
    spec = job["spec"]
    assert (spec["function"]["name"], spec["optimizer"]["name"]) == ("himmelblau", "adam")
    assert (spec["lr"], spec["steps"], spec["init"]) == (0.001, 20_000, [[0, 0], [4, 0], [-4, 0]])
    # https://en.wikipedia.org/wiki/Himmelblau%27s_function
    minima = [(3, 2), (3.584428, -1.848126), (-3.779310, -3.283186), (-2.805118, 3.131312)]
    ends = [next(m for m in minima if run["x"] == pytest.approx(m, abs=1e-3)) for run in job["runs"]]
    assert len(set(ends)) == 3
    assert job["n_diverged"] == 0
    assert lesson(running)["id"] == job["id"]
    running.delete(f"/v1/jobs/{job['id']}")


def test_it_is_posted_once_and_listed_with_its_label(idle: httpx.Client) -> None:
    with ThreadPoolExecutor(12) as pool:
        found = {job["id"] for job in pool.map(lambda _: lesson(idle), range(24))}
    assert len(found) == 1
    assert ids(idle) == list(found)
    (item,) = idle.get("/v1/jobs").json()["items"]
    assert item["spec"]["label"].startswith("Lesson")


@pytest.mark.parametrize("taken_away", ["deleted", "cancelled"])
def test_a_deleted_or_cancelled_lesson_is_posted_again(idle: httpx.Client, taken_away: str) -> None:
    first = lesson(idle)["id"]
    if taken_away == "deleted":
        idle.delete(f"/v1/jobs/{first}")
    else:
        idle.post(f"/v1/jobs/{first}/cancel")
    second = lesson(idle)["id"]
    assert second != first
    assert lesson(idle)["id"] == second


def test_an_extended_lesson_is_not_the_lesson(running: httpx.Client) -> None:
    first = waited_for(running, lesson(running)["id"])["id"]
    running.post(f"/v1/jobs/{first}/extend", json={"steps": 5})
    second = lesson(running)
    assert second["id"] != first
    assert second["spec"]["steps"] == 20_000
    for job in ids(running):
        running.delete(f"/v1/jobs/{job}")


def test_a_client_job_with_its_tag_is_not_the_lesson(idle: httpx.Client) -> None:
    spec = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 5, "tags": ["lesson"]}
    for _ in range(3):
        idle.post("/v1/jobs", json=spec)
    job = lesson(idle)
    assert job["spec"]["steps"] == 20_000
    assert lesson(idle)["id"] == job["id"]
    assert len(ids(idle)) == 4


def test_it_needs_a_key_where_there_are_keys(tmp_path: Path) -> None:
    with served(Settings(data_dir=tmp_path, api_keys="open-sesame"), NoWorkers()) as client:
        assert client.put("/v1/lesson").status_code == 401
        key = {"Authorization": "Bearer open-sesame"}
        assert client.get("/v1/jobs", headers=key).json()["items"] == []
        assert client.put("/v1/lesson", headers=key).status_code == 200


def test_a_lesson_over_a_limit_is_refused(tmp_path: Path) -> None:
    with served(Settings(data_dir=tmp_path, max_steps=1000), NoWorkers()) as client:
        answer = client.put("/v1/lesson")
        assert answer.status_code == 422
        assert client.get("/v1/jobs").json()["items"] == []
