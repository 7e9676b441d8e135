"""Networks train natively, with the digits of the eager engine. `make sweep` tries more."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import assert_equal, assert_same, drive, job, native
from tests.unit.nets import objective
from tests.unit.random_networks import check, losses
from thalweg.analysis.accuracy import accuracy
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.run import Interrupted
from thalweg.functions.networks.minibatches import Minibatches

N_HERE = 16


@pytest.mark.parametrize("seed", range(N_HERE))
def test_a_random_training_has_the_same_digits_everywhere(seed: int) -> None:
    check(seed)


def training(mlp: dict[str, Any], **fields: Any) -> Any:
    whole = {"layers": [2, 4, 1], "dataset": {"name": "moons", "n": 40}, "activation": "tanh", **mlp}
    default = {"optimizer": {"name": "adam", "lr": 0.02}, "init": {"random": 3}, "steps": 30}
    return job(**{**default, "function": {"mlp": whole}, **fields})


def test_data_and_seeds_share_a_kernel() -> None:
    kernels = Kernels()
    one = kernels.get(training({}))
    assert kernels.get(training({"dataset": {"name": "circles", "n": 70, "seed": 9}, "seed": 4})) is one
    assert kernels.get(training({"weight_init": "normal"}, steps=500)) is one
    others: list[dict[str, Any]] = [
        {"activation": "sin"},
        {"loss": "half_sse"},
        {"layers": [2, 5, 1]},
        {"batch_size": 7},
    ]
    assert len({id(kernels.get(training(mlp))) for mlp in ({}, *others)}) == 5


def test_data_differ_behind_one_kernel() -> None:
    kernels = Kernels()
    for dataset in ({"name": "moons", "n": 40}, {"name": "circles", "n": 90, "seed": 3}):
        spec = training({"dataset": dataset})
        assert_same(FusedRun(spec, kernels=kernels).advance(30).f, np.array(drive(spec).f))


def test_threads_change_nothing() -> None:
    spec = training({"batch_size": 9}, init={"random": 40}, steps=200, record_every=50)
    one, two = (FusedRun(spec, threads=threads).advance(200) for threads in (1, 2))
    assert_same(one.x, two.x)
    assert one.losses is not None
    assert two.losses is not None
    assert_same(one.losses.f, two.losses.f)


@pytest.mark.parametrize("batch_size", [None, 9])
@pytest.mark.parametrize(
    "optimizer", [{"name": "lbfgs", "line_search_fn": "strong_wolfe"}, {"name": "lbfgs", "lr": 0.1}], ids=str
)
def test_lbfgs_on_a_network(optimizer: dict[str, Any], batch_size: int | None) -> None:
    mlp = {"layers": [2, 6, 5, 1], "activation": "silu", "loss": "bce"} | (
        {"batch_size": batch_size} if batch_size else {}
    )
    spec = training(mlp, optimizer=optimizer, steps=12, record_every=5)
    assert_equal(drive(spec, [3, 4], engine=native), drive(spec))
    for one, other in zip(losses(spec, [5], native), losses(spec, []), strict=True):
        assert_same(one, other)


def test_a_run_at_rest_keeps_its_losses() -> None:
    # one node without a gradient: nothing ever moves
    spec = training(
        {"layers": [2, 1], "activation": "relu"}, init=[[-1.0, -1.0, -90.0]], steps=2000, record_every=1999
    )
    (found,) = losses(spec, [], native)
    assert len(found) == 2001
    assert (found == found[0]).all()


def test_a_batch_is_that_of_its_run_and_step() -> None:
    mlp = {"batch_size": 7, "seed": 12}
    spec = training(mlp, init={"random": 4}, steps=20)
    found = drive(spec, engine=native)
    of = objective(layers=[2, 4, 1], dataset={"name": "moons", "n": 40}, activation="tanh")
    drawn = Minibatches(40, 7, 12)
    loss = of.native(torch.float64)
    for run in range(4):
        for step in (0, 4, 5, 6, 20):
            order = drawn.at(step, np.array([run]))
            assert loss.values(found.x[run][step : step + 1], order)[0] == found.f[run][step]


def test_accuracy_is_that_of_the_outputs() -> None:
    spec = training({"dataset": {"name": "moons", "n": 200, "noise": 0.05}, "loss": "bce"}, steps=1500)
    end = drive(spec, engine=native).results.x
    shares = accuracy(spec, end)
    assert shares is not None
    assert (shares > 0.85).all()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_large_network_on_many_samples(dtype: str) -> None:
    mlp = {"layers": [2, 37, 18, 3], "dataset": {"name": "blobs", "n": 1500}, "loss": "cross_entropy"}
    spec = training(
        mlp, dtype=dtype, init={"random": 2}, steps=6, optimizer={"name": "sgd", "momentum": 0.9, "lr": 0.1}
    )
    assert_equal(drive(spec, engine=native), drive(spec))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_single_step_of_many_networks_is_interrupted(threads: int) -> None:
    mlp = {"layers": [2, 60, 60, 1], "dataset": {"name": "moons", "n": 6_000}}
    run = FusedRun(training(mlp, steps=5, init={"random": 120}), threads=threads)
    calls = iter([True, True])
    with pytest.raises(Interrupted):
        run.advance(5, lambda: next(calls, False))
    assert run.step == 0


def test_a_long_call_is_interrupted() -> None:
    mlp = {"layers": [2, 60, 60, 1], "dataset": {"name": "moons", "n": 2000}}
    run = FusedRun(training(mlp, steps=10**6, record_every=10**6))
    calls = iter([True, True, False])
    with pytest.raises(Interrupted):
        run.advance(10**6, lambda: next(calls))
    assert run.step < 10_000
