"""Hyperparameters are inputs of kernels: one kernel has torch's digits for all their values."""

import random
from typing import Any

import pytest

from tests.unit.driving import assert_equal, drive, job, name_of
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.catalogue import optimizers
from thalweg.spec.job import JobSpec

STARTS = [[0.0, 0.0], [4.0, 0.0], [-1.5, -2.5]]
NAMES = [cls.model_fields["name"].default for cls in optimizers() if cls.record.inputs]
CLASSES = {cls.model_fields["name"].default: cls for cls in optimizers()}

# what a parameter is drawn from; another is an exponent of 10
DRAWN: dict[str, tuple[float, float]] = {
    "betas": (0.0, 1.0),
    "momentum": (0.0, 1.2),
    "dampening": (0.0, 1.5),
    "rho": (0.0, 1.0),
    "alpha": (0.0, 1.0),
    "lr_decay": (0.0, 2.0),
    "t0": (1.0, 30.0),
    "momentum_decay": (0.0, 3.0),
    "beta2_decay": (-1.0, -0.1),
    "d": (1.0, 3.0),
}


def drawn(cls: type[OptimizerParams], chance: random.Random) -> dict[str, Any]:
    """Return an optimizer whose inputs are drawn, none of them 0."""
    arguments = cls.model_validate({}).arguments
    fields: dict[str, Any] = {"name": cls.model_fields["name"].default}
    for parameter in cls.record.inputs:
        low, high = DRAWN.get(parameter, (-9.0, 0.0))

        def number(low: float = low, high: float = high, *, is_power: bool = parameter not in DRAWN) -> float:
            value = chance.uniform(low, high)
            return 10**value if is_power else min(value, 0.999999) if high == 1 else value

        fields[parameter] = (
            [number() for _ in arguments[parameter]] if isinstance(arguments[parameter], tuple) else number()
        )
    if "etas" in fields:
        fields["etas"] = [chance.uniform(0.1, 0.9), chance.uniform(1.1, 2.0)]
        fields["step_sizes"] = [1e-4 * chance.random(), 1 + chance.random()]
    return fields


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", NAMES)
def test_one_kernel_has_torch_digits_for_all_values(name: str, dtype: str) -> None:
    chance = random.Random(name + dtype)  # noqa: S311 - the same numbers every time
    kernels = Kernels()
    compiled = set()
    for _ in range(6):
        spec = job(
            optimizer=drawn(CLASSES[name], chance),
            lr=10 ** chance.uniform(-4, 0),
            init=STARTS,
            dtype=dtype,
            steps=chance.choice([20, 60, 150]),
        )
        assert_equal(drive(spec), drive(spec, engine=lambda each, at: FusedRun(each, at, kernels)))
        compiled.add(kernels.get(spec).key)
    # the first of the betas is above one half, below it, or too close to say
    assert len(compiled) <= (3 if "betas" in CLASSES[name].record.inputs else 1)


def test_a_kernel_is_made_for_the_signs_of_its_inputs() -> None:
    kernels = Kernels()
    plain = kernels.get(job(optimizer={"name": "sgd"}))
    assert kernels.get(job(optimizer={"name": "sgd", "momentum": 0.9})) is not plain
    assert kernels.get(job(optimizer={"name": "sgd", "weight_decay": 0.1})) is not plain
    damped = kernels.get(job(optimizer={"name": "sgd", "dampening": 0.1}))
    assert kernels.get(job(optimizer={"name": "sgd", "dampening": -0.1})) is not damped
    assert kernels.get(job(optimizer={"name": "sgd", "dampening": 0.7})) is damped


CYCLED: list[dict[str, Any]] = [
    {"name": "sgd", "momentum": 0.9},
    {"name": "sgd"},
    {"name": "sgd", "momentum": 0.5, "nesterov": True},
    {"name": "rmsprop", "momentum": 0.3},
    {"name": "rmsprop"},
    {"name": "adam", "amsgrad": True},
    {"name": "adamw"},
    {"name": "adamax"},
    {"name": "nadam"},
    {"name": "radam"},
]
UP_AND_DOWN = {"name": "cyclic_lr", "base_lr": 1e-4, "max_lr": 1e-2, "step_size_up": 7}
CYCLES: list[dict[str, Any]] = [
    {**UP_AND_DOWN, "mode": "triangular2", "step_size_down": 4},
    {**UP_AND_DOWN, "mode": "exp_range", "gamma": 1.06, "base_momentum": 0.3},
    {**UP_AND_DOWN, "base_momentum": 0.0, "max_momentum": 0.875, "step_size_up": 8},
    {**UP_AND_DOWN, "base_momentum": 0.95, "max_momentum": 0.2},
    {"name": "one_cycle_lr", "max_lr": 0.01, "total_steps": 61},
    {"name": "one_cycle_lr", "max_lr": 0.01, "total_steps": 90, "anneal_strategy": "linear", "three_phase": True},
    {
        "name": "sequential_lr",
        "schedulers": [{"name": "linear_lr"}, {"name": "one_cycle_lr", "max_lr": 0.01, "total_steps": 80}],
        "milestones": [9],
    },
    {"name": "chained_scheduler", "schedulers": [UP_AND_DOWN, {"name": "exponential_lr", "gamma": 0.97}]},
]


@pytest.mark.parametrize("optimizer", CYCLED, ids=name_of)
def test_schedules_that_cycle_the_momentum(optimizer: dict[str, Any]) -> None:
    for place, scheduler in enumerate(CYCLES):
        dtype = "float32" if place % 2 else "float64"
        spec = job(optimizer=optimizer, scheduler=scheduler, init=STARTS, steps=60, dtype=dtype, engine="fused")
        eager = drive(spec)
        assert_equal(eager, drive(spec, engine=FusedRun))
        assert_equal(eager, drive(spec, cuts=[1, 11, 17], engine=FusedRun))


def test_a_momentum_that_begins_at_0_is_left_to_torch() -> None:
    spec = job(optimizer="sgd", scheduler={**UP_AND_DOWN, "base_momentum": 0.9, "max_momentum": 0.0})
    assert "momentum of 0" in str(spec.obstacle)
    assert "cycles the momentum of" not in str(spec.obstacle)


def test_a_power_that_overflows_raises_as_in_python() -> None:
    scheduler = {**UP_AND_DOWN, "mode": "exp_range", "gamma": 1.5, "max_momentum": 0.9, "base_momentum": 0.0}
    spec: JobSpec = job(optimizer="adam", scheduler=scheduler, init=STARTS, steps=80)
    eager = drive(spec)
    assert_equal(eager, drive(spec, engine=FusedRun))
    assert eager.results.sentences == ["OverflowError: (34, 'Numerical result out of range')"]
