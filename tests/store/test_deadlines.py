"""Jobs whose time is up are ended with what was recorded, whoever runs them."""

import time

import pytest
from sqlalchemy import text

from tests.store.stores import RAGGED, Stores, assert_same_trajectories, expected, state
from tests.unit.driving import drive, job
from tests.workers.service import until
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Outcome
from thalweg.jobs.record import QueuedJob
from thalweg.jobs.status import Status
from thalweg.workers.deadlines import Deadlines

LATER = 10_000.0  # seconds from now, when every deadline of these tests has passed


@pytest.fixture
def deadline() -> float:
    return time.time() + LATER


def test_a_timed_out_job_keeps_what_was_recorded(stores: Stores, deadline: float) -> None:
    spec = job(**RAGGED, timeout_s=1000)
    job_id = stores.created(spec)
    attempt = stores.begin(job_id)
    stores.work(attempt, [5, 8])
    run = EagerRun(attempt.spec, stores.attempts.checkpoint(attempt))
    assert stores.attempts.time_out_overdue(deadline) == 1
    record, results = stores.jobs.get_with_results(job_id)
    assert (record.status, record.step, record.error) == (Status.succeeded, 13, None)
    assert record.finished_at is not None
    assert_same_trajectories(stores.read(job_id), expected(spec.model_copy(update={"steps": 13})))
    undisturbed = drive(spec.model_copy(update={"steps": 13})).results
    went_on = undisturbed.outcome == Outcome.max_steps
    assert went_on.any()
    assert (results.outcome[went_on] == Outcome.timed_out).all()
    assert (results.outcome[~went_on] == undisturbed.outcome[~went_on]).all()
    before = state(stores, job_id)
    assert not stores.attempts.record(attempt, run.advance(5))
    stores.attempts.time_out(attempt)
    assert stores.attempts.time_out_overdue(deadline) == 0
    assert state(stores, job_id) == before


@pytest.mark.parametrize("how", ["requeued", "lost", "put back"])
def test_a_deadline_holds_for_a_job_that_waits_for_another_worker(
    stores: Stores, how: str, deadline: float
) -> None:
    job_id = stores.created(job(timeout_s=1000))
    stores.work(stores.begin(job_id), [5])
    if how == "requeued":
        stores.attempts.requeue_orphans()
    elif how == "put back":
        stores.attempts.put_back([QueuedJob(job_id, 1)])
    assert stores.attempts.time_out_overdue(deadline) == 1
    record, results = stores.jobs.get_with_results(job_id)
    assert (record.status, results.outcome.tolist()) == (Status.succeeded, [Outcome.timed_out])
    assert stores.attempts.waiting(10) == []
    assert stores.attempts.begin(job_id, 1) is None


def test_a_job_without_a_checkpoint_times_out_too(stores: Stores, deadline: float) -> None:
    job_id = stores.created(job(timeout_s=1000, init=[[0, 0], [1, 1]]))
    stores.begin(job_id)
    assert stores.attempts.time_out_overdue(deadline) == 1
    record, results = stores.jobs.get_with_results(job_id)
    assert (record.status, record.step) == (Status.succeeded, 0)
    assert results.outcome.tolist() == [Outcome.timed_out] * 2
    assert [len(trajectory.steps) for trajectory in stores.read(job_id)] == [0, 0]


def test_jobs_in_time_without_a_deadline_or_ended_are_left_alone(stores: Stores, deadline: float) -> None:
    spec = job(timeout_s=1000)
    not_begun, no_deadline, done, cancelled = (stores.created(s) for s in (spec, job(), spec, spec))
    stores.begin(no_deadline)
    stores.finish(done)
    stores.begin(cancelled)
    stores.cancel(cancelled)
    before = {job_id: state(stores, job_id) for job_id in (not_begun, no_deadline, done, cancelled)}
    assert stores.attempts.time_out_overdue(deadline) == 0
    in_time = stores.begin(stores.created(spec))
    assert stores.attempts.time_out_overdue(time.time()) == 0
    assert stores.attempts.is_latest(in_time)
    assert {job_id: state(stores, job_id) for job_id in before} == before


def test_many_deadlines_that_pass_together_are_all_enforced(stores: Stores, deadline: float) -> None:
    job_ids = [stores.created(job(timeout_s=1000)) for _ in range(120)]
    for job_id in job_ids:
        stores.begin(job_id)
    assert stores.attempts.time_out_overdue(deadline) == 120
    assert {stores.jobs.get(job_id).status for job_id in job_ids} == {Status.succeeded}


def test_deadlines_are_found_by_an_index(stores: Stores) -> None:
    query = "SELECT id FROM jobs WHERE finished_at IS NULL AND deadline_at < 5 LIMIT 50"
    with stores.database.engine.connect() as connection:
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {query}")).all()
    assert "ix_jobs_deadline" in str(plan)


def test_deadlines_are_enforced_after_the_database_failed(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.workers.deadlines._LOOK_SECONDS", 0.01)
    failures = iter([True] * 3)
    real = type(stores.attempts).time_out_overdue

    def fails(attempts: object, before: float) -> int:
        if next(failures, False):
            raise RuntimeError("the disk is gone")
        return real(attempts, before)  # type: ignore[arg-type]

    monkeypatch.setattr("thalweg.db.attempts.AttemptStore.time_out_overdue", fails)
    told: list[str] = []
    job_id = stores.created(job(timeout_s=0.001))
    stores.begin(job_id)
    deadlines = Deadlines(stores.database, lambda: told.append("ended"))
    deadlines.start()
    try:
        until(lambda: stores.jobs.get(job_id).status is Status.succeeded)
        until(lambda: told == ["ended"])
    finally:
        deadlines.stop()
