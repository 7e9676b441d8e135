"""Jobs over HTTP: posting, waiting, looking, listing, ending, extending."""

import json
import math
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.api.test_bad_input import GOOD, assert_problem
from tests.unit.driving import drive, job

ENDED = {"succeeded", "failed", "cancelled"}
ENDLESS = {**GOOD, "lr": 1e-10, "steps": 500_000_000, "record_every": 100_000}


def valid(answer: httpx.Response) -> Any:
    """Return an answer's JSON, which holds none of the words that Python takes for numbers."""
    return json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def posted(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/jobs", json={**GOOD, **fields})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = valid(answer)
    return found


def ended(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    """Return a job that was run to its end."""
    answer = client.post("/v1/jobs", json={**GOOD, **fields}, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = valid(answer)
    return found


def waited_for(client: httpx.Client, job_id: str) -> dict[str, Any]:
    answer = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=60"})
    found: dict[str, Any] = valid(answer)
    assert found["status"] in ENDED
    return found


def test_a_posted_job_is_stored_and_says_where(idle: httpx.Client) -> None:
    answer = idle.post("/v1/jobs", json={**GOOD, "label": "first", "tags": ["a"]})
    assert answer.status_code == 202
    found = valid(answer)
    assert answer.headers["location"] == f"/v1/jobs/{found['id']}" == found["links"]["self"]
    assert answer.headers["content-type"] == "application/json"
    assert "preference-applied" not in answer.headers
    assert (found["status"], found["attempt"], found["n_runs"], found["error"]) == ("queued", 0, 1, None)
    assert found["progress"] == {"step": 0, "steps": 10}
    assert found["id"][14] == "7"  # the version of the UUID
    created_at = datetime.fromisoformat(found["created_at"])
    assert created_at.utcoffset() is not None
    assert (found["started_at"], found["finished_at"]) == (None, None)
    again = idle.get(answer.headers["location"])
    assert valid(again) == found
    assert again.headers["etag"] == answer.headers["etag"]


def test_the_spec_is_shown_normalised_and_can_be_posted_again(idle: httpx.Client) -> None:
    first = posted(idle, init={"random": 3}, lr=None, optimizer="sgd")
    spec = first["spec"]
    assert spec["function"] == {"name": "himmelblau", "dim": 2}
    assert spec["init"] == {"random": 3, "seed": 0, "low": [-6, -6], "high": [6, 6]}
    assert spec["lr"] == 0.001
    assert spec["optimizer"]["momentum"] == 0
    assert posted(idle, **spec)["spec"] == spec


def test_a_run_that_has_not_begun_has_its_start_and_nothing_else(idle: httpx.Client) -> None:
    (run,) = posted(idle, init=[1.5, -2.5])["runs"]
    assert run == {
        "run": 0,
        "init": [1.5, -2.5],
        "x": [1.5, -2.5],
        "f": None,
        "grad_norm": None,
        "outcome": None,
        "n_steps": 0,
        "n_evaluations": 0,
        "diverged_at": None,
        "raised": None,
        "best": None,
        "minimum": None,
        "accuracy": None,
    }


@pytest.mark.parametrize(
    ("fields", "engine", "reason"),
    [
        ({}, "fused", None),
        ({"engine": "fused"}, "fused", None),
        ({"engine": "eager"}, "eager", None),
        ({"optimizer": "lbfgs"}, "fused", None),
        ({"optimizer": "lbfgs", "engine": "eager"}, "eager", None),
        ({"function": "sphere", "init": [1] * 17}, "fused", None),
    ],
    ids=str,
)
def test_a_job_says_which_engine_runs_it_and_why(
    idle: httpx.Client, fields: dict[str, Any], engine: str, reason: str | None
) -> None:
    found = posted(idle, **fields)
    assert found["engine"] == engine
    assert found["spec"]["engine"] == fields.get("engine", "auto")
    assert (found["engine_reason"] is None) == (reason is None)
    assert (reason or "") in (found["engine_reason"] or "")


def test_the_runs_are_the_engines(running: httpx.Client) -> None:
    fields = {"init": [[0, 0], [4, 0], [-4, 0]], "steps": 400, "lr": 0.05}
    found = ended(running, **fields)
    results = drive(job(**fields)).results
    assert (found["status"], found["engine"], found["n_runs"]) == ("succeeded", "fused", 3)
    assert found["progress"] == {"step": 400, "steps": 400}
    assert found["created_at"] <= found["started_at"] <= found["finished_at"]
    assert found["attempt"] >= 1
    for i, run in enumerate(found["runs"]):
        assert run["run"] == i
        assert run["init"] == fields["init"][i]  # type: ignore[index]
        assert run["x"] == results.x[i].tolist()
        assert run["f"] == results.f[i]
        assert run["grad_norm"] == results.grad_norm[i]
        assert (run["outcome"], run["n_steps"], run["diverged_at"]) == ("max_steps", 400, None)
        best = {"step": results.best_step[i], "x": results.best_x[i].tolist(), "f": results.best_f[i]}
        assert run["best"] == best
    reached = [run["minimum"]["index"] for run in found["runs"]]
    assert len(set(reached)) == 3
    minima = valid(running.get(found["links"]["function"]))["minima"]
    for run in found["runs"]:
        assert run["minimum"]["x"] == minima[run["minimum"]["index"]]["x"]
        assert run["minimum"]["distance"] <= 12e-3


def test_a_minimum_whose_place_json_cannot_hold_has_none(running: httpx.Client) -> None:
    for dim, index in ((2, 3), (60, None)):
        start = [-(i**0.5) for i in range(1, dim + 1)]
        (run,) = ended(running, function="qing", init=start, steps=1)["runs"]
        assert run["minimum"]["index"] == index
        assert run["minimum"]["x"] == start


def test_a_run_that_diverges_is_a_result(running: httpx.Client) -> None:
    stop = {"f": 1e-3}
    found = ended(running, optimizer="sgd", lr=0.015, init=[[7, 7], [3, 2], [5, 5], [1e100, 0]], stop=stop)
    assert found["status"] == "succeeded"
    late, converged, on, at_once = found["runs"]
    assert [run["outcome"] for run in found["runs"]] == ["diverged", "converged", "max_steps", "diverged"]
    assert found["n_diverged"] == 2
    assert late["diverged_at"] == late["n_steps"] == 6
    assert all(isinstance(number, float) for number in [*late["x"], late["f"]])
    assert late["grad_norm"] is None
    assert converged["n_steps"] == 0
    assert converged["minimum"] == {"index": 0, "x": [3, 2], "distance": 0}
    assert on["diverged_at"] is None
    assert (at_once["diverged_at"], at_once["x"], at_once["f"], at_once["best"]) == (0, [1e100, 0], None, None)


def test_a_run_that_raises_is_a_result_and_the_others_go_on(running: httpx.Client) -> None:
    barrier = {"expression": "(x - 2)**2 - log(1 - x) - log(1 + x)", "variables": ["x"]}
    lbfgs = {"name": "lbfgs", "line_search_fn": "strong_wolfe"}
    found = ended(running, function=barrier, optimizer=lbfgs, lr=None, init=[[0.4], [-0.5]], steps=5)
    assert found["status"] == "succeeded"
    raised, well = found["runs"]
    assert (raised["outcome"], raised["raised"]) == ("diverged", "IndexError: list index out of range")
    assert (raised["n_steps"], raised["diverged_at"], raised["x"]) == (0, 0, [0.4])
    assert raised["f"] == pytest.approx(1.6**2 - math.log(0.6) - math.log(1.4))
    assert (well["outcome"], well["raised"], well["diverged_at"], well["n_steps"]) == ("max_steps", None, None, 5)
    (x,) = well["x"]
    assert 2 * (x - 2) + 1 / (1 - x) - 1 / (1 + x) == pytest.approx(0, abs=1e-4)
    assert well["n_evaluations"] > 6
    assert running.post(f"/v1/jobs/{found['id']}/extend", json={"steps": 3}).status_code == 202
    further = waited_for(running, found["id"])
    assert further["runs"][0] == raised
    assert further["runs"][1]["n_steps"] == 8
    columns = valid(running.get(f"/v1/jobs/{found['id']}/trajectory"))
    assert (columns["step"], columns["x"], columns["f"]) == ([0], [[0.4]], [raised["f"]])


def test_both_engines_say_where_a_rate_grew_too_large(running: httpx.Client) -> None:
    runs = [
        ended(
            running,
            function="sphere",
            optimizer="sgd",
            lr=1,
            init=[0, 0],
            dtype="float32",
            steps=60,
            scheduler={"name": "exponential_lr", "gamma": 10},
            engine=engine,
        )["runs"]
        for engine in ("eager", "fused")
    ]
    assert runs[0] == runs[1]
    (run,) = runs[0]
    assert run["raised"] == "RuntimeError: value cannot be converted to type float without overflow"
    assert (run["outcome"], run["diverged_at"], run["n_steps"], run["n_evaluations"]) == ("diverged", 39, 39, 40)


def test_preferring_to_wait_gives_the_ended_job(running: httpx.Client) -> None:
    answer = running.post("/v1/jobs", json=GOOD, headers={"Prefer": "respond-async, wait=30"})
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.headers["location"] == f"/v1/jobs/{valid(answer)['id']}"
    assert valid(answer)["status"] == "succeeded"


@pytest.mark.parametrize("wait", [0, 1])
def test_a_job_that_does_not_end_in_time_is_accepted(idle: httpx.Client, wait: int) -> None:
    answer = idle.post("/v1/jobs", json=GOOD, headers={"Prefer": f"wait={wait}"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == f"wait={wait}"
    again = idle.get(answer.headers["location"], headers={"Prefer": f"wait={wait}"})
    assert (again.status_code, valid(again)["status"]) == (200, "queued")
    assert again.headers["preference-applied"] == f"wait={wait}"


@pytest.mark.parametrize(
    ("sent", "applied"),
    [("wait=60", "wait=60"), ("wait=61", "wait=60"), ("wait=999999", "wait=60"), ('Wait = "7"', "wait=7")],
)
def test_a_wait_is_at_most_a_minute(idle: httpx.Client, sent: str, applied: str) -> None:
    job_id = posted(idle)["id"]
    idle.post(f"/v1/jobs/{job_id}/cancel")
    answer = idle.get(f"/v1/jobs/{job_id}", headers={"Prefer": sent})
    assert answer.headers["preference-applied"] == applied


@pytest.mark.parametrize("sent", ["respond-async", "wait", "wait=soon", "wait=-1", "await=5"])
def test_a_preference_that_is_not_understood_is_ignored(idle: httpx.Client, sent: str) -> None:
    answer = idle.post("/v1/jobs", json=GOOD, headers={"Prefer": sent})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


def test_an_unchanged_job_is_not_sent_again(idle: httpx.Client) -> None:
    at = posted(idle)["links"]["self"]
    tag = idle.get(at).headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = idle.get(at, headers={"If-None-Match": sent})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert idle.get(at, headers={"If-None-Match": '"other"'}).status_code == 200
    idle.post(f"{at}/cancel")
    changed = idle.get(at, headers={"If-None-Match": tag})
    assert (changed.status_code, valid(changed)["status"]) == (200, "cancelled")
    assert changed.headers["etag"] != tag


def test_every_state_has_an_etag_of_its_own(running: httpx.Client) -> None:
    at = ended(running)["links"]["self"]
    tags = [running.get(at).headers["etag"]]
    running.post(f"{at}/extend", json={"steps": 5})
    running.get(at, headers={"Prefer": "wait=60"})
    tags.append(running.get(at).headers["etag"])
    assert len(set(tags)) == 2
    assert running.get(at, headers={"If-None-Match": tags[0]}).status_code == 200
    assert running.get(at, headers={"If-None-Match": tags[1]}).status_code == 304


def test_the_same_key_gives_the_same_job(idle: httpx.Client) -> None:
    key = {"Idempotency-Key": "test-the-same-key"}
    first = idle.post("/v1/jobs", json=GOOD, headers=key)
    again = idle.post("/v1/jobs", json={**GOOD, "init": [[0.0, 0.0]], "record_every": 1}, headers=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert valid(again) == valid(first)
    assert again.headers["location"] == first.headers["location"]
    assert len(valid(idle.get("/v1/jobs"))["items"]) == 1
    other = idle.post("/v1/jobs", json={**GOOD, "steps": 11}, headers=key)
    assert assert_problem(other, 422)["errors"][0]["pointer"].endswith("Idempotency-Key")
    assert len(valid(idle.get("/v1/jobs"))["items"]) == 1


def test_what_was_refused_is_not_remembered(idle: httpx.Client) -> None:
    key = {"Idempotency-Key": "test-what-was-refused"}
    assert_problem(idle.post("/v1/jobs", json={**GOOD, "lr": 0}, headers=key), 422)
    assert_problem(idle.post("/v1/jobs", json={**GOOD, "steps": 10**8}, headers=key), 422)
    assert idle.post("/v1/jobs", json=GOOD, headers=key).status_code == 202


def test_an_ended_job_answers_its_key_too(running: httpx.Client) -> None:
    headers = {"Idempotency-Key": "test-an-ended-job", "Prefer": "wait=60"}
    first = running.post("/v1/jobs", json=GOOD, headers=headers)
    again = running.post("/v1/jobs", json=GOOD, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert valid(again) == valid(first)


def paged(client: httpx.Client, at: str, limit: int, between: Any = None) -> list[Any]:
    """Return the items of all pages, asking the next one for as long as there is one."""
    items, cursor = [], None
    while True:
        query: dict[str, Any] = {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}
        page = valid(client.get(at, params=query))
        assert set(page) == {"items", "next_cursor"}
        assert 1 <= len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items
        if between is not None:
            between()


@pytest.mark.parametrize("limit", [3, 9, 1000])
def test_pages_hold_every_job_once_newest_first(idle: httpx.Client, limit: int) -> None:
    ids = [posted(idle)["id"] for _ in range(9)]
    assert [item["id"] for item in paged(idle, "/v1/jobs", limit)] == ids[::-1]


def test_pages_hold_every_job_once_while_new_ones_come(idle: httpx.Client) -> None:
    ids = [posted(idle)["id"] for _ in range(7)]
    items = paged(idle, "/v1/jobs", 2, between=lambda: posted(idle))
    assert [item["id"] for item in items] == ids[::-1]


def test_a_cursor_holds_when_its_job_is_deleted(idle: httpx.Client) -> None:
    ids = [posted(idle)["id"] for _ in range(5)][::-1]
    page = valid(idle.get("/v1/jobs?limit=2"))
    idle.delete(f"/v1/jobs/{ids[1]}")
    rest = valid(idle.get("/v1/jobs", params={"cursor": page["next_cursor"]}))
    assert [item["id"] for item in rest["items"]] == ids[2:]


def test_an_empty_list_has_no_next_page(idle: httpx.Client) -> None:
    assert valid(idle.get("/v1/jobs")) == {"items": [], "next_cursor": None}


def test_a_listed_job_is_the_job_without_its_runs(idle: httpx.Client) -> None:
    found = posted(idle, tags=["a"], label="b")
    (item,) = valid(idle.get("/v1/jobs"))["items"]
    del found["runs"]
    assert item == found


@pytest.mark.parametrize(
    ("query", "chosen"),
    [
        ("", "abc"),
        ("status=queued", "bc"),
        ("status=cancelled", "a"),
        ("status=running", ""),
        ("function=booth", "b"),
        ("optimizer=sgd", "ac"),
        ("tag=x", "ab"),
        ("tag=x&optimizer=sgd", "a"),
        ("tag=%C3%BC%20%26", "c"),
        ("function=nothing", ""),
    ],
)
def test_filters(idle: httpx.Client, query: str, chosen: str) -> None:
    made = {
        posted(idle, optimizer="sgd", tags=["x", "y"])["id"]: "a",
        posted(idle, function="booth", tags=["x"])["id"]: "b",
        posted(idle, optimizer="sgd", tags=["ü &"])["id"]: "c",
    }
    idle.post(f"/v1/jobs/{next(iter(made))}/cancel")
    items = valid(idle.get(f"/v1/jobs?{query}"))["items"]
    assert sorted(made[item["id"]] for item in items) == list(chosen)


def test_a_job_shows_a_hundred_runs_and_pages_show_all(idle: httpx.Client) -> None:
    found = posted(idle, init={"random": 250, "seed": 3})
    assert (found["n_runs"], len(found["runs"])) == (250, 100)
    at = found["links"]["runs"]
    starts = job(init={"random": 250, "seed": 3}).starts().tolist()
    for limit in (99, 250, 1000):
        runs = paged(idle, at, limit)
        assert [run["run"] for run in runs] == list(range(250))
        assert [run["init"] for run in runs] == starts
    assert valid(idle.get(at))["items"] == found["runs"]


def test_a_queued_job_is_cancelled_at_once_and_again(idle: httpx.Client) -> None:
    at = posted(idle)["links"]["self"]
    first, again = (idle.post(f"{at}/cancel") for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    found = valid(first)
    assert valid(again) == found == valid(idle.get(at))
    assert found["status"] == "cancelled"
    assert found["finished_at"] is not None
    assert found["runs"][0]["outcome"] == "cancelled"


@pytest.mark.parametrize("how", ["cancelled", "timed out"])
def test_the_runs_that_diverged_are_counted_however_the_job_ended(running: httpx.Client, how: str) -> None:
    starts = [[0, 0], [1e100, 0], [1, 1], [-1e100, 0]]  # far out, the function itself is past the largest number
    fields = {**ENDLESS, "init": starts, **({"timeout_s": 1} if how == "timed out" else {})}
    found = posted(running, **fields)
    assert found["n_diverged"] is None
    at = found["links"]["self"]
    while valid(running.get(at))["progress"]["step"] == 0:
        pass
    if how == "cancelled":
        running.post(f"{at}/cancel")
    found = waited_for(running, found["id"])
    assert found["n_diverged"] == 2
    listed = {job["id"]: job["n_diverged"] for job in valid(running.get("/v1/jobs"))["items"]}
    assert listed[found["id"]] == 2
    going = valid(running.post(f"{at}/extend", json={"steps": 1}))
    assert going["n_diverged"] is None or going["status"] == "succeeded"
    running.post(f"{at}/cancel")


def test_a_running_job_is_cancelled_and_keeps_what_it_has(running: httpx.Client) -> None:
    at = posted(running, **ENDLESS)["links"]["self"]
    while valid(running.get(at))["progress"]["step"] == 0:
        pass
    found = valid(running.post(f"{at}/cancel"))
    assert found["status"] == "cancelled"
    (run,) = found["runs"]
    assert (run["outcome"], run["n_steps"]) == ("cancelled", found["progress"]["step"])
    trajectory = valid(running.get(f"{at}/trajectory"))
    assert trajectory["step"][-1] == run["n_steps"]
    assert trajectory["x"][-1] == run["x"]
    assert valid(running.post(f"{at}/cancel")) == found


def test_a_job_that_has_ended_stays_as_it_is_when_cancelled(running: httpx.Client) -> None:
    found = ended(running)
    answer = running.post(f"{found['links']['cancel']}")
    assert (answer.status_code, valid(answer)) == (200, found)


def test_a_job_whose_time_is_up_has_succeeded_with_what_it_has(running: httpx.Client) -> None:
    found = ended(running, **ENDLESS, timeout_s=3)  # a busy machine compiles for a second or two
    assert found["status"] == "succeeded"
    (run,) = found["runs"]
    assert run["outcome"] == "timed_out"
    assert 0 < run["n_steps"] == found["progress"]["step"] < ENDLESS["steps"]


def test_a_job_is_extended_up_to_a_step(running: httpx.Client) -> None:
    at = ended(running)["links"]["extend"]
    assert valid(running.post(at, json={"to_step": 25}))["progress"]["steps"] == 25
    assert waited_for(running, at.split("/")[-2])["runs"][0]["n_steps"] == 25
    behind = assert_problem(running.post(at, json={"to_step": 25}), 422)
    assert behind["errors"] == [
        {"pointer": "#/to_step", "detail": "the job is at step 25 already: give a later one"}
    ]
    for body in ({}, {"steps": 1, "to_step": 30}, {"steps": None}):
        assert "either steps or to_step" in assert_problem(running.post(at, json=body), 422)["detail"]


def test_an_extension_with_a_key_is_made_once(running: httpx.Client) -> None:
    at = ended(running)["links"]["extend"]
    key = {"Idempotency-Key": "test-an-extension"}
    first = running.post(at, json={"steps": 5}, headers=key)
    assert (first.status_code, valid(first)["progress"]["steps"]) == (202, 15)
    for _ in range(2):  # also when the job has ended once more
        again = running.post(at, json={"steps": 5.0}, headers=key)
        assert (again.status_code, valid(again)["progress"]["steps"]) == (202, 15)
        assert again.headers["location"] == first.headers["location"]
        waited_for(running, valid(first)["id"])
    refused = [
        running.post(at, json={"steps": 6}, headers=key),
        running.post(at, json={"to_step": 15}, headers=key),
        running.post("/v1/jobs", json=GOOD, headers=key),
        running.post(ended(running)["links"]["extend"], json={"steps": 5}, headers=key),
    ]
    for answer in refused:
        problem = assert_problem(answer, 422)
        assert "new key" in problem["detail"]
        assert problem["errors"][0]["pointer"] == "#/header/Idempotency-Key"
    other = running.post(at, json={"steps": 5}, headers={"Idempotency-Key": "test-another-extension"})
    assert valid(other)["progress"]["steps"] == 20


def test_what_an_extension_was_refused_for_is_not_remembered(idle: httpx.Client) -> None:
    job = posted(idle)
    key = {"Idempotency-Key": "test-a-refused-extension"}
    assert_problem(idle.post(job["links"]["extend"], json={"steps": 5}, headers=key), 409)
    idle.post(job["links"]["cancel"])
    assert idle.post(job["links"]["extend"], json={"steps": 6}, headers=key).status_code == 202


def test_an_extended_job_is_as_one_that_was_longer(running: httpx.Client) -> None:
    fields = {"init": [[0, 0], [4, 0]], "record_every": 7, "lr": 0.01}
    at = ended(running, **fields, steps=17)["links"]["self"]
    answer = running.post(f"{at}/extend", json={"steps": 16})
    assert answer.status_code == 202
    assert answer.headers["location"] == at
    assert valid(answer)["spec"]["steps"] == 33
    assert valid(answer)["finished_at"] is None
    extended = waited_for(running, valid(answer)["id"])
    whole = ended(running, **fields, steps=33)
    assert extended["status"] == "succeeded"
    assert extended["runs"] == whole["runs"]
    csv = {"Accept": "text/csv"}
    texts = [running.get(f["links"]["trajectory"], headers=csv).text for f in (extended, whole)]
    assert texts[0] == texts[1]


def test_a_deleted_job_is_gone(running: httpx.Client) -> None:
    at = ended(running)["links"]["self"]
    answer = running.delete(at)
    assert (answer.status_code, answer.content) == (204, b"")
    for path in ("", "/runs", "/trajectory", "/events"):
        assert_problem(running.get(at + path), 404)
    assert_problem(running.delete(at), 404)


def test_a_running_job_can_be_deleted(running: httpx.Client) -> None:
    at = posted(running, **ENDLESS)["links"]["self"]
    while valid(running.get(at))["status"] == "queued":
        pass
    assert running.delete(at).status_code == 204
    assert_problem(running.get(at), 404)
    assert ended(running)["status"] == "succeeded"  # and its worker is free for others
