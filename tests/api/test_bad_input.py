"""Invalid requests: a 4xx problem that says what to change, never a 500, and nothing is stored."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.serving import NoWorkers, served
from thalweg.settings import Settings

GOOD: dict[str, Any] = {
    "function": "himmelblau",
    "optimizer": "adam",
    "lr": 0.001,
    "init": [0, 0],
    "steps": 10,
}

BAD_FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({"function": "himmelblu"}, "#/function", "himmelblau"),
    ({"function": 3}, "#/function", ""),
    ({"function": {"name": "sphere", "dim": 3}}, "#/init", "dim"),
    ({"function": {"name": "himmelblau", "dims": 2}}, "#/function/dims", ""),
    ({"function": {"expression": "x**2 + z", "variables": ["x"]}}, "#/function/expression", "unknown name z"),
    ({"function": {"expression": "x ^ 2", "variables": ["x"]}}, "#/function/expression", "**"),
    ({"function": {"expression": "x**2"}}, "#/function/variables", "required"),
    ({"function": {"expression": "x[i]", "variables": ["x"]}}, "#/function/expression", "i"),
    ({"function": {"expression": "x + y + z", "variables": ["x", "y", "z"]}}, "#/init", "3 variables"),
    ({"function": {"expression": "x[0] + x[2]", "variables": ["x"]}}, "#/function/expression", "index"),
    ({"function": {"expression": "x", "variables": ["x"]}, "init": {"random": 3}}, "#/init", "domain"),
    ({"function": {"mlp": {}}}, "#/function/mlp/layers", "required"),
    ({"function": {"mlp": {"layers": [2], "dataset": "xor"}}}, "#/function/mlp/layers", "at least 2 items, not 1"),
    ({"function": {"mlp": {"layers": [3, 1], "dataset": "xor"}}}, "#/function/mlp/layers/0", "2 inputs"),
    ({"function": {"mlp": {"layers": [2, 1], "dataset": "xorr"}}}, "#/function/mlp/dataset", "mean xor"),
    ({"function": {"mlp": {"layers": [2, 1], "dataset": "xor"}}}, "#/init", "3 parameters"),
    ({"function": "sphere", "init": {"random": 5}}, "#/function", "dim"),
    ({"optimizer": "adamm"}, "#/optimizer", "adam"),
    ({"optimizer": "muon"}, "#/optimizer", "muon moves matrices"),
    ({"optimizer": "sparse_adam"}, "#/optimizer", "sparse"),
    ({"optimizer": {"name": "adam", "beta": 0.9}}, "#/optimizer/beta", ""),
    ({"optimizer": {"name": "adam", "betas": [0.9, 1.0]}}, "#/optimizer/betas/1", "less than 1"),
    ({"optimizer": {"name": "adam", "fused": True}}, "#/optimizer/fused", "engine"),
    ({"optimizer": {"name": "sgd", "nesterov": True}}, "#/optimizer/nesterov", "momentum"),
    ({"optimizer": {"name": "lbfgs", "line_search_fn": "wolfe"}}, "#/optimizer/line_search_fn", ""),
    ({"optimizer": {"name": "adam", "lr": 0.5}}, "#/lr", "twice"),
    ({"lr": 0}, "#/lr", "greater than 0"),
    ({"lr": -1}, "#/lr", "greater than 0"),
    ({"lr": "0.1"}, "#/lr", "number"),
    ({"lr": True}, "#/lr", "number"),
    ({"init": []}, "#/init", "at least one"),
    ({"init": [[]]}, "#/init/0", ""),
    ({"init": [0, 0, 0]}, "#/init", "dimension 2"),
    ({"init": [[0, 0], [1]]}, "#/init/1", "1 coordinates"),
    ({"init": [0, None]}, "#/init/1", "number"),
    ({"init": [0, True]}, "#/init/1", "number"),
    ({"init": [1.5e308, 0]}, "#/init/0", "1e+308"),
    ({"init": [10**400, 0]}, "#/init/0", ""),
    ({"init": "origin"}, "#/init", "point"),
    ({"init": {"grid": {"low": [1, 1], "high": [0, 2], "shape": [2, 2]}}}, "#/init/grid/high/0", "reversed"),
    ({"init": {"grid": {"low": [-1, -1], "high": [1, 1], "shape": [2]}}}, "#/init/grid/shape", ""),
    (
        {"init": {"grid": {"low": [-1e308, 0], "high": [1e308, 1], "shape": [2, 2]}}},
        "#/init/grid/high/0",
        "wide",
    ),
    ({"init": {"grid": {"low": [-1, -1], "high": [1, 1], "shape": [40, 26]}}}, "#/init", "max_starts"),
    ({"init": {"random": 1001}}, "#/init", "max_starts"),
    ({"optimizer": "lbfgs", "init": {"random": 200}}, "#/init", "max_state_values"),
    ({"init": {"random": 0}}, "#/init/random", ""),
    ({"init": {"random": 3, "low": [0, 0]}}, "#/init/high", "together"),
    ({"function": "sphere", "init": [0] * 51}, "#/function/dim", "max_dim"),
    ({"init": [1e300, 0], "dtype": "float32"}, "#/init", "float32"),
    ({"function": {"name": "sphere", "dim": 10**12}, "init": {"random": 1}}, "#/function/dim", "1000000"),
    ({"dtype": "float16"}, "#/dtype", "float32"),
    ({"steps": 0}, "#/steps", "at least 1"),
    ({"steps": -5}, "#/steps", "at least 1"),
    ({"steps": 1.5}, "#/steps", "integer"),
    ({"steps": True}, "#/steps", "integer"),
    ({"steps": 10**10, "record_every": 10**9}, "#/steps", "max_steps"),
    ({"steps": 100_000_000}, "#/record_every", "Set record_every to 6 or more,"),
    ({"steps": 10**30}, "#/steps", ""),
    ({"record_every": 10**20}, "#/record_every", ""),
    ({"record_every": 2**63}, "#/record_every", ""),
    ({"timeout_s": 1e12}, "#/timeout_s", ""),
    ({"lr": 1e40, "dtype": "float32"}, "#/optimizer", "adam"),
    ({"init": {"grid": {"low": [0, 0], "high": [1, 1], "shape": [10**4000, 10**4000]}}}, "#/init/grid/shape/0", ""),
    ({"record_every": 0}, "#/record_every", ""),
    ({"scheduler": "step_lr"}, "#/scheduler/step_size", "required"),
    ({"scheduler": "lambda_lr"}, "#/scheduler", "function"),
    ({"scheduler": {"name": "one_cycle_lr", "max_lr": 1, "total_steps": 9}}, "#/scheduler", "9 steps"),
    (
        {"optimizer": "adagrad", "scheduler": {"name": "cyclic_lr", "base_lr": 0.1, "max_lr": 1}, "lr": None},
        "#/scheduler",
        "momentum",
    ),
    ({"stop": {}}, "#/stop", "grad_norm"),
    ({"stop": {"grad_norm": -1}}, "#/stop/grad_norm", ""),
    ({"clip_grad_norm": 0}, "#/clip_grad_norm", ""),
    ({"gradient_noise": {"std": -1}}, "#/gradient_noise/std", ""),
    ({"gradient_noise": {"std": 1, "seed": 2**64}}, "#/gradient_noise/seed", ""),
    ({"engine": "fused", "optimizer": "lbfgs", "scheduler": "reduce_lr_on_plateau"}, "#/engine", "of each run"),
    (
        {"engine": "fused", "function": {"expression": "lgamma(x) + y", "variables": ["x", "y"]}},
        "#/engine",
        "lgamma",
    ),
    ({"engine": "numba"}, "#/engine", "'auto', 'eager' or 'fused'"),
    ({"engine": "warp"}, "#/engine", ""),
    ({"timeout_s": 0}, "#/timeout_s", ""),
    ({"label": "a\u0000b"}, "#/label", ""),
    ({"label": "x" * 201}, "#/label", "200"),
    ({"tags": ["a"] * 21}, "#/tags", ""),
    ({"tags": [""]}, "#/tags/0", ""),
    ({"colour": "red"}, "#/colour", "unknown field"),
]

BAD_BODIES: list[tuple[bytes, str]] = [
    (b"", "#"),
    (b"{", "#"),
    (b'{"function": ', "#"),
    (b"[1, 2]", "#"),
    (b"null", "#"),
    (b'"himmelblau"', "#"),
    (b'{"lr": NaN}', "#/lr"),
    (b'{"lr": 1e309}', "#/lr"),
    (b'{"lr": -Infinity}', "#/lr"),
    (b'{"label": "\\ud800"}', "#"),
    (b'{"\\ud800": 1}', "#"),
    (b'{"optimizer": "\\ud800"}', "#"),
    (b'{"optimizer": {"name": "adam", "\\ud800": 1}}', "#"),
    (b'{"\xff": 1}', ""),
    (b"[" * 9000, ""),
    (b'{"steps": ' + b"9" * 5000 + b"}", ""),
]


def assert_problem(answer: httpx.Response, *statuses: int) -> dict[str, Any]:
    """Check that a response is a valid problem document, and return it."""
    assert answer.status_code in (statuses or range(400, 500)), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    problem: dict[str, Any] = json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    assert {"type", "title", "status", "detail", "instance"} <= problem.keys()
    assert problem["status"] == answer.status_code
    assert problem["instance"] == answer.request.url.path
    assert len(problem["detail"]) > 10
    return problem


def n_jobs(client: httpx.Client) -> int:
    return len(client.get("/v1/jobs").json()["items"])


@pytest.mark.parametrize(("fields", "pointer", "word"), BAD_FIELDS, ids=lambda value: str(value)[:60])
def test_an_invalid_field_has_a_pointer(
    idle: httpx.Client, fields: dict[str, Any], pointer: str, word: str
) -> None:
    answer = idle.post("/v1/jobs", json={**GOOD, **fields})
    problem = assert_problem(answer, 422)
    pointers = [error["pointer"] for error in problem["errors"]]
    assert pointer in pointers, problem
    assert any(word in error["detail"] for error in problem["errors"]), problem
    assert n_jobs(idle) == 0


@pytest.mark.parametrize(("body", "pointer"), BAD_BODIES, ids=lambda value: str(value)[:40])
def test_an_invalid_body_is_rejected(idle: httpx.Client, body: bytes, pointer: str) -> None:
    answer = idle.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    problem = assert_problem(answer)
    if pointer:
        assert any(error["pointer"].startswith(pointer[:3]) for error in problem["errors"]), problem
    assert n_jobs(idle) == 0


def test_a_list_of_invalid_items_is_not_reported_as_too_short(idle: httpx.Client) -> None:
    problem = assert_problem(idle.post("/v1/jobs", json={**GOOD, "init": [None, None]}), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["#/init/0", "#/init/1"]


@pytest.mark.parametrize("field", ["function", "optimizer", "init", "steps"])
def test_missing_fields_are_named(idle: httpx.Client, field: str) -> None:
    answer = idle.post("/v1/jobs", json={key: value for key, value in GOOD.items() if key != field})
    problem = assert_problem(answer, 422)
    assert problem["errors"] == [{"pointer": f"#/{field}", "detail": "this field is required"}]


def test_a_body_without_content_type_names_the_right_one(idle: httpx.Client) -> None:
    answer = idle.post("/v1/jobs", content=json.dumps(GOOD))
    assert "Content-Type: application/json" in assert_problem(answer, 422)["detail"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_rejected(idle: httpx.Client, chunked: bool) -> None:
    body = json.dumps({**GOOD, "init": [[0, 0]] * 10_000}).encode()
    content: Any = iter([body[:15_000], body[15_000:]]) if chunked else body
    answer = idle.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"})
    assert "max_body_bytes" in assert_problem(answer, 413)["detail"]
    assert n_jobs(idle) == 0


@pytest.mark.parametrize("job_id", ["nothing", "01a20ac5-a660-71b0-b714-4520eccad03b", "..", "%00", "x" * 90])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/runs", None),
        ("GET", "/trajectory", None),
        ("GET", "/events", None),
        ("POST", "/cancel", None),
        ("POST", "/extend", {"steps": 5}),
        ("DELETE", "", None),
    ],
)
def test_a_job_that_does_not_exist_is_not_found(
    idle: httpx.Client, job_id: str, method: str, path: str, body: dict[str, int] | None
) -> None:
    assert_problem(idle.request(method, f"/v1/jobs/{job_id}{path}", json=body), 404, 405)


@pytest.mark.parametrize(
    "query",
    [
        "cursor=nonsense",
        "cursor=bm90LWEtam9i",
        "cursor=%00",
        "cursor=",
        "limit=0",
        "limit=1001",
        "limit=ten",
        "status=done",
    ],
)
def test_an_invalid_query_of_the_list_is_rejected(idle: httpx.Client, query: str) -> None:
    problem = assert_problem(idle.get(f"/v1/jobs?{query}"), 422)
    assert problem["errors"][0]["pointer"] == f"#/query/{query.partition('=')[0]}"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("run=1", "#/query/run"),
        ("run=-1", "#/query/run"),
        (f"run={10**30}", "#/query/run"),
        (f"from_step={10**30}", "#/query/from_step"),
        (f"to_step={10**30}", "#/query/to_step"),
        ("from_step=5&to_step=4", "#/query/from_step"),
        ("max_points=3", "#/query/max_points"),
        ("max_points=many", "#/query/max_points"),
    ],
)
def test_an_invalid_query_of_a_trajectory_is_rejected(idle: httpx.Client, query: str, pointer: str) -> None:
    job = idle.post("/v1/jobs", json=GOOD).json()
    problem = assert_problem(idle.get(f"/v1/jobs/{job['id']}/trajectory?{query}"), 422)
    assert problem["errors"][0]["pointer"] == pointer


def test_an_unavailable_media_type_is_not_acceptable(idle: httpx.Client) -> None:
    job = idle.post("/v1/jobs", json=GOOD).json()
    answer = idle.get(f"/v1/jobs/{job['id']}/trajectory", headers={"Accept": "image/png"})
    assert "text/csv" in assert_problem(answer, 406)["detail"]


@pytest.mark.parametrize("steps", [0, -1, "ten", None, True, 10**12])
def test_an_invalid_extension_is_rejected(idle: httpx.Client, steps: object) -> None:
    job = idle.post("/v1/jobs", json=GOOD).json()
    idle.post(f"/v1/jobs/{job['id']}/cancel")
    assert_problem(idle.post(f"/v1/jobs/{job['id']}/extend", json={"steps": steps}), 422)
    assert idle.get(f"/v1/jobs/{job['id']}").json()["status"] == "cancelled"


def test_a_job_that_has_not_ended_cannot_be_extended(idle: httpx.Client) -> None:
    job = idle.post("/v1/jobs", json=GOOD).json()
    problem = assert_problem(idle.post(f"/v1/jobs/{job['id']}/extend", json={"steps": 5}), 409)
    assert "queued" in problem["detail"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("x_min=6&x_max=-6", "#/query/x_max"),
        ("x_min=nan", "#/query/x_min"),
        ("x_min=1e309", "#/query/x_min"),
        ("y_max=high", "#/query/y_max"),
        ("step=0", "#/query/step"),
        ("step=-1", "#/query/step"),
        ("step=1e-300", "#/query/step"),
        ("points=1", "#/query/points"),
        ("points=1" + "0" * 400, "#/query/points"),
        ("points=1000000000", "#/query/points"),
        ("points=10&step=1", "#/query/points"),
        ("x_min=-1e308&x_max=1e308", "#/query/x_max"),
    ],
)
def test_an_invalid_window_is_rejected(idle: httpx.Client, query: str, pointer: str) -> None:
    problem = assert_problem(idle.get(f"/v1/functions/himmelblau/surface?{query}"), 422)
    assert problem["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/function"),
        ({"function": "sphere", "axes": [0, 0]}, "#/axes/1"),
        ({"function": "sphere", "axes": [0, 2]}, "#/axes/1"),
        ({"function": {"name": "sphere", "dim": 3}, "fixed": [0, 0]}, "#/fixed"),
        ({"function": {"name": "sphere", "dim": 3}, "fixed": {"3": 1}}, "#/fixed/3"),
        ({"function": {"name": "sphere", "dim": 1}}, "#/function"),
        ({"function": "sphere", "points": 10_000}, "#/points"),
        ({"function": "sphere", "colour": 1}, "#/colour"),
        ({"function": {"name": "sphere", "dim": 51}}, "#/function/dim"),
        ({"function": {"name": "sphere", "dim": 10**12}}, "#/function/dim"),
    ],
)
def test_an_invalid_slice_is_rejected(idle: httpx.Client, body: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(idle.post("/v1/surface", json=body), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]], problem


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"function": "himmelblau", "points": []}, "#/points"),
        ({"function": "himmelblau", "points": [[0]]}, "#/points"),
        ({"function": "nothing", "points": [[0]]}, "#/function"),
        ({"function": "sphere", "points": [[0], [0, 1]]}, "#/points/1"),
        ({"function": "sphere", "points": [[0, None]]}, "#/points/0/1"),
        ({"function": "sphere", "points": [[0.5] * 48] * 100, "hessian": True}, "#/points"),
        ({"function": "sphere", "points": [[0]], "gradient": 1}, "#/gradient"),
    ],
)
def test_an_invalid_evaluation_is_rejected(idle: httpx.Client, body: dict[str, Any], pointer: str) -> None:
    problem = assert_problem(idle.post("/v1/evaluate", json=body), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]], problem


@pytest.mark.parametrize("path", ["/v1/functions/nothing", "/v1/functions/nothing/surface", "/v2/jobs", "/v1/x"])
def test_unknown_paths_are_not_found(idle: httpx.Client, path: str) -> None:
    assert_problem(idle.get(path), 404)


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/jobs", {"GET", "POST"}),
        ("/v1/jobs/some", {"GET", "DELETE"}),
        ("/v1/jobs/some/cancel", {"POST"}),
        ("/v1/evaluate", {"POST"}),
        ("/v1/functions", {"GET"}),
        ("/healthz", {"GET"}),
        ("/", {"GET"}),
    ],
)
def test_a_method_not_allowed_names_those_allowed(idle: httpx.Client, path: str, allowed: set[str]) -> None:
    answer = idle.put(path, json=GOOD)
    problem = assert_problem(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == allowed | ({"HEAD"} if "GET" in allowed else set())
    assert all(method in problem["detail"] for method in allowed)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ü"])
def test_an_invalid_idempotency_key_is_rejected(idle: httpx.Client, key: str) -> None:
    answer = idle.post("/v1/jobs", json=GOOD, headers={b"Idempotency-Key": key.encode()})
    assert_problem(answer, 422)
    assert n_jobs(idle) == 0


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("locked"), api_keys="first,second")
    with served(settings, NoWorkers()) as client:
        yield client


def test_everything_under_v1_requires_a_key(locked: httpx.Client) -> None:
    for path in ("/v1/jobs", "/v1/functions", "/v1/optimizers", "/v1/jobs/x/events"):
        answer = locked.get(path)
        assert_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("sent", ["Bearer third", "first", "Basic first", "Bearer first,second"])
def test_a_wrong_key_is_rejected(locked: httpx.Client, sent: str) -> None:
    assert_problem(locked.get("/v1/jobs", headers={"Authorization": sent}), 401)


@pytest.mark.parametrize("key", ["first", "second"])
def test_every_key_is_accepted(locked: httpx.Client, key: str) -> None:
    assert locked.get("/v1/jobs", headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_health_needs_no_key(locked: httpx.Client) -> None:
    assert locked.get("/healthz").status_code == 200
