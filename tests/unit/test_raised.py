"""Runs that end with an exception, held to a loop by hand over torch's own classes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from app.engine.outcome import Outcome
from tests.unit.driving import Recording, drive, job

WOLFE = {"name": "lbfgs", "line_search_fn": "strong_wolfe"}
OUT_OF_BRACKET = "IndexError: list index out of range"
OVERFLOW = "RuntimeError: value cannot be converted to type float without overflow"


@dataclass
class Loop:
    """What a loop by hand gave: the entries, the calls of the function, and what it ended with."""

    x: list[list[float]]
    f: list[float]
    n_evaluations: int
    raised: str | None


def by_hand(
    f: Callable[[torch.Tensor], torch.Tensor],
    start: list[float],
    steps: int,
    optimizer: Callable[[list[torch.Tensor]], torch.optim.Optimizer],
    scheduler: Callable[[torch.optim.Optimizer], Any] = lambda _: None,
    dtype: torch.dtype = torch.float64,
) -> Loop:
    """Minimise as everybody would, until the end or an exception or a number that is not finite."""
    x = torch.tensor(start, dtype=dtype, requires_grad=True)
    built = optimizer([x])
    schedule = scheduler(built)
    loop = Loop([], [], 0, None)

    def closure() -> Any:
        built.zero_grad()
        loop.n_evaluations += 1
        loss = f(x)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    for _ in range(steps):
        with torch.no_grad():
            loop.x.append(x.tolist())
            loop.f.append(f(x).item())
        if not math.isfinite(loop.f[-1]) or not all(map(math.isfinite, loop.x[-1])):
            loop.n_evaluations += 1
            return loop
        try:
            built.step(closure)
            if schedule is not None:
                schedule.step()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what ended the loop
            loop.raised = f"{type(error).__name__}: {error}"
            return loop
    loop.n_evaluations += 1
    with torch.no_grad():
        loop.x.append(x.tolist())
        loop.f.append(f(x).item())
    return loop


def assert_as_by_hand(recorded: Recording, run: int, loop: Loop) -> None:
    """Check the whole of a run: trajectory, last finite state, outcome, step, cost and sentence."""
    results = recorded.results
    np.testing.assert_array_equal(recorded.x[run], loop.x)
    np.testing.assert_array_equal(recorded.f[run], loop.f)
    assert results.sentence(run) == loop.raised
    assert results.n_evaluations[run] == loop.n_evaluations
    assert results.n_steps[run] == len(loop.f) - 1
    finite = math.isfinite(loop.f[-1]) and all(map(math.isfinite, loop.x[-1]))
    ended = Outcome.diverged if loop.raised or not finite else Outcome.max_steps
    assert Outcome(results.outcome[run]) is ended
    if finite:
        np.testing.assert_array_equal(results.x[run], loop.x[-1])
        np.testing.assert_array_equal(results.finite_x[run], loop.x[-1])
        assert results.f[run] == results.finite_f[run] == loop.f[-1]


def formula(text: str, *variables: str) -> dict[str, Any]:
    return {"expression": text, "variables": list(variables)}


def by_lbfgs(params: list[torch.Tensor]) -> torch.optim.Optimizer:
    return torch.optim.LBFGS(params, line_search_fn="strong_wolfe")


def test_a_line_search_that_leaves_the_domain_ends_its_run() -> None:
    starts = [[2.0], [0.5], [3.0]]
    spec = job(function=formula("x + log(x)", "x"), optimizer=WOLFE, init=starts, steps=10)
    recorded = drive(spec)
    assert [recorded.results.sentence(run) for run in range(3)] == [OUT_OF_BRACKET] * 3
    for run, start in enumerate(starts):
        assert_as_by_hand(recorded, run, by_hand(lambda x: (x + torch.log(x)).sum(), start, 10, by_lbfgs))
