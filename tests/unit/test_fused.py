"""The fused engine has the digits of torch's own loop, to the last bit."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.driving import OPTIMIZERS, Recording, assert_equal, assert_same, drive, job, name_of, native
from tests.unit.test_eager import SCHEDULERS
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Outcome
from thalweg.engine.run import Interrupted
from thalweg.errors import InvalidInput
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueFunction
from thalweg.spec.job import JobSpec

STARTS = [[0.0, 0.0], [4.0, 0.0], [-4.0, 0.0], [1.5, -2.5], [50.0, 50.0]]
VARIANTS: list[dict[str, Any]] = [
    *OPTIMIZERS,
    {"name": "sgd", "lr": 1e-3, "momentum": 0.9, "dampening": 0.3, "maximize": True},
    {"name": "adam", "betas": [0.0, 0.0], "maximize": True},
    {"name": "adam", "betas": [0.9, 0.4], "decoupled_weight_decay": True, "weight_decay": 0.1},
    {"name": "adagrad", "lr_decay": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.1},
    {"name": "adadelta", "rho": 0.0, "weight_decay": 0.1},
    {"name": "adamax", "weight_decay": 0.1},
    {"name": "nadam", "decoupled_weight_decay": True, "weight_decay": 0.1},
    {"name": "radam", "decoupled_weight_decay": True, "weight_decay": 0.1},
    {"name": "rmsprop", "alpha": 0.5, "weight_decay": 0.1},
    {"name": "rprop", "etas": [0.3, 1.5], "step_sizes": [1e-3, 1]},
    {"name": "asgd", "lambd": 0.1, "alpha": 0.5, "weight_decay": 0.1, "t0": 5},
]
FUSED = [case for case in VARIANTS if job(optimizer=case).obstacle is None]
FUSED_SCHEDULERS = [
    *SCHEDULERS,
    *(case | {"cycle_momentum": False} for case in SCHEDULERS if case["name"] in {"cyclic_lr", "one_cycle_lr"}),
]
NAMES = sorted({case["name"] for case in FUSED})
DTYPES = ["float64", "float32"]


def fusable_dims(entry: CatalogueFunction, wanted: Sequence[int]) -> list[int]:
    """Return those of the wanted dimensions that a function can have."""
    if entry.dim is not None:
        return [entry.dim]
    found = []
    for dim in wanted:
        with suppress(InvalidInput):
            found.append(entry.at(dim).dim)
    return found


def both(**fields: Any) -> tuple[Recording, Recording]:
    """Return a job's recordings by the eager and the fused engine."""
    spec = job(**fields)
    return drive(spec), drive(spec, engine=native)


def assert_engines_agree(**fields: Any) -> Recording:
    eager, fused = both(**fields)
    assert_equal(eager, fused)
    return fused


@pytest.mark.parametrize("starts", [STARTS[0], STARTS], ids=["one", "many"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", FUSED, ids=name_of)
def test_every_optimizer_has_torch_digits(optimizer: dict[str, Any], dtype: str, starts: Any) -> None:
    assert_engines_agree(optimizer=optimizer, dtype=dtype, init=starts, steps=400)


def drawn(entry: CatalogueFunction, dim: int | None, n: int) -> dict[str, Any]:
    """Return the fields of a job on a function, from starts in its domain."""
    objective = entry.at(dim)
    return {"function": {"name": entry.name, "dim": objective.dim}, "init": {"random": n, "seed": objective.dim}}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("entry", "dim"),
    [
        pytest.param(entry, dim, id=f"{entry.name}-{dim}")
        for entry in catalogue.functions()
        for dim in fusable_dims(entry, (2, 3, 8, 16))
    ],
)
def test_every_function_has_torch_digits(entry: CatalogueFunction, dim: int, dtype: str) -> None:
    assert_engines_agree(**drawn(entry, dim, 3), optimizer="adam", dtype=dtype, steps=40)


@pytest.mark.parametrize(
    ("entry", "optimizer"),
    [
        pytest.param(entry, NAMES[place % len(NAMES)], id=f"{entry.name}-{NAMES[place % len(NAMES)]}")
        for place, entry in enumerate(catalogue.functions())
    ],
)
def test_optimizers_and_functions_combine(entry: CatalogueFunction, optimizer: str) -> None:
    """Each function with one optimizer; `make sweep` tries all of them."""
    for dtype in DTYPES:
        assert_engines_agree(**drawn(entry, None, 2), optimizer=optimizer, dtype=dtype, steps=60)


def test_auto_has_the_digits_of_a_usual_script() -> None:
    fields = {"init": STARTS[:3], "dtype": "float32", "steps": 20000}
    spec = job(**fields)
    assert spec.chosen_engine == "fused"
    fused = drive(spec, engine=native).results
    assert [round(float(f), 6) for f in fused.f] == [0.0, 0.0, 0.0]
    x = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([x])
    for _ in range(2000):
        f = (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2
        optimizer.zero_grad()
        f.backward()  # type: ignore[no-untyped-call]  # torch ships no type for it
        optimizer.step()
    assert_same(drive(spec, engine=native).x[0][2000], x.detach().numpy())


@pytest.mark.parametrize("scheduler", FUSED_SCHEDULERS, ids=name_of)
def test_schedules(scheduler: dict[str, Any]) -> None:
    spec = job(scheduler=scheduler, steps=70, lr=1e-3, init=STARTS)
    fused = drive(spec, engine=native)
    assert_equal(drive(spec), fused)
    assert_equal(fused, drive(spec, cuts=[1, 12, 7], engine=native))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "fields",
    [
        {"gradient_noise": {"std": 0.5, "seed": 3}},
        {"clip_grad_norm": 1.0},
        {"clip_grad_norm": 1.0, "gradient_noise": {"std": 0.5, "seed": 3}, "optimizer": "sgd"},
        {"record_every": 7},
        {"record_every": 1000},
        {"stop": {"f": 1e-3}, "lr": 0.1},
        {"stop": {"grad_norm": 1e-2}, "lr": 0.1},
        {"stop": {"f": 1e-4, "grad_norm": 1e-2}, "lr": 0.1},
        {"stop": {"f": 1e9}},
        {"optimizer": "sgd", "lr": 0.02},
        {"optimizer": "sgd", "lr": 0.02, "record_every": 3},
    ],
    ids=name_of,
)
def test_options_of_a_job(fields: dict[str, Any], dtype: str) -> None:
    for init in (STARTS[3], STARTS):
        assert_engines_agree(**fields, dtype=dtype, init=init, steps=500)


def test_starts_where_nothing_is_finite() -> None:
    for init in ([1e200, 0], [[1e200, 0], [1, 1]], [[1e80, 1e80], [0, 0], [2, 2]]):
        results = assert_engines_agree(init=init, optimizer="sgd", steps=30).results
        assert results.outcome[0] == Outcome.diverged


def test_denormals_are_kept() -> None:
    fields = {"function": "sphere", "init": [[1.0, 1e-3], [1e-5, 1e-160]], "lr": 0.3}
    assert_engines_agree(**fields, optimizer="sgd", steps=1500)
    assert_engines_agree(**fields, optimizer="adam", steps=1500)
    x = drive(job(**fields, optimizer="sgd", steps=1500, dtype="float32"), engine=native).x[0]
    assert ((x != 0) & (np.abs(x) < np.finfo(np.float32).tiny)).any()


@pytest.mark.parametrize("record_every", [1, 100, 10_000])
@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "sgd", "lr": 0.5},
        {"name": "sgd", "lr": 0.3, "momentum": 0.2},
        {"name": "adam", "lr": 0.1, "betas": [0.5, 0.6]},
        {"name": "nadam", "lr": 0.1, "betas": [0.5, 0.6]},
        {"name": "rmsprop", "lr": 0.1, "alpha": 0.3},
        {"name": "rprop"},
    ],
    ids=name_of,
)
def test_runs_at_rest(optimizer: dict[str, Any], record_every: int) -> None:
    starts = [[1.0, -2.0], [0.0, 0.0], [1e-5, 1e-160]]
    for dtype in DTYPES:
        for init in (starts[0], starts):
            assert_engines_agree(
                function="sphere",
                optimizer=optimizer,
                init=init,
                steps=2500,
                record_every=record_every,
                dtype=dtype,
                scheduler={"name": "multi_step_lr", "milestones": [1500, 2000]},
            )


def test_a_run_at_rest_moves_on_when_the_rate_does() -> None:
    """At (1, 1) the run rests until its steps exceed half an ulp."""
    fields = {
        "optimizer": {"name": "sgd", "weight_decay": 1e-12},
        "function": "rosenbrock",
        "init": [1.0, 1.0],
        "lr": 1e-9,
        "scheduler": {
            "name": "cyclic_lr",
            "base_lr": 1e-9,
            "max_lr": 1e-3,
            "step_size_up": 1000,
            "cycle_momentum": False,
        },
    }
    assert_engines_agree(**fields, steps=3000, record_every=50)
    assert_engines_agree(**fields, steps=3000)


def test_a_run_depends_neither_on_other_runs_nor_on_threads() -> None:
    starts = np.random.default_rng(1).uniform(-5, 5, (70, 2)).tolist()
    fields = {"optimizer": "adam", "lr": 0.05, "steps": 3000, "stop": {"f": 1e-9}}
    many = drive(job(init=starts, **fields), engine=lambda spec, at: FusedRun(spec, at, threads=1))
    threaded = drive(job(init=starts, **fields), engine=lambda spec, at: FusedRun(spec, at, threads=3))
    assert_equal(many, threaded)
    for run in (0, 1, 31, 69):
        alone = drive(job(init=starts[run], **fields), engine=native)
        assert_same(alone.x[0], many.x[run])
        assert_same(alone.f[0], many.f[run])


@settings(deadline=None, max_examples=25)
@given(
    cuts=st.lists(st.integers(1, 120), max_size=6),
    optimizer=st.sampled_from(FUSED),
    n_starts=st.sampled_from([1, 2, 5]),
    record_every=st.sampled_from([1, 3, 50]),
)
def test_results_do_not_depend_on_the_cuts(
    cuts: list[int], optimizer: dict[str, Any], n_starts: int, record_every: int
) -> None:
    spec = job(
        optimizer=optimizer,
        init=STARTS[:n_starts],
        steps=300,
        record_every=record_every,
        gradient_noise={"std": 0.1, "seed": 5},
        clip_grad_norm=50.0,
        stop={"f": 0.5},
    )
    assert_equal(drive(spec, engine=native), drive(spec, cuts=cuts, engine=native))


def test_jobs_longer_than_a_table() -> None:
    spec = job(steps=30_000, init=STARTS[:3], record_every=1000, optimizer="nadam")
    whole = drive(spec, engine=native)
    assert_equal(whole, drive(spec, cuts=[8191, 1, 8193], engine=native))
    assert_equal(whole, drive(spec))


def test_an_extension_continues_where_the_job_ended() -> None:
    short, long = job(steps=150, record_every=4), job(steps=400, record_every=4)
    first = drive(short, engine=native)
    rest = drive(long, checkpoint=first.checkpoint, engine=native)
    whole = drive(long, engine=native)
    assert_same(np.concatenate([first.x[0], rest.x[0]]), whole.x[0])
    np.testing.assert_array_equal(rest.results.finite_x, whole.results.finite_x)


def test_a_long_chunk_is_interrupted() -> None:
    run = FusedRun(job(steps=10**9, record_every=10**6))
    asked = iter([True, True, False])
    with pytest.raises(Interrupted):
        run.advance(10**9, lambda: next(asked))


def test_few_steps_of_many_runs_are_interrupted() -> None:
    starts = [[i / 1000, 1.0] for i in range(20_000)]
    run = FusedRun(job(steps=16_000, record_every=16_000, init=starts))
    with pytest.raises(Interrupted):
        run.advance(16_000, lambda: run.step == 0)
    assert 0 < run.step < 4000  # a call of at most fifty million updates


def test_most_steps_bounds_the_chunk() -> None:
    run = FusedRun(job(steps=10_000, record_every=10, init=STARTS))
    steps = run.most_steps(3000)
    chunk = run.advance(steps)
    assert chunk.x.size + chunk.f.size <= 3000 + 3 * len(STARTS)
    assert steps == 3000 // (3 * len(STARTS)) * 10


def test_a_job_that_cannot_be_fused_says_why() -> None:
    from_nothing = {
        "name": "cyclic_lr",
        "base_lr": 0.001,
        "max_lr": 0.01,
        "max_momentum": 0.0,
        "base_momentum": 0.0,
    }
    cases: list[tuple[dict[str, Any], str]] = [
        ({"scheduler": "reduce_lr_on_plateau", "optimizer": "lbfgs"}, "moves the learning rate of each run"),
        ({"scheduler": from_nothing, "optimizer": {"name": "sgd", "momentum": 0.9}}, "begins with a momentum of 0"),
    ]
    for fields, words in cases:
        spec = job(**fields)
        assert spec.chosen_engine == "eager"
        assert words in (spec.obstacle or "")
        with pytest.raises(ValueError, match=words):
            JobSpec.model_validate({**spec.dumped, "engine": "fused"})
    assert job(engine="eager").chosen_engine == "eager"
    assert job(engine="fused").chosen_engine == "fused"


def test_both_engines_propose_a_first_chunk() -> None:
    assert EagerRun(job()).first_steps == 1
    assert FusedRun(job()).first_steps > 100_000
    assert FusedRun(job(scheduler="linear_lr")).first_steps < FusedRun(job()).first_steps
