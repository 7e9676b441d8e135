"""`GET /v1/jobs/{id}/history`, and the client's `history`."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.api.test_bad_input import assert_problem
from tests.api.test_jobs import ENDLESS, ended, posted, valid
from tests.serving import NoWorkers, served
from thalweg.client import Client
from thalweg.settings import Settings


def history(client: httpx.Client, job: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer: dict[str, Any] = valid(client.get(job["links"]["history"], params=query))
    return answer


def test_a_job_tells_its_events_oldest_first(running: httpx.Client) -> None:
    job = ended(running, steps=20)
    answer = history(running, job)
    assert answer["next_cursor"] is None
    events = answer["items"]
    assert [event["kind"] for event in events] == ["created", "started", "succeeded"]
    assert [event["at"] for event in events] == [job["created_at"], job["started_at"], job["finished_at"]]
    assert [(event["attempt"], event["step"], event["steps"]) for event in events] == [
        (0, 0, 20),
        (1, 0, 20),
        (1, 20, 20),
    ]
    assert [event["reason"] for event in events] == [None] * 3
    assert events[0]["seq"] < events[1]["seq"] < events[2]["seq"]
    for event in events:
        assert event["at"].endswith("Z")
        assert datetime.fromisoformat(event["at"]) <= datetime.now(UTC)


def test_an_extended_job_goes_on_in_its_history(running: httpx.Client) -> None:
    job = ended(running, steps=20)
    first = history(running, job)["items"]
    running.post(job["links"]["extend"], json={"steps": 5})
    valid(running.get(job["links"]["self"], headers={"Prefer": "wait=60"}))
    events = history(running, job)["items"]
    assert events[:3] == first
    assert [event["kind"] for event in events[3:]] == ["extended", "started", "succeeded"]
    assert [event["steps"] for event in events[3:]] == [25] * 3


def test_a_timeout_is_told_as_the_reason(running: httpx.Client) -> None:
    job = posted(running, **ENDLESS, timeout_s=0.5)
    valid(running.get(job["links"]["self"], headers={"Prefer": "wait=60"}))
    last = history(running, job)["items"][-1]
    assert (last["kind"], last["reason"]) == ("succeeded", "its time was up")


def test_a_history_comes_in_pages(idle: httpx.Client) -> None:
    job = posted(idle)
    for steps in (3, 4, 5):
        idle.post(job["links"]["cancel"])
        idle.post(job["links"]["extend"], json={"steps": steps})
    whole = history(idle, job)["items"]
    assert [event["kind"] for event in whole] == ["created", *["cancelled", "extended"] * 3]
    found, query = [], {"limit": 3}
    while True:
        page = history(idle, job, **query)
        assert len(page["items"]) <= 3
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == whole
    assert len(history(idle, job, limit=7)["items"]) == 7
    assert history(idle, job, limit=7)["next_cursor"] is None


@pytest.mark.parametrize("query", ["cursor=none", "cursor=LTE", "limit=0", "limit=1001", "after=3"])
def test_a_wrong_query_is_refused(idle: httpx.Client, query: str) -> None:
    assert_problem(idle.get(f"{posted(idle)['links']['history']}?{query}"), 422)


def test_a_job_that_does_not_exist_or_was_deleted_has_no_history(idle: httpx.Client) -> None:
    job = posted(idle)
    assert idle.head(job["links"]["history"]).status_code == 200
    idle.delete(job["links"]["self"])
    assert_problem(idle.get(job["links"]["history"]), 404)


def test_the_client_yields_all_pages(tmp_path: Any) -> None:
    with served(Settings(data_dir=tmp_path), NoWorkers()) as plain, Client(str(plain.base_url)) as client:
        job = client.submit({"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 5})
        client.cancel(job["id"])
        client.extend(job["id"], 3)
        events = list(client.history(job["id"], page=1))
        assert [event["kind"] for event in events] == ["created", "cancelled", "extended"]
        assert list(client.history(job["id"])) == events
