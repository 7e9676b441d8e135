"""Runs that end with an exception, compared with a hand-written loop over torch's own classes."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import Recording, assert_equal, drive, job, name_of
from thalweg.engine.columns import pack, unpack
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import UNCOUNTED, Outcome, Results
from thalweg.engine.raised import raising_results
from thalweg.engine.run import Interrupted
from thalweg.errors import Unavailable
from thalweg.functions.base import CatalogueObjective
from thalweg.spec.job import JobSpec

WOLFE = {"name": "lbfgs", "line_search_fn": "strong_wolfe"}
OUT_OF_BRACKET = "IndexError: list index out of range"
OVERFLOW = "RuntimeError: value cannot be converted to type float without overflow"


@dataclass
class Loop:
    """The result of a hand-written loop: entries, calls of the function, and how it ended."""

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
    """Minimise by hand until the end, an exception, or a number that is not finite."""
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
    """Check everything about a run: trajectory, last finite state, outcome, step, evaluations and message."""
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


def assert_same_results(one: Results, other: Results) -> None:
    """Check that two results are equal bitwise."""
    columns = other.columns()
    for name, column in one.columns().items():
        np.testing.assert_array_equal(column, columns[name], err_msg=name)


def formula(text: str, *variables: str) -> dict[str, Any]:
    return {"expression": text, "variables": list(variables)}


def by_lbfgs(**options: Any) -> Callable[[list[torch.Tensor]], torch.optim.Optimizer]:
    return lambda params: torch.optim.LBFGS(params, **options)


def assert_independent_of_cuts(spec: JobSpec, whole: Recording, engine: Any = EagerRun) -> None:
    """Check that chunks, each resumed from the stored checkpoint of the one before, give the same result."""
    for cuts in ([1] * 12, [3, 2, 7]):
        assert_equal(drive(spec, cuts, engine=engine), whole)


def test_a_line_search_that_leaves_the_domain_ends_its_run() -> None:
    starts = [[2.0], [0.5], [3.0]]
    spec = job(function=formula("x + log(x)", "x"), optimizer=WOLFE, init=starts, steps=10)
    recorded = drive(spec)
    assert [recorded.results.sentence(run) for run in range(3)] == [OUT_OF_BRACKET] * 3
    for run, start in enumerate(starts):
        loop = by_hand(lambda x: x[0] + torch.log(x[0]), start, 10, by_lbfgs(line_search_fn="strong_wolfe"))
        assert_as_by_hand(recorded, run, loop)


def barrier(x: torch.Tensor) -> torch.Tensor:
    return x[0] + 2 * x[1] - 0.9 * (torch.log(x[0]) + torch.log(x[1]) + torch.log(1 - x[0] - x[1]))


BARRIER = formula("x + 2*y - 0.9*(log(x) + log(y) + log(1 - x - y))", "x", "y")
WITHIN = [[0.05 + 0.04 * k, round(0.05 + 0.03 * (7 * k % 20) * (0.95 - 0.05 - 0.04 * k), 3)] for k in range(20)]


@pytest.mark.parametrize("max_iter", [20, 3])
def test_starts_inside_a_barrier_end_as_the_loop_by_hand(max_iter: int) -> None:
    options = {"max_iter": max_iter, "line_search_fn": "strong_wolfe"}
    spec = job(function=BARRIER, optimizer={"name": "lbfgs", **options}, init=WITHIN, steps=8)
    recorded = drive(spec)
    loops = [by_hand(barrier, start, 8, by_lbfgs(**options)) for start in WITHIN]
    assert {loop.raised for loop in loops} == {None, OUT_OF_BRACKET}
    for run, loop in enumerate(loops):
        assert_as_by_hand(recorded, run, loop)
    assert_independent_of_cuts(spec, recorded)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize(
    ("text", "f"),
    [
        ("acosh(x) + 0.1*x", lambda x: torch.acosh(x[0]) + 0.1 * x[0]),
        ("sqrt(x) + x/3", lambda x: torch.sqrt(x[0]) + x[0] / 3),
        ("x*log(x)", lambda x: x[0] * torch.log(x[0])),
        ("(x - 1)**4 - x", lambda x: ((x[0] - 1) ** 2) ** 2 - x[0]),
        ("-exp(x)", lambda x: -torch.exp(x[0])),
    ],
    ids=["acosh", "sqrt", "entropy", "quartic", "unbounded"],
)
def test_lbfgs_ends_and_counts_as_a_loop_by_hand(
    text: str, f: Callable[[torch.Tensor], torch.Tensor], search: str | None
) -> None:
    starts = [[1.05], [1.5], [2.0], [4.0], [30.0]]
    options = {"max_iter": 4, "line_search_fn": search}
    spec = job(function=formula(text, "x"), optimizer={"name": "lbfgs", **options}, init=starts, steps=12)
    recorded = drive(spec)
    for run, start in enumerate(starts):
        assert_as_by_hand(recorded, run, by_hand(f, start, 12, by_lbfgs(**options)))
    assert_independent_of_cuts(spec, recorded)


def test_evaluations_are_counted_up_to_convergence() -> None:
    fields: dict[str, Any] = {"function": "rosenbrock", "optimizer": {**WOLFE, "max_iter": 3}, "init": [-1.2, 1.0]}
    stopped = drive(job(**fields, stop={"f": 1e-3}, steps=50))
    end = int(stopped.results.n_steps[0])
    assert Outcome(stopped.results.outcome[0]) is Outcome.converged
    assert 0 < end < 50
    assert stopped.results.n_evaluations[0] == drive(job(**fields, steps=end)).results.n_evaluations[0]


GROWING: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": "sgd", "lr": 1.0}, {"name": "exponential_lr", "gamma": 10.0}),
    ({"name": "sgd", "lr": 1.0, "momentum": 0.5}, {"name": "exponential_lr", "gamma": 1e30}),
    ({"name": "sgd", "lr": 1e-3}, {"name": "exponential_lr", "gamma": 1e308}),
    ({"name": "adam", "lr": 1e-3}, {"name": "exponential_lr", "gamma": 10.0}),
    ({"name": "adamw", "lr": 1e-3}, {"name": "step_lr", "step_size": 3, "gamma": 1e15}),
    ({"name": "adamax", "lr": 1e-3}, {"name": "multi_step_lr", "milestones": [4, 4, 9], "gamma": 1e21}),
    ({"name": "nadam", "lr": 1e-3}, {"name": "linear_lr", "start_factor": 1e-37, "end_factor": 1.0}),
    ({"name": "nadam", "lr": 3e37}, {"name": "constant_lr", "factor": 1e-3, "total_iters": 7}),
    ({"name": "radam", "lr": 1e-3}, {"name": "exponential_lr", "gamma": 1e5}),
    ({"name": "adagrad", "lr": 1e-3, "lr_decay": 0.1}, {"name": "exponential_lr", "gamma": 30.0}),
    ({"name": "adadelta"}, {"name": "exponential_lr", "gamma": 1e9}),
    ({"name": "rmsprop", "momentum": 0.5}, {"name": "exponential_lr", "gamma": 1e9}),
    ({"name": "rprop"}, {"name": "exponential_lr", "gamma": 1e9}),
    ({"name": "asgd"}, {"name": "exponential_lr", "gamma": 1e30}),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("optimizer", "scheduler"), GROWING, ids=name_of)
def test_engines_agree_where_a_rate_overflows_its_type(
    optimizer: dict[str, Any], scheduler: dict[str, Any], dtype: str
) -> None:
    starts = [[0.0, 0.0], [1.0, -2.0]]
    spec = job(function="sphere", optimizer=optimizer, scheduler=scheduler, init=starts, steps=60, dtype=dtype)
    eager, fused = drive(spec), drive(spec, engine=FusedRun)
    assert_equal(fused, eager)
    assert_independent_of_cuts(spec, fused, FusedRun)
    assert spec.scheduler is not None
    for run, start in enumerate(starts):
        loop = by_hand(
            lambda x: (x * x).sum(), start, 60, spec.optimizer.build, spec.scheduler.build, getattr(torch, dtype)
        )
        assert_as_by_hand(eager, run, loop)


@pytest.mark.parametrize("engine", [EagerRun, FusedRun])
def test_a_run_ends_at_the_first_rate_that_is_too_large(engine: Any) -> None:
    spec = job(
        function="sphere",
        optimizer="sgd",
        lr=1,
        init=[0, 0],
        steps=60,
        dtype="float32",
        scheduler={"name": "exponential_lr", "gamma": 10},
    )
    results = drive(spec, engine=engine).results
    # the rate of update k is 10^k, and float32 ends at 3.4e38
    assert (results.n_steps[0], results.n_evaluations[0]) == (39, 40)
    assert results.sentence(0) == OVERFLOW
    assert Outcome(results.outcome[0]) is Outcome.diverged
    assert (results.x[0].tolist(), results.f[0]) == ([0, 0], 0)


@pytest.mark.parametrize("dampening", [1e39, -1e39])
def test_engines_agree_where_a_second_update_refuses_what_the_first_does_not_use(dampening: float) -> None:
    optimizer = {"name": "sgd", "momentum": 0.9, "dampening": dampening}
    spec = job(function="sphere", optimizer=optimizer, init=[[1, 2], [0, 0]], steps=9, dtype="float32")
    eager, fused = drive(spec), drive(spec, engine=FusedRun)
    assert_equal(fused, eager)
    assert (eager.results.n_steps.tolist(), eager.results.sentence(1)) == ([1, 1], OVERFLOW)


def test_an_extension_leaves_a_run_that_raised_and_continues_the_others() -> None:
    spec = job(function=BARRIER, optimizer=WOLFE, init=WITHIN, steps=4)
    short = drive(spec)
    longer = spec.model_copy(update={"steps": 8})
    assert_same_results(drive(longer, checkpoint=short.checkpoint).results, drive(longer).results)


def broken_above(limit: float, error: Exception) -> Callable[..., torch.Tensor]:
    """Return a sphere that raises when a first coordinate is above `limit`."""

    def evaluate(_self: Any, points: torch.Tensor, _step: int = 0, _runs: Any = None) -> torch.Tensor:
        if (points[..., 0] > limit).any():
            raise error
        return (points * points).sum(-1)

    return evaluate


@pytest.mark.parametrize("error", [ValueError("no value"), ZeroDivisionError("1/0"), RuntimeError("torch says no")])
def test_a_function_that_raises_for_one_run_ends_that_run(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fields: dict[str, Any] = {"function": "sphere", "optimizer": {"name": "sgd", "maximize": True}, "lr": 0.5}
    spec = job(**fields, init=[[0.5, 1], [1.5, 1], [4, 0], [100, 3]], steps=4, engine="eager")
    whole = drive(spec)
    monkeypatch.setattr(CatalogueObjective, "__call__", broken_above(10, error))
    broken = drive(spec)
    sentence = f"{type(error).__name__}: {error}"
    # every step doubles a point: 0.5 is 8 after four, 1.5 is 12 after three, 4 is 16 after two
    assert broken.results.n_steps.tolist() == [4, 3, 2, 0]
    assert broken.results.n_evaluations.tolist() == [5, 4, 3, 1]
    assert [broken.results.sentence(run) for run in range(4)] == [None, sentence, sentence, sentence]
    for run, n in enumerate([5, 3, 2, 0]):
        np.testing.assert_array_equal(broken.f[run][:n], whole.f[run][:n])
        assert np.isnan(broken.f[run][n:]).all()
    np.testing.assert_array_equal(broken.results.finite_x[1:3], [[6, 4], [8, 0]])
    assert_independent_of_cuts(spec, broken)


class OutOfMemory(RuntimeError):
    """torch's out-of-memory error, which has no class of its own."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("no memory"),
        OutOfMemory("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory"),
        Unavailable("the database does not answer"),
        Interrupted(),
        KeyError("a bug"),
        AttributeError("a bug"),
        IndexError("a bug"),
        AssertionError("a bug"),
        RecursionError("a bug"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("optimizer", ["sgd", "lbfgs"])
def test_exceptions_that_numbers_do_not_cause_are_no_results(
    monkeypatch: pytest.MonkeyPatch, optimizer: str, error: Exception
) -> None:
    spec = job(function="sphere", optimizer=optimizer, init=[[1, 2], [3, 4]], steps=4, engine="eager")
    run = EagerRun(spec)
    monkeypatch.setattr(CatalogueObjective, "__call__", broken_above(-math.inf, error))
    with pytest.raises(type(error)) as caught:
        run.advance(4)
    assert caught.value is error


def test_torchs_out_of_memory_message_is_known() -> None:
    with pytest.raises(RuntimeError, match="DefaultCPUAllocator"), raising_results():
        torch.empty(1 << 46)


def test_results_without_evaluation_counts_can_be_read() -> None:
    results = drive(job(init=[[0, 0], [1e200, 0]], steps=3)).results
    columns = results.columns()
    old = Results.from_columns(
        {k: v for k, v in columns.items() if k not in {"n_evaluations", "raised", "sentences"}}
    )
    assert old.n_evaluations.tolist() == [UNCOUNTED, UNCOUNTED]
    assert [old.sentence(run) for run in range(2)] == [None, None]
    np.testing.assert_array_equal(old.x, results.x)
    assert_same_results(Results.from_columns(unpack(pack(columns))), results)


def test_a_job_begun_without_counts_stays_uncounted() -> None:
    spec = job(optimizer=WOLFE, steps=6)
    begun = drive(spec.model_copy(update={"steps": 2}))
    begun.checkpoint.results.n_evaluations[:] = UNCOUNTED
    assert drive(spec, checkpoint=begun.checkpoint).results.n_evaluations.tolist() == [UNCOUNTED]


def test_results_do_not_depend_on_the_order_in_which_runs_end() -> None:
    one, other = (Results.before_start(np.zeros((3, 1))) for _ in range(2))
    for run, sentence in [(0, "b"), (1, "a"), (2, "b")]:
        one.end_raised(np.array([run]), sentence)
    for run, sentence in [(1, "a"), (2, "b"), (0, "b")]:
        other.end_raised(np.array([run]), sentence)
    assert_same_results(one, other)
    assert [one.sentence(run) for run in range(3)] == ["b", "a", "b"]
