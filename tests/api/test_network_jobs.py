"""Networks as jobs over HTTP: training, losses at every step, the backward pass, the landscape."""

from typing import Any

import httpx
import numpy as np
import pytest
import torch

from tests.api.test_bad_input import assert_problem
from tests.api.test_jobs import ended, posted, valid, waited_for
from tests.unit.driving import drive, job
from tests.unit.nets import network, objective, samples_of
from thalweg.functions.networks.objective import NetworkObjective


def net(**fields: Any) -> dict[str, Any]:
    return network(**fields).model_dump(mode="json")


FEW: dict[str, Any] = {"layers": [2, 2, 1], "dataset": "xor"}
MOONS: dict[str, Any] = {"layers": [2, 5, 1], "dataset": {"name": "moons", "n": 24, "noise": 0.2}}
BATCHES: dict[str, Any] = {**MOONS, "batch_size": 7, "seed": 5}
LEARNING: dict[str, Any] = {"optimizer": "adam", "lr": 0.05, "init": {"random": 3, "seed": 7}, "steps": 60}
TRAINED: list[dict[str, Any]] = [
    {**LEARNING, "function": net(**FEW)},
    {**LEARNING, "function": net(**MOONS), "dtype": "float32"},
    {**LEARNING, "function": net(**BATCHES)},
    {**LEARNING, "function": net(**BATCHES), "optimizer": "muon"},
]
NAMES = ["few", "float32", "mini-batches", "muon"]


def columns(client: httpx.Client, found: dict[str, Any], what: str, **query: Any) -> dict[str, Any]:
    answer = client.get(found["links"][what], params=query)
    assert answer.status_code == 200, answer.text
    held: dict[str, Any] = valid(answer)
    assert (held["job_id"], held["run"]) == (found["id"], query.get("run", 0))
    assert held["n_points"] == len(held["step"]) == len(held["f"])
    return held


def accuracy_by_hand(of: NetworkObjective, x: list[float]) -> float:
    """Return the fraction of samples that a sigmoid network puts on the right side of 1/2."""
    outputs, targets = (tensor.numpy() for tensor in samples_of(of))
    for weights, biases in zip(*of.parts(np.array(x)), strict=True):
        outputs = 1 / (1 + np.exp(-(outputs @ weights + biases)))
    return float(((outputs > 0.5) == (targets > 0.5)).mean())


@pytest.fixture(scope="module", params=TRAINED, ids=NAMES)
def fields(request: pytest.FixtureRequest) -> dict[str, Any]:
    given: dict[str, Any] = request.param
    return given


@pytest.fixture(scope="module")
def dense(running: httpx.Client, fields: dict[str, Any]) -> dict[str, Any]:
    return ended(running, **fields)


@pytest.fixture(scope="module")
def sparse(running: httpx.Client, fields: dict[str, Any]) -> dict[str, Any]:
    return ended(running, **fields, record_every=7)


def test_a_network_learns_xor(running: httpx.Client) -> None:
    layers = {"layers": [2, 8, 1], "dataset": "xor", "loss": "bce"}
    of = objective(**layers)
    found = ended(
        running, function=net(**layers), optimizer="adam", lr=0.2, init={"random": 4, "seed": 1}, steps=150
    )
    assert (found["status"], found["engine"], found["n_runs"]) == ("succeeded", "fused", 4)
    assert found["gradient_check"] is None
    assert "function" not in found["links"]
    for run in found["runs"]:
        assert run["minimum"] is None
        assert run["accuracy"] == accuracy_by_hand(of, run["x"])
    assert max(run["accuracy"] for run in found["runs"]) == 1
    held = columns(running, found, "trajectory", run=2)
    assert held["accuracy"] == [accuracy_by_hand(of, x) for x in held["x"]]
    assert held["accuracy"][0] < held["accuracy"][-1] == found["runs"][2]["accuracy"]
    assert held["f"][-1] < held["f"][0] / 4


def test_the_runs_are_the_engines(running: httpx.Client, dense: dict[str, Any], fields: dict[str, Any]) -> None:
    recorded = drive(job(**fields))
    for run in dense["runs"]:
        number = run["run"]
        assert run["init"] == recorded.x[number][0].tolist()
        assert run["x"] == recorded.results.x[number].tolist()
        assert run["f"] == recorded.results.f[number]
        assert run["best"]["f"] == recorded.f[number].min()
        held = columns(running, dense, "trajectory", run=number)
        assert held["x"] == recorded.x[number].tolist()
        assert held["f"] == recorded.f[number].astype(float).tolist()


def test_losses_are_recorded_at_every_step_whatever_record_every_is(
    running: httpx.Client, dense: dict[str, Any], sparse: dict[str, Any]
) -> None:
    assert sparse["runs"] == dense["runs"]
    for run in range(3):
        every = columns(running, dense, "trajectory", run=run)
        for found in (dense, sparse):
            losses = columns(running, found, "loss", run=run)
            assert losses["step"] == list(range(61))
            assert losses["f"] == every["f"]
            assert (losses["downsampling"], "x" in losses) == (None, False)
        some = columns(running, sparse, "trajectory", run=run)
        assert some["step"] == [*range(0, 60, 7), 60]
        for name in ("x", "f", "accuracy"):
            assert some[name] == [every[name][step] for step in some["step"]]


def test_losses_are_cut_and_thinned(running: httpx.Client, sparse: dict[str, Any]) -> None:
    whole = columns(running, sparse, "loss", run=1)
    for low, high in ((5, 9), (None, 3), (58, None), (60, 60), (61, None)):
        query = {name: end for name, end in (("from_step", low), ("to_step", high)) if end is not None}
        part = columns(running, sparse, "loss", run=1, **query)
        chosen = slice(low, None if high is None else high + 1)
        assert (part["step"], part["f"]) == (whole["step"][chosen], whole["f"][chosen])
    few = columns(running, sparse, "loss", run=1, max_points=12)
    assert 4 <= few["n_points"] <= 12
    assert (few["downsampling"]["of_points"], few["downsampling"]["max_points"]) == (61, 12)
    assert few["f"] == [whole["f"][step] for step in few["step"]]
    assert {0, 60, whole["f"].index(min(whole["f"])), whole["f"].index(max(whole["f"]))} <= {*few["step"]}
    assert columns(running, sparse, "loss", run=1, max_points=61) == whole


def test_an_extended_job_equals_a_longer_one(
    running: httpx.Client, sparse: dict[str, Any], fields: dict[str, Any]
) -> None:
    short = ended(running, **{**fields, "steps": 23}, record_every=7)
    answer = running.post(short["links"]["extend"], json={"steps": 37})
    assert answer.status_code == 202
    extended = waited_for(running, short["id"])
    assert extended["runs"] == sparse["runs"]
    csv = {"Accept": "text/csv"}
    texts = [running.get(found["links"]["trajectory"], headers=csv).text for found in (extended, sparse)]
    assert texts[0] == texts[1]
    for run in range(3):
        losses = [columns(running, found, "loss", run=run) for found in (extended, sparse)]
        assert (losses[0]["step"], losses[0]["f"]) == (losses[1]["step"], losses[1]["f"])


def test_a_running_job_is_cancelled_and_keeps_its_losses(running: httpx.Client) -> None:
    spec = {**LEARNING, "function": net(**MOONS), "lr": 1e-6, "steps": 5_000_000, "record_every": 50}
    found = posted(running, **spec)
    at = found["links"]["self"]
    while valid(running.get(at))["progress"]["step"] < 60:
        pass
    found = valid(running.post(f"{at}/cancel"))
    assert found["status"] == "cancelled"
    for run in found["runs"]:
        end = run["n_steps"]
        assert (run["outcome"], end) == ("cancelled", found["progress"]["step"])
        losses = columns(running, found, "loss", run=run["run"])
        assert losses["step"] == list(range(end + 1))
        assert losses["f"][-1] == run["f"]
        assert losses["f"][run["best"]["step"]] == run["best"]["f"] == min(losses["f"])
        held = columns(running, found, "trajectory", run=run["run"])
        assert held["step"] == sorted({*range(0, end + 1, 50), end})
        assert held["x"][-1] == run["x"]


@pytest.mark.parametrize("weight_init", ["torch", "xavier_uniform", "he_normal"])
def test_random_starts_are_drawn_from_weight_init(idle: httpx.Client, weight_init: str) -> None:
    layers = {"layers": [2, 12, 1], "dataset": "xor", "weight_init": weight_init}
    found = posted(idle, function=net(**layers), init={"random": 40, "seed": 3})
    starts = np.array([run["init"] for run in found["runs"]])
    of = objective(**layers)
    assert (starts == of.starts(40, 3)).all()
    assert len(np.unique(starts, axis=0)) == 40
    weights, biases = zip(*(of.parts(start) for start in starts), strict=True)
    first, last = (np.stack([parts[layer] for parts in weights]) for layer in (0, 1))
    assert (np.concatenate([bias.ravel() for each in biases for bias in each]) == 0).all() == (
        weight_init != "torch"
    )
    if weight_init == "he_normal":
        assert first.std() == pytest.approx(1, rel=0.15)  # sqrt(2 / 2 input nodes)
        assert last.std() == pytest.approx((2 / 12) ** 0.5, rel=0.15)
    else:
        bounds = {"torch": (2**-0.5, 12**-0.5), "xavier_uniform": ((6 / 14) ** 0.5, (6 / 13) ** 0.5)}[weight_init]
        for drawn, bound in zip((first, last), bounds, strict=True):
            assert 0.9 * bound < np.abs(drawn).max() <= bound


def test_given_starts_are_used_unchanged(running: httpx.Client, dense: dict[str, Any]) -> None:
    spec = dense["spec"]
    again = ended(running, **{**spec, "init": [run["init"] for run in dense["runs"]]})
    assert again["runs"] == dense["runs"]


def test_starts_can_be_drawn_from_a_box(idle: httpx.Client) -> None:
    box = {"low": [1.0] * 9, "high": [2.0] * 9}
    found = posted(idle, function=net(**FEW), init={"random": 20, **box})
    starts = np.array([run["init"] for run in found["runs"]])
    assert starts.shape == (20, 9)
    assert ((starts >= 1) & (starts <= 2)).all()


def test_the_spec_is_shown_filled_in_and_can_be_posted_again(idle: httpx.Client) -> None:
    given = {"mlp": {"layers": [2, 3, 1], "dataset": "moons", "batch_size": 10}}
    spec = posted(idle, function=given, init={"random": 2})["spec"]
    assert spec["function"]["mlp"]["dataset"] == {"name": "moons", "n": 200, "noise": 0.1, "classes": 2, "seed": 0}
    assert spec["function"]["mlp"]["output_activation"] == "sigmoid"
    assert posted(idle, **spec)["spec"] == spec


@pytest.mark.parametrize(
    ("fields", "engine", "reason"),
    [
        ({"function": net(**FEW)}, "fused", None),
        ({"function": net(**FEW), "record_every": 2}, "fused", None),
        ({"function": net(layers=[2, 8, 1])}, "fused", None),
        ({"function": net(**FEW, batch_size=2), "optimizer": "lbfgs"}, "fused", None),
        ({"function": net(layers=[2, 2, 1], dataset={"name": "moons", "n": 5000})}, "fused", None),
        ({"function": net(**FEW), "scheduler": "reduce_lr_on_plateau"}, "fused", None),
        (
            {"function": net(**FEW), "optimizer": "muon"},
            "eager",
            "muon moves whole matrices, and the fused engine single coordinates",
        ),
        ({"function": net(**FEW), "engine": "eager"}, "eager", None),
    ],
    ids=str,
)
def test_a_job_says_which_engine_runs_it_and_why(
    idle: httpx.Client, fields: dict[str, Any], engine: str, reason: str | None
) -> None:
    found = posted(idle, **fields, init={"random": 2})
    assert found["engine"] == engine
    assert (found["engine_reason"] is None) == (reason is None)
    assert (reason or "") in (found["engine_reason"] or "")
    if reason is not None:
        refused = idle.post("/v1/jobs", json={**found["spec"], "engine": "fused"})
        assert assert_problem(refused, 422)["errors"][0]["pointer"] == "#/engine"
        assert reason in refused.json()["detail"]


def test_regression_has_no_accuracy(running: httpx.Client) -> None:
    curve = net(layers=[1, 3, 1], dataset={"name": "sine", "n": 20}, activation="tanh")
    found = ended(running, function=curve, init={"random": 2}, steps=5)
    assert [run["accuracy"] for run in found["runs"]] == [None, None]
    assert "accuracy" not in columns(running, found, "trajectory")


def test_a_network_that_diverges_is_a_result(running: httpx.Client) -> None:
    linear = net(layers=[1, 1], dataset={"x": [[1], [2]], "y": [1, 3]}, activation="identity")
    spec = {"function": linear, "optimizer": "sgd", "lr": 50.0, "steps": 400, "init": [[0, 0], [-1, 2]]}
    found = ended(running, **spec, record_every=100)
    wanted = ended(running, **spec)
    assert found["runs"] == wanted["runs"]
    run = found["runs"][0]
    assert run["outcome"] == "diverged"
    assert None not in run["x"]
    losses = columns(running, found, "loss")
    assert losses["step"] == list(range(run["diverged_at"] + 1))
    assert losses["f"] == columns(running, wanted, "trajectory")["f"]
    assert losses["f"][-1] is None
    assert None not in losses["f"][:-1]
    passed = valid(running.get(found["links"]["backprop"]))
    assert (passed["step"], passed["error"]) == (run["diverged_at"], None)
    for method in ("pca", "random"):
        plane = valid(running.get(wanted["links"]["landscape"], params={"method": method, "points": 5}))
        assert 0 < plane["step"][-1] < run["diverged_at"]  # as long as squares are finite
        assert max(abs(place) for place in plane["center"]) > 1e100
        assert 0 < plane["explained_variance"] <= 1 + 1e-12


def test_a_run_beyond_all_bounds_has_no_landscape(running: httpx.Client) -> None:
    found = ended(running, function="sphere", init=[1e160, 1])
    problem = assert_problem(running.get(found["links"]["landscape"]), 409)
    assert "over 1e+150" in problem["detail"]


# the backward pass of a job


@pytest.mark.parametrize("query", [{}, {"run": 2, "step": 21, "sample": 3}, {"run": 1, "step": 0}], ids=str)
def test_the_backward_pass_of_a_step_uses_its_parameters(
    running: httpx.Client, sparse: dict[str, Any], fields: dict[str, Any], query: dict[str, int]
) -> None:
    found = valid(running.get(sparse["links"]["backprop"], params=query))
    run, step, sample = query.get("run", 0), query.get("step", 60), query.get("sample", 0)
    assert (found["job_id"], found["run"], found["step"], found["sample"]) == (sparse["id"], run, step, sample)
    held = columns(running, sparse, "trajectory", run=run)
    description = fields["function"]["mlp"]
    of = network(**description).objective()
    given, target = of.sample(sample)
    assert (found["input"], found["target"]) == (given.tolist(), target.tolist())
    weights, biases = of.parts(np.array(held["x"][held["step"].index(step)]))
    body = {
        **{name: description[name] for name in ("layers", "activation", "loss")},
        "weights": [matrix.tolist() for matrix in weights],
        "biases": [row.tolist() for row in biases],
        "input": found["input"],
        "target": found["target"],
    }
    sent = valid(running.post("/v1/mlp/backprop", json=body))
    assert sent.items() <= found.items()
    assert sent["autograd_max_abs_difference"] < 1e-14


@pytest.mark.parametrize(
    ("query", "pointer", "word"),
    [
        ({"step": 20}, "#/query/step", "every 7 steps from 0 to 60"),
        ({"step": 61}, "#/query/step", "step 61 is not recorded"),
        ({"run": 3}, "#/query/run", "there is no run 3: the job has 3, from 0"),
        ({"sample": 24}, "#/query/sample", "there is no sample"),
        ({"sample": -1}, "#/query/sample", ""),
        ({"step": "last"}, "#/query/step", ""),
    ],
    ids=str,
)
def test_an_unavailable_backward_pass_says_why(
    running: httpx.Client, sparse: dict[str, Any], query: dict[str, Any], pointer: str, word: str
) -> None:
    problem = assert_problem(running.get(sparse["links"]["backprop"], params=query), 422)
    assert problem["errors"][0]["pointer"] == pointer
    assert word in problem["errors"][0]["detail"]


def test_a_queued_job_has_no_backward_pass(idle: httpx.Client) -> None:
    found = posted(idle, function=net(**FEW), init={"random": 1})
    assert columns(idle, found, "loss")["n_points"] == 0
    for what in ("backprop", "landscape"):
        problem = assert_problem(idle.get(found["links"][what]), 409)
        assert "this run has no recorded points yet" in problem["detail"]


@pytest.mark.parametrize("what", ["backprop", "loss"])
def test_a_job_without_a_network_has_no_network_views(idle: httpx.Client, what: str) -> None:
    found = posted(idle)
    assert what not in found["links"]
    problem = assert_problem(idle.get(f"{found['links']['self']}/{what}"), 409)
    assert "its function is himmelblau" in problem["detail"]


# the landscape


@pytest.mark.parametrize("method", ["pca", "random"])
def test_the_landscape_has_the_values_of_the_function(
    running: httpx.Client, sparse: dict[str, Any], fields: dict[str, Any], method: str
) -> None:
    query: dict[str, Any] = {"run": 1, "method": method, "points": 9}
    found = valid(running.get(sparse["links"]["landscape"], params=query))
    assert (found["job_id"], found["run"], found["method"]) == (sparse["id"], 1, method)
    held = columns(running, sparse, "trajectory", run=1)
    assert found["step"] == held["step"]
    of = network(**{**fields["function"]["mlp"], "batch_size": None}).objective()

    def value(point: np.ndarray) -> float:
        return float(of(torch.from_numpy(point)))

    center, directions = np.array(found["center"]), np.array(found["directions"])
    z = np.array(found["z"])
    assert z.shape == (len(found["y"]), len(found["x"])) == (9, 9)
    for i, j in ((0, 0), (8, 3), (4, 4)):
        point = center + found["x"][i] * directions[0] + found["y"][j] * directions[1]
        assert z[j, i] == pytest.approx(value(point), rel=1e-9)
    points = np.array(held["x"])
    assert found["f"] == pytest.approx([value(point) for point in points], rel=1e-12)
    off = points - (center + np.array(found["path"]) @ directions)
    assert found["max_distance"] == pytest.approx(np.linalg.norm(off, axis=1).max(), abs=1e-9)
    assert 0 < found["explained_variance"] <= 1
    if method == "pca":
        assert center == pytest.approx(points.mean(axis=0))
        assert found["explained_variance"] > 0.5
    else:
        assert found["center"] == held["x"][-1]
        assert found["path"][-1] == pytest.approx([0, 0], abs=1e-12)
        seeded = valid(running.get(sparse["links"]["landscape"], params={**query, "seed": 1}))
        assert seeded["directions"] != found["directions"]


def test_every_function_of_two_dimensions_or_more_has_a_landscape(running: httpx.Client) -> None:
    found = ended(running, function="rosenbrock", init=[[-1.2, 1, -1.2, 1, 0.5]], lr=0.05, steps=3000)
    answer = running.get(found["links"]["landscape"])
    held = valid(answer)
    assert (len(held["x"]), len(held["y"]), len(held["center"])) == (50, 50, 5)
    assert len(held["path"]) == len(held["step"]) == len(held["f"]) <= 1000
    assert (held["step"][0], held["step"][-1]) == (0, 3000)
    assert held["f"][-1] == pytest.approx(found["runs"][0]["f"], rel=1e-12)
    along, across = np.array(held["directions"])
    assert (along @ along, across @ across, along @ across) == pytest.approx((1, 1, 0), abs=1e-12)
    points = np.array(valid(running.get(found["links"]["trajectory"]))["x"])
    offsets = points - points.mean(axis=0)
    sizes = np.linalg.eigvalsh(offsets.T @ offsets)
    assert held["explained_variance"] == pytest.approx(sizes[-2:].sum() / sizes.sum())


def test_an_impossible_landscape_is_rejected(running: httpx.Client) -> None:
    flat = ended(running, function={"name": "sphere", "dim": 1}, init=[2])
    assert "landscape" not in flat["links"]
    problem = assert_problem(running.get(f"{flat['links']['self']}/landscape"), 409)
    assert "at least two coordinates" in problem["detail"]
    still = ended(running, function="sphere", init=[0, 0])
    problem = assert_problem(running.get(still["links"]["landscape"]), 422)
    assert problem["errors"][0]["pointer"] == "#/query/method"
    assert running.get(still["links"]["landscape"], params={"method": "random", "points": 3}).status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"points": 1}, "#/query/points"),
        ({"points": 1001}, "#/query/points"),  # the limit is a million
        ({"points": 10**400}, "#/query/points"),
        ({"method": "tsne"}, "#/query/method"),
        ({"run": 3}, "#/query/run"),
        ({"seed": -1}, "#/query/seed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_invalid_query_of_a_landscape_is_rejected(
    running: httpx.Client, sparse: dict[str, Any], query: dict[str, Any], pointer: str
) -> None:
    problem = assert_problem(running.get(sparse["links"]["landscape"], params=query), 422)
    assert problem["errors"][0]["pointer"] == pointer


def test_the_cost_of_a_landscape_counts_all_samples(running: httpx.Client) -> None:
    data = {"name": "moons", "n": 20_000}
    found = ended(running, function=net(layers=[2, 30, 1], dataset=data, batch_size=1), init={"random": 1}, steps=1)
    problem = assert_problem(running.get(found["links"]["landscape"], params={"points": 300}), 422)
    assert problem["errors"][0]["pointer"] == "#/query/points"
    assert "max_request_values" in problem["detail"]


def test_the_path_of_a_landscape_is_thinned_to_the_limit(running: httpx.Client) -> None:
    data = {"name": "sine", "n": 50_000}
    found = ended(
        running, function=net(layers=[1, 40, 1], dataset=data, batch_size=1), init={"random": 1}, steps=90
    )
    shown = valid(running.get(found["links"]["landscape"], params={"points": 2}))
    assert 4 <= len(shown["path"]) < 91
    assert (shown["step"][0], shown["step"][-1]) == (0, 90)


# lists, limits, deletion


def test_jobs_are_filtered_by_kind_of_function(idle: httpx.Client) -> None:
    formula = {"expression": "x**2", "variables": ["x"]}
    ids = {
        "mlp": posted(idle, function=net(**FEW), init={"random": 1})["id"],
        "expression": posted(idle, function=formula, init=[1])["id"],
        "himmelblau": posted(idle)["id"],
    }
    for name, job_id in ids.items():
        assert [item["id"] for item in valid(idle.get(f"/v1/jobs?function={name}"))["items"]] == [job_id]


def test_losses_of_every_step_count_as_recorded(idle: httpx.Client) -> None:
    spec = {"function": net(**FEW), "init": {"random": 1000}, "record_every": 10**6}
    assert posted(idle, **spec, steps=19_999)["n_runs"] == 1000
    for steps in (20_000, 10**9):
        problem = assert_problem(idle.post("/v1/jobs", json={"optimizer": "adam", **spec, "steps": steps}), 422)
        assert problem["errors"][0]["pointer"] == "#/steps"
        assert "max_recorded_points" in problem["detail"]


def test_deleting_a_job_deletes_its_losses(running: httpx.Client) -> None:
    found = ended(running, function=net(**MOONS), init={"random": 2}, record_every=5)
    assert columns(running, found, "loss")["n_points"] == 11
    assert running.delete(found["links"]["self"]).status_code == 204
    for what in ("self", "trajectory", "loss", "backprop", "landscape"):
        assert_problem(running.get(found["links"][what]), 404)
