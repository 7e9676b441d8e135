import inspect
import json
import math
import pickle
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from pydantic import BaseModel, TypeAdapter, ValidationError

from thalweg.errors import InvalidInput
from thalweg.optimizers.base import OptimizerParams, describe
from thalweg.optimizers.catalogue import Optimizer
from thalweg.optimizers.check import check
from thalweg.optimizers.families.torch_optim import FAMILY

SWITCHES = {"foreach", "fused", "capturable", "differentiable"}
ALL = {cls.model_fields["name"].default: cls for cls in FAMILY.optimizers}
every = pytest.mark.parametrize("cls", ALL.values(), ids=list(ALL))

# As torch documents them.
BETAS = (0.9, 0.999)
DEFAULTS: dict[str, dict[str, Any]] = {
    "sgd": {"lr": 1e-3, "momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False},
    "adam": {"lr": 1e-3, "betas": BETAS, "eps": 1e-8, "weight_decay": 0, "amsgrad": False},
    "adamw": {"lr": 1e-3, "betas": BETAS, "eps": 1e-8, "weight_decay": 1e-2, "amsgrad": False},
    "adagrad": {"lr": 1e-2, "lr_decay": 0, "weight_decay": 0, "initial_accumulator_value": 0, "eps": 1e-10},
    "adadelta": {"lr": 1.0, "rho": 0.9, "eps": 1e-6, "weight_decay": 0},
    "adamax": {"lr": 2e-3, "betas": BETAS, "eps": 1e-8, "weight_decay": 0},
    "nadam": {"lr": 2e-3, "betas": BETAS, "eps": 1e-8, "weight_decay": 0, "momentum_decay": 4e-3},
    "radam": {"lr": 1e-3, "betas": BETAS, "eps": 1e-8, "weight_decay": 0},
    "rmsprop": {"lr": 1e-2, "alpha": 0.99, "eps": 1e-8, "weight_decay": 0, "momentum": 0, "centered": False},
    "rprop": {"lr": 1e-2, "etas": (0.5, 1.2), "step_sizes": (1e-6, 50)},
    "asgd": {"lr": 1e-2, "lambd": 1e-4, "alpha": 0.75, "t0": 1e6, "weight_decay": 0},
    "lbfgs": {
        "lr": 1,
        "max_iter": 20,
        "max_eval": None,
        "tolerance_grad": 1e-7,
        "tolerance_change": 1e-9,
        "history_size": 100,
        "line_search_fn": None,
    },
    "adafactor": {"lr": 1e-2, "beta2_decay": -0.8, "eps": (None, 1e-3), "d": 1.0, "weight_decay": 0.0},
    "muon": {
        "lr": 1e-3,
        "weight_decay": 0.1,
        "momentum": 0.95,
        "nesterov": True,
        "ns_coefficients": (3.4445, -4.775, 2.0315),
        "eps": 1e-7,
        "ns_steps": 5,
        "adjust_lr_fn": None,
    },
}
for _name in set(DEFAULTS) - {"lbfgs", "muon"}:
    DEFAULTS[_name]["maximize"] = False
for _name in ("adam", "nadam", "radam"):
    DEFAULTS[_name]["decoupled_weight_decay"] = False


class Job(BaseModel):
    optimizer: Optimizer


def valid(optimizer: Any) -> OptimizerParams:
    return Job.model_validate({"optimizer": optimizer}).optimizer


def errors(optimizer: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        valid(optimizer)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


def other(cls: type[OptimizerParams]) -> dict[str, Any]:
    """Return a value other than the default for each parameter, as JSON, that go together."""
    values: dict[str, Any] = json.loads(json.dumps(cls.others))
    return {**values, "dampening": 0.0} if cls.model_fields["name"].default == "sgd" else values


def point(cls: type[OptimizerParams] | None = None) -> torch.Tensor:
    shape = (2, 1) if cls is not None and cls.matrices else (2,)
    return torch.zeros(shape, dtype=torch.float64, requires_grad=True)


def groups(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    return [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]


def test_every_class_of_torch_is_offered_or_refused() -> None:
    names = {
        name.lower() for name, cls in vars(torch.optim).items() if inspect.isclass(cls) and name != "Optimizer"
    }
    assert names == set(ALL) | {name.replace("_", "") for name in FAMILY.refused_optimizers}


@every
def test_parameters_and_defaults_are_those_of_torch(cls: type[OptimizerParams]) -> None:
    name = cls.model_fields["name"].default
    assert cls.model_validate({}).arguments == DEFAULTS[name]
    assert set(inspect.signature(cls.optimizer_class).parameters) - {"params"} - SWITCHES == set(DEFAULTS[name])


@every
def test_there_is_another_value_for_each_parameter(cls: type[OptimizerParams]) -> None:
    defaults = cls.model_validate({}).arguments
    assert set(cls.others) == set(defaults)
    for name, value in cls.others.items():
        assert value != defaults[name]


@every
def test_a_pickled_copy_is_equal(cls: type[OptimizerParams]) -> None:
    model = cls.model_validate({"lr": 0.5})
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301 its own
    assert type(copy) is cls
    assert copy == model
    assert copy.model_fields_set == {"lr"}


@every
def test_every_parameter_survives_json(cls: type[OptimizerParams]) -> None:
    name = cls.model_fields["name"].default
    for values in (
        {},
        other(cls),
        *({field: value} for field, value in other(cls).items() if field != "nesterov"),
    ):
        model = valid({"name": name, **values})
        dumped = json.loads(Job(optimizer=model).model_dump_json())["optimizer"]
        assert type(model) is cls
        assert "lr" not in dumped
        assert {**dumped, "lr": model.lr} == {"name": name, **json.loads(json.dumps(model.arguments))}
        assert valid({**dumped, "lr": model.lr}) == model
        for field, value in values.items():
            assert json.loads(json.dumps(getattr(model, field))) == value


@every
def test_a_default_that_is_sent_dumps_like_one_that_is_not(cls: type[OptimizerParams]) -> None:
    name = cls.model_fields["name"].default
    schema = describe(cls)["parameters"]
    sent = {field: value["default"] for field, value in schema["properties"].items()}
    assert valid({"name": name, **sent}).model_dump_json() == valid(name).model_dump_json()


@every
@pytest.mark.parametrize("changed", [False, True])
def test_build_makes_the_parameter_groups_of_torch(cls: type[OptimizerParams], changed: bool) -> None:
    values = other(cls) if changed else {}
    optimizer_class: Any = cls.optimizer_class
    tuples = {field: tuple(value) if isinstance(value, list) else value for field, value in values.items()}
    built = cls.model_validate(values).build(iter([x := point(cls)]))
    assert type(built) is cls.optimizer_class
    assert built.param_groups[0]["params"] == [x]
    assert groups(built) == groups(optimizer_class([point(cls)], **tuples))


@every
def test_it_is_frozen_and_takes_nothing_else(cls: type[OptimizerParams]) -> None:
    model = cls.model_validate({})
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model, "lr", 2.0)  # noqa: B010 - mypy knows that this is refused
    assert errors({"name": model.name, "speed": 1})[0][0] == ("optimizer", "speed")


@every
@pytest.mark.parametrize("switch", sorted(SWITCHES))
@pytest.mark.parametrize("value", [True, False, None])
def test_switches_of_the_implementation_are_refused(
    cls: type[OptimizerParams], switch: str, value: bool | None
) -> None:
    [(loc, message)] = errors({"name": cls.model_fields["name"].default, switch: value})
    assert loc == ("optimizer",)
    assert "the engine decides it" in message


@every
@pytest.mark.parametrize(
    "value", [0, -1, math.nan, math.inf, -math.inf, True, "0.1", None, 10**400, [0.1]], ids=str
)
def test_bad_learning_rates_are_refused(cls: type[OptimizerParams], value: Any) -> None:
    assert errors({"name": cls.model_fields["name"].default, "lr": value})[0][0] == ("optimizer", "lr")


@every
def test_booleans_strings_and_infinities_are_not_numbers(cls: type[OptimizerParams]) -> None:
    for field, default in cls.model_validate({}).arguments.items():
        bad = ["1", math.nan, math.inf, True] if not isinstance(default, bool) else ["true", 1, 1.0, None]
        for value in bad:
            sent = [default[0], value] if isinstance(default, tuple) else value
            assert errors({"name": cls.model_fields["name"].default, field: sent})[0][0][:2] == (
                "optimizer",
                field,
            )


REFUSED_BY_TORCH = [
    *(
        (name, "betas", [value, 0.9], 0)
        for name in ("adam", "adamw", "adamax", "nadam", "radam")
        for value in (-0.1, 1)
    ),
    *(
        (name, "betas", [0.9, value], 1)
        for name in ("adam", "adamw", "adamax", "nadam", "radam")
        for value in (-0.1, 1)
    ),
    *((name, "eps", -1, None) for name in ALL if name not in {"sgd", "rprop", "asgd", "lbfgs", "adafactor"}),
    *((name, "weight_decay", -1, None) for name in ALL if name not in {"rprop", "lbfgs"}),
    ("sgd", "momentum", -0.1, None),
    ("sgd", "nesterov", True, None),
    ("rmsprop", "momentum", -0.1, None),
    ("rmsprop", "alpha", -0.1, None),
    ("adagrad", "lr_decay", -1, None),
    ("adagrad", "initial_accumulator_value", -1, None),
    ("adadelta", "rho", -0.1, None),
    ("adadelta", "rho", 1.1, None),
    ("nadam", "momentum_decay", -1, None),
    *(("rprop", "etas", [value, 1.2], 0) for value in (0, 1, -0.5)),
    *(("rprop", "etas", [0.5, value], 1) for value in (1, 0.9)),
    ("adafactor", "beta2_decay", 0.1, None),
    ("adafactor", "d", 0.5, None),
    ("adafactor", "eps", [-1, 1e-3], 0),
    ("adafactor", "eps", [None, -1], 1),
]
REFUSED_HERE = [
    ("lbfgs", "line_search_fn", "wolfe", None),
    ("lbfgs", "max_iter", 0, None),
    ("lbfgs", "max_iter", 10**9, None),
    ("lbfgs", "max_iter", 2.5, None),
    ("lbfgs", "max_eval", 0, None),
    ("lbfgs", "history_size", 0, None),
    ("lbfgs", "history_size", 10**12, None),
    ("lbfgs", "tolerance_grad", -1, None),
    ("lbfgs", "tolerance_change", -1, None),
    ("rprop", "step_sizes", [1, 0.5], None),
    ("rprop", "step_sizes", [-1, 0.5], 0),
    ("rmsprop", "alpha", 1.1, None),
    ("asgd", "alpha", -1, None),
    ("asgd", "lambd", -1, None),
    ("adam", "betas", [0.9], 1),
    ("adam", "betas", [0.9, 0.9, 0.9], None),
    ("adam", "betas", 0.9, None),
    ("sgd", "lr", 1.7e308, None),
]


@pytest.mark.parametrize(("name", "field", "value", "index"), REFUSED_BY_TORCH)
def test_what_torch_refuses_is_refused(name: str, field: str, value: Any, index: int | None) -> None:
    optimizer_class: Any = ALL[name].optimizer_class
    with pytest.raises(ValueError, match=r"."):
        optimizer_class(
            [point()],
            **{field: [float(v) if v is not None else v for v in value] if index is not None else value},
        )
    test_values_out_of_bounds_are_refused(name, field, value, index)


@pytest.mark.parametrize(("name", "field", "value", "index"), REFUSED_HERE)
def test_values_out_of_bounds_are_refused(name: str, field: str, value: Any, index: int | None) -> None:
    [(loc, message)] = errors({"name": name, field: value})
    if "Value error" in message:  # a rule between fields: the place is the error's own path
        assert loc == ("optimizer",)
        assert field in message or "step size" in message
    else:
        assert loc == ("optimizer", field, *([] if index is None else [index]))


def test_nesterov_needs_momentum_without_dampening() -> None:
    valid({"name": "sgd", "nesterov": True, "momentum": 0.9})
    [(_, message)] = errors({"name": "sgd", "nesterov": True, "momentum": 0.9, "dampening": 0.1})
    assert "dampening of 0" in message


@every
def test_the_listing_shows_the_model(cls: type[OptimizerParams]) -> None:
    entry = describe(cls)
    schema = entry["parameters"]
    Draft202012Validator.check_schema(schema)
    assert list(entry) == ["name", "title", "parameters", "source", "family", "licence", "matrices_only", "fused"]
    assert list(schema["properties"]) == [field for field in cls.model_fields if field != "name"]
    assert all("description" in parameter for parameter in schema["properties"].values())
    assert f"torch.optim.{cls.optimizer_class.__name__}.html" in entry["source"]
    validator = Draft202012Validator(schema)
    assert validator.is_valid(other(cls))
    assert not validator.is_valid({"lr": 0})
    assert not validator.is_valid({"name": entry["name"]})


def test_the_field_has_a_json_schema() -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(Job)
    validator = Draft202012Validator(adapter.json_schema())
    for name, cls in ALL.items():
        assert validator.is_valid({"optimizer": name})
        assert validator.is_valid({"optimizer": {"name": name, **other(cls)}})
        dumped = Job.model_validate({"optimizer": name}).model_dump(mode="json")
        assert Draft202012Validator(adapter.json_schema(mode="serialization")).is_valid(dumped)
    for wrong in ("adm", {}, {"betas": [0.9, 0.99]}, {"name": "adam", "betas": [1, 0.99]}, 3, None):
        assert not validator.is_valid({"optimizer": wrong})


@every
def test_a_name_is_enough(cls: type[OptimizerParams]) -> None:
    name = cls.model_fields["name"].default
    assert valid(name) == valid({"name": name}) == valid(cls.model_validate({})) == cls.model_validate({})


@pytest.mark.parametrize(
    ("value", "loc", "said"),
    [
        ("adm", (), 'no optimizer "adm"; did you mean adam'),
        ("Adam", (), "adam"),
        ({"name": "adm"}, (), "did you mean adam"),
        ("q" * 10**6, (), "there is no optimizer"),
        ({"betas": [0.9, 0.9]}, (), "name of the optimizer is missing"),
        ({"name": 3}, (), "must be a string"),
        (3, (), "by name, or as an object"),
        (None, (), "by name, or as an object"),
        (["adam"], (), "by name, or as an object"),
        ({"name": "sparse_adam"}, (), "sparse gradients only"),
        ({"name": "adam", "betas": [-1, 0.9]}, ("betas", 0), "greater than or equal to 0"),
        ({"name": "adam", "beta": [0.9, 0.9]}, ("beta",), "not permitted"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_errors_say_where_and_what(value: Any, loc: tuple[str | int, ...], said: str) -> None:
    [(found, message)] = errors(value)
    assert found == ("optimizer", *loc)
    assert said in message
    assert len(message) < 300


@every
@pytest.mark.parametrize("changed", [False, True])
def test_torch_accepts_what_the_model_accepts(cls: type[OptimizerParams], changed: bool) -> None:
    check(cls.model_validate(other(cls) if changed else {}))


def test_what_fails_in_the_first_step_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nadam cannot go with these parameters: float division") as caught:
        check(valid({"name": "nadam", "betas": [1 - 1e-12, 0.999], "momentum_decay": 1e9}))
    assert caught.value.path == ("optimizer",)


def test_the_listing_has_family_and_fused() -> None:
    entries = {name: describe(cls) for name, cls in ALL.items()}
    assert {entry["family"] for entry in entries.values()} == {"torch"}
    assert {name for name, entry in entries.items() if not entry["fused"]} == {"muon"}
