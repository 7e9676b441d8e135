import inspect
import json
import math
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError
from torch.optim import lr_scheduler

from thalweg.errors import InvalidInput
from thalweg.optimizers.base import SchedulerParams, describe
from thalweg.optimizers.catalogue import Optimizer
from thalweg.optimizers.check import check
from thalweg.optimizers.families.torch_optim import FAMILY
from thalweg.optimizers.schedules import MAX_DEPTH, REFUSED, Scheduler, schedulers

ALL = {cls.model_fields["name"].default: cls for cls in schedulers()}
every = pytest.mark.parametrize("cls", ALL.values(), ids=list(ALL))
STEPS = 50
MEMBERS = ["linear_lr", {"name": "exponential_lr", "gamma": 0.9}]

# The required parameters, and further sets.
REQUIRED: dict[str, dict[str, Any]] = {
    "step_lr": {"step_size": 7},
    "multi_step_lr": {"milestones": [3, 3, 20]},
    "exponential_lr": {"gamma": 0.9},
    "cosine_annealing_lr": {"T_max": 20},
    "cosine_annealing_warm_restarts": {"T_0": 7},
    "cyclic_lr": {"base_lr": 0.01, "max_lr": 0.1},
    "one_cycle_lr": {"max_lr": 0.5, "total_steps": STEPS},
    "sequential_lr": {"schedulers": MEMBERS, "milestones": [10]},
    "chained_scheduler": {"schedulers": MEMBERS},
}
MORE: dict[str, list[dict[str, Any]]] = {
    "step_lr": [{"step_size": 1, "gamma": 0.5}],
    "multi_step_lr": [{"milestones": [], "gamma": 0.5}, {"milestones": [0, 5], "gamma": 2.0}],
    "constant_lr": [{"factor": 0.5, "total_iters": 20}],
    "linear_lr": [{"start_factor": 1.0, "end_factor": 0.0, "total_iters": 20}],
    "exponential_lr": [{"gamma": 0.0}, {"gamma": 1.1}],
    "polynomial_lr": [{"total_iters": 30, "power": 2.0}, {"total_iters": 30, "power": 0.0}],
    "cosine_annealing_lr": [{"T_max": 1, "eta_min": 1e-3}],
    "cosine_annealing_warm_restarts": [{"T_0": 3, "T_mult": 2, "eta_min": 1e-3}],
    "cyclic_lr": [
        {"base_lr": 0.0, "max_lr": 1.0, "step_size_up": 5, "step_size_down": 3, "mode": mode, "gamma": 0.9}
        for mode in ("triangular", "triangular2", "exp_range")
    ],
    "one_cycle_lr": [
        {"max_lr": 0.5, "epochs": 5, "steps_per_epoch": 12, "three_phase": True, "anneal_strategy": "linear"},
        {"max_lr": 0.5, "total_steps": 60, "cycle_momentum": False, "pct_start": 0.0, "div_factor": 2},
    ],
    "reduce_lr_on_plateau": [
        {"mode": "max", "factor": 0.5, "patience": 0, "threshold": 0.1, "threshold_mode": "abs"},
        {"factor": 0.9, "patience": 1, "cooldown": 2, "min_lr": 0.01, "eps": 0.0},
    ],
}
SAMPLES = [{"name": name, **values} for name in ALL for values in (REQUIRED.get(name, {}), *MORE.get(name, []))]
STEADY = (
    {"name": "multi_step_lr", "milestones": [], "gamma": 0.5},
    {"name": "polynomial_lr", "total_iters": 30, "power": 0.0},
)
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample["name"])


class Job(BaseModel):
    optimizer: Optimizer
    scheduler: Scheduler | None = None


def valid(scheduler: Any) -> SchedulerParams:
    found = Job.model_validate({"optimizer": "sgd", "scheduler": scheduler}).scheduler
    assert found is not None
    return found


def errors(scheduler: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        valid(scheduler)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def chained(*members: Any) -> dict[str, Any]:
    return {"name": "chained_scheduler", "schedulers": list(members)}


def sgd() -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)


def by_hand(optimizer: torch.optim.Optimizer, sample: dict[str, Any]) -> lr_scheduler.LRScheduler:
    values = {key: value for key, value in sample.items() if key != "name"}
    torch_class: Any = ALL[sample["name"]].torch_class
    if "schedulers" not in values:
        built: lr_scheduler.LRScheduler = torch_class(optimizer, **values)
        return built
    members = values.pop("schedulers")
    each = [by_hand(optimizer, {"name": member} if isinstance(member, str) else member) for member in members]
    if torch_class is lr_scheduler.SequentialLR:
        return lr_scheduler.SequentialLR(optimizer, each, **values)
    return lr_scheduler.ChainedScheduler(each)


def lrs(schedule: lr_scheduler.LRScheduler, optimizer: torch.optim.Optimizer, steps: int = STEPS) -> list[Any]:
    group = optimizer.param_groups[0]
    found = [(group["lr"], group["momentum"])]
    for step in range(steps):
        optimizer.step()
        # a value that gets better for a while and then no more
        if isinstance(schedule, lr_scheduler.ReduceLROnPlateau):
            schedule.step(max(10.0 - step, 3.0))
        else:
            schedule.step()
        found.append((group["lr"], group["momentum"]))
    return found


def test_every_class_of_torch_is_offered_or_refused() -> None:
    names = {name.lower() for name in lr_scheduler.__all__ if name != "LRScheduler"}
    assert names == {name.replace("_", "") for name in (*ALL, *REFUSED)}


@every
def test_parameters_and_defaults_are_those_of_torch(cls: type[SchedulerParams]) -> None:
    parameters = inspect.signature(cls.torch_class).parameters
    assert set(cls.model_fields) - {"name"} == set(parameters) - set(cls.refused)
    for name, field in cls.model_fields.items():
        if name != "name":
            assert field.is_required() == (parameters[name].default is inspect.Parameter.empty)
            assert field.is_required() or field.default == parameters[name].default


@each_sample
def test_it_survives_json(sample: dict[str, Any]) -> None:
    model = valid(sample)
    dumped = Job(optimizer=Job.model_validate({"optimizer": "sgd"}).optimizer, scheduler=model).model_dump_json()
    assert Job.model_validate_json(dumped).scheduler == model
    found = json.loads(dumped)["scheduler"]
    for key, value in sample.items():
        if key != "schedulers":
            assert found[key] == value


@each_sample
def test_the_learning_rates_are_those_of_torch(sample: dict[str, Any]) -> None:
    ours, theirs = sgd(), sgd()
    expected = lrs(by_hand(theirs, sample), theirs)
    assert lrs(valid(sample).build(ours), ours) == expected
    assert sample in STEADY or len(set(expected)) > 1


@each_sample
def test_torch_accepts_it(sample: dict[str, Any]) -> None:
    check(Job.model_validate({"optimizer": "sgd"}).optimizer, valid(sample))


def test_only_a_plateau_depends_on_the_run() -> None:
    assert {name for name, cls in ALL.items() if cls.per_run} == {"reduce_lr_on_plateau"}


@pytest.mark.parametrize(
    ("sample", "most"),
    [
        ({"name": "one_cycle_lr", "max_lr": 1, "total_steps": 30}, 30),
        ({"name": "one_cycle_lr", "max_lr": 1, "epochs": 3, "steps_per_epoch": 4}, 12),
        ({"name": "one_cycle_lr", "max_lr": 1, "total_steps": 30, "pct_start": 1}, 29),
        (
            {
                "name": "one_cycle_lr",
                "max_lr": 1,
                "total_steps": 31,
                "pct_start": 16 / 31,
                "three_phase": True,
            },
            30,
        ),
        ({"name": "cyclic_lr", "base_lr": 0, "max_lr": 1, "step_size_up": 1, "mode": "triangular2"}, 2047),
        ({"name": "cyclic_lr", "base_lr": 0, "max_lr": 1, "mode": "exp_range", "gamma": 2}, 1022),
        (chained("linear_lr", {"name": "one_cycle_lr", "max_lr": 1, "total_steps": 9}), 9),
        (
            {
                "name": "sequential_lr",
                "schedulers": ["linear_lr", {"name": "one_cycle_lr", "max_lr": 1, "total_steps": 9}],
                "milestones": [5],
            },
            14,
        ),
        (
            {
                "name": "sequential_lr",
                "schedulers": [{"name": "one_cycle_lr", "max_lr": 1, "total_steps": 9}, "linear_lr"],
                "milestones": [11],
            },
            9,
        ),
    ],
)
def test_max_steps_is_where_torch_raises(sample: dict[str, Any], most: int) -> None:
    model = valid(sample)
    found = model.max_steps
    assert found == most
    optimizer = sgd()
    schedule = model.build(optimizer)
    lrs(schedule, optimizer, most)
    if "gamma" not in sample:  # a float's logarithm rounds; there the bound is a step early
        optimizer.step()
        with pytest.raises((ValueError, ArithmeticError)):
            schedule.step()


def test_a_member_that_ends_when_the_next_begins_sets_no_limit() -> None:
    first = {"name": "one_cycle_lr", "max_lr": 1, "total_steps": 9}
    model = valid({"name": "sequential_lr", "schedulers": [first, "linear_lr"], "milestones": [10]})
    assert model.max_steps is None
    optimizer = sgd()
    lrs(model.build(optimizer), optimizer)


@pytest.mark.parametrize("name", [name for name in ALL if name not in {"cyclic_lr", "one_cycle_lr"}])
def test_the_others_have_no_end(name: str) -> None:
    assert valid({"name": name, **REQUIRED.get(name, {})}).max_steps is None


@pytest.mark.parametrize(
    ("value", "loc", "said"),
    [
        ("step_lr", ("step_size",), "required"),
        ("steplr", (), "did you mean step_lr"),
        ({"step_size": 3}, (), "name of the scheduler is missing"),
        (3, (), "by name, or as an object"),
        ("nothing", (), 'there is no scheduler "nothing"'),
        ("lambda_lr", (), "function in Python"),
        ({"name": "multiplicative_lr"}, (), "function in Python"),
        ({"name": "linear_lr", "last_epoch": 3}, (), "starts its schedule at the first step"),
        ({"name": "linear_lr", "verbose": True}, (), "no longer a parameter"),
        ({"name": "cyclic_lr", "base_lr": 0, "max_lr": 1, "scale_fn": "abs"}, (), "function in Python"),
        ({"name": "cyclic_lr", "base_lr": 0, "max_lr": 1, "scale_mode": "cycle"}, (), "only with scale_fn"),
        ({"name": "cyclic_lr", "base_lr": 2, "max_lr": 1}, (), "above max_lr"),
        ({"name": "one_cycle_lr", "max_lr": 1}, (), "not taken from the job's steps"),
        ({"name": "one_cycle_lr", "max_lr": 1, "epochs": 3}, (), "not taken from the job's steps"),
        ({"name": "multi_step_lr", "milestones": [1, 1], "gamma": 1e200}, (), "too large"),
        ({"name": "step_lr", "step_size": 0}, ("step_size",), "greater than"),
        ({"name": "step_lr", "step_size": True}, ("step_size",), "integer"),
        ({"name": "step_lr", "step_size": 1.5}, ("step_size",), "integer"),
        ({"name": "exponential_lr", "gamma": math.nan}, ("gamma",), "finite"),
        ({"name": "exponential_lr", "gamma": "0.5"}, ("gamma",), "number"),
        ({"name": "constant_lr", "factor": 1.5}, ("factor",), "less than"),
        ({"name": "constant_lr", "factor": 0}, ("factor",), "greater than"),
        ({"name": "linear_lr", "start_factor": 0}, ("start_factor",), "greater than"),
        ({"name": "linear_lr", "end_factor": -1}, ("end_factor",), "greater than"),
        ({"name": "linear_lr", "total_iters": 0}, ("total_iters",), "greater than"),
        ({"name": "cosine_annealing_warm_restarts", "T_0": 0}, ("T_0",), "greater than"),
        ({"name": "cosine_annealing_lr", "T_max": 0}, ("T_max",), "greater than"),
        (
            {"name": "one_cycle_lr", "max_lr": 1, "total_steps": 3, "pct_start": 1.5},
            ("pct_start",),
            "less than",
        ),
        ({"name": "reduce_lr_on_plateau", "factor": 1}, ("factor",), "less than"),
        ({"name": "reduce_lr_on_plateau", "mode": "up"}, ("mode",), "'min' or 'max'"),
        (chained(), ("schedulers",), "at least 1"),
        (chained(*["linear_lr"] * 21), ("schedulers",), "at most 20"),
        (chained(*[chained(*["linear_lr"] * 20)] * 5), ("schedulers",), "at most 100"),
        (
            chained("linear_lr", {"name": "step_lr", "step_size": -1}),
            ("schedulers", 1, "step_size"),
            "greater than",
        ),
        (chained("reduce_lr_on_plateau"), ("schedulers",), "cannot be combined"),
        (
            {"name": "sequential_lr", "schedulers": ["linear_lr", "reduce_lr_on_plateau"], "milestones": [1]},
            ("schedulers",),
            "cannot be combined",
        ),
        (
            {"name": "sequential_lr", "schedulers": ["linear_lr", chained("linear_lr")], "milestones": [1]},
            ("schedulers",),
            "cannot start a chained_scheduler",
        ),
        (
            {"name": "sequential_lr", "schedulers": MEMBERS, "milestones": []},
            (),
            "2 schedulers need 1 milestones",
        ),
        (
            {"name": "sequential_lr", "schedulers": ["linear_lr"] * 3, "milestones": [5, 5]},
            (),
            "must increase",
        ),
        (
            {"name": "sequential_lr", "schedulers": MEMBERS, "milestones": [0]},
            ("milestones", 0),
            "greater than",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_errors_say_where_and_what(value: Any, loc: tuple[str | int, ...], said: str) -> None:
    [(found, message)] = errors(value)
    assert found == ("scheduler", *loc)
    assert said in message


def test_torch_refuses_to_combine_a_plateau() -> None:
    optimizer = sgd()
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="does not support"):
        lr_scheduler.ChainedScheduler([plateau])
    with pytest.raises(ValueError, match="does not support"):
        lr_scheduler.SequentialLR(optimizer, [plateau], [])


def test_torch_cannot_start_composites_at_a_milestone() -> None:
    optimizer = sgd()
    inner = lr_scheduler.ChainedScheduler([lr_scheduler.ConstantLR(optimizer)])
    outer = lr_scheduler.SequentialLR(optimizer, [lr_scheduler.ConstantLR(optimizer), inner], [1])
    optimizer.step()
    with pytest.raises(NotImplementedError):
        outer.step()


def test_nesting_is_limited() -> None:
    nested: Any = "linear_lr"
    for _ in range(MAX_DEPTH):
        nested = chained(nested)
    model = valid(nested)
    assert valid(model.model_dump(mode="json")) == model
    check(Job.model_validate({"optimizer": "sgd"}).optimizer, model)
    for deeper in (1, 10_000):
        for _ in range(deeper):
            nested = chained(nested)
        [(loc, message)] = errors(nested)
        assert loc == ("scheduler", "schedulers")
        assert "at most 3 deep" in message


@pytest.mark.parametrize("name", ["cyclic_lr", "one_cycle_lr"])
@pytest.mark.parametrize("optimizer", [cls.model_fields["name"].default for cls in FAMILY.optimizers])
def test_momentum_is_cycled_only_where_there_is_one(name: str, optimizer: str) -> None:
    job = Job.model_validate({"optimizer": optimizer, "scheduler": {"name": name, **REQUIRED[name]}})
    defaults = job.optimizer.build([torch.zeros((1, 1), requires_grad=True)]).defaults
    if "momentum" in defaults or "betas" in defaults:
        check(job.optimizer, job.scheduler)
    else:
        with pytest.raises(InvalidInput, match=f"{name} cannot go with {optimizer}: .*momentum") as caught:
            check(job.optimizer, job.scheduler)
        assert caught.value.path == ("scheduler",)
    check(job.optimizer, valid({"name": name, **REQUIRED[name], "cycle_momentum": False}))


def test_what_fails_in_the_first_step_is_refused() -> None:
    empty = {"name": "one_cycle_lr", "max_lr": 1, "total_steps": 4, "pct_start": 0.25}
    with pytest.raises(InvalidInput, match="division by zero"):
        check(Job.model_validate({"optimizer": "sgd"}).optimizer, valid(empty))


@every
def test_every_scheduler_goes_with_every_optimizer(cls: type[SchedulerParams]) -> None:
    name = cls.model_fields["name"].default
    steady = {"cycle_momentum": False} if "cycle_momentum" in cls.model_fields else {}
    for optimizer in FAMILY.optimizers:
        check(optimizer.model_validate({}), valid({"name": name, **REQUIRED.get(name, {}), **steady}))


@every
def test_the_listing_shows_the_model(cls: type[SchedulerParams]) -> None:
    entry = describe(cls)
    schema = entry["parameters"]
    Draft202012Validator.check_schema(schema)
    assert list(entry) == ["name", "title", "parameters", "source"]
    assert list(schema["properties"]) == [field for field in cls.model_fields if field != "name"]
    assert all("description" in parameter for parameter in schema["properties"].values())
    assert f"torch.optim.lr_scheduler.{cls.torch_class.__name__}.html" in entry["source"]
    assert Draft202012Validator(schema).is_valid(REQUIRED.get(entry["name"], {}))
    assert Draft202012Validator(schema).is_valid({}) == (entry["name"] not in REQUIRED)


def test_the_field_has_a_json_schema() -> None:
    validator = Draft202012Validator(Job.model_json_schema())
    for sample in SAMPLES:
        assert validator.is_valid({"optimizer": "sgd", "scheduler": sample})
    for wrong in (
        "adam",
        {"step_size": 3},
        {"name": "step_lr"},
        chained({"name": "step_lr", "step_size": 0}),
    ):
        assert not validator.is_valid({"optimizer": "sgd", "scheduler": wrong})
