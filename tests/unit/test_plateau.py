"""`reduce_lr_on_plateau` runs natively: its step is torch's own, traced on the numbers of each run."""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import assert_equal, assert_same, drive, job, name_of
from tests.unit.random_jobs import random_fields
from thalweg.engine.fused.frontend.own_schedule import OwnSchedule, numbers_of, own_schedule
from thalweg.engine.fused.frontend.program import Program, Value, needed
from thalweg.engine.fused.frontend.symbol import Branches
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Outcome
from thalweg.spec.job import JobSpec

PLATEAU = "reduce_lr_on_plateau"
STARTS = [[0.0, 0.0], [4.0, 0.0], [-4.0, 0.0], [1.5, -2.5], [50.0, 50.0]]
COMPUTED: dict[str, Callable[..., Any]] = {
    "fadd": lambda a, b: a + b,
    "fsub": lambda a, b: a - b,
    "fmul": lambda a, b: a * b,
    "lt": lambda a, b: a < b,
    "gt": lambda a, b: a > b,
    "select": lambda condition, a, b: a if condition else b,
}


def drawn(chance: random.Random) -> dict[str, Any]:
    """Return a random schedule."""
    return {
        "name": PLATEAU,
        "mode": chance.choice(["min", "max"]),
        "threshold_mode": chance.choice(["rel", "abs"]),
        "factor": chance.choice([0.0, 0.1, 0.5, 0.9, 0.999]),
        "patience": chance.choice([0, 0, 1, 2, 10]),
        "threshold": chance.choice([0.0, 1e-4, 0.01, 1.0, 3.0]),
        "cooldown": chance.choice([0, 0, 1, 3]),
        "min_lr": chance.choice([0, 0, 1e-5, 0.02, 5.0]),
        "eps": chance.choice([0.0, 1e-8, 1e-3]),
    }


def metrics(chance: random.Random) -> list[float]:
    """Return values of a function along a descent, or of something wilder."""
    found, f = [], chance.choice([10.0, 0.0, -3.0])
    for _ in range(chance.choice([5, 40])):
        f = chance.choice([f, f, f * 0.99, f - 0.1, f + 0.1, f * (1 + 1e-5), -f])
        found.append(chance.choice([math.nan, math.inf, -math.inf, 0.0, -0.0]) if chance.random() < 0.05 else f)
    return found


def after(schedule: OwnSchedule, numbers: Mapping[str, float]) -> dict[str, float]:
    """Return the state after a step, computed operation by operation."""
    known: dict[Value, Any] = {}

    def number(value: Value) -> Any:
        if value.constant is not None:
            return value.constant
        return numbers[value.source[0]] if value.op == "input" else known[value]

    for value in needed(schedule.state.values()):
        known[value] = COMPUTED[value.op](*map(number, value.operands))
    return {name: number(value) for name, value in schedule.state.items()}


def test_the_traced_step_is_torchs_over_a_thousand_random_sequences() -> None:
    chance = random.Random(1)  # noqa: S311 - the same every time
    n_changes = 0
    for _ in range(1000):
        spec = job(scheduler=drawn(chance), lr=10 ** chance.uniform(-3, 1))
        assert spec.scheduler is not None
        schedule = own_schedule(spec.optimizer, spec.scheduler)
        numbers = numbers_of(spec.optimizer, spec.scheduler)
        real: Any = spec.scheduler.build(spec.optimizer.build([torch.zeros(1)]))
        for f in metrics(chance):
            before = numbers["lr"]
            numbers |= after(schedule, {**numbers, "f": f})
            real.step(torch.tensor(f, dtype=torch.float64))
            torchs = {
                "lr": real.optimizer.param_groups[0]["lr"],
                "best": real.best,
                "num_bad_epochs": real.num_bad_epochs,
                "cooldown_counter": real.cooldown_counter,
            }
            assert {name: float(value) for name, value in torchs.items()} == {
                name: numbers[name] for name in torchs
            }
            n_changes += numbers["lr"] != before
    assert n_changes > 1000


def test_a_run_keeps_what_its_rate_depends_on() -> None:
    spec = job(scheduler=PLATEAU)
    assert spec.scheduler is not None
    schedule = own_schedule(spec.optimizer, spec.scheduler)
    assert list(schedule.state) == ["lr", "best", "cooldown_counter", "num_bad_epochs"]
    assert set(schedule.parameters) == {"cooldown", "eps", "factor", "min_lrs", "patience", "threshold"}


def test_a_symbol_is_never_taken_for_a_number() -> None:
    program = Program()
    symbol = Branches(program, []).number(program.input("x", 0, "double", varying=True))
    uses: list[Any] = [float, int, math.sqrt, lambda each: each / 2, lambda each: each**2]
    for use in uses:
        with pytest.raises(TypeError):
            use(symbol)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "sgd", "lr": 0.02},
        {"name": "sgd", "lr": 0.01, "momentum": 0.9, "weight_decay": 0.1},
        {"name": "adam", "lr": 0.3, "amsgrad": True},
        {"name": "adamw", "lr": 0.3},
        {"name": "adagrad", "lr": 1.0, "lr_decay": 0.01},
        {"name": "adadelta"},
        {"name": "adamax", "lr": 0.3},
        {"name": "nadam", "lr": 0.3},
        {"name": "radam", "lr": 0.3},
        {"name": "rmsprop", "lr": 0.1, "momentum": 0.5},
        {"name": "rprop"},
        {"name": "asgd", "lr": 0.01, "t0": 20, "lambd": 0.1},
    ],
    ids=name_of,
)
def test_every_optimizer_has_torch_digits(optimizer: dict[str, Any], dtype: str) -> None:
    spec = job(
        optimizer=optimizer,
        scheduler={"name": PLATEAU, "patience": 2, "cooldown": 1, "factor": 0.7, "threshold": 0.01},
        init=STARTS,
        dtype=dtype,
        steps=120,
        engine="fused",
    )
    eager = drive(spec)
    assert_equal(eager, drive(spec, engine=FusedRun))
    assert_equal(eager, drive(spec, cuts=[1, 30, 7], engine=FusedRun))
    alone = JobSpec.model_validate({**spec.dumped, "init": STARTS[3]})
    assert_same(drive(alone, engine=FusedRun).x[0], eager.x[3])


@pytest.mark.parametrize("seed", range(8))
def test_random_jobs(seed: int) -> None:
    chance = random.Random(f"plateau {seed}")  # noqa: S311 - the same every time
    fields = {**random_fields(chance), "scheduler": drawn(chance)}
    spec = JobSpec.model_validate(fields)
    eager = drive(spec)
    cut = chance.randint(1, spec.steps)
    assert_equal(eager, drive(spec, engine=FusedRun))
    assert_equal(eager, drive(spec, [cut], engine=FusedRun))
    begun = drive(JobSpec.model_validate({**fields, "steps": cut}), engine=FusedRun)
    whole, extended = eager.results, drive(spec, checkpoint=begun.checkpoint, engine=FusedRun).results
    if (begun.results.outcome == Outcome.max_steps).all():
        assert_same(whole.x, extended.x)
        assert_same(whole.best_f, extended.best_f)


def test_one_kernel_serves_all_numbers_of_a_schedule() -> None:
    chance = random.Random(2)  # noqa: S311 - the same every time
    kernels = Kernels()
    found = set()
    for _ in range(20):
        scheduler = {**drawn(chance), "mode": "min", "threshold_mode": "rel"}
        spec = job(scheduler=scheduler, lr=0.1, init=STARTS, steps=40)
        found.add(kernels.get(spec).key)
        assert_equal(drive(spec), drive(spec, engine=lambda each, at: FusedRun(each, at, kernels)))
    assert len(found) == 1
    assert kernels.get(job(scheduler={"name": PLATEAU, "mode": "max"}, init=STARTS)).key not in found


def test_a_long_run_that_rests_keeps_counting() -> None:
    scheduler = {"name": PLATEAU, "patience": 300, "factor": 0.5, "eps": 0.0}
    spec = job(function="sphere", optimizer="sgd", lr=0.4, init=STARTS[:3], scheduler=scheduler, steps=3000)
    fused = drive(spec, engine=FusedRun)
    assert_equal(drive(spec), fused)
    assert (fused.x[0] == 0).all()
    assert np.isfinite(fused.f[1]).all()
