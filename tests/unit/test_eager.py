import warnings
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.driving import OPTIMIZERS, assert_same, drive, job, name_of
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.noise import standard_normal
from thalweg.engine.outcome import Outcome
from thalweg.engine.run import Interrupted
from thalweg.optimizers.families.torch_optim import FAMILY

STARTS = [[0.0, 0.0], [4.0, 0.0], [-4.0, 0.0], [1.5, -2.5]]
SCHEDULERS: list[dict[str, Any]] = [
    {"name": "step_lr", "step_size": 7},
    {"name": "multi_step_lr", "milestones": [5, 30]},
    {"name": "constant_lr"},
    {"name": "linear_lr", "total_iters": 20},
    {"name": "exponential_lr", "gamma": 0.99},
    {"name": "polynomial_lr", "total_iters": 50, "power": 2.0},
    {"name": "cosine_annealing_lr", "T_max": 25},
    {"name": "cosine_annealing_warm_restarts", "T_0": 10, "T_mult": 2},
    {"name": "cyclic_lr", "base_lr": 1e-4, "max_lr": 1e-2, "step_size_up": 9},
    {"name": "one_cycle_lr", "max_lr": 0.01, "total_steps": 80},
    {"name": "reduce_lr_on_plateau", "patience": 2},
    {
        "name": "sequential_lr",
        "schedulers": [{"name": "constant_lr", "total_iters": 5}, {"name": "exponential_lr", "gamma": 0.9}],
        "milestones": [10],
    },
    {
        "name": "chained_scheduler",
        "schedulers": [{"name": "constant_lr"}, {"name": "exponential_lr", "gamma": 0.9}],
    },
]


def himmelblau(x: torch.Tensor) -> torch.Tensor:
    return (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2


def by_hand(
    optimizer: dict[str, Any],
    start: list[float],
    steps: int,
    *,
    dtype: torch.dtype = torch.float64,
    scheduler: dict[str, Any] | None = None,
    clip: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and f at entries 0 to `steps` of a hand-written loop."""
    arguments = {key: value for key, value in optimizer.items() if key != "name"}
    classes = {name.lower(): getattr(torch.optim, name) for name in torch.optim.__all__ if name != "Optimizer"}
    x = torch.tensor(start, dtype=dtype, requires_grad=True)
    torch_optimizer = classes[optimizer["name"]]([x], **arguments)
    schedule = None if scheduler is None else _schedule(torch_optimizer, scheduler)
    xs, fs = [], []

    def closure() -> torch.Tensor:
        torch_optimizer.zero_grad()
        f = himmelblau(x)
        f.backward()  # type: ignore[no-untyped-call]
        if clip is not None:
            torch.nn.utils.clip_grad_norm_([x], clip)
        return f

    for _ in range(steps):
        xs.append(x.detach().clone())
        if optimizer["name"] == "lbfgs":
            f = torch_optimizer.step(closure)
        else:
            f = closure()
            torch_optimizer.step()
        fs.append(torch.as_tensor(f).detach().clone())
        if schedule is not None:
            schedule.step(*([f.detach()] if "plateau" in (scheduler or {})["name"] else []))
    xs.append(x.detach().clone())
    fs.append(himmelblau(x).detach())
    return torch.stack(xs).numpy(), torch.stack(fs).numpy()


def _schedule(optimizer: torch.optim.Optimizer, scheduler: dict[str, Any]) -> Any:
    arguments = {key: value for key, value in scheduler.items() if key != "name"}
    if "schedulers" in arguments:
        arguments["schedulers"] = [_schedule(optimizer, member) for member in arguments["schedulers"]]
    classes = {_snake(name): name for name in dir(torch.optim.lr_scheduler)}
    made = getattr(torch.optim.lr_scheduler, classes[scheduler["name"]])
    if scheduler["name"] == "chained_scheduler":
        return made(**arguments, optimizer=optimizer)
    return made(optimizer, **arguments)


def _snake(name: str) -> str:
    parts = "".join(
        f"_{c}" if c.isupper() and i and (name[i - 1].islower() or name[i : i + 2] == "LR") else c
        for i, c in enumerate(name.replace("OnPlateau", "_on_plateau"))
    )
    return parts.lower().replace("__", "_")


def test_every_optimizer_is_tested_here() -> None:
    vectors = {cls.model_fields["name"].default for cls in FAMILY.optimizers if not cls.matrices}
    assert {case["name"] for case in OPTIMIZERS} == vectors


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=name_of)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_trajectory_equals_the_hand_written_loop_bitwise(optimizer: dict[str, Any], dtype: str) -> None:
    recorded = drive(job(optimizer=optimizer, init=STARTS[0], steps=500, dtype=dtype))
    x, f = by_hand(optimizer, STARTS[0], 500, dtype=getattr(torch, dtype))
    assert_same(recorded.x[0], x)
    assert_same(recorded.f[0], f)
    assert_same(recorded.steps[0], np.arange(501))


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=name_of)
def test_each_run_has_the_digits_it_has_alone(optimizer: dict[str, Any]) -> None:
    together = drive(job(optimizer=optimizer, init=STARTS, steps=200))
    for run, start in enumerate(STARTS):
        alone = drive(job(optimizer=optimizer, init=start, steps=200))
        assert_same(together.x[run], alone.x[0])
        assert_same(together.f[run], alone.f[0])
        for name, column in together.results.columns().items():
            if name != "sentences":  # shared by all runs
                assert_same(column[run], alone.results.columns()[name][0])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=name_of)
@pytest.mark.parametrize("function", ["rosenbrock", "rastrigin", "ackley", "styblinski_tang"])
def test_each_run_has_the_digits_it_has_alone_in_more_dimensions(optimizer: dict[str, Any], function: str) -> None:
    starts = np.random.default_rng(1).uniform(-2, 2, size=(5, 7)).tolist()
    together = drive(job(function=function, optimizer=optimizer, init=starts, steps=40))
    for run, start in enumerate(starts):
        alone = drive(job(function=function, optimizer=optimizer, init=start, steps=40))
        assert_same(together.x[run], alone.x[0])
        assert_same(together.f[run], alone.f[0])


@pytest.mark.parametrize("scheduler", SCHEDULERS, ids=lambda case: str(case["name"]))
def test_schedules_equal_the_hand_written_loop(scheduler: dict[str, Any]) -> None:
    optimizer = {"name": "sgd", "lr": 1e-3, "momentum": 0.8}
    recorded = drive(job(optimizer=optimizer, scheduler=scheduler, init=STARTS, steps=80))
    for run, start in enumerate(STARTS):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's own composite schedulers step in an order that it warns about
            x, f = by_hand(optimizer, start, 80, scheduler=scheduler)
        assert_same(recorded.x[run], x)
        assert_same(recorded.f[run], f)


@pytest.mark.parametrize(
    ("optimizer", "scheduler"),
    [
        *((optimizer, scheduler) for optimizer in OPTIMIZERS for scheduler in (None, SCHEDULERS[6])),
        *((optimizer, scheduler) for optimizer in (OPTIMIZERS[1], OPTIMIZERS[-1]) for scheduler in SCHEDULERS),
    ],
    ids=lambda case: str(case and name_of(case)[:40]),
)
def test_extending_a_job_equals_one_long_job(optimizer: dict[str, Any], scheduler: dict[str, Any] | None) -> None:
    if scheduler is not None and scheduler["name"] in {"cyclic_lr", "one_cycle_lr"}:
        scheduler = {**scheduler, "cycle_momentum": False}
    fields = {"optimizer": optimizer, "scheduler": scheduler, "init": STARTS[:2]}
    whole = drive(job(**fields, steps=60))
    first = drive(job(**fields, steps=23))
    second = drive(job(**fields, steps=60), checkpoint=first.checkpoint)
    for run in range(2):
        assert_same(np.concatenate([first.x[run], second.x[run]]), whole.x[run])
        assert_same(np.concatenate([first.f[run], second.f[run]]), whole.f[run])
    for name, column in whole.results.columns().items():
        assert_same(second.results.columns()[name], column)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=name_of)
@given(cuts=st.lists(st.integers(1, 15), max_size=5), record_every=st.integers(1, 9))
@settings(max_examples=5, deadline=None)
def test_results_do_not_depend_on_the_cuts(optimizer: dict[str, Any], cuts: list[int], record_every: int) -> None:
    spec = job(
        optimizer=optimizer,
        init=STARTS[:3],
        steps=40,
        record_every=record_every,
        stop={"f": 20.0},
        gradient_noise={"std": 0.01, "seed": 5},
        clip_grad_norm=100.0,
    )
    whole, cut = drive(spec), drive(spec, cuts)
    for run in range(3):
        assert_same(cut.steps[run], whole.steps[run])
        assert_same(cut.x[run], whole.x[run])
        assert_same(cut.f[run], whole.f[run])
    for name, column in whole.results.columns().items():
        assert_same(cut.results.columns()[name], column)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=name_of)
def test_each_run_is_clipped_by_its_own_norm(optimizer: dict[str, Any]) -> None:
    recorded = drive(job(optimizer=optimizer, init=STARTS, steps=25, clip_grad_norm=2.0))
    for run, start in enumerate(STARTS):
        x, _ = by_hand(optimizer, start, 25, clip=2.0)
        assert_same(recorded.x[run], x)


def test_digits_equal_a_usual_script() -> None:
    recorded = drive(job(lr=1e-3, dtype="float32", steps=20000, init=[[0, 0], [4, 0], [-4, 0]]), cuts=[777] * 30)
    x, f = recorded.x[0].astype(float), recorded.f[0].astype(float)
    assert x[1].tolist() == [0.0009999999310821295, 0.0009999999310821295]
    assert f[0] == 170.0
    assert x[2001].tolist() == [2.333181142807007, 1.9540694952011108]
    assert f[2000] == 13.730901718139648
    assert x[18001].tolist() == [3.0, 2.0]
    assert f[18000] == 0.0


def test_a_diverged_run_is_frozen_and_the_others_go_on() -> None:
    recorded = drive(job(optimizer="sgd", lr=0.05, init=[[4, 4], [3, 2]], steps=50), cuts=[2] * 40)
    results = recorded.results
    assert [Outcome(value) for value in results.outcome] == [Outcome.diverged, Outcome.max_steps]
    end = results.n_steps[0]
    assert not np.isfinite(recorded.f[0][end])
    assert np.isfinite(recorded.f[0][:end]).all()
    assert len(recorded.f[0]) == end + 1
    assert_same(results.finite_x[0], recorded.x[0][end - 1])
    assert results.finite_f[0] == recorded.f[0][end - 1]
    assert results.n_steps[1] == 50
    assert len(recorded.f[1]) == 51


def test_a_start_with_an_infinite_value_diverges_at_once() -> None:
    recorded = drive(job(init=[[1e200, 0], [0, 0]], steps=5))
    assert Outcome(recorded.results.outcome[0]) is Outcome.diverged
    assert recorded.results.n_steps.tolist() == [0, 5]
    assert recorded.f[0].tolist() == [np.inf]
    assert recorded.results.finite_x[0].tolist() == [1e200, 0]


def test_a_run_converges_at_the_first_entry_that_meets_the_condition() -> None:
    free = drive(job(optimizer="sgd", lr=0.01, steps=400))
    by_f = drive(job(optimizer="sgd", lr=0.01, steps=400, stop={"f": 1.0}), cuts=[7] * 100)
    first = int(np.argmax(free.f[0] <= 1.0))
    assert Outcome(by_f.results.outcome[0]) is Outcome.converged
    assert by_f.results.n_steps[0] == first
    assert_same(by_f.x[0], free.x[0][: first + 1])
    by_norm = drive(job(optimizer="sgd", lr=0.01, steps=400, stop={"grad_norm": 1e-3}))
    assert by_norm.results.grad_norm[0] <= 1e-3
    assert 0 < by_norm.results.n_steps[0] < 400


def test_an_extension_does_not_move_a_converged_run() -> None:
    fields: dict[str, Any] = {"optimizer": "sgd", "lr": 0.01, "stop": {"f": 1.0}, "init": STARTS}
    first, whole = drive(job(**fields, steps=20)), drive(job(**fields, steps=60))
    second = drive(job(**fields, steps=60), checkpoint=first.checkpoint)
    assert Outcome.converged in first.results.outcome
    for name, column in whole.results.columns().items():
        assert_same(second.results.columns()[name], column)


def test_best_is_the_first_entry_with_the_lowest_value() -> None:
    recorded = drive(job(lr=0.5, steps=200, record_every=1), cuts=[13] * 20)
    assert recorded.results.best_step[0] == recorded.f[0].argmin()
    assert recorded.results.best_f[0] == recorded.f[0].min()
    assert_same(recorded.results.best_x[0], recorded.x[0][recorded.f[0].argmin()])


def test_record_every_thins_the_record() -> None:
    every, some = drive(job(steps=100)), drive(job(steps=100, record_every=7), cuts=[10, 3, 40])
    assert some.steps[0].tolist() == list(range(0, 100, 7))
    assert_same(some.x[0], every.x[0][::7])
    assert_same(some.results.x, every.results.x)


def test_noise_differs_by_run_and_seed() -> None:
    def noisy(seed: int) -> list[np.ndarray]:
        spec = job(init=[[1, 1], [1, 1]], optimizer="sgd", steps=5, gradient_noise={"std": 1, "seed": seed})
        return drive(spec).x

    one, other = noisy(1)
    assert not np.array_equal(one[1], other[1])
    assert not np.array_equal(one[1], noisy(2)[0][1])
    assert_same(one, noisy(1)[0])


def test_noise_is_standard_normal() -> None:
    drawn = np.concatenate([standard_normal(3, step, np.arange(500), 20) for step in range(20)])
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01
    assert abs((drawn**4).mean() - 3) < 0.1
    assert_same(standard_normal(3, 7, np.array([4, 9]), 3), standard_normal(3, 7, np.arange(10), 3)[[4, 9]])


def test_a_chunk_is_interrupted_between_loops() -> None:
    answers = iter([True, True, False])
    run = EagerRun(job(optimizer="lbfgs", init=STARTS, steps=3))
    with pytest.raises(Interrupted):
        run.advance(1, lambda: next(answers))


def test_a_step_is_interrupted_between_evaluations() -> None:
    evaluations = 0

    def keep_going() -> bool:
        nonlocal evaluations
        evaluations += 1
        return evaluations < 100

    lbfgs = {"name": "lbfgs", "lr": 1e-6, "max_iter": 1000, "tolerance_change": 0.0}
    run = EagerRun(job(optimizer=lbfgs, steps=1))
    with pytest.raises(Interrupted):
        run.advance(1, keep_going)
    assert evaluations == 100


def test_a_chunk_is_interrupted_between_steps() -> None:
    asked = iter([True] * 500 + [False])
    run = EagerRun(job(steps=10**6))
    with pytest.raises(Interrupted):
        run.advance(10**6, lambda: next(asked))


def test_a_run_reports_when_it_is_finished() -> None:
    run = EagerRun(job(steps=3))
    assert not run.finished
    run.advance(1)
    assert not run.finished
    run.advance(100)
    assert run.finished
    assert run.step == 3
