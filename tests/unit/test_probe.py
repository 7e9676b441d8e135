"""The records of the optimizers, held to what they do, and what holds for optimizers without one."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Tuple, Union  # noqa: UP035 packages still write Tuple

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.unit.driving import assert_equal, drive, job, native
from thalweg.analysis import probe
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.frontend import trace as tracing
from thalweg.engine.fused.frontend.program import Untraceable
from thalweg.engine.fused.frontend.trace import trace
from thalweg.engine.fused.runtime import kernels
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.errors import LimitExceeded
from thalweg.optimizers import record
from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.catalogue import FAMILIES, joined
from thalweg.optimizers.families.torch_optim import FAMILY
from thalweg.optimizers.family import Family
from thalweg.optimizers.parameters import Parameter
from thalweg.optimizers.record import Growth, Memory
from thalweg.settings import Limits
from thalweg.spec.job import JobSpec
from thalweg.spec.limits import check_limits

Betas = Union[Tuple[float, float], Tuple[float, float, float], Tuple[None, float]]  # noqa: UP006, UP007 the same

BY_NAME = {cls.model_fields["name"].default: cls for cls in FAMILY.optimizers}
every = pytest.mark.parametrize("cls", BY_NAME.values(), ids=list(BY_NAME))


class Toy(torch.optim.Optimizer):
    """Plain descent, for which a subclass scales the gradient."""

    def __init__(self, params: Any, lr: float = 0.01, alpha: float = 0.9, centered: bool = False) -> None:
        super().__init__(params, {"lr": lr, "alpha": alpha, "centered": centered})

    def step(self, _closure: Any = None) -> Any:
        """Move every parameter."""
        with torch.no_grad():
            for group in self.param_groups:
                for x in group["params"]:
                    x.add_(self.scaled(x.grad, self.state[x], group), alpha=-group["lr"])

    def scaled(self, gradient: torch.Tensor, _state: Any, _group: Any) -> torch.Tensor:
        return gradient


class Averaged(Toy):
    def scaled(self, gradient: torch.Tensor, state: Any, group: Any) -> torch.Tensor:
        state["calls"] = state.get("calls", 0) + 1
        old = state.setdefault("average", torch.zeros_like(gradient))
        new: torch.Tensor = group["alpha"] * old + gradient
        state["average"] = new
        return new


class Normed(Toy):
    """Couples the rows, with one of its parameters only."""

    def scaled(self, gradient: torch.Tensor, _state: Any, group: Any) -> torch.Tensor:
        return gradient / (1 + gradient.norm()) if group["centered"] else gradient


class Shortened(Toy):
    """Raises where the gradient of a run is zero: Python divides by its norm."""

    def scaled(self, gradient: torch.Tensor, _state: Any, _group: Any) -> torch.Tensor:
        scaled: torch.Tensor = gradient * (1.0 / gradient.norm().item())
        return scaled


class Outer(Toy):
    """Keeps a matrix for a vector."""

    def scaled(self, gradient: torch.Tensor, state: Any, _group: Any) -> torch.Tensor:
        state["outer"] = gradient.flatten().outer(gradient.flatten())
        return gradient


class Reading(Toy):
    """Looks at a number, which nothing that is traced has."""

    def scaled(self, gradient: torch.Tensor, _state: Any, _group: Any) -> torch.Tensor:
        return gradient * 2 if float(gradient.flatten()[0]) > 0 else gradient


class Counting(Toy):
    """Keeps the number of steps in the parameter group."""

    def scaled(self, gradient: torch.Tensor, _state: Any, group: Any) -> torch.Tensor:
        group["step"] = group.get("step", 0) + 1
        step: int = group["step"]
        return gradient / step


class Hiding(Toy):
    """Keeps the number of steps where the tracer sees a constant."""

    def scaled(self, gradient: torch.Tensor, _state: Any, _group: Any) -> torch.Tensor:
        self.n = getattr(self, "n", 0) + 1
        return gradient / self.n


class Rooting(Toy):
    """Calls Python's own functions with numbers that change, in a state within the state."""

    def scaled(self, gradient: torch.Tensor, state: Any, group: Any) -> torch.Tensor:
        group["step"] = group.get("step", 0) + 1
        inner = state.setdefault("inner", {0.5: torch.zeros_like(gradient), "sum": 0.0})
        inner[0.5].add_(gradient, alpha=group["step"] % 3)
        inner["sum"] += math.pow(0.9, group["step"])
        scaled: torch.Tensor = (gradient + inner[0.5]) / (math.sqrt(group["step"]) + inner["sum"])
        return scaled


class Descent(Toy):
    """Takes the name below, elsewhere."""


Descent.__name__ = "SGD"


class SGD(Toy):
    """Torch's name, and another method."""

    def scaled(self, gradient: torch.Tensor, _state: Any, _group: Any) -> torch.Tensor:
        return gradient.sign()


def empty(name: str) -> Family:
    return Family(
        name,
        package="numpy",
        module=f"tests.unit.{name}",
        docs="{}",
        licence="MIT",
        refused={},
        refused_optimizers={},
    )


@pytest.fixture
def toys() -> Family:
    """A family without optimizers and without records."""
    return empty("toys")


@pytest.fixture
def added(toys: Family) -> Callable[[type[Toy]], type[OptimizerParams]]:
    return lambda cls: toys.add(cls, title="toy", summary="A toy.")


@every
def test_the_record_is_what_is_measured(cls: type[OptimizerParams]) -> None:
    assert probe.probed(cls, thorough=False) == cls.record  # the sweep is thorough


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_optimizer_is_on_record(family: Family) -> None:
    records = json.loads(family.record_path.read_text())
    assert (records["package"], records["version"]) == (family.package, family.version)
    assert list(records["optimizers"]) == [cls.model_fields["name"].default for cls in family.optimizers]


def test_what_is_on_record_was_worked_out_by_hand_too() -> None:
    assert {name for name, cls in BY_NAME.items() if cls.record.coupled} == {"adafactor", "lbfgs", "muon"}
    per_coordinate = {name: cls.record.memory.per_coordinate for name, cls in BY_NAME.items()}
    assert per_coordinate == {
        "sgd": 1,  # momentum
        "adam": 3,  # both averages, and amsgrad's largest
        "adamw": 3,
        "adagrad": 1,
        "adadelta": 2,
        "adamax": 2,
        "nadam": 2,
        "radam": 2,
        "rmsprop": 3,  # average of squares, average when centered, momentum
        "rprop": 2,  # last gradient, step size
        "asgd": 1,  # averaged point
        "lbfgs": 2,  # direction, last gradient; and per step of its history
        "adafactor": 1,  # variance of a vector
        "muon": 1,  # momentum
    }
    history = BY_NAME["lbfgs"].record.memory.per_history
    assert history == Growth(per_coordinate=2, per_tensor=2)  # a step and a gradient; a factor of each


@every
def test_the_trace_agrees_with_the_record(cls: type[OptimizerParams]) -> None:
    of_network = {"function": {"mlp": {"layers": [2, 2, 1], "dataset": "xor"}}, "init": {"random": 1}}
    for params in probe.variants(cls):
        spec = job(optimizer=params, **(of_network if cls.matrices else {}))
        if cls.record.unfused is None:
            assert spec.chosen_engine == "fused"
            native(spec)
        else:
            assert cls.record.unfused in str(spec.obstacle)
            with pytest.raises((Untraceable, TypeError, RuntimeError)):
                trace(spec)


def test_nothing_is_assumed_of_an_optimizer_without_a_record(
    added: Callable[[type[Toy]], type[OptimizerParams]],
) -> None:
    spec = job(optimizer=added(Averaged).model_validate({}), init=[[0, 0], [1, 1], [2, 2]])
    assert spec.coupled
    assert spec.chosen_engine == "eager"
    assert "toys" not in str(spec.obstacle)
    assert f"averaged has not been probed with numpy {np.__version__}" in str(spec.obstacle)
    assert len(EagerRun(spec)._loops) == 3  # noqa: SLF001 how runs are laid out is what is asked
    assert spec.optimizer.state_values(6, 3) == 16 * 6 + 16 * 3


def test_a_record_of_another_version_counts_for_nothing(tmp_path: Path) -> None:
    records = {
        "package": "torch",
        "version": "2.13.0",
        "optimizers": {
            "sgd": {"coupled": False, "unfused": None, "memory": {"per_coordinate": 1, "per_tensor": 0}}
        },
    }
    path = tmp_path / "record.json"
    assert record.read(path, "torch", "2.13.0") == {}
    path.write_text(json.dumps(records))
    assert record.read(path, "torch", "2.13.0")["sgd"].memory == Memory(per_coordinate=1, per_tensor=0)
    assert record.read(path, "torch", "2.14.0") == {}
    assert record.read(path, "pytorch", "2.13.0") == {}


@pytest.mark.parametrize(("cls", "coupled"), [(Toy, False), (Averaged, False), (Normed, True)])
def test_a_probe_finds_rows_that_depend_on_others(
    added: Callable[[type[Toy]], type[OptimizerParams]], cls: type[Toy], coupled: bool
) -> None:
    assert probe.couples(added(cls)) is coupled


def test_a_probe_counts_what_is_kept(added: Callable[[type[Toy]], type[OptimizerParams]]) -> None:
    assert probe.memory(added(Toy)) == Memory(per_coordinate=0, per_tensor=0)
    assert probe.memory(added(Averaged)) == Memory(per_coordinate=1, per_tensor=1)
    with pytest.raises(ValueError, match="grow faster than its coordinates"):
        probe.memory(added(Outer))


def test_a_probe_finds_out_what_fuses(added: Callable[[type[Toy]], type[OptimizerParams]]) -> None:
    assert probe.unfused(added(Toy), coupled=False) is None
    assert probe.unfused(added(Normed), coupled=True) is None
    assert "cannot be traced" in str(probe.unfused(added(Reading), coupled=False))
    assert probe.unfused(added(Counting), coupled=False) is None
    assert probe.unfused(added(Rooting), coupled=False) is None
    assert "other digits" in str(probe.unfused(added(Hiding), coupled=False))


def test_what_one_run_raises_ends_that_run(added: Callable[[type[Toy]], type[OptimizerParams]]) -> None:
    starts = [[3.0, 0.1], [0.0, 0.0], [1.0, 2.0]]
    optimizer = added(Shortened).model_validate({"lr": 0.5})
    spec = job(function="sphere", optimizer=optimizer, init=starts, steps=5)
    fused = drive(spec, engine=FusedRun)
    assert_equal(drive(spec), fused)
    assert fused.results.sentences == ["ZeroDivisionError: float division by zero"]
    assert fused.results.raised.tolist() == [0, 1, 0]


def test_a_parameter_that_nobody_described_is_named(toys: Family) -> None:
    class Fast(Toy):
        def __init__(self, params: Any, lr: float = 0.1, speed: float = 1.0) -> None:
            super().__init__(params, lr * speed)

    class Loose(Toy):
        def __init__(self, params: Any, lr: float = 0.1, speed: object = None) -> None:
            super().__init__(params, lr if speed is None else 0)

    with pytest.raises(TypeError, match=r"speed of .*Fast is not described"):
        toys.add(Fast, title="", summary="")
    speed = Parameter("how fast", 2.0, {"gt": 0})
    with pytest.raises(TypeError, match=r"speed of .*Loose: .*object.* is neither a number"):
        toys.add(Loose, title="", summary="", own={"speed": speed})
    with pytest.raises(TypeError, match="Fast has no colour, only brief, closure, fixed, history"):
        toys.add(Fast, title="", summary="", own={"speed": speed}, colour="red")
    assert toys.optimizers == []
    model = toys.add(Fast, title="", summary="", own={"speed": speed})
    assert model.model_validate({}).arguments == {"lr": 0.1, "speed": 1.0}
    with pytest.raises(ValueError, match="greater than 0"):
        model.model_validate({"speed": 0})


def test_signatures_of_other_packages_are_read(toys: Family) -> None:
    class Wide(Toy):
        def __init__(
            self,
            params: Any,
            lr: float = 0.1,
            betas: Betas = (0.9, 0.99, 0.5),
            kind: Literal["gaussian", "rademacher"] = "gaussian",
            **others: Any,
        ) -> None:
            super().__init__(params, lr * len(betas) * len(kind) * len(others))

    model = toys.add(Wide, title="", summary="", own={"kind": Parameter("of noise", "rademacher")})
    assert model.model_validate({}).arguments == {"lr": 0.1, "betas": (0.9, 0.99, 0.5), "kind": "gaussian"}
    for wrong in ({"betas": [0.9, 0.99]}, {"betas": [0.9, 0.9, 1.0]}, {"betas": [None, 0.9]}, {"kind": "normal"}):
        with pytest.raises(ValidationError):
            model.model_validate(wrong)


def test_two_families_cannot_share_a_name(
    added: Callable[[type[Toy]], type[OptimizerParams]], toys: Family
) -> None:
    added(SGD)
    with pytest.raises(TypeError, match="torch and toys both have sgd"):
        joined([*FAMILIES, toys])
    other = empty("more")
    renamed = other.add(SGD, title="", summary="", called="SignDescent")
    assert (renamed.__name__, renamed.model_fields["name"].default) == ("SignDescent", "signdescent")
    assert joined([*FAMILIES, other])[-1] is renamed


def test_classes_of_one_name_have_kernels_of_their_own(
    added: Callable[[type[Toy]], type[OptimizerParams]], tmp_path: Path
) -> None:
    ours, cache = added(SGD), Kernels(tmp_path)
    theirs = empty("more").add(Descent, title="", summary="")
    for model in (ours, theirs):
        spec = job(optimizer=model.model_validate({}), steps=20)
        assert_equal(drive(spec), drive(spec, engine=lambda each, at: FusedRun(each, at, kernels=cache)))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("index", [0, 1, 2], ids=["module", "class", "version"])
def test_a_kernel_is_of_one_class_of_one_version(monkeypatch: pytest.MonkeyPatch, index: int) -> None:
    spec, cls = job(), BY_NAME["adam"]
    key = kernels._key(spec, 1)  # noqa: SLF001 the key itself is what is asked
    identity = list(cls.identity)
    assert identity == ["torch.optim.adam", "Adam", torch.__version__.partition("+")[0]]
    identity[index] += "x"
    monkeypatch.setattr(cls, "identity", tuple(identity))
    assert kernels._key(spec, 1) != key  # noqa: SLF001 the same


def test_choosing_an_engine_neither_traces_nor_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = [job(optimizer=name) for name, cls in BY_NAME.items() if not cls.matrices]

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("an engine is chosen from records")

    monkeypatch.setattr(OptimizerParams, "build", never)
    monkeypatch.setattr(tracing, "trace", never)
    monkeypatch.setattr(torch.optim.Optimizer, "__init__", never)
    for spec in specs:
        assert spec.chosen_engine == ("fused" if spec.optimizer.record.unfused is None else "eager")


def over(limits: Limits, **fields: Any) -> str:
    with pytest.raises(LimitExceeded) as caught:
        check_limits(job(**fields, steps=1), limits)
    return str(caught.value)


def test_the_limit_counts_what_an_optimizer_keeps() -> None:
    box = {"low": [-1, -1], "high": [1, 1]}
    limits = Limits(max_state_values=122_200)
    # of each: 2 coordinates; 2 + 2 * 100 values for each of them, and 5 + 2 * 100 beside
    check_limits(job(optimizer="lbfgs", init={"random": 200, **box}, steps=1), limits)
    said = over(limits, optimizer="lbfgs", init={"random": 201, **box})
    assert "201 points of 2 coordinates are 402 values, and the state of lbfgs takes up to 122409 more" in said
    assert "122200 (max_state_values)" in said
    assert "the optimizer's history_size" in said
    small = {"name": "lbfgs", "history_size": 10}
    check_limits(job(optimizer=small, init={"random": 1721, **box}, steps=1), limits)  # 71 values of each
    assert "1722 points" in over(limits, optimizer=small, init={"random": 1722, **box})


def test_a_batch_of_ordinary_optimizers_may_be_as_large_as_before() -> None:
    limits = Limits(max_evaluation_values=10**10)
    for name in ("adam", "adamw", "rmsprop"):
        check_limits(large(1250, name), limits)  # 4 * 12_500_000 values
    check_limits(large(2500, "sgd"), limits)
    with pytest.raises(LimitExceeded, match=r"adam takes up to 37530000 more.*lower the dimension$"):
        check_limits(large(1251, "adam"), limits)


def large(n: int, optimizer: str) -> JobSpec:
    init = {"random": n, "low": [-1.0] * 10_000, "high": [1.0] * 10_000}
    return job(function="sphere", optimizer=optimizer, init=init, steps=1)


def test_the_limit_counts_matrices() -> None:
    spec = job(
        function={"mlp": {"layers": [2, 2, 1], "dataset": "xor"}}, optimizer="muon", init={"random": 3}, steps=1
    )
    check_limits(spec, Limits(max_state_values=54))  # 3 points of 9 coordinates, and the momentum of each
    with pytest.raises(LimitExceeded, match=r"27 values, and the state of muon takes up to 27 more"):
        check_limits(spec, Limits(max_state_values=53))
