"""Gradient, step taken and optimizer state of recorded entries: both engines beside torch's own loop."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import assert_equal, drive, job, native
from tests.unit.test_fused import FUSED, STARTS
from thalweg.engine.start import start

ALL = {"gradient": True, "update": True, "state": True}
RICHEST = {case["name"]: case for case in FUSED}
"""The last variant of each optimizer, usually the one that keeps most."""

BY_HAND: dict[str, Callable[[list[torch.Tensor]], torch.optim.Optimizer]] = {
    "sgd": lambda x: torch.optim.SGD(x, lr=1e-4, momentum=0.9),
    "adam": lambda x: torch.optim.Adam(x, lr=0.01, amsgrad=True),
    "lbfgs": lambda x: torch.optim.LBFGS(x, lr=0.1, max_iter=2),
    "adafactor": lambda x: torch.optim.Adafactor(x, lr=0.01),
}
AS_JOBS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "lr": 1e-4, "momentum": 0.9},
    "adam": {"name": "adam", "lr": 0.01, "amsgrad": True},
    "lbfgs": {"name": "lbfgs", "lr": 0.1, "max_iter": 2},
    "adafactor": {"name": "adafactor", "lr": 0.01},
}


@pytest.mark.parametrize(
    ("optimizer", "dim", "record_every", "dtype"),
    [
        *((optimizer, 2, 1, "float32") for optimizer in RICHEST.values()),
        *((RICHEST[name], 20, 3, "float64") for name in ("sgd", "adam", "asgd", "lbfgs", "adafactor")),
    ],
    ids=str,
)
def test_engines_agree(optimizer: dict[str, Any], dim: int, record_every: int, dtype: str) -> None:
    starts = [[*start, *np.linspace(-2, 2, dim - 2)] for start in STARTS]
    spec = job(
        function="styblinski_tang",
        optimizer=optimizer,
        dtype=dtype,
        init=starts,
        steps=50,
        record_every=record_every,
        record=ALL,
        stop={"f": -39.0 * dim},
        gradient_noise={"std": 0.1, "seed": 3},
    )
    eager = drive(spec)
    assert_equal(eager, drive(spec, engine=native))
    assert_equal(eager, drive(spec, [1, 12, 7], engine=native))
    if record_every == 1:
        assert_equal(eager, drive(spec, [5, 20]))


@pytest.mark.parametrize("name", BY_HAND)
def test_details_are_those_of_a_loop_by_hand(name: str) -> None:
    spec = job(function="rosenbrock", optimizer=AS_JOBS[name], init=[[-1.2, 1.0]], steps=12, record=ALL)
    found = drive(spec, engine=lambda each, at: start(each, each.chosen_engine, at)).details[0]
    x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = BY_HAND[name]([x])

    def closure() -> float:
        optimizer.zero_grad()
        f = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        f.backward()  # type: ignore[no-untyped-call]
        return f.item()

    before = torch.full_like(x, torch.nan)
    for step in range(13):
        closure()
        assert x.grad is not None
        np.testing.assert_allclose(found["gradient"][step], x.grad.numpy(), rtol=1e-9)
        np.testing.assert_allclose(found["update"][step], (x - before).detach().numpy(), rtol=1e-9)
        for key, values in found.items():
            if key.startswith("state."):
                kept = optimizer.state[x].get(key.removeprefix("state."), torch.full_like(x, torch.nan))
                np.testing.assert_allclose(values[step], kept.detach().numpy(), rtol=1e-9)
        before = x.detach().clone()
        optimizer.step(closure)


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "muon"])
def test_details_of_networks_lie_beside_losses_of_all_steps(optimizer: str) -> None:
    network = {"mlp": {"layers": [2, 3, 1], "dataset": {"name": "moons", "n": 20}, "batch_size": 8}}
    spec = job(function=network, optimizer=optimizer, init={"random": 2}, steps=12, record_every=5, record=ALL)
    eager = drive(spec)
    assert_equal(eager, drive(spec, [1, 4], engine=lambda each, at: start(each, each.chosen_engine, at)))
    for values in eager.details[1].values():
        assert values.shape == (3, spec.dim)
        assert np.isfinite(values[1:]).all()
