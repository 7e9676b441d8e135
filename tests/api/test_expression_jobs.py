"""Formulas over HTTP: jobs, values, surfaces, and errors."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.api.test_bad_input import GOOD, assert_problem
from tests.api.test_jobs import ended, posted, valid
from tests.unit.driving import job

HIMMELBLAU: dict[str, Any] = {
    "expression": "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
    "variables": ["x", "y"],
}
SUM: dict[str, Any] = {"expression": "sum((x[i] - i)**2 for i in range(n))", "variables": ["x"]}
STARTS = [[0, 0], [4, 0], [-4, 0]]


def trajectory(client: httpx.Client, found: dict[str, Any], run: int = 0) -> dict[str, Any]:
    columns: dict[str, Any] = valid(client.get(found["links"]["trajectory"], params={"run": run}))
    return columns


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("engine", ["eager", "fused"])
def test_a_formula_descends_like_the_same_catalogue_function(
    running: httpx.Client, engine: str, dtype: str
) -> None:
    fields = {"optimizer": "adam", "lr": 0.01, "init": STARTS, "steps": 1000, "engine": engine, "dtype": dtype}
    formula, known = (ended(running, **fields, function=of) for of in (HIMMELBLAU, "himmelblau"))
    assert formula["engine"] == known["engine"] == engine
    for run in range(3):
        one, other = (trajectory(running, found, run) for found in (formula, known))
        assert one["n_points"] == 1001
        assert (one["step"], one["x"], one["f"]) == (other["step"], other["x"], other["f"])
        got, wanted = formula["runs"][run], known["runs"][run]
        assert {**got, "minimum": None} == {**wanted, "minimum": None}
        assert got["minimum"] is None
        assert wanted["minimum"] is not None
    assert formula["gradient_check"] == {"agrees": True, "n_points": 3, "detail": None}
    assert known["gradient_check"] is None
    assert formula["spec"]["function"] == {**HIMMELBLAU, "constants": {}, "domain": None, "dim": 2}
    assert "function" not in formula["links"]


@pytest.mark.parametrize(
    ("formula", "init", "detail"),
    [
        ("floor(x)", [1], "at start 0 the gradient's coordinate 0 is 0, and central differences give 65536"),
        ("where(x > 0, x, 0)", [[1], [0]], "at start 1 the gradient's coordinate 0 is 0, and central differences"),
        ("x * y + (2 * y if y > 0 else y)", [1, 0], "at start 0 the gradient's coordinate 1 is 2, and"),
        ("x + abs(y - 2)**0.5", [0, 2], "at start 0 the gradient's coordinate 1 is"),
        ("sqrt(x)", [0], "inf, and central differences give nan"),
        ("log(x)", [-1], "central differences give nan"),
        ("exp(x)", [1000], "inf, and central differences give nan"),
    ],
)
def test_the_gradient_check_reports_a_difference(idle: httpx.Client, formula: str, init: Any, detail: str) -> None:
    variables = ["x", "y"] if "y" in formula else ["x"]
    found = posted(idle, function={"expression": formula, "variables": variables}, init=init)
    assert found["gradient_check"]["agrees"] is False
    assert detail in found["gradient_check"]["detail"]
    assert valid(idle.get(found["links"]["self"])) == found
    assert valid(idle.get("/v1/jobs"))["items"][0]["gradient_check"] == found["gradient_check"]


@pytest.mark.parametrize(
    ("formula", "init"),
    [
        ("floor(x) + x**2", [0.5]),
        ("abs(x)", [-1e-3]),
        ("1e12 + x**2", [0]),  # rounding exceeds the gradient
        ("sin(1e4 * x)", [0.3]),
        ("x**3", [1e5]),
        ("3", [1]),
    ],
)
def test_the_gradient_check_agrees(idle: httpx.Client, formula: str, init: list[float]) -> None:
    found = posted(idle, function={"expression": formula, "variables": ["x"]}, init=[init] * 20)
    assert found["gradient_check"] == {"agrees": True, "n_points": 16, "detail": None}


def test_a_start_where_the_value_is_not_finite_has_diverged(running: httpx.Client) -> None:
    formula = {"expression": "log(x) + 1/x", "variables": ["x"]}
    found = ended(running, function=formula, init=[[-1], [2]], lr=0.05, steps=400)
    bad, good = found["runs"]
    assert (bad["outcome"], bad["diverged_at"], bad["f"]) == ("diverged", 0, None)
    assert (good["outcome"], good["x"]) == ("max_steps", [pytest.approx(1, abs=1e-3)])
    assert found["gradient_check"]["agrees"] is False


@pytest.mark.parametrize("dim", [1, 4])
def test_a_vector_takes_its_dimension_from_the_starts(running: httpx.Client, dim: int) -> None:
    found = ended(running, function=SUM, init=[[5] * dim, [-2] * dim], optimizer="sgd", lr=0.5, steps=1)
    assert found["spec"]["function"]["dim"] == dim
    for run in found["runs"]:
        assert run["x"] == list(range(dim))  # this rate reaches the minimum in one step
        assert run["f"] == 0
    assert posted(running, **found["spec"])["spec"] == found["spec"]


def test_constants_are_used(running: httpx.Client) -> None:
    formula = {"expression": "a * (x - b)**2 + c", "variables": ["x"], "constants": {"a": 2, "b": -3, "c": 0.25}}
    (run,) = ended(running, function=formula, init=[1], optimizer="sgd", lr=0.25, steps=1)["runs"]
    assert (run["x"], run["f"]) == ([-3], 0.25)


def test_starts_are_drawn_from_the_domain(idle: httpx.Client) -> None:
    domain = [[1, 2], [-5, -4]]
    found = posted(idle, function={**HIMMELBLAU, "domain": domain}, init={"random": 50, "seed": 4})
    assert found["spec"]["init"] == {"random": 50, "seed": 4, "low": [1, -5], "high": [2, -4]}
    starts = np.array([run["init"] for run in found["runs"]])
    assert ((starts >= [1, -5]) & (starts <= [2, -4])).all()
    assert len(np.unique(starts)) == 100
    vector = posted(idle, function={**SUM, "domain": [[0, 1]], "dim": 3}, init={"random": 2})
    assert (vector["spec"]["init"]["low"], vector["spec"]["init"]["high"]) == ([0] * 3, [1] * 3)


def test_a_grid_of_starts(running: httpx.Client) -> None:
    init = {"grid": {"low": [-1, 0], "high": [1, 4], "shape": [3, 2]}}
    found = ended(running, function=HIMMELBLAU, init=init, steps=2)
    assert [run["init"] for run in found["runs"]] == [[-1, 0], [-1, 4], [0, 0], [0, 4], [1, 0], [1, 4]]
    assert found["runs"] == [
        {**run, "minimum": None} for run in ended(running, function="himmelblau", init=init, steps=2)["runs"]
    ]


def test_a_formula_that_cannot_be_compiled_runs_eagerly_and_says_why(running: httpx.Client) -> None:
    formula = {"expression": "lgamma(x**2 + 1) + x", "variables": ["x"]}
    found = ended(running, function=formula, init=[0.5], steps=5)
    assert (found["status"], found["engine"]) == ("succeeded", "eager")
    assert found["engine_reason"] == "lgamma and its gradient exist in torch only"
    refused = running.post("/v1/jobs", json={**found["spec"], "engine": "fused"})
    assert assert_problem(refused, 422)["errors"][0]["pointer"] == "#/engine"


def test_a_job_of_a_formula_can_be_extended_and_deleted(running: httpx.Client) -> None:
    fields = {"function": HIMMELBLAU, "init": STARTS}
    found = ended(running, **fields, steps=7)
    running.post(found["links"]["extend"], json={"steps": 5})
    extended = valid(running.get(found["links"]["self"], headers={"Prefer": "wait=60"}))
    assert extended["runs"] == ended(running, **fields, steps=12)["runs"]
    assert extended["gradient_check"] == found["gradient_check"]
    assert running.delete(found["links"]["self"]).status_code == 204
    assert_problem(running.get(found["links"]["self"]), 404)


# errors in formulas


@pytest.mark.parametrize(
    ("at", "rest"),
    [
        ("/v1/jobs", {name: value for name, value in GOOD.items() if name != "function"}),
        ("/v1/evaluate", {"points": [[0, 0]]}),
        ("/v1/surface", {"x_min": 0, "x_max": 1, "y_min": 0, "y_max": 1}),
        ("/v1/critical-points", {"low": [0, 0], "high": [1, 1]}),
    ],
    ids=["jobs", "evaluate", "surface", "critical-points"],
)
@pytest.mark.parametrize(
    ("expression", "variables", "column", "word"),
    [
        ("x**2 + + z", ["x", "y"], 10, "unknown name z"),
        ("x^2", ["x", "y"], 2, "write a power as **"),
        ("x**2 + (y", ["x", "y"], 8, ""),
        ("y + open(x)", ["x", "y"], 5, "open"),
        ("x[0] + x[2]", ["x"], 10, "index"),
        ("x[0].real + x[1]", ["x"], 5, "attributes"),
    ],
)
def test_an_error_in_a_formula_has_a_column(
    idle: httpx.Client, at: str, rest: dict[str, Any], expression: str, variables: list[str], column: int, word: str
) -> None:
    body = {**rest, "function": {"expression": expression, "variables": variables}}
    if at == "/v1/surface" and variables == ["x"]:
        body["function"]["dim"] = 2
    problem = assert_problem(idle.post(at, json=body), 422)
    (error,) = problem["errors"]
    assert error["pointer"] == "#/function/expression"
    assert error["column"] == column
    assert word in error["detail"]
    assert problem["type"] == "urn:thalweg:problem:invalid-input"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"variables": []}, "#/function/variables"),
        ({"variables": ["x", "x"]}, "#/function/variables/1"),
        ({"variables": ["x", "sin"]}, "#/function/variables/1"),
        ({"variables": ["x", "y!"]}, "#/function/variables/1"),
        ({"variables": "xy"}, "#/function/variables"),
        ({"constants": {"x": 1}}, "#/function/constants/x"),
        ({"constants": {"a": None}}, "#/function/constants/a"),
        ({"constants": {"a": True}}, "#/function/constants/a"),
        ({"domain": [[1, 0], [0, 1]]}, "#/function/domain/0"),
        ({"domain": [[0, 1]] * 3}, "#/function/domain"),
        ({"dim": 3}, "#/function/dim"),
        ({"expression": 3}, "#/function/expression"),
        ({"formula": "x"}, "#/function/formula"),
    ],
    ids=str,
)
def test_an_error_beside_the_formula_has_a_pointer(
    idle: httpx.Client, fields: dict[str, Any], pointer: str
) -> None:
    problem = assert_problem(idle.post("/v1/jobs", json={**GOOD, "function": {**HIMMELBLAU, **fields}}), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]], problem
    assert valid(idle.get("/v1/jobs"))["items"] == []


def test_a_vector_needs_a_dimension(idle: httpx.Client) -> None:
    refused = idle.post("/v1/jobs", json={**GOOD, "function": {**SUM, "domain": [[0, 1]]}, "init": {"random": 2}})
    assert "x is a vector of any dimension" in assert_problem(refused, 422)["errors"][0]["detail"]
    refused = idle.post("/v1/jobs", json={**GOOD, "function": {**SUM, "dim": 3}})
    assert assert_problem(refused, 422)["errors"][0]["pointer"] == "#/init"


# values, surfaces, critical points


def test_values_and_derivatives_equal_the_catalogue_functions(idle: httpx.Client) -> None:
    body: dict[str, Any] = {"points": [[0, 0], [3, 2], [-1.5, 2.25]], "gradient": True, "hessian": True}
    got, wanted = (
        valid(idle.post("/v1/evaluate", json={**body, "function": of})) for of in (HIMMELBLAU, "himmelblau")
    )
    assert got == wanted
    assert got["f"][:2] == [170, 0]
    assert got["hessian"][1] == [[74, 20], [20, 34]]
    vector = valid(idle.post("/v1/evaluate", json={"function": SUM, "points": [[1, 2, 3, 4]], "gradient": True}))
    assert vector == {"f": [4], "gradient": [[2, 2, 2, 2]]}
    bad = valid(
        idle.post(
            "/v1/evaluate", json={"function": {"expression": "1/x", "variables": ["x"]}, "points": [[0], [2]]}
        )
    )
    assert bad == {"f": [None, 0.5]}


def test_the_surface_equals_the_catalogue_functions(idle: httpx.Client) -> None:
    window = {"x_min": -6, "x_max": 6, "y_min": -6, "y_max": 6, "step": 0.5}
    got, wanted = (
        valid(idle.post("/v1/surface", json={**window, "function": of})) for of in (HIMMELBLAU, "himmelblau")
    )
    assert got == wanted
    assert len(got["z"]) == 24
    domain = valid(
        idle.post("/v1/surface", json={"function": {**HIMMELBLAU, "domain": [[0, 1], [2, 4]]}, "points": 3})
    )
    assert (domain["x"], domain["y"]) == ([0, 0.5, 1], [2, 3, 4])
    problem = assert_problem(idle.post("/v1/surface", json={"function": HIMMELBLAU, "points": 3}), 422)
    assert problem["errors"][0]["pointer"] == "#/x_min"
    part = valid(
        idle.post(
            "/v1/surface",
            json={"function": SUM, "fixed": [0, 0, 7], "x_min": 0, "x_max": 1, "y_min": 1, "y_max": 2, "points": 2},
        )
    )
    assert part["z"] == [[25, 26], [26, 27]]


def test_the_critical_points_of_himmelblau(idle: httpx.Client) -> None:
    box = {"low": [-6, -6], "high": [6, 6]}
    got, wanted = (
        valid(idle.post("/v1/critical-points", json={**box, "function": of})) for of in (HIMMELBLAU, "himmelblau")
    )
    assert got == wanted
    assert got["box"] == [[-6, 6], [-6, 6]]
    assert got["counts"] == {"minimum": 4, "saddle": 4, "maximum": 1, "degenerate": 0}
    found = got["critical_points"]
    assert [point["f"] for point in found] == sorted(point["f"] for point in found)
    minima = [point["x"] for point in found if point["kind"] == "minimum"]
    known = valid(idle.get("/v1/functions/himmelblau"))["minima"]
    for minimum in known:
        assert min(np.abs(np.subtract(x, minimum["x"])).max() for x in minima) < 1e-12
    for point in found:
        low, high = point["eigenvalues"]
        assert low <= high
        assert point["kind"] == ("minimum" if low > 0 else "maximum" if high < 0 else "saddle")
        assert point["isolated"]
    body = {"function": HIMMELBLAU, "points": [point["x"] for point in found], "gradient": True}
    assert np.abs(valid(idle.post("/v1/evaluate", json=body))["gradient"]).max() < 1e-10


def test_the_domain_is_the_default_box(idle: httpx.Client) -> None:
    formula = {"expression": "cos(x) * y**2 - y", "variables": ["x", "y"], "domain": [[-1, 1], [0, 1]]}
    found = valid(idle.post("/v1/critical-points", json={"function": formula, "starts": 20}))
    assert found["box"] == [[-1, 1], [0, 1]]
    (point,) = found["critical_points"]
    assert (point["kind"], point["x"]) == ("saddle", pytest.approx([0, 0.5], abs=1e-14))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/low"),  # no domain to fall back to
        ({"low": [0, 0]}, "#/high"),
        ({"low": [0, 0], "high": [1, -1]}, "#/high/1"),
        ({"low": [0, 0], "high": [1, 0]}, "#/high/1"),
        ({"low": [0, 0, 0], "high": [1, 1, 1]}, "#/low"),
        ({"low": [0, 0], "high": [1, 1], "starts": 301}, "#/starts"),
        ({"function": SUM, "low": [0] * 3, "high": [1] * 3}, "#/function"),
        ({"function": {"expression": "x", "variables": ["x"], "domain": [[0, 1]]}}, "#/function"),
        (
            {
                "function": {"expression": "x*y + sum(sin(i) for i in range(10000))", "variables": ["x", "y"]},
                "low": [0, 0],
                "high": [1, 1],
            },
            "#/starts",
        ),
        ({"low": [0, 0], "high": [1, 1], "points": 9}, "#/points"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_an_invalid_search_is_rejected(idle: httpx.Client, body: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(idle.post("/v1/critical-points", json={"function": HIMMELBLAU, **body}), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]], problem


def test_a_costly_formula_is_over_a_limit(idle: httpx.Client) -> None:
    long = {"expression": "sum(sin(x + i) for i in range(100000))", "variables": ["x"]}
    assert posted(idle, function=long, init=[1])["engine"] == "fused"
    refused = idle.post("/v1/jobs", json={**GOOD, "function": long, "init": [[1]] * 900})
    assert "max_evaluation_values" in assert_problem(refused, 422)["detail"]
    plane = {"expression": f"y + {long['expression']}", "variables": ["x", "y"], "domain": [[0, 1], [0, 1]]}
    refused = idle.post("/v1/surface", json={"function": plane, "points": 300})
    problem = assert_problem(refused, 422)
    assert problem["type"] == "urn:thalweg:problem:limit-exceeded"
    assert problem["errors"][0]["pointer"] == "#/points"


def test_idempotency_compares_formulas(idle: httpx.Client) -> None:
    headers = {"Idempotency-Key": "test-equal-formulas"}
    body = {**GOOD, "function": HIMMELBLAU}
    first = idle.post("/v1/jobs", json=body, headers=headers)
    again = idle.post("/v1/jobs", json={**body, "function": {**HIMMELBLAU, "dim": 2}}, headers=headers)
    assert valid(again) == valid(first)
    other = {**HIMMELBLAU, "expression": f"{HIMMELBLAU['expression']} + 1"}
    assert_problem(idle.post("/v1/jobs", json={**body, "function": other}, headers=headers), 422)


def test_starts_are_those_of_the_engine(idle: httpx.Client) -> None:
    fields = {"function": {**HIMMELBLAU, "domain": [[-6, 6]] * 2}, "init": {"random": 9, "seed": 1}}
    assert [run["init"] for run in posted(idle, **fields)["runs"]] == job(**fields).starts().tolist()
    known = posted(idle, function="himmelblau", init={"random": 9, "seed": 1})
    assert [run["init"] for run in known["runs"]] == job(**fields).starts().tolist()
