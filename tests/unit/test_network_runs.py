"""Training on both engines: equal to torch's loop to the bit, whatever the chunks."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.driving import OPTIMIZERS, assert_equal, assert_same, drive, job, name_of
from tests.unit.nets import objective
from tests.unit.random_networks import losses
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Outcome
from thalweg.spec.job import JobSpec

FEW: dict[str, Any] = {"layers": [2, 2, 1], "dataset": "xor"}
MOONS: dict[str, Any] = {"layers": [2, 4, 3, 1], "dataset": {"name": "moons", "n": 15}, "activation": "tanh"}
BATCHES: dict[str, Any] = {**MOONS, "batch_size": 4, "seed": 9}
MUONS: list[dict[str, Any]] = [
    {"name": "muon", "lr": 0.02},
    {"name": "muon", "lr": 0.01, "momentum": 0.8, "nesterov": False, "weight_decay": 0.0},
    {"name": "muon", "lr": 0.05, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3},
]
SOME: list[dict[str, Any]] = [{"name": "sgd", "lr": 0.1, "momentum": 0.9}, {"name": "adam", "lr": 0.05}]


def training(layers: dict[str, Any], **fields: Any) -> JobSpec:
    default = {"optimizer": SOME[1], "init": {"random": 3, "seed": 6}, "steps": 40}
    return job(**{**default, "function": {"mlp": layers}, **fields})


def by_hand(
    layers: dict[str, Any], optimizer: dict[str, Any], start: np.ndarray, run: int, steps: int, decay: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the points and losses of the usual hand-written loop over a list of parameters.

    Muon has a parameter for each matrix, everything else one for the whole.
    """
    of = objective(**layers)
    arguments = {key: value for key, value in optimizer.items() if key != "name"}
    classes = {name.lower(): getattr(torch.optim, name) for name in torch.optim.__all__}
    whole = torch.from_numpy(start.copy())
    parts = [whole]
    if optimizer["name"] == "muon":
        sizes = [n_rows * n_columns for n_rows, n_columns in of.matrix_shapes]
        parts = [
            part.reshape(shape) for part, shape in zip(torch.split(whole, sizes), of.matrix_shapes, strict=True)
        ]
    parameters = [part.clone().requires_grad_() for part in parts]
    torch_optimizer = classes[optimizer["name"]](parameters, **arguments)
    schedule = torch.optim.lr_scheduler.ExponentialLR(torch_optimizer, decay)
    x, f = [], []
    for step in range(steps + 1):
        torch_optimizer.zero_grad()
        point = torch.cat([parameter.reshape(-1) for parameter in parameters])
        loss = of(point, step, np.array([run]))
        loss.backward()  # type: ignore[no-untyped-call]
        x.append(point.detach().clone())
        f.append(loss.detach().clone())
        if step < steps:
            torch_optimizer.step()
            schedule.step()
    return torch.stack(x).numpy(), torch.stack(f).numpy()


@pytest.mark.parametrize("optimizer", [*MUONS, *SOME], ids=name_of)
@pytest.mark.parametrize("layers", [FEW, MOONS, BATCHES], ids=["few", "all", "mini-batches"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_training_equals_the_hand_written_loop_bitwise(
    layers: dict[str, Any], optimizer: dict[str, Any], dtype: str
) -> None:
    spec = training(layers, optimizer=optimizer, dtype=dtype, scheduler={"name": "exponential_lr", "gamma": 0.98})
    recorded = drive(spec)
    for run, start in enumerate(spec.starts()):
        x, f = by_hand(layers, optimizer, start, run, 40, decay=0.98)
        assert_same(recorded.x[run], x)
        assert_same(recorded.f[run], f)


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, MUONS[0]], ids=name_of)
def test_each_network_has_the_digits_it_has_alone(optimizer: dict[str, Any]) -> None:
    spec = training(MOONS, optimizer=optimizer, steps=12)
    together = drive(spec)
    for run, start in enumerate(spec.starts().tolist()):
        alone = drive(training(MOONS, optimizer=optimizer, steps=12, init=start))
        assert_same(together.x[run], alone.x[0])
        assert_same(together.f[run], alone.f[0])


def test_each_run_draws_its_own_mini_batches() -> None:
    start = objective(**BATCHES).starts(1, 3)[0].tolist()
    one, other = drive(training(BATCHES, init=[start, start])).f
    assert one[0] != other[0]
    assert_same(drive(training(BATCHES, init=start)).f[0], one)
    reseeded = drive(training({**BATCHES, "seed": 10}, init=start)).f[0]
    assert reseeded[0] != one[0]


@pytest.mark.parametrize("optimizer", [*SOME, MUONS[0], {"name": "lbfgs", "lr": 0.1, "max_iter": 2}], ids=name_of)
@given(cuts=st.lists(st.integers(1, 15), max_size=5), record_every=st.integers(2, 9))
@settings(max_examples=5, deadline=None)
def test_training_does_not_depend_on_the_cuts(
    optimizer: dict[str, Any], cuts: list[int], record_every: int
) -> None:
    fields: dict[str, Any] = {
        "optimizer": optimizer,
        "steps": 20,
        "gradient_noise": {"std": 1e-3, "seed": 5},
        "clip_grad_norm": 1.0,
        "stop": {"f": 0.1},
    }
    spec = training(BATCHES, **fields, record_every=record_every)
    assert_equal(drive(spec, cuts), drive(spec))
    every = drive(training(BATCHES, **fields))
    for found in (losses(spec, cuts), losses(spec, [])):
        for run, f in enumerate(found):
            assert_same(f, every.f[run])


def test_losses_end_with_their_runs() -> None:
    spec = training(MOONS, optimizer={"name": "sgd", "lr": 0.3}, record_every=50)
    free = drive(training(MOONS, optimizer={"name": "sgd", "lr": 0.3}))
    stop = float(np.median([f.min() for f in free.f]))
    stopped = spec.model_copy(update={"stop": training(MOONS, stop={"f": stop}).stop})
    results = drive(stopped).results
    assert {Outcome(outcome) for outcome in results.outcome} == {Outcome.converged, Outcome.max_steps}
    for run, f in enumerate(losses(stopped, [3, 1])):
        assert_same(f, free.f[run][: results.n_steps[run] + 1])


def test_only_networks_with_a_sparse_record_record_losses() -> None:
    assert EagerRun(training(FEW)).advance(3).losses is None
    assert EagerRun(job(record_every=5)).advance(3).losses is None
    assert EagerRun(training(FEW, record_every=5)).advance(3).losses is not None


def test_most_starts_learn_xor() -> None:
    layers = {"layers": [2, 4, 1], "dataset": "xor", "loss": "bce", "activation": "tanh"}
    found = drive(training(layers, init={"random": 100, "seed": 0}, steps=300, record_every=300))
    accuracy = objective(**layers).accuracy(torch.from_numpy(found.results.x))
    assert accuracy is not None
    assert (accuracy == 1).sum() >= 95
