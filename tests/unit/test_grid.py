"""Jobs that differ in numbers of their optimizer run through one kernel, each with the digits that it has alone."""

import random
from typing import Any

import numpy as np
import pytest

from tests.unit.driving import assert_same, job
from tests.unit.test_hyperparameters import CLASSES, NAMES, drawn
from thalweg.engine.fused.runtime.company import Company
from thalweg.engine.fused.runtime.grid import FusedGrid, GridChunk, alike
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Checkpoint, Outcome, Record, Results
from thalweg.spec.job import JobSpec

OVERFLOW = "RuntimeError: value cannot be converted to type float without overflow"


def starts(chance: random.Random, most: int = 5) -> list[list[float]]:
    return [[chance.uniform(-5, 5), chance.uniform(-5, 5)] for _ in range(chance.randint(1, most))]


def assert_like_alone(specs: list[JobSpec], cuts: tuple[int, ...] = (), threads: int = 1) -> GridChunk:
    """Check that every job of a grid gives the records and results that it gives alone; return the last chunk."""
    kernels, checkpoint = Kernels(), None
    steps = specs[0].steps
    for n_steps in (*cuts, steps):
        grid = FusedGrid(specs, checkpoint, kernels, threads)
        chunk = grid.advance(n_steps)
        for spec, record, results in zip(specs, chunk.records, chunk.results, strict=True):
            assert_chunk_alone(spec, checkpoint, n_steps, record, results)
        checkpoint = chunk.checkpoint
        if grid.finished:
            break
    return chunk


def assert_chunk_alone(
    spec: JobSpec, checkpoint: Checkpoint | None, n_steps: int, record: Record, results: Results
) -> None:
    run = FusedRun(spec)
    if checkpoint is not None:
        run.advance(checkpoint.step)
    if run.finished:
        assert len(record.runs) == 0
        return
    alone = run.advance(n_steps)
    for name in ("steps", "runs", "n_valid"):
        assert_same(getattr(record, name), getattr(alone, name), name)
    for row, n in enumerate(alone.n_valid):
        assert_same(record.x[row, :n], alone.x[row, :n])
        assert_same(record.f[row, :n], alone.f[row, :n])
    columns = results.columns()
    for name, column in alone.checkpoint.results.columns().items():
        assert_same(columns[name], column, name)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [name for name in NAMES if not CLASSES[name].record.coupled])
def test_each_job_has_the_digits_that_it_has_alone(name: str, dtype: str) -> None:
    chance = random.Random(f"grid {name} {dtype}")  # noqa: S311 - the same every time
    optimizers = [drawn(CLASSES[name], chance) for _ in range(3)]
    kinds = [
        {**chance.choice(optimizers), "eps": 10 ** chance.uniform(-9, -3)} if "eps" in optimizers[0] else each
        for each in (chance.choice(optimizers) for _ in range(7))
    ]
    specs = [
        job(
            optimizer=kind,
            lr=10 ** chance.uniform(-4, 0),
            init=starts(chance),
            dtype=dtype,
            steps=50,
            record_every=chance.choice([1]),
        )
        for kind in kinds
    ]
    assert_like_alone(specs)


@pytest.mark.parametrize(
    "fields",
    [
        {"gradient_noise": {"std": 0.5, "seed": 3}, "clip_grad_norm": 10.0},
        {"stop": {"f": 0.5}, "record_every": 7},
        {"stop": {"grad_norm": 1.0}, "function": "rosenbrock"},
        {"scheduler": {"name": "reduce_lr_on_plateau", "patience": 2, "cooldown": 1}},
    ],
    ids=lambda fields: next(iter(fields)),
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_options_cuts_and_threads(fields: dict[str, Any], dtype: str) -> None:
    chance = random.Random(f"options {dtype}")  # noqa: S311 - the same every time
    specs = [
        job(
            optimizer={"name": "adam", "betas": [chance.choice([0.3, 0.9]), chance.choice([0.99, 0.999])]},
            lr=10 ** chance.uniform(-3, 0),
            init=starts(chance, 8),
            dtype=dtype,
            steps=80,
            **fields,
        )
        for _ in range(12)
    ]
    assert_like_alone(specs)
    assert_like_alone(specs, cuts=(1, 30, 17), threads=3)


def test_tables_of_many_classes_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.engine.fused.runtime.classes._MOST_BYTES", 20_000)
    chance = random.Random(5)  # noqa: S311 - the same every time
    specs = [
        job(
            optimizer={"name": "adam", "betas": [chance.random(), chance.random()]},
            lr=0.01,
            init=starts(chance, 2),
            steps=90,
        )
        for _ in range(40)
    ]
    assert_like_alone(specs)


def test_what_torch_raises_ends_the_runs_of_that_job() -> None:
    rates = [1.0, 1e38, 1e-3, 3e38]
    scheduled = [{"name": "sgd", "momentum": 0.9, "dampening": each} for each in (0.5, 1e39, 0.1, 1e39)]
    specs = [
        job(function="sphere", optimizer=optimizer, lr=rate, init=[[1, 2], [0, 0]], steps=9, dtype="float32")
        for rate, optimizer in zip(rates, scheduled, strict=True)
    ]
    chunk = assert_like_alone(specs, cuts=(1, 2))
    assert [results.sentences for results in chunk.results] == [[], [OVERFLOW], [], [OVERFLOW]]
    assert chunk.results[1].outcome.tolist() == [Outcome.diverged] * 2
    assert chunk.results[1].n_steps[1] == 1


def test_one_kernel_serves_a_grid() -> None:
    kernels = Kernels()
    spec = job()
    numbers = {"lr": np.full(3, 0.1), "betas.1": np.array([0.9, 0.99, 0.999])}
    first = kernels.get(spec, Company(spec, np.zeros((3, 2)), None, numbers).own, 3)
    numbers["betas.1"] = np.array([0.5, 0.6, 0.7])
    assert kernels.get(job(lr=0.5), Company(spec, np.zeros((3, 2)), None, numbers).own, 3) is first


def test_jobs_are_alike_that_differ_in_starts_and_numbers_only() -> None:
    decayed = {"name": "adam", "weight_decay": 0.1}
    specs = [
        job(),
        job(lr=0.5, init=[[1, 1], [2, 2]]),
        job(optimizer={"name": "adam", "betas": [0.1, 0.9], "eps": 0.1}, label="a label"),
        job(optimizer=decayed),
        job(steps=99),
        job(optimizer={**decayed, "weight_decay": 2.0}),
        job(scheduler="linear_lr"),
        job(scheduler="linear_lr", lr=0.5),
        job(scheduler="reduce_lr_on_plateau"),
        job(scheduler="reduce_lr_on_plateau", lr=0.5),
        job(dtype="float32"),
        job(function="booth"),
        *(job(function="sphere", init=[0.5] * 17, lr=lr) for lr in (0.1, 0.2)),
    ]
    assert alike(specs) == [[0, 1, 2], [3, 5], [4], [6], [7], [8, 9], [10], [11], [12], [13]]
    with pytest.raises(ValueError, match="differ in more"):
        FusedGrid(specs)


@pytest.mark.parametrize(
    ("fields", "numbers", "words"),
    [
        ({}, {"momentum": [0.1, 0.2]}, "no input"),
        ({}, {"weight_decay": [0.1, 0.2]}, "differ in sign"),
        ({}, {"lr": [0.1, 0.2, 0.3]}, "3 values of lr for 2 runs"),
        ({"function": "sphere", "init": [0.5] * 17}, {"lr": [0.1, 0.2]}, "one by one"),
        ({"scheduler": "linear_lr"}, {"lr": [0.1, 0.2]}, "moves lr"),
        ({"optimizer": {"name": "adagrad", "initial_accumulator_value": 1}}, {"eps": [0.0, 0.1]}, "differ in sign"),
    ],
)
def test_what_runs_cannot_differ_in_is_refused(fields: Any, numbers: dict[str, list[float]], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Company(job(**fields), np.zeros((2, 2)), None, {label: np.array(each) for label, each in numbers.items()})
