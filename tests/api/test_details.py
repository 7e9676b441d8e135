"""Gradient, step taken and optimizer state over HTTP: in every format, for every range."""

import csv
import io
import json
from typing import Any

import httpx
import numpy as np
import pytest

from tests.api.test_bad_input import assert_problem
from tests.api.test_jobs import ended, valid
from tests.unit.driving import drive, job, native

FIELDS: dict[str, Any] = {
    "optimizer": "adam",
    "lr": 0.1,
    "init": [[0, 0], [1e200, 0], [4, -1]],
    "steps": 25,
    "record_every": 10,
    "record": {"gradient": True, "update": True, "state": True},
}
NAMES = ["gradient", "update", "state.exp_avg", "state.exp_avg_sq"]


def shown(values: np.ndarray) -> list[list[float | None]]:
    return [[float(value) if np.isfinite(value) else None for value in row] for row in values]


def test_columns_of_details_in_every_format(running: httpx.Client) -> None:
    found = ended(running, **FIELDS)
    assert found["spec"]["record"] == FIELDS["record"]
    wanted = drive(job(**FIELDS), engine=native)
    address = found["links"]["trajectory"]
    for run in range(3):
        columns = valid(running.get(address, params={"run": run}))
        n = len(wanted.steps[run])
        assert columns["step"][:n] == wanted.steps[run].tolist()
        for name in NAMES:
            assert columns[name][:n] == shown(wanted.details[run][name])
            # the end of a run between recorded steps has its point and value alone
            assert columns[name][n:] == [[None, None]] * (len(columns["step"]) - n)
    text = running.get(address, headers={"Accept": "text/csv"}).text
    header, *lines = csv.reader(io.StringIO(text))
    assert header == ["run", "step", "x0", "x1", "f", *(f"{name}{k}" for name in NAMES for k in range(2))]
    assert lines[0][-4:] == [""] * 4
    lines_of_json = running.get(address, headers={"Accept": "application/x-ndjson"}).text.splitlines()
    first, second = (json.loads(line) for line in lines_of_json[:2])
    assert list(first) == ["run", "step", "x", "f", *NAMES]
    assert second["update"] == shown(wanted.details[0]["update"])[1]
    assert len(lines) == len(lines_of_json)


def test_a_range_without_entries_has_the_columns(running: httpx.Client) -> None:
    found = ended(running, **FIELDS)
    address, beyond = found["links"]["trajectory"], {"from_step": 1000}
    assert [valid(running.get(address, params=beyond))[name] for name in NAMES] == [[]] * 4
    header = running.get(address, params=beyond, headers={"Accept": "text/csv"}).text
    assert header.strip().endswith("state.exp_avg_sq0,state.exp_avg_sq1")
    ending = valid(running.get(address, params={"from_step": 24}))
    assert (ending["step"], ending["gradient"]) == ([25], [[None, None]])


def test_thinned_details_are_those_of_the_entries_that_are_kept(running: httpx.Client) -> None:
    found = ended(running, **{**FIELDS, "record_every": 1, "steps": 300})
    address = found["links"]["trajectory"]
    whole = valid(running.get(address))
    thin = valid(running.get(address, params={"max_points": 20}))
    places = [whole["step"].index(step) for step in thin["step"]]
    assert 10 <= len(places) <= 20
    for name in ("x", *NAMES):
        assert thin[name] == [whole[name][place] for place in places]


def test_a_job_without_details_has_no_such_columns(running: httpx.Client) -> None:
    found = ended(running, steps=3)
    assert found["spec"]["record"] is None
    assert set(valid(running.get(found["links"]["trajectory"]))) & {"gradient", "update"} == set()


@pytest.mark.parametrize(
    ("record", "place"),
    [({}, "#/record"), ({"gradient": 1}, "#/record/gradient"), ({"momentum": True}, "#/record/momentum")],
)
def test_what_cannot_be_recorded_is_refused(idle: httpx.Client, record: dict[str, Any], place: str) -> None:
    answer = idle.post(
        "/v1/jobs",
        json={"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 1, "record": record},
    )
    assert place in {error["pointer"] for error in assert_problem(answer, 422)["errors"]}
