"""Integers are accepted as JSON Schema's `integer` defines them: 5, 5.0 and 5e0 alike, and nothing else."""

import json
from typing import Any

import httpx
import pytest

from tests.api.test_bad_input import GOOD, assert_problem
from tests.api.test_jobs import ended, posted, valid

MLP = {
    "layers": [2, 3, 3],
    "loss": "cross_entropy",
    "dataset": {"name": "blobs", "n": 30, "classes": 3, "seed": 4},
    "batch_size": 5,
    "seed": 6,
}
FIELDS: list[dict[str, Any]] = [
    {"steps": 1000, "record_every": 100, "timeout_s": 10},
    {"init": {"random": 3, "seed": 7}, "gradient_noise": {"std": 1, "seed": 8}},
    {"init": {"grid": {"low": [-1, -1], "high": [1, 1], "shape": [2, 3]}}},
    {"function": {"name": "sphere", "dim": 3}, "init": {"random": 2}},
    {"function": {"expression": "sum(x)", "variables": ["x"], "dim": 2}},
    {"function": {"mlp": MLP}, "init": {"random": 2, "seed": 1}},
    {"optimizer": {"name": "lbfgs", "max_iter": 4, "max_eval": 6, "history_size": 3}},
    {"optimizer": {"name": "muon", "ns_steps": 3}, "function": {"mlp": MLP}, "init": {"random": 1}},
    {"scheduler": {"name": "step_lr", "step_size": 30}},
    {"scheduler": {"name": "multi_step_lr", "milestones": [3, 5]}},
    {"scheduler": {"name": "cosine_annealing_lr", "T_max": 50}},
    {"scheduler": {"name": "one_cycle_lr", "max_lr": 0.1, "total_steps": 20}},
]


def as_reals(value: Any) -> Any:
    """Return JSON in which every integer has a fraction, as some writers produce."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case list():
            return [as_reals(item) for item in value]
        case dict():
            return {name: as_reals(item) for name, item in value.items()}
    return value


@pytest.mark.parametrize("fields", FIELDS, ids="-".join)
def test_five_and_five_point_zero_are_the_same_job(idle: httpx.Client, fields: dict[str, Any]) -> None:
    reals = as_reals(fields)
    assert json.dumps(reals) != json.dumps(fields)
    assert json.dumps(posted(idle, **reals)["spec"]) == json.dumps(posted(idle, **fields)["spec"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/surface", {"function": {"name": "sphere", "dim": 3}, "axes": [0, 2], "points": 3}),
        ("/v1/critical-points", {"function": "himmelblau", "starts": 10}),
        ("/v1/mlp/backprop", {"layers": [2, 2, 1], "input": [1, 0], "target": [1], "seed": 3}),
    ],
)
def test_other_requests_accept_them_too(idle: httpx.Client, path: str, body: dict[str, Any]) -> None:
    assert valid(idle.post(path, json=as_reals(body))) == valid(idle.post(path, json=body))


def test_powers_of_ten_are_integers(idle: httpx.Client) -> None:
    body = json.dumps(GOOD).replace('"steps": 10', '"steps": 1e3, "record_every": 20E-1')
    spec = valid(idle.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"}))["spec"]
    assert (spec["steps"], spec["record_every"]) == (1000, 2)
    assert json.dumps([spec["steps"], spec["record_every"]]) == "[1000, 2]"


@pytest.mark.parametrize("number", [5.5, True, False, "5", "5.0", None, [5], 1e300])
def test_other_numbers_are_rejected(idle: httpx.Client, number: Any) -> None:
    for body, pointer in (
        ({"steps": number}, "#/steps"),
        ({"init": {"random": 2, "seed": number}}, "#/init/seed"),
        (
            {"function": {"mlp": {**MLP, "layers": [2, number, 3]}}, "init": {"random": 1}},
            "#/function/mlp/layers/1",
        ),
    ):
        problem = assert_problem(idle.post("/v1/jobs", json={**GOOD, **body}), 422)
        assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_extensions_accept_them_too(running: httpx.Client) -> None:
    at = ended(running)["links"]["extend"]
    assert valid(running.post(at, json={"steps": 5.0}))["progress"]["steps"] == 15
    assert_problem(running.post(at, json={"steps": 5.5}), 422)


@pytest.mark.parametrize(
    "fields",
    [
        {"init": {"random": 2, "seed": None}},
        {"gradient_noise": {"std": 1, "seed": None}},
        {"function": {"mlp": {**MLP, "seed": None}}, "init": {"random": 1}},
        {"function": {"mlp": {**MLP, "dataset": {"name": "blobs", "seed": None}}}, "init": {"random": 1}},
    ],
)
def test_a_seed_is_exact_for_every_json_reader(idle: httpx.Client, fields: dict[str, Any]) -> None:
    def with_seed(seed: float) -> httpx.Response:
        return idle.post("/v1/jobs", json=json.loads(json.dumps({**GOOD, **fields}).replace("null", str(seed))))

    assert with_seed(2**53 - 1).status_code == 202
    for seed in (2**53, 2.0**53, 2**64 - 1, 10**30):
        problem = assert_problem(with_seed(seed), 422)
        assert "at most 9007199254740991" in problem["detail"]
        assert "JavaScript" in problem["detail"]
        (error,) = problem["errors"]
        assert error["pointer"].endswith("/seed")


def test_queries_accept_integers_in_any_notation(idle: httpx.Client) -> None:
    for label in "abc":
        posted(idle, label=label)
    for limit in ("2", "2.0", "2e0", "20e-1"):
        assert len(valid(idle.get(f"/v1/jobs?limit={limit}"))["items"]) == 2
    for limit in ("2.5", "true", "two", "1e400", "0x2"):
        problem = assert_problem(idle.get(f"/v1/jobs?limit={limit}"), 422)
        assert [error["pointer"] for error in problem["errors"]] == ["#/query/limit"]
    job = posted(idle, init={"random": 2})
    seed = idle.get(f"{job['links']['self']}/landscape?seed={2**53}")
    assert "at most 9007199254740991" in assert_problem(seed, 422)["detail"]
