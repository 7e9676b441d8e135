"""Attempts: which may write, what is written together, and lost workers."""

import pytest
from sqlalchemy.exc import IntegrityError

from tests.store.stores import (
    NO_JOB,
    Stores,
    assert_same_results,
    assert_same_trajectories,
    expected,
    state,
)
from tests.unit.driving import drive, job
from thalweg.db.attempts import MAX_LOST_ATTEMPTS
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Outcome
from thalweg.jobs.record import QueuedJob
from thalweg.jobs.status import Status


def test_the_queue_is_ordered_by_waiting_time(stores: Stores) -> None:
    ids = [stores.created(job()) for _ in range(5)]
    stores.cancel(ids[1])
    stores.begin(ids[2])
    stores.finish(ids[3])
    assert stores.attempts.waiting(10) == [(ids[0], 1), (ids[2], 1), (ids[4], 1)]
    assert stores.attempts.waiting(2) == [(ids[0], 1), (ids[2], 1)]
    stores.extend(ids[3], 5)
    assert stores.attempts.waiting(10)[-1] == (ids[3], 2)


def test_an_attempt_makes_the_job_run(stores: Stores) -> None:
    job_id = stores.created(job(timeout_s=1000))
    attempt = stores.begin(job_id)
    record = stores.jobs.get(job_id)
    assert (attempt.job_id, attempt.spec, attempt.number) == (job_id, record.spec.parsed(), 1)
    assert (record.status, record.attempt) == (Status.running, 1)
    assert record.started_at is not None
    assert attempt.deadline_at is not None
    assert (attempt.deadline_at - record.started_at).total_seconds() == pytest.approx(1000, abs=1e-3)
    assert stores.attempts.checkpoint(attempt) is None
    assert stores.begin(stores.created(job())).deadline_at is None


def test_a_recalled_job_stays_queued_in_the_next_generation(stores: Stores) -> None:
    queued, running, ended = stores.created(job()), stores.created(job()), stores.finished(job())
    attempt = stores.begin(running)
    sent = [QueuedJob(job_id, 1) for job_id in (queued, running, ended, NO_JOB)]
    assert stores.attempts.recall(sent) == {(queued, 1)}
    assert stores.attempts.recall(sent) == set()
    assert stores.attempts.begin(queued, 1) is None
    assert set(stores.attempts.waiting(10)) == {(queued, 2), (running, 1)}
    assert stores.attempts.is_latest(attempt)
    begun = stores.attempts.begin(queued, 2)
    assert begun is not None
    assert begun.number == 1


def test_ended_deleted_and_superseded_jobs_are_not_started(stores: Stores) -> None:
    done, cancelled, deleted = stores.finished(job()), stores.created(job()), stores.created(job())
    stores.cancel(cancelled)
    stores.delete(deleted)
    for job_id in (done, cancelled, deleted):
        assert stores.attempts.begin(job_id, 1) is None
    stores.extend(done, 5)
    assert stores.attempts.begin(done, 1) is None
    assert stores.attempts.begin(done, 3) is None
    assert stores.jobs.get(done).status is Status.queued
    assert stores.attempts.begin(done, 2) is not None


def test_the_deadline_survives_a_new_attempt_but_not_an_extension(stores: Stores) -> None:
    job_id = stores.created(job(timeout_s=1000))
    first = stores.begin(job_id)
    stores.attempts.requeue_orphans()
    second = stores.begin(job_id)
    assert second.deadline_at == first.deadline_at
    stores.work(second, [3], ended_by=Outcome.timed_out)
    stores.extend(job_id, 5)
    third = stores.begin(job_id)
    assert third.deadline_at is not None
    assert first.deadline_at is not None
    assert third.deadline_at > first.deadline_at


def test_a_chunk_and_its_checkpoint_are_stored_together(stores: Stores) -> None:
    job_id = stores.created(job(steps=20))
    attempt = stores.begin(job_id)
    revisions = [stores.jobs.get(job_id).revision]
    for done in (7, 13):
        stores.work(attempt, [6 if done == 13 else 7])
        record, results = stores.jobs.get_with_results(job_id)
        assert (record.status, record.step) == (Status.running, done)
        assert results.n_steps.tolist() == [done]
        assert results.outcome.tolist() == [Outcome.running]
        checkpoint = stores.attempts.checkpoint(attempt)
        assert checkpoint is not None
        assert checkpoint.step == done
        assert stores.blocks(job_id)[-1].last_step == done
        revisions.append(record.revision)
    assert revisions == sorted(set(revisions))
    stores.work(attempt, [100])
    record, results = stores.jobs.get_with_results(job_id)
    assert (record.status, record.step) == (Status.succeeded, 20)
    assert record.finished_at is not None
    assert results.outcome.tolist() == [Outcome.max_steps]
    assert_same_results(results, drive(job(steps=20)).results)


def test_an_older_attempt_writes_nothing(stores: Stores) -> None:
    job_id = stores.created(job(steps=20))
    older = stores.begin(job_id)
    stores.work(older, [5])
    behind = EagerRun(older.spec, stores.attempts.checkpoint(older))
    newer = stores.begin(job_id)
    stores.work(newer, [3])
    before = state(stores, job_id)
    assert not stores.attempts.record(older, behind.advance(2))
    assert not stores.attempts.record(older, behind.advance(100), ended_by=Outcome.max_steps)
    stores.attempts.finish(older)
    stores.attempts.fail(older, "it was somebody else's")
    assert state(stores, job_id) == before
    stores.work(newer, [100])
    assert_same_trajectories(stores.read(job_id), expected(job(steps=20)))


@pytest.mark.parametrize("how", ["cancel", "delete", "extend", "requeue"])
def test_an_attempt_writes_nothing_after_it_lost_its_job(stores: Stores, how: str) -> None:
    job_id = stores.created(job(steps=20))
    attempt = stores.begin(job_id)
    stores.work(attempt, [5])
    run = EagerRun(attempt.spec, stores.attempts.checkpoint(attempt))
    if how == "requeue":
        stores.attempts.requeue_orphans()
    elif how == "delete":
        stores.delete(job_id)
    else:
        stores.cancel(job_id)
        if how == "extend":
            stores.extend(job_id, 3)
    before = stores.n_rows(), None if how == "delete" else state(stores, job_id)
    assert not stores.attempts.record(attempt, run.advance(5))
    stores.attempts.finish(attempt)
    assert (stores.n_rows(), None if how == "delete" else state(stores, job_id)) == before


def test_an_interrupted_write_is_rolled_back(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = stores.created(job(steps=20))
    attempt = stores.begin(job_id)
    stores.work(attempt, [5])
    before = state(stores, job_id)
    run = EagerRun(attempt.spec, stores.attempts.checkpoint(attempt))
    chunk = run.advance(5)

    def breaks_off(*_: object, **__: object) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr("thalweg.db.attempts._replace_checkpoint", breaks_off)  # after the job's row and the blocks
        with pytest.raises(RuntimeError, match="power"):
            stores.attempts.record(attempt, chunk)
    assert state(stores, job_id) == before
    assert stores.attempts.record(attempt, chunk)
    with pytest.raises(IntegrityError):
        stores.attempts.record(attempt, chunk)  # the same steps twice
    stores.work(attempt, [100])
    assert_same_trajectories(stores.read(job_id), expected(job(steps=20)))


def test_the_third_loss_of_a_worker_fails_the_job(stores: Stores) -> None:
    job_id = stores.created(job())
    attempt = stores.begin(job_id)
    stores.work(attempt, [4])
    for _ in range(MAX_LOST_ATTEMPTS - 1):
        assert stores.attempts.begin(job_id, 1) is not None
        assert stores.jobs.get(job_id).status is Status.running
    assert stores.attempts.begin(job_id, 1) is None
    record, results = stores.jobs.get_with_results(job_id)
    assert record.status is Status.failed
    assert record.finished_at is not None
    assert record.error is not None
    assert "died 3 times" in record.error
    assert results.n_steps.tolist() == [4]
    assert [len(trajectory.steps) for trajectory in stores.read(job_id)] == [5]
    assert stores.attempts.waiting(10) == []
    assert stores.attempts.begin(job_id, 1) is None


def test_a_restarted_service_requeues_jobs_without_counting_a_loss(stores: Stores) -> None:
    running, queued, done = stores.created(job()), stores.created(job()), stores.finished(job())
    stores.work(stores.begin(running), [4])
    for _ in range(2 * MAX_LOST_ATTEMPTS):
        assert stores.attempts.requeue_orphans() == 1
        assert stores.attempts.requeue_orphans() == 0
        assert stores.jobs.get(running).status is Status.queued
        assert stores.attempts.begin(running, 1) is not None
    assert stores.jobs.get(queued).status is Status.queued
    assert stores.jobs.get(done).status is Status.succeeded
    stores.attempts.requeue_orphans()
    stores.finish(running)
    assert_same_trajectories(stores.read(running), expected(job()))


def test_lost_workers_are_counted_per_generation(stores: Stores) -> None:
    job_id = stores.created(job())
    for _ in range(MAX_LOST_ATTEMPTS):
        attempt = stores.begin(job_id)
    stores.work(attempt, [1000])
    stores.extend(job_id, 5)
    for _ in range(MAX_LOST_ATTEMPTS):
        assert stores.attempts.begin(job_id, 2) is not None
    assert stores.attempts.begin(job_id, 2) is None


def test_a_failed_job_has_the_error(stores: Stores) -> None:
    job_id = stores.created(job())
    stores.attempts.fail(stores.begin(job_id), "RuntimeError: no memory")
    record = stores.jobs.get(job_id)
    assert (record.status, record.error) == (Status.failed, "RuntimeError: no memory")
    assert record.finished_at is not None
