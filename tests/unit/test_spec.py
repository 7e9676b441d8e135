import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.driving import OPTIMIZERS, job
from thalweg.analysis.arrival import NEAR, reached_minimum
from thalweg.errors import LimitExceeded
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueObjective
from thalweg.functions.minima import Minimum, first
from thalweg.settings import Limits
from thalweg.spec.job import JobSpec
from thalweg.spec.limits import check_limits, n_recorded

COORDINATE = st.floats(-1e30, 1e30) | st.integers(-1000, 1000)
SEED = st.integers(0, 2**53 - 1)
POSITIVE = st.floats(1e-300, 1e30) | st.integers(1, 1000)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=100)
SCHEDULERS: list[Any] = [
    None,
    "constant_lr",
    {"name": "step_lr", "step_size": 7},
    {"name": "multi_step_lr", "milestones": [5, 30, 5]},
    {"name": "cosine_annealing_lr", "T_max": 25},
    {"name": "reduce_lr_on_plateau", "patience": 2},
    {
        "name": "sequential_lr",
        "schedulers": [{"name": "constant_lr", "total_iters": 5}, {"name": "exponential_lr", "gamma": 0.9}],
        "milestones": [10],
    },
]


MUONS: list[Any] = ["muon", {"name": "muon", "lr": 0.02, "nesterov": False, "adjust_lr_fn": "match_rms_adamw"}]
FORMS_OF_MANY = ["point", "points", "random", "box"]  # a grid would have very many starts
NETWORKS: list[tuple[int, dict[str, Any]]] = [
    (3, {"layers": [2, 1], "dataset": "xor"}),
    (9, {"layers": [2, 2, 1], "dataset": "moons", "activation": "tanh", "batch_size": 16}),
    (9, {"layers": [2, 1, 3], "dataset": {"name": "blobs", "n": 9, "noise": 0.5, "seed": 2**53 - 1}}),
    (4, {"layers": [1, 2], "dataset": {"x": [[0.5], [-1], [1e3]], "y": [[1, 0], [0, 1], [1, 1e-9]]}}),
    (4, {"layers": [1, 2], "dataset": {"x": [[0.5], [-1]], "y": [1, 0]}, "loss": "cross_entropy", "seed": 7}),
]


@st.composite
def boxes(draw: st.DrawFn, dim: int) -> tuple[list[float], list[float]]:
    """The two corners of a box."""
    sides = [sorted(draw(st.tuples(COORDINATE, COORDINATE))) for _ in range(dim)]
    return [low for low, _ in sides], [high for _, high in sides]


@st.composite
def inits(draw: st.DrawFn, dim: int) -> Any:
    """The starts of a job, in each of their forms."""
    point = st.lists(COORDINATE, min_size=dim, max_size=dim)
    form = draw(st.sampled_from(["point", "points", "grid", "random", "box"] if dim <= 4 else FORMS_OF_MANY))
    if form == "point":
        return draw(point)
    if form == "points":
        return draw(st.lists(point, min_size=1, max_size=5))
    low, high = draw(boxes(dim))
    if form == "grid":
        shape = draw(st.lists(st.integers(1, 5), min_size=dim, max_size=dim))
        return {"grid": {"low": low, "high": high, "shape": shape}}
    box = {"low": low, "high": high} if form == "box" else {}
    return {"random": draw(st.integers(1, 10)), "seed": draw(SEED), **box}


def without_box(init: Any) -> bool:
    """Return whether the starts are drawn from the function's domain."""
    return isinstance(init, dict) and "random" in init and "low" not in init


@st.composite
def catalogue_jobs(draw: st.DrawFn) -> tuple[Any, Any]:
    """A function of the catalogue, and where to start."""
    function = draw(st.sampled_from(catalogue.functions()))
    dim = function.dim or draw(st.integers(function.min_dim, 4))
    init = draw(inits(dim))
    whole = {"name": function.name, "dim": dim}
    return whole if without_box(init) else draw(st.sampled_from([function.name, whole])), init


@st.composite
def formula_jobs(draw: st.DrawFn) -> tuple[Any, Any]:
    """A formula in some coordinates or in a vector, and where to start."""
    side = st.tuples(st.floats(-1e30, -1), st.floats(1, 1e30))
    constants = {"a": draw(COORDINATE)}
    if draw(st.booleans()):
        dim = draw(st.integers(1, 4))
        formula = {"expression": "a + sum(cos(x[i])**2 for i in range(n))", "variables": ["x"]}
        n_sides, said = draw(st.sampled_from([1, dim])), draw(st.booleans())
    else:
        dim, n_sides, said = 2, 2, draw(st.booleans())
        formula = {"expression": "a*x**2 if x > y else where(y < 0, exp(y), -x)", "variables": ["x", "y"]}
    init = draw(inits(dim))
    domain = draw(st.lists(side, min_size=n_sides, max_size=n_sides))
    optional = {
        **({"domain": domain} if without_box(init) or draw(st.booleans()) else {}),
        **({"dim": dim} if without_box(init) or said else {}),
    }
    return {**formula, "constants": constants, **optional}, init


@st.composite
def network_jobs(draw: st.DrawFn) -> tuple[Any, Any]:
    """A network on a data set, and where its training starts."""
    dim, network = draw(st.sampled_from(NETWORKS))
    weight_init = draw(st.sampled_from(["torch", "he_normal", "uniform"]))
    return {"mlp": {**network, "weight_init": weight_init}}, draw(inits(dim))


@st.composite
def specs(draw: st.DrawFn) -> dict[str, Any]:
    """Valid specifications, as a client writes them."""
    reference, init = draw(catalogue_jobs() | formula_jobs() | network_jobs())
    trains = isinstance(reference, dict) and "mlp" in reference
    choices = [*OPTIMIZERS, *(case["name"] for case in OPTIMIZERS), *(MUONS if trains else ())]
    optimizer = draw(st.sampled_from(choices))
    own_lr = isinstance(optimizer, dict) and "lr" in optimizer
    optional = st.fixed_dictionaries(
        {},
        optional={
            "dtype": st.sampled_from(["float32", "float64"]),
            "scheduler": st.sampled_from(SCHEDULERS),
            "record_every": st.integers(1, 10**12),
            "stop": st.fixed_dictionaries({"f": COORDINATE}, optional={"grad_norm": POSITIVE}),
            "clip_grad_norm": POSITIVE,
            "gradient_noise": st.fixed_dictionaries({"std": POSITIVE}, optional={"seed": SEED}),
            "engine": st.sampled_from(["auto", "eager"]),
            "timeout_s": st.floats(1e-3, 1e9),
            "label": WORDS,
            "tags": st.lists(WORDS.filter(bool), max_size=5),
            **({} if own_lr else {"lr": st.floats(1e-10, 10)}),
        },
    )
    return {
        "function": reference,
        "optimizer": optimizer,
        "init": init,
        "steps": draw(st.integers(1, 10**12)),
        **draw(optional),
    }


@given(specs())
@settings(deadline=None, max_examples=100)
def test_a_spec_survives_its_round_trip_through_json(written: dict[str, Any]) -> None:
    spec = JobSpec.model_validate_json(json.dumps(written))
    again = JobSpec.model_validate_json(json.dumps(spec.dumped))
    assert again == spec
    assert again.dumped == spec.dumped
    assert json.dumps(again.dumped) == json.dumps(spec.dumped)
    assert JobSpec.model_validate_json(spec.model_dump_json()) == spec
    np.testing.assert_array_equal(again.starts(), spec.starts())
    assert spec.starts().shape == (spec.n_runs, spec.dim)
    assert spec.starts().dtype == spec.dtype


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"lr": 0.001}, {}),
        ({"lr": 1}, {"lr": 1.0}),
        ({"lr": 0.1}, {"optimizer": {"name": "adam", "lr": 0.1}}),
        ({"optimizer": "adam"}, {"optimizer": {"name": "adam", "betas": [0.9, 0.999], "weight_decay": 0}}),
        ({"init": [0, 0]}, {"init": [[0.0, 0.0]]}),
        ({"function": "himmelblau"}, {"function": {"name": "himmelblau", "dim": 2}}),
        ({"init": {"random": 3}}, {"init": {"random": 3, "seed": 0, "low": [-6, -6], "high": [6, 6]}}),
        ({"tags": ["a", "b", "a"]}, {"tags": ["a", "b"]}),
        ({"scheduler": None, "label": None}, {}),
        (
            {"function": {"expression": "x*y", "variables": ["x", "y"]}},
            {"function": {"expression": "x*y", "variables": ["x", "y"], "constants": {}, "dim": 2}},
        ),
        (
            {"function": {"mlp": {"layers": [2, 1], "dataset": "xor"}}, "init": [0, 0, 0]},
            {"function": {"mlp": {"layers": [2, 1], "dataset": {"name": "xor"}, "seed": 0}}, "init": [0, 0, 0]},
        ),
    ],
    ids=str,
)
def test_equal_specs_have_equal_dumps(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert job(**one) == job(**other)
    assert json.dumps(job(**one).dumped) == json.dumps(job(**other).dumped)


def test_a_spec_has_one_learning_rate_and_it_stands_beside_the_optimizer() -> None:
    dumped = job(optimizer={"name": "sgd", "momentum": 0.5}).dumped
    assert dumped["lr"] == 0.001
    assert "lr" not in dumped["optimizer"]


@given(st.integers(1, 300), st.integers(1, 300))
def test_recorded_entries_are_multiples_and_the_last(steps: int, record_every: int) -> None:
    entries = {*range(0, steps + 1, record_every), steps}
    assert n_recorded(steps, record_every) == len(entries)


def test_losses_of_every_step_are_counted_as_points() -> None:
    limits = Limits(max_recorded_points=101)
    fields = {"init": {"random": 1}, "record_every": 50}
    network = {"mlp": {"layers": [2, 1], "dataset": "xor"}}
    check_limits(job(function=network, **fields, steps=100), limits)
    with pytest.raises(LimitExceeded, match="losses of 1 runs at every one of 101 steps") as complaint:
        check_limits(job(function=network, **fields, steps=101), limits)
    assert complaint.value.path == ("steps",)
    check_limits(job(**fields, steps=5000), limits)


def test_limits_count_all_samples_of_a_job_with_mini_batches() -> None:
    network = {"layers": [2, 1], "dataset": {"name": "moons", "n": 1000}, "batch_size": 10}
    limits = Limits(max_evaluation_values=20_000)
    check_limits(job(function={"mlp": network}, init={"random": 2}), limits)
    with pytest.raises(LimitExceeded, match="3 runs on all 1000 samples"):
        check_limits(job(function={"mlp": network}, init={"random": 3}), limits)
    with pytest.raises(LimitExceeded) as complaint:
        check_limits(job(function={"mlp": network}, init={"random": 1}), Limits(max_dim=2))
    assert complaint.value.path == ("function", "mlp", "layers")


def is_allowed(spec: JobSpec, limits: Limits) -> bool:
    try:
        check_limits(spec, limits)
    except LimitExceeded:
        return False
    return True


@given(
    st.integers(1, 10**9),
    st.integers(1, 10**9),
    st.integers(1, 10_000),
    st.integers(1, 10_000),
    st.integers(1, 10**7),
    st.integers(1, 10**7),
)
@settings(deadline=None, max_examples=100)
def test_the_suggested_record_every_is_the_smallest_that_passes(
    steps: int, record_every: int, n_runs: int, dim: int, points: int, values: int
) -> None:
    spec = job(function={"name": "sphere", "dim": dim}, init={"random": n_runs}, steps=1)
    spec = spec.model_copy(update={"steps": steps, "record_every": record_every})
    limits = Limits(max_recorded_points=points, max_recorded_values=values)
    recorded = n_recorded(steps, record_every) * n_runs
    fits = recorded <= points and recorded * (dim + 1) <= values
    assert is_allowed(spec, limits) == fits
    assume(not fits)
    with pytest.raises(LimitExceeded) as complaint:
        check_limits(spec, limits)
    named = re.search(r"Set record_every to (\d+) or more", complaint.value.detail)
    if named is None:
        assert complaint.value.path == ("init",)
        assert not is_allowed(spec.model_copy(update={"record_every": steps}), limits)
        return
    assert complaint.value.path == ("record_every",)
    enough = int(named[1])
    assert enough > record_every
    assert is_allowed(spec.model_copy(update={"record_every": enough}), limits)
    assert not is_allowed(spec.model_copy(update={"record_every": enough - 1}), limits)


@pytest.mark.parametrize(
    ("limit", "fields", "over", "path"),
    [
        ("max_steps", {"steps": 50}, {"steps": 51}, ("steps",)),
        ("max_starts", {"init": {"random": 50}}, {"init": {"random": 51}}, ("init",)),
        ("max_starts", {"init": [[0, 0]] * 50}, {"init": [[0, 0]] * 51}, ("init",)),
        (
            "max_dim",
            {"function": "sphere", "init": [0] * 50},
            {"function": "sphere", "init": [0] * 51},
            ("function", "dim"),
        ),
        ("max_recorded_points", {"steps": 49}, {"steps": 50}, ("record_every",)),
        (
            "max_recorded_points",
            {"steps": 4, "init": [[0, 0]] * 10},
            {"steps": 5, "init": [[0, 0]] * 10},
            ("record_every",),
        ),
        (
            "max_recorded_points",
            {"steps": 1, "init": [[0, 0]] * 25},
            {"steps": 1, "init": [[0, 0]] * 26},
            ("init",),
        ),
        ("max_recorded_values", {"steps": 15}, {"steps": 16}, ("record_every",)),
    ],
)
def test_a_job_passes_at_a_limit_and_not_above(
    limit: str, fields: dict[str, Any], over: dict[str, Any], path: tuple[str, ...]
) -> None:
    limits = Limits.model_validate({limit: 50})
    check_limits(job(**fields), limits)
    with pytest.raises(LimitExceeded, match=limit) as complaint:
        check_limits(job(**over), limits)
    assert complaint.value.path == path


@st.composite
def grids(draw: st.DrawFn) -> tuple[list[float], list[float], list[int]]:
    """Corners and shape of a grid."""
    dim = draw(st.integers(1, 4))
    low, high = draw(boxes(dim))
    return low, high, draw(st.lists(st.integers(1, 6), min_size=dim, max_size=dim))


@given(grids())
@settings(deadline=None)
def test_a_grid_equals_numpys(grid: tuple[list[float], list[float], list[int]]) -> None:
    low, high, shape = grid
    init = {"grid": {"low": low, "high": high, "shape": shape}}
    starts = job(function="sphere", init=init).starts()
    axes = [np.linspace(*ends) for ends in zip(low, high, shape, strict=True)]
    columns = [column.ravel() for column in np.meshgrid(*axes, indexing="ij")]
    np.testing.assert_array_equal(starts, np.stack(columns, axis=-1))


def test_the_last_coordinate_of_a_grid_varies_fastest() -> None:
    starts = job(init={"grid": {"low": [0, 10], "high": [1, 12], "shape": [2, 3]}}).starts()
    assert starts.tolist() == [[0, 10], [0, 11], [0, 12], [1, 10], [1, 11], [1, 12]]


@st.composite
def drawn_boxes(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """A box of some dimension."""
    return draw(boxes(draw(st.integers(1, 4))))


@given(drawn_boxes(), SEED, st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None)
def test_random_starts_lie_in_their_box_and_fewer_are_a_prefix(
    box: tuple[list[float], list[float]], seed: int, n: int, more: int
) -> None:
    low, high = box
    random = {"seed": seed, "low": low, "high": high}
    starts = job(function="sphere", init={"random": n, **random}).starts()
    assert (starts >= np.array(low)).all()
    assert (starts <= np.array(high)).all()
    again = job(function="sphere", init={"random": n, **random}).starts()
    np.testing.assert_array_equal(starts, again)
    longer = job(function="sphere", init={"random": n + more, **random}).starts()
    np.testing.assert_array_equal(starts, longer[:n])


def test_random_starts_differ_by_seed_and_fill_the_domain() -> None:
    one, other = (job(init={"random": 500, "seed": seed}).starts() for seed in (0, 1))
    assert (one != other).all()
    assert len(np.unique(one, axis=0)) == 500
    assert (one.min(axis=0) < -5.5).all()
    assert (one.max(axis=0) > 5.5).all()


def objectives() -> list[CatalogueObjective]:
    return [function.at() for function in catalogue.functions()]


def away_from_the_others(objective: CatalogueObjective, minimum: Minimum) -> np.ndarray:
    """Return the direction along the first axis that leads away from the other minima."""
    axis = np.eye(objective.dim)[0]
    others = [np.array(other.x) for other in first(objective.minima, 1000) if other != minimum]

    def clearance(direction: np.ndarray) -> float:
        gaps = [float(np.linalg.norm(minimum.x + 1e-3 * direction - other)) for other in others]
        return min(gaps, default=np.inf)

    return max((axis, -axis), key=clearance)


@pytest.mark.parametrize("objective", objectives(), ids=lambda objective: objective.function.name)
def test_a_known_minimum_is_reached_from_near_and_not_from_further(objective: CatalogueObjective) -> None:
    reach = NEAR * max(high - low for low, high in objective.domain)
    for index, minimum in enumerate(first(objective.minima, 9)):
        direction = away_from_the_others(objective, minimum)
        at = reached_minimum(objective, np.array(minimum.x))
        assert at is not None
        assert (at.index, at.x, at.distance) == (index, minimum.x, 0.0)
        near = reached_minimum(objective, minimum.x + 0.99 * reach * direction)
        assert near is not None
        assert near.index == index
        assert near.distance == pytest.approx(0.99 * reach)
        assert reached_minimum(objective, minimum.x + 1.01 * reach * direction) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_point_that_is_not_finite_reaches_nothing(bad: float) -> None:
    assert reached_minimum(job().objective(), np.array([3.0, bad])) is None


def test_a_point_at_infinite_distance_reaches_nothing() -> None:
    assert reached_minimum(job().objective(), np.array([1e300, 0.0])) is None


def test_distances_of_float32_points_are_computed_in_double() -> None:
    reached = reached_minimum(job().objective(), np.array([3.0, 2.0001], np.float32))
    assert reached is not None
    assert reached.distance == float(np.float64(np.float32(2.0001)) - 2)
