"""Trajectories and events over HTTP."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from httpx_sse import EventSource, ServerSentEvent

from tests.api.test_bad_input import assert_problem
from tests.api.test_jobs import ENDLESS, ended, posted, valid
from tests.serving import NoWorkers, served
from tests.unit.driving import Recording, drive, job
from thalweg.db.attempts import AttemptStore
from thalweg.db.session import Database
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Outcome
from thalweg.settings import Settings

# one run reaches max_steps, two diverge (one at its start), one converges
RAGGED: dict[str, Any] = {
    "optimizer": "sgd",
    "lr": 0.015,
    "init": [[5, 5], [7, 7], [1e100, 0], [0, 0]],
    "stop": {"f": 1e-3},
    "steps": 25,
}


def number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def trajectory(client: httpx.Client, found: dict[str, Any], **query: Any) -> dict[str, Any]:
    answer = client.get(found["links"]["trajectory"], params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    columns: dict[str, Any] = valid(answer)
    assert columns["job_id"] == found["id"]
    assert columns["run"] == query.get("run", 0)
    assert columns["n_points"] == len(columns["step"]) == len(columns["x"]) == len(columns["f"])
    return columns


def rows(columns: dict[str, Any]) -> list[tuple[int, int, list[float | None], float | None]]:
    steps, x, f = columns["step"], columns["x"], columns["f"]
    return [(columns["run"], *row) for row in zip(steps, x, f, strict=True)]


def csv_rows(text: str, dim: int) -> list[tuple[int, int, list[float | None], float | None]]:
    header, *lines = csv.reader(io.StringIO(text))
    assert header == ["run", "step", *(f"x{i}" for i in range(dim)), "f"]
    numbers = [[float(cell) if cell else None for cell in line[2:]] for line in lines]
    return [(int(line[0]), int(line[1]), row[:-1], row[-1]) for line, row in zip(lines, numbers, strict=True)]


def ndjson_rows(text: str) -> list[tuple[int, int, list[float | None], float | None]]:
    assert text.endswith("\n")
    lines = [json.loads(line, parse_constant=pytest.fail) for line in text.splitlines()]
    assert all(list(line) == ["run", "step", "x", "f"] for line in lines)
    return [(line["run"], line["step"], line["x"], line["f"]) for line in lines]


def engine_rows(recording: Recording) -> list[tuple[int, int, list[float | None], float | None]]:
    return [
        (run, int(step), [number(value) for value in x], number(f))
        for run in range(len(recording.steps))
        for step, x, f in zip(recording.steps[run], recording.x[run], recording.f[run], strict=True)
    ]


class Narrow:
    """A service with a small limit on JSON; its jobs run in the test, without workers."""

    def __init__(self, client: httpx.Client, attempts: AttemptStore) -> None:
        self.client = client
        self._attempts = attempts

    def ended(self, **fields: Any) -> dict[str, Any]:
        found = posted(self.client, **fields)
        attempt = self._attempts.begin(found["id"], 1)
        assert attempt is not None
        chunk = EagerRun(attempt.spec).advance(attempt.spec.steps)
        self._attempts.record(attempt, chunk, ended_by=Outcome.max_steps)
        return found


@pytest.fixture(scope="module")
def ragged(running: httpx.Client) -> dict[str, Any]:
    return ended(running, **RAGGED)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_formats_equal_the_engine_to_the_bit(running: httpx.Client, dtype: str) -> None:
    init = [[5, 5], [7, 7], [1e18, 0], [0, 0]]
    fields = {**RAGGED, "dtype": dtype, "init": init}
    found = ended(running, **fields)
    wanted = engine_rows(drive(job(**fields)))
    assert {"diverged", "converged", "max_steps"} == {run["outcome"] for run in found["runs"]}
    assert [row for run in range(4) for row in rows(trajectory(running, found, run=run))] == wanted
    at = found["links"]["trajectory"]
    text = running.get(at, headers={"Accept": "text/csv"}).text
    assert csv_rows(text, 2) == wanted
    assert ndjson_rows(running.get(at, headers={"Accept": "application/x-ndjson"}).text) == wanted


def test_a_float32_is_written_as_its_exact_double(running: httpx.Client) -> None:
    found = ended(running, dtype="float32", steps=5)
    answer = running.get(found["links"]["trajectory"])
    assert valid(answer)["x"][1] == [0.0009999999310821295, 0.0009999999310821295]
    assert valid(answer)["f"][0] == 170
    assert "0.0009999999310821295" in answer.text
    text = running.get(found["links"]["trajectory"], headers={"Accept": "text/csv"}).text
    assert text.splitlines()[:2] == ["run,step,x0,x1,f", "0,0,0.0,0.0,170.0"]
    assert "0.0009999999310821295,0.0009999999310821295" in text


def test_entry_k_is_the_point_before_update_k(running: httpx.Client) -> None:
    columns = trajectory(running, ended(running, steps=3, init=[1, 2]))
    assert columns["step"] == [0, 1, 2, 3]
    assert columns["x"][0] == [1, 2]
    assert columns["f"][0] == 68
    assert columns["downsampling"] is None


def test_a_diverged_run_ends_in_null(running: httpx.Client, ragged: dict[str, Any]) -> None:
    for run in (1, 2):
        columns = trajectory(running, ragged, run=run)
        assert columns["step"][-1] == ragged["runs"][run]["diverged_at"]
        assert None in [*columns["x"][-1], columns["f"][-1]]
        assert None not in columns["f"][:-1]
    text = running.get(ragged["links"]["trajectory"], params={"run": 2}, headers={"Accept": "text/csv"}).text
    assert csv_rows(text, 2) == [(2, 0, [1e100, 0], None)]
    assert text.splitlines()[1].endswith(",")


@pytest.mark.parametrize(
    ("first", "last"), [(None, None), (0, 0), (3, 9), (25, None), (None, 4), (24, 30), (26, 99)]
)
def test_a_range_of_steps(running: httpx.Client, ragged: dict[str, Any], first: Any, last: Any) -> None:
    query = {"from_step": first, "to_step": last}
    query = {name: value for name, value in query.items() if value is not None}
    low, high = first or 0, 10**9 if last is None else last
    at = ragged["links"]["trajectory"]
    wanted = [row for row in engine_rows(drive(job(**RAGGED))) if low <= row[1] <= high]
    got = [row for run in range(4) for row in rows(trajectory(running, ragged, run=run, **query))]
    assert got == wanted
    assert csv_rows(running.get(at, params=query, headers={"Accept": "text/csv"}).text, 2) == wanted
    one = running.get(at, params={"run": 3, **query}, headers={"Accept": "text/csv"}).text
    assert csv_rows(one, 2) == [row for row in wanted if row[0] == 3]


def test_the_last_entry_is_included_off_the_grid(running: httpx.Client) -> None:
    found = ended(running, **{**RAGGED, "record_every": 4})
    last = [trajectory(running, found, run=run)["step"][-1] for run in range(4)]
    assert last == [run["n_steps"] for run in found["runs"]]
    assert trajectory(running, found)["step"] == [0, 4, 8, 12, 16, 20, 24, 25]


@pytest.mark.parametrize("max_points", [4, 10, 100])
def test_thinning_keeps_first_last_best_and_extremes(running: httpx.Client, max_points: int) -> None:
    found = ended(running, init=[-1, -4], lr=0.3, steps=500)
    whole = trajectory(running, found)
    thin = trajectory(running, found, max_points=max_points)
    assert thin["n_points"] <= max_points
    assert thin["downsampling"] == {
        "method": "minmaxlttb",
        "of_points": 501,
        "max_points": max_points,
        "keeps": ["first", "last", "best", "extremes"],
    }
    kept = set(thin["step"])
    assert {0, 500, found["runs"][0]["best"]["step"], int(np.argmax(whole["f"]))} <= kept
    if max_points >= 8:
        x = np.array(whole["x"])
        assert {*x.argmin(axis=0).tolist(), *x.argmax(axis=0).tolist()} <= kept
    assert all(row in rows(whole) for row in rows(thin))
    assert trajectory(running, found, max_points=max_points) == thin


def test_a_short_trajectory_is_not_thinned(running: httpx.Client, ragged: dict[str, Any]) -> None:
    assert trajectory(running, ragged, max_points=26) == trajectory(running, ragged)
    assert trajectory(running, ragged, max_points=25)["downsampling"]["of_points"] == 26


def test_only_json_can_be_thinned(running: httpx.Client, ragged: dict[str, Any]) -> None:
    answer = running.get(ragged["links"]["trajectory"], params={"max_points": 5}, headers={"Accept": "text/csv"})
    assert assert_problem(answer, 422)["errors"][0]["pointer"] == "#/query/max_points"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("TEXT/CSV; charset=utf-8", "text/csv"),
        ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/json;q=0, text/csv;q=0.1", "text/csv"),
    ],
)
def test_the_format_is_negotiated(
    running: httpx.Client, ragged: dict[str, Any], accept: str, media_type: str
) -> None:
    answer = running.get(ragged["links"]["trajectory"], headers={"Accept": accept})
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert "accept" in answer.headers["vary"].lower()
    if media_type != "application/json":
        assert ragged["id"] in answer.headers["content-disposition"]


def test_a_queued_job_has_an_empty_trajectory(idle: httpx.Client) -> None:
    found = posted(idle)
    assert trajectory(idle, found)["step"] == []
    at = found["links"]["trajectory"]
    assert idle.get(at, headers={"Accept": "text/csv"}).text == "run,step,x0,x1,f\n"
    assert idle.get(at, headers={"Accept": "application/x-ndjson"}).text == ""


def test_points_of_one_coordinate(running: httpx.Client) -> None:
    fields = {"function": "sphere", "init": [[2], [3]], "steps": 4}
    found = ended(running, **fields)
    wanted = engine_rows(drive(job(**fields, lr=0.001)))
    at = found["links"]["trajectory"]
    assert csv_rows(running.get(at, headers={"Accept": "text/csv"}).text, 1) == wanted
    assert ndjson_rows(running.get(at, headers={"Accept": "application/x-ndjson"}).text) == wanted
    assert rows(trajectory(running, found, run=1)) == wanted[5:]


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Narrow]:
    settings = Settings(data_dir=tmp_path, max_json_points=20)
    with served(settings, NoWorkers()) as client:
        database = Database(settings.url)
        yield Narrow(client, AttemptStore(database))
        database.dispose()


def test_json_over_the_limit_suggests_alternatives(narrow: Narrow) -> None:
    client, found = narrow.client, narrow.ended(steps=20)
    at = found["links"]["trajectory"]
    problem = assert_problem(client.get(at), 422)
    assert problem["errors"][0]["pointer"] == "#/query/max_points"
    for way_out in ("max_points", "from_step", "to_step", "text/csv"):
        assert way_out in problem["detail"]
    assert trajectory(client, found, max_points=20)["n_points"] <= 20
    assert trajectory(client, found, from_step=1)["n_points"] == 20
    assert trajectory(client, found, to_step=19)["n_points"] == 20
    for media_type in ("text/csv", "application/x-ndjson"):
        lines = client.get(at, headers={"Accept": media_type}).text.splitlines()
        assert len(lines) == 21 + (media_type == "text/csv")


def test_losses_have_the_same_limit(narrow: Narrow) -> None:
    network = {"mlp": {"layers": [2, 1], "dataset": "xor"}}
    found = narrow.ended(function=network, init=[0, 1, 2], steps=20, record_every=10)
    at = found["links"]["loss"]
    problem = assert_problem(narrow.client.get(at), 422)
    assert problem["errors"][0]["pointer"] == "#/query/max_points"
    assert "21 losses" in problem["detail"]
    assert "text/csv" not in problem["detail"]  # streamed formats have recorded points only
    assert valid(narrow.client.get(at, params={"max_points": 20}))["n_points"] <= 20
    assert valid(narrow.client.get(at, params={"from_step": 1}))["n_points"] == 20
    assert trajectory(narrow.client, found)["step"] == [0, 10, 20]


@pytest.mark.parametrize(
    ("steps", "record_every", "query", "n_points"),
    [
        (19, 1, {}, 20),
        (38, 2, {}, 20),
        (39, 2, {}, 21),  # the last one is off the grid
        (39, 2, {"to_step": 38}, 20),
        (39, 2, {"from_step": 1}, 20),
        (57, 3, {}, 20),
        (59, 3, {"from_step": 1, "to_step": 58}, 19),
        (60, 3, {"from_step": 2}, 20),
        (30, 1, {"from_step": 31}, 0),
        (30, 7, {"from_step": 8, "to_step": 13}, 0),
    ],
)
def test_the_limit_of_json_counts_points_in_the_response(
    narrow: Narrow, steps: int, record_every: int, query: dict[str, int], n_points: int
) -> None:
    found = narrow.ended(steps=steps, record_every=record_every)
    if n_points > 20:
        problem = assert_problem(narrow.client.get(found["links"]["trajectory"], params=query), 422)
        assert f"{n_points} points" in problem["detail"]
    else:
        assert trajectory(narrow.client, found, **query)["n_points"] == n_points


# events


def events(client: httpx.Client, found: dict[str, Any], last: str | None = None) -> list[ServerSentEvent]:
    headers = {"Accept": "text/event-stream"} | ({} if last is None else {"Last-Event-ID": last})
    with client.stream("GET", found["links"]["events"], headers=headers) as answer:
        assert answer.status_code == 200
        return list(EventSource(answer).iter_sse())


def assert_story(told: list[ServerSentEvent]) -> dict[str, Any]:
    """Check that progress increases and ends with one `done`, and return its job."""
    assert [event.event for event in told] == ["progress"] * (len(told) - 1) + ["done"]
    steps = [int(event.id) for event in told[:-1]]
    assert steps == sorted(set(steps))
    for event, step in zip(told, steps, strict=False):
        assert event.json()["step"] == step
    assert int(told[-1].id) >= (steps[-1] if steps else 0)
    done: dict[str, Any] = told[-1].json()
    return done


def test_events_follow_a_job_to_its_end(running: httpx.Client) -> None:
    found = posted(running, steps=2000)
    told = events(running, found)
    done = assert_story(told)
    assert done == valid(running.get(found["links"]["self"]))
    assert (done["status"], told[-1].id) == ("succeeded", "2000")
    assert all(event.json()["steps"] == 2000 for event in told[:-1])


def test_events_of_an_endless_job_end_with_its_cancellation(running: httpx.Client) -> None:
    found = posted(running, **ENDLESS)
    told = []
    with running.stream("GET", found["links"]["events"]) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for event in EventSource(answer).iter_sse():
            told.append(event)
            if len(told) == 3:
                running.post(found["links"]["cancel"])
    assert len(told) > 3
    assert assert_story(told)["status"] == "cancelled"


def test_events_of_an_ended_job(running: httpx.Client) -> None:
    found = ended(running)
    told = events(running, found)
    assert [(event.event, event.id) for event in told] == [("progress", "10"), ("done", "10")]
    assert told[0].json() == {"step": 10, "steps": 10, "status": "succeeded"}
    assert told[1].json() == found


@pytest.mark.parametrize(
    ("last", "kinds"),
    [
        ("9", ["progress", "done"]),
        ("10", ["done"]),
        ("11", ["done"]),
        ("", ["progress", "done"]),
        ("x", ["progress", "done"]),
    ],
)
def test_events_resume_after_last_event_id(running: httpx.Client, last: str, kinds: list[str]) -> None:
    assert [event.event for event in events(running, ended(running), last)] == kinds


def test_deleting_a_job_ends_its_events(idle: httpx.Client) -> None:
    found = posted(idle)
    told = []
    with idle.stream("GET", found["links"]["events"]) as answer:
        for event in EventSource(answer).iter_sse():
            told.append(event)
            idle.delete(found["links"]["self"])
    assert [event.event for event in told] == ["progress", "done"]
    assert told[-1].json() == {"id": found["id"], "status": "deleted"}
