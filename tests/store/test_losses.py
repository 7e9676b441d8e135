"""Losses of networks at every step, and gradient checks: stored and deleted with the job."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import Row, select

from alembic import command
from tests.store.stores import Stores, assert_same_trajectories, expected, state
from tests.store.test_database import alembic_config
from tests.unit.driving import Recording, assert_same, drive, job
from thalweg.db.migrations import migrate
from thalweg.db.tables import LOSSES
from thalweg.db.trajectories import StepRange, Trajectory
from thalweg.engine.columns import unpack
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Outcome
from thalweg.jobs.filter import JobFilter
from thalweg.spec.job import JobSpec

NET: dict[str, Any] = {"layers": [2, 3, 1], "dataset": {"name": "moons", "n": 12}, "batch_size": 5}
TRAINING: dict[str, Any] = {
    "function": {"mlp": NET},
    "optimizer": {"name": "sgd", "lr": 0.5},
    "init": {"random": 4, "seed": 2},
    "steps": 40,
    "record_every": 7,
}


def training(**fields: Any) -> JobSpec:
    return job(**{**TRAINING, **fields})


def densely(spec: JobSpec) -> Recording:
    """Return the job as one that records every step."""
    return drive(spec.model_copy(update={"record_every": 1}))


def losses(stores: Stores, job_id: str, run: int, first: int | None = None, last: int | None = None) -> Trajectory:
    record, results = stores.jobs.get_with_results(job_id)
    return stores.trajectories.losses(record, results, run, StepRange(first, last))


def loss_blocks(stores: Stores, job_id: str) -> list[Row[Any]]:
    with stores.database.read() as connection:
        chosen = select(LOSSES).where(LOSSES.c.job_id == job_id)
        return list(connection.execute(chosen.order_by(LOSSES.c.first_run, LOSSES.c.first_step)))


def assert_losses(stores: Stores, job_id: str, wanted: Recording) -> None:
    for run, (steps, f) in enumerate(zip(wanted.steps, wanted.f, strict=True)):
        found = losses(stores, job_id, run)
        assert found.run == run
        assert_same(found.steps, steps)
        assert_same(found.f, f)


def ragged() -> JobSpec:
    """Return a job of which one run converges at its start, one later, and others not at all."""
    free = densely(training())
    lowest = sorted(float(f.min()) for f in free.f)
    spec = training(stop={"f": (lowest[0] + lowest[1]) / 2})
    ends = drive(spec).results.n_steps
    assert ends.min() < 40 == ends.max()
    return spec


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cuts", [[], [1, 1, 5, 2, 13]], ids=str)
def test_the_losses_of_every_step_are_read_as_the_engine_gave_them(
    stores: Stores, dtype: str, cuts: list[int]
) -> None:
    spec = ragged().model_copy(update={"dtype": dtype})
    job_id = stores.finished(spec, cuts)
    assert_losses(stores, job_id, densely(spec))
    assert_same_trajectories(stores.read(job_id), expected(spec))
    assert len(loss_blocks(stores, job_id)) == len(cuts) + 1


def test_a_range_of_losses_is_cut_out(stores: Stores) -> None:
    spec = ragged()
    job_id = stores.finished(spec, [3, 11, 2])
    wanted = densely(spec)
    for first, last in ((None, 3), (3, 4), (4, 14), (14, None), (15, 15), (40, None), (41, None), (0, 0)):
        for run, steps in enumerate(wanted.steps):
            chosen = (steps >= (first or 0)) & (steps <= (10**9 if last is None else last))
            found = losses(stores, job_id, run, first, last)
            assert_same(found.steps, steps[chosen])
            assert_same(found.f, wanted.f[run][chosen])


def test_a_large_chunk_of_losses_is_cut_into_blocks(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.db.blocks._BLOCK_BYTES", 160)  # twenty doubles
    spec = training()
    job_id = stores.finished(spec)
    blocks = loss_blocks(stores, job_id)
    assert [(block.first_run, block.first_step, block.last_step) for block in blocks[:3]] == [
        (0, 0, 19),
        (0, 20, 39),
        (0, 40, 40),
    ]
    assert len(blocks) == 12
    for block in blocks:
        columns = unpack(block.data)
        assert columns["x"].shape[1] == 0
        assert columns["f"].nbytes <= 160
    assert_losses(stores, job_id, densely(spec))


def test_runs_lie_side_by_side_in_a_block_of_losses(stores: Stores) -> None:
    job_id = stores.finished(training())
    (block,) = loss_blocks(stores, job_id)
    assert (block.first_run, block.last_run, block.first_step, block.last_step) == (0, 3, 0, 40)


def test_later_losses_are_left_out(stores: Stores) -> None:
    spec = training()
    job_id = stores.created(spec)
    attempt = stores.begin(job_id)
    stores.work(attempt, [4, 6])
    record, results = stores.jobs.get_with_results(job_id)
    stores.work(attempt, [11])
    found = stores.trajectories.losses(record, results, 2, StepRange())
    assert_same(found.steps, np.arange(11))
    assert_same(losses(stores, job_id, 2).steps, np.arange(22))
    assert len(losses(stores, stores.created(spec), 0).steps) == 0


def test_only_the_latest_attempt_writes_losses(stores: Stores) -> None:
    spec = training()
    job_id = stores.created(spec)
    old = stores.begin(job_id)
    lost = EagerRun(spec)
    assert stores.attempts.record(old, lost.advance(9), ended_by=None)
    before = losses(stores, job_id, 1)
    stores.attempts.requeue_orphans()
    new = stores.begin(job_id)
    assert not stores.attempts.record(old, lost.advance(9), ended_by=None)
    assert_same(losses(stores, job_id, 1).f, before.f)
    stores.work(new, [5])
    assert not stores.attempts.record(old, lost.advance(22), ended_by=Outcome.max_steps)
    assert_same(losses(stores, job_id, 1).steps, np.arange(15))
    stores.work(new, [100])
    assert_losses(stores, job_id, densely(spec))


def test_an_extension_goes_on_with_the_losses(stores: Stores) -> None:
    job_id = stores.finished(training(steps=17), [3])
    stores.extend(job_id, 23)
    stores.finish(job_id, [8])
    assert_losses(stores, job_id, densely(training()))
    assert_same_trajectories(stores.read(job_id), expected(training()))


def test_a_cancelled_job_keeps_its_losses(stores: Stores) -> None:
    job_id = stores.created(training())
    attempt = stores.begin(job_id)
    run = EagerRun(attempt.spec)
    stores.attempts.record(attempt, run.advance(10), ended_by=None)
    stores.cancel(job_id)
    assert not stores.attempts.record(attempt, run.advance(10), ended_by=None)
    assert_same(losses(stores, job_id, 3).steps, np.arange(11))


@pytest.mark.parametrize(
    "fields", [{"record_every": 1}, {"function": "sphere", "init": [1, 2]}], ids=["all", "none"]
)
def test_losses_are_stored_only_if_the_trajectory_is_sparser(stores: Stores, fields: dict[str, Any]) -> None:
    job_id = stores.finished(training(**fields))
    assert stores.n_rows()["losses"] == 0
    (first, *_) = stores.read(job_id)
    if fields == {"record_every": 1}:
        assert_same(losses(stores, job_id, 0).f, first.f)


def test_nothing_is_left_of_a_deleted_job(stores: Stores) -> None:
    job_id = stores.finished(training(tags=["a"]), [5])
    assert stores.n_rows()["losses"] == 2
    kept = stores.finished(training())
    stores.delete(job_id)
    assert stores.n_rows() | {"blocks": 1} == {
        **dict.fromkeys(stores.n_rows(), 0),
        "jobs": 1,
        "checkpoints": 1,
        "blocks": 1,
        "losses": 1,
        "events": 3,
    }
    assert_losses(stores, kept, densely(training()))


# the check of a gradient


def test_the_gradient_check_is_stored(stores: Stores) -> None:
    formula = {"expression": "floor(x) + y", "variables": ["x", "y"]}
    spec = job(function=formula, init=[[0.5, 0], [1, 0]], steps=3)
    created, _ = stores.submit(spec)
    assert created.gradient_check is not None
    assert not created.gradient_check.agrees
    assert created.gradient_check.n_points == 2
    assert str(created.gradient_check.detail).startswith("at start 1 the gradient's coordinate 0 is 0")
    for read in (stores.jobs.get(created.id), *stores.jobs.find(JobFilter(function="expression"), 10)):
        assert read.gradient_check == created.gradient_check
    stores.finish(created.id)
    stores.extend(created.id, 2)
    stores.finish(created.id)
    assert stores.jobs.get(created.id).gradient_check == created.gradient_check


def test_only_a_formula_has_a_gradient_check(stores: Stores) -> None:
    for spec in (job(), training()):
        assert stores.jobs.get(stores.created(spec)).gradient_check is None


def test_a_database_without_losses_is_migrated_with_its_jobs(stores: Stores) -> None:
    job_id = stores.finished(job(record_every=3))
    row, *others = state(stores, job_id)
    command.downgrade(alembic_config(stores.database), "0002")
    migrate(stores.database)
    assert state(stores, job_id) == ({**row, "n_diverged": None}, *others)  # which was not counted then
    assert stores.jobs.get(job_id).gradient_check is None
    assert_same_trajectories(stores.read(job_id), expected(job(record_every=3)))
    assert_losses(stores, stores.finished(training()), densely(training()))
