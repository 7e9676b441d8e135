"""Functions, surfaces, values, optimizers and schedulers over HTTP."""

from typing import Any

import httpx
import jsonschema
import numpy as np
import pytest

from tests.api.test_bad_input import assert_problem
from tests.api.test_jobs import paged, posted, valid
from tests.unit.driving import OPTIMIZERS, name_of
from thalweg.functions import catalogue
from thalweg.optimizers.catalogue import optimizers
from thalweg.optimizers.schedules import schedulers


def test_the_list_has_all_functions(idle: httpx.Client) -> None:
    page = valid(idle.get("/v1/functions"))
    assert page["next_cursor"] is None
    assert [item["name"] for item in page["items"]] == list(catalogue.names())
    for item in page["items"]:
        assert valid(idle.get(f"/v1/functions/{item['name']}")) == item


def test_pages_have_each_function_once(idle: httpx.Client) -> None:
    assert [item["name"] for item in paged(idle, "/v1/functions", 5)] == list(catalogue.names())


@pytest.mark.parametrize("function", catalogue.functions(), ids=lambda function: function.name)
def test_facts_of_a_function(idle: httpx.Client, function: Any) -> None:
    item = valid(idle.get(f"/v1/functions/{function.name}"))
    assert item["any_dim"] == (function.dim is None)
    assert len(item["domain"]) == item["dim"] == function.at().dim
    assert all(low < high for low, high in item["domain"])
    assert item["minima"]
    assert all(len(minimum["x"]) == item["dim"] for minimum in item["minima"])
    assert isinstance(item["smooth"], bool)
    assert all(item[name] for name in ("title", "formula", "source"))
    points = [minimum["x"] for minimum in item["minima"]]
    values = valid(idle.post("/v1/evaluate", json={"function": item["name"], "points": points}))
    assert values["f"] == pytest.approx([minimum["f"] for minimum in item["minima"]], rel=1e-14, abs=1e-12)


def test_more_minima_than_json_can_count(idle: httpx.Client) -> None:
    few = valid(idle.get("/v1/functions/vincent?dim=4"))
    assert (few["n_minima"], len(few["minima"]), few["all_minima_known"]) == (6**4, 1000, True)
    many = valid(idle.get("/v1/functions/vincent?dim=10000"))
    assert (many["n_minima"], len(many["minima"])) == (None, 10)


def test_a_function_says_when_it_may_have_other_minima(idle: httpx.Client) -> None:
    assert valid(idle.get("/v1/functions/perm_d_beta?dim=4"))["all_minima_known"]
    assert not valid(idle.get("/v1/functions/perm_d_beta?dim=6"))["all_minima_known"]


def test_an_invalid_dimension_is_rejected(idle: httpx.Client) -> None:
    response = idle.get("/v1/functions/powell?dim=6")
    assert response.status_code == 422
    assert "multiple of 4" in response.json()["errors"][0]["detail"]


def test_a_variable_dimension_can_be_chosen(idle: httpx.Client) -> None:
    item = valid(idle.get("/v1/functions/sphere?dim=5"))
    assert (item["dim"], len(item["domain"]), item["minima"]) == (5, 5, [{"x": [0] * 5, "f": 0}])
    assert idle.get("/v1/functions/himmelblau?dim=3").status_code == 422
    assert idle.get("/v1/functions/himmelblau?dim=2").status_code == 200


def test_himmelblaus_surface_equals_numpys(idle: httpx.Client) -> None:
    query = "x_min=-6&x_max=6&y_min=-6&y_max=6&step=0.1"
    found = valid(idle.get(f"/v1/functions/himmelblau/surface?{query}"))
    axis = np.arange(-6, 6, 0.1)
    x, y = np.meshgrid(axis, axis)
    assert found["x"] == found["y"] == axis.tolist()
    assert len(found["x"]) == 120
    assert found["z"] == ((x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2).tolist()


def test_points_are_those_of_linspace(idle: httpx.Client) -> None:
    found = valid(idle.get("/v1/functions/booth/surface?points=7&x_min=-1&y_max=3"))
    assert found["x"] == np.linspace(-1, 10, 7).tolist()
    assert found["y"] == np.linspace(-10, 3, 7).tolist()
    assert found["z"][2][5] == pytest.approx(
        (found["x"][5] + 2 * found["y"][2] - 7) ** 2 + (2 * found["x"][5] + found["y"][2] - 5) ** 2
    )


@pytest.mark.parametrize("name", [entry.name for entry in catalogue.functions() if entry.dim == 1])
def test_a_surface_of_a_function_of_one_coordinate_is_refused(idle: httpx.Client, name: str) -> None:
    for refused in (
        idle.get(f"/v1/functions/{name}/surface"),
        idle.post("/v1/surface", json={"function": name}),
    ):
        problem = assert_problem(refused, 422)
        assert "a surface needs two coordinates, and the function has 1" in problem["errors"][0]["detail"]
    values = valid(idle.post("/v1/evaluate", json={"function": name, "points": [[0.5], [0.75], [1]]}))
    assert len(values["f"]) == 3


@pytest.mark.parametrize("name", [entry.name for entry in catalogue.functions() if entry.dim != 1])
def test_both_ways_give_the_same_surface(idle: httpx.Client, name: str) -> None:
    got = valid(idle.get(f"/v1/functions/{name}/surface", params={"points": 9}))
    assert got == valid(idle.post("/v1/surface", json={"function": name, "points": 9}))
    assert (len(got["z"]), len(got["z"][0])) == (9, 9)


@pytest.mark.parametrize("fixed", [{"1": 0.5}, [9, 0.5, 9]])
def test_a_slice_with_axes_and_fixed_coordinates(idle: httpx.Client, fixed: Any) -> None:
    body = {
        "function": {"name": "sphere", "dim": 3},
        "axes": [2, 0],
        "fixed": fixed,
        "x_min": 0,
        "x_max": 3,
        "y_min": 10,
        "y_max": 12,
        "step": 1,
    }
    found = valid(idle.post("/v1/surface", json=body))
    assert (found["x"], found["y"]) == ([0, 1, 2], [10, 11])
    assert found["z"] == [[x**2 + y**2 + 0.25 for x in found["x"]] for y in found["y"]]


def test_overflow_in_a_surface_is_null(idle: httpx.Client) -> None:
    found = valid(idle.get("/v1/functions/himmelblau/surface?x_min=0&x_max=1e200&points=2"))
    assert found["z"][0][0] is not None
    assert found["z"][0][1] is None


def test_values_with_requested_derivatives(idle: httpx.Client) -> None:
    body: dict[str, Any] = {"function": "himmelblau", "points": [[0, 0], [3, 2], [1e200, 0]]}
    values = valid(idle.post("/v1/evaluate", json=body))
    assert values == {"f": [170, 0, None]}
    body["points"].pop()
    whole = valid(idle.post("/v1/evaluate", json={**body, "gradient": True, "hessian": True}))
    assert whole["f"] == [170, 0]
    assert whole["gradient"] == [[-14, -22], [0, 0]]
    assert whole["hessian"] == [[[-42, 0], [0, -26]], [[74, 20], [20, 34]]]
    assert "gradient" not in valid(idle.post("/v1/evaluate", json={**body, "hessian": True}))


@pytest.mark.parametrize(
    ("at", "kind", "entries"),
    [("/v1/optimizers", "optimizers", optimizers()), ("/v1/schedulers", "schedulers", schedulers())],
)
def test_optimizers_and_schedulers_are_listed(idle: httpx.Client, at: str, kind: str, entries: Any) -> None:
    page = valid(idle.get(at))
    assert page["next_cursor"] is None
    assert [item["name"] for item in page["items"]] == [entry.model_fields["name"].default for entry in entries]
    for item in page["items"]:
        assert item["title"]
        of_torch = f"torch.{'optim' if kind == 'optimizers' else 'optim.lr_scheduler'}"
        assert ("pytorch_optimizer." if item.get("family") == "zoo" else of_torch) in item["source"]
        jsonschema.Draft202012Validator.check_schema(item["parameters"])


def test_an_optimizer_says_whether_it_needs_matrices(idle: httpx.Client) -> None:
    for item in valid(idle.get("/v1/optimizers"))["items"]:
        spec = {"function": "himmelblau", "optimizer": item["name"], "init": [1, 2], "steps": 1}
        assert idle.post("/v1/jobs", json=spec).status_code == (422 if item["matrices_only"] else 202), item["name"]


@pytest.mark.parametrize("case", OPTIMIZERS, ids=name_of)
def test_a_job_accepts_what_the_schema_of_its_optimizer_accepts(idle: httpx.Client, case: dict[str, Any]) -> None:
    listed = {item["name"]: item for item in valid(idle.get("/v1/optimizers"))["items"]}
    parameters = {name: value for name, value in case.items() if name != "name"}
    schema = listed[case["name"]]["parameters"]
    jsonschema.validate(parameters, schema)
    spec = posted(idle, optimizer=case, lr=None)["spec"]
    for name, value in parameters.items():
        assert (spec["lr"] if name == "lr" else spec["optimizer"][name]) == value
    for name, described in schema["properties"].items():
        if name not in parameters and name != "lr":
            assert spec["optimizer"][name] == described["default"]


def test_an_optimizer_by_name(idle: httpx.Client) -> None:
    for name in ("adam", "lion"):
        found = valid(idle.get(f"/v1/optimizers/{name}"))
        (listed,) = [each for each in valid(idle.get("/v1/optimizers"))["items"] if each["name"] == name]
        assert found == listed
    assert (found["family"], found["licence"], found["matrices_only"]) == ("zoo", "Apache-2.0", False)
    assert found["parameters"]["properties"]["betas"]["default"] == [0.9, 0.99]
    missing = idle.get("/v1/optimizers/lions")
    assert missing.status_code == 404
    assert missing.json()["detail"].startswith('there is no optimizer "lions"')


def test_a_job_with_an_optimizer_of_the_zoo(idle: httpx.Client) -> None:
    body = {
        "function": "himmelblau",
        "optimizer": {"name": "lion", "betas": [0.5, 0.9]},
        "init": [0, 0],
        "steps": 9,
    }
    job = valid(idle.post("/v1/jobs", json=body))
    assert job["spec"]["optimizer"]["name"] == "lion"
    assert job["engine"] == "fused"
    refused = idle.post("/v1/jobs", json={**body, "optimizer": {"name": "lion", "beta": 0.5}})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["#/optimizer/beta"]
