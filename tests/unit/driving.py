"""Driving an engine by hand, as a worker does."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import numpy as np

from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Checkpoint, Results
from thalweg.engine.run import Run
from thalweg.engine.start import start
from thalweg.spec.job import JobSpec

OPTIMIZERS: list[dict[str, Any]] = [
    {"name": "sgd", "lr": 1e-3},
    {"name": "sgd", "lr": 1e-3, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    {"name": "adam", "lr": 1e-2},
    {"name": "adam", "lr": 1e-2, "amsgrad": True, "weight_decay": 0.1},
    {"name": "adamw"},
    {"name": "adagrad"},
    {"name": "adadelta"},
    {"name": "adamax"},
    {"name": "nadam"},
    {"name": "radam"},
    {"name": "rmsprop", "momentum": 0.5, "centered": True},
    {"name": "rprop"},
    {"name": "asgd", "lr": 1e-3, "t0": 100},
    {"name": "lbfgs", "lr": 0.1},
    {"name": "lbfgs", "line_search_fn": "strong_wolfe"},
    {"name": "adafactor"},
]


def name_of(case: dict[str, Any]) -> str:
    """Return a name for a parametrized case."""
    return "-".join(str(value) for value in case.values())


@dataclass
class Recording:
    """Everything that an engine returned for a job."""

    x: list[np.ndarray]  # per run, (m, dim)
    f: list[np.ndarray]  # per run, (m,)
    steps: list[np.ndarray]  # per run, (m,)
    results: Results
    checkpoint: Checkpoint
    details: list[dict[str, np.ndarray]]  # per run, each (m, dim)


def job(**fields: Any) -> JobSpec:
    """Return a valid specification in which `fields` replace the defaults."""
    default = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 100}
    return JobSpec.model_validate({**default, **fields})


def native(spec: JobSpec, checkpoint: Checkpoint | None = None) -> Run:
    """Return the job's run on the fused engine."""
    return start(spec, "fused", checkpoint)


def drive(
    spec: JobSpec,
    cuts: Iterable[int] = (),
    checkpoint: Checkpoint | None = None,
    engine: Callable[[JobSpec, Checkpoint | None], Run] = EagerRun,
) -> Recording:
    """Run a job to its end in chunks of `cuts` steps and a last one, each from the checkpoint of the one before."""
    nothing = (np.zeros(0, np.int64), spec.starts()[:0], spec.starts()[:0, 0])
    pieces: list[list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = [[nothing] for _ in range(spec.n_runs)]
    details: list[dict[str, list[np.ndarray]]] = [{} for _ in range(spec.n_runs)]
    run = engine(spec, checkpoint)
    for n_steps in chain(cuts, repeat(spec.steps)):
        if run.finished:
            break
        chunk = run.advance(n_steps)
        for row, (number, n_valid) in enumerate(zip(chunk.runs, chunk.n_valid, strict=True)):
            pieces[number].append((chunk.steps[:n_valid], chunk.x[row, :n_valid], chunk.f[row, :n_valid]))
            for name, values in chunk.details.items():
                details[number].setdefault(name, []).append(values[row, :n_valid])
        checkpoint = chunk.checkpoint
        run = engine(spec, checkpoint) if n_steps < spec.steps else run
    assert checkpoint is not None
    joined = [[np.concatenate(column) for column in zip(*run_pieces, strict=True)] for run_pieces in pieces]
    return Recording(
        steps=[columns[0] for columns in joined],
        x=[columns[1] for columns in joined],
        f=[columns[2] for columns in joined],
        results=checkpoint.results,
        checkpoint=checkpoint,
        details=[{name: np.concatenate(parts) for name, parts in each.items()} for each in details],
    )


def assert_equal(one: Recording, other: Recording) -> None:
    """Check that two recordings are equal bitwise, results included."""
    for mine, theirs in zip((one.steps, one.x, one.f), (other.steps, other.x, other.f), strict=True):
        for run, another in zip(mine, theirs, strict=True):
            assert_same(run, another)
    for these, those in zip(one.details, other.details, strict=True):
        assert list(these) == list(those)
        for name, values in these.items():
            assert_same(values, those[name], name)
    theirs_by_name = other.results.columns()
    for name, column in one.results.columns().items():
        assert_same(column, theirs_by_name[name], name)


def assert_same(one: np.ndarray, other: np.ndarray, what: str = "") -> None:
    """Check that two arrays are equal bitwise, signs of zero included; all NaNs count as equal."""
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one, other, err_msg=what)
    ordinary = ~np.isnan(one) if one.dtype.kind == "f" else np.zeros(one.shape, bool)
    np.testing.assert_array_equal(
        np.signbit(one[ordinary]), np.signbit(other[ordinary]), err_msg=f"{what}: signs of zero"
    )
