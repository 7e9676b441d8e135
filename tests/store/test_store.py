"""What the stores promise, on a real SQLite file, driven as a worker drives them."""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from alembic import command
from app.db import migrations
from app.db.attempts import MAX_LOST_ATTEMPTS, AttemptStore
from app.db.columns import unpack
from app.db.migrations import migrate
from app.db.models import Base, Block, Checkpoint, Job, Tag
from app.db.session import Database
from app.db.store import JobFilter, JobStore
from app.db.trajectories import StepRange, Trajectory, TrajectoryStore
from app.engine.eager import EagerRun
from app.engine.outcome import Outcome, Results
from app.engine.spec import JobSpec
from app.errors import Conflict, InvalidInput, LimitExceeded, NotFound, SettingsError
from app.jobs.record import Attempt
from app.jobs.status import Status
from app.settings import Limits
from tests.unit.driving import assert_same, drive, job

LIMITS = Limits.model_validate({})
NO_JOB = "01a20ac5-a660-71b0-b714-4520eccad03b"

RAGGED: dict[str, Any] = {
    # in this order: converges, diverges at once, has converged, goes on, diverges later, converges sooner
    "init": [[0, 0], [1e200, 0], [3, 2], [5, 5], [7, 7], [3.1, 2.1]],
    "optimizer": {"name": "sgd", "lr": 0.015},
    "stop": {"f": 1e-3},
    "steps": 40,
}


class Stores:
    """All stores of one database, and the work that a worker does with them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobStore(database)
        self.attempts = AttemptStore(database)
        self.trajectories = TrajectoryStore(database)

    def begin(self, job_id: str) -> Attempt:
        attempt = self.attempts.begin(job_id, self.jobs.get(job_id).generation)
        assert attempt is not None
        return attempt

    def work(self, attempt: Attempt, cuts: Iterable[int], *, ended_by: Outcome | None = None) -> None:
        """Do chunks of `cuts` steps; end the job with the last of them where it is said by what."""
        run = EagerRun(attempt.spec, self.attempts.checkpoint(attempt))
        cuts = list(cuts)
        for place, n_steps in enumerate(cuts):
            chunk = run.advance(n_steps)
            last = place == len(cuts) - 1
            end = Outcome.max_steps if run.finished else (ended_by if last else None)
            assert self.attempts.record(attempt, chunk, ended_by=end) is (end is None)

    def finish(self, job_id: str, cuts: Iterable[int] = ()) -> None:
        """Run a job to its end, each chunk from the checkpoint that was stored with the one before."""
        attempt = self.begin(job_id)
        for n_steps in chain(cuts, repeat(10**9)):
            run = EagerRun(attempt.spec, self.attempts.checkpoint(attempt))
            if run.finished:
                self.attempts.finish(attempt)
                return
            self.work(attempt, [n_steps])
            if self.jobs.get(job_id).status.ended:
                return

    def created(self, spec: JobSpec) -> str:
        return self.jobs.create(spec)[0].id

    def finished(self, spec: JobSpec, cuts: Iterable[int] = ()) -> str:
        job_id = self.created(spec)
        self.finish(job_id, cuts)
        return job_id

    def read(self, job_id: str, first: int | None = None, last: int | None = None) -> list[Trajectory]:
        record, results = self.jobs.get_with_results(job_id)
        runs = range(record.spec.n_runs)
        return list(self.trajectories.read(record, results, runs, StepRange(first, last)))

    def n_rows(self) -> dict[str, int]:
        with self.database.read() as session:
            return {
                table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
                for table in Base.metadata.sorted_tables
            }

    def blocks(self, job_id: str) -> list[Block]:
        with self.database.read() as session:
            chosen = select(Block).where(Block.job_id == job_id).order_by(Block.first_run, Block.first_step)
            return list(session.scalars(chosen))


def opened(path: Path) -> Database:
    return Database(f"sqlite:///{path}")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "thalweg.db"


@pytest.fixture
def stores(path: Path) -> Iterator[Stores]:
    database = opened(path)
    migrate(database)
    yield Stores(database)
    database.dispose()


@pytest.fixture(scope="module")
def lasting_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stores]:
    """Stores for tests by Hypothesis, whose examples share a database."""
    database = opened(tmp_path_factory.mktemp("lasting") / "thalweg.db")
    migrate(database)
    yield Stores(database)
    database.dispose()


def expected(spec: JobSpec) -> list[Trajectory]:
    """Return what is to be stored of a job, from one that records every step."""
    whole = drive(spec.model_copy(update={"record_every": 1}))
    found = []
    for run, (steps, x, f) in enumerate(zip(whole.steps, whole.x, whole.f, strict=True)):
        assert steps[-1] == whole.results.n_steps[run]
        kept = (steps % spec.record_every == 0) | (steps == steps[-1])
        found.append(Trajectory(run, steps[kept], x[kept], f[kept]))
    return found


def assert_same_trajectories(found: list[Trajectory], wanted: list[Trajectory]) -> None:
    assert [trajectory.run for trajectory in found] == [trajectory.run for trajectory in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert_same(one.steps, other.steps)
        assert_same(one.x, other.x)
        assert_same(one.f, other.f)


def assert_same_results(one: Results, other: Results) -> None:
    for name, column in one.columns().items():
        assert_same(column, other.columns()[name])


# jobs


def test_a_created_job_is_queued_and_found_again(stores: Stores) -> None:
    spec = job(label="first", tags=["a", "b"])
    record, is_new = stores.jobs.create(spec)
    assert is_new
    assert record == stores.jobs.get(record.id)
    assert record.spec == spec
    assert (record.status, record.generation, record.attempt, record.step) == (Status.queued, 1, 0, 0)
    assert (record.started_at, record.finished_at, record.error) == (None, None, None)
    assert record.created_at.utcoffset() is not None
    assert stores.jobs.revision(record.id) == (record.revision, Status.queued, 0)
    again, results = stores.jobs.get_with_results(record.id)
    assert again == record
    assert_same(results.x, spec.starts())
    assert results.outcome.tolist() == [Outcome.running]


@pytest.mark.parametrize("ask", ["get", "revision", "get_with_results", "cancel", "delete"])
def test_what_does_not_exist_is_not_found(stores: Stores, ask: str) -> None:
    with pytest.raises(NotFound, match=NO_JOB):
        getattr(stores.jobs, ask)(NO_JOB)


def test_extending_what_does_not_exist_is_not_found(stores: Stores) -> None:
    with pytest.raises(NotFound):
        stores.jobs.extend(NO_JOB, 5, LIMITS)


def test_jobs_are_found_newest_first_and_page_by_page(stores: Stores) -> None:
    ids = [stores.created(job(label=str(i))) for i in range(7)]
    assert [record.id for record in stores.jobs.find(JobFilter(), 100)] == ids[::-1]
    paged: list[str] = []
    while page := stores.jobs.find(JobFilter(), 3, paged[-1] if paged else None):
        assert len(page) <= 3
        paged += [record.id for record in page]
    assert paged == ids[::-1]


def test_filters_choose_and_go_together(stores: Stores) -> None:
    made = {
        "a": stores.created(job(tags=["x", "y"])),
        "b": stores.created(job(optimizer="sgd", tags=["x"])),
        "c": stores.created(job(function="booth", tags=["xy"])),
        "d": stores.created(job(function="booth", optimizer="sgd", tags=["x", "y"])),
    }
    stores.jobs.cancel(made["a"])

    def found(**chosen: Any) -> str:
        records = stores.jobs.find(JobFilter(**chosen), 100)
        return "".join(sorted(name for name, job_id in made.items() if job_id in {r.id for r in records}))

    assert found() == "abcd"
    assert found(function="booth") == "cd"
    assert found(optimizer="sgd") == "bd"
    assert found(tag="x") == "abd"
    assert found(tag="xy") == "c"
    assert found(status=Status.cancelled) == "a"
    assert found(status=Status.queued) == "bcd"
    assert found(function="booth", optimizer="sgd", tag="y", status=Status.queued) == "d"
    assert found(function="booth", tag="nothing") == ""


def test_deleting_leaves_nothing_behind(stores: Stores) -> None:
    job_id = stores.jobs.create(job(tags=["a", "b"]), key="key")[0].id
    other = stores.finished(job(tags=["a"]))
    stores.finish(job_id, [10])
    before = stores.n_rows()
    assert before["blocks"] == 3
    stores.jobs.delete(job_id)
    assert stores.n_rows() == {"jobs": 1, "tags": 1, "checkpoints": 1, "blocks": 1, "idempotency_keys": 0}
    stores.jobs.delete(other)
    assert set(stores.n_rows().values()) == {0}
    with pytest.raises(NotFound):
        stores.jobs.delete(job_id)


def test_the_store_answers_when_the_tables_are_there(stores: Stores) -> None:
    stores.jobs.ping()


# idempotency keys


def test_a_key_with_the_same_job_gives_the_job_of_then(stores: Stores) -> None:
    first, is_new = stores.jobs.create(job(lr=0.001), key="k")
    again, is_new_again = stores.jobs.create(job(), key="k")  # the same once normalised
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert stores.jobs.create(job(), key="other")[0].id != first.id
    assert stores.jobs.create(job())[0].id != first.id
    assert stores.n_rows()["jobs"] == 3


def test_a_key_gives_the_job_as_it_is_now(stores: Stores) -> None:
    first, _ = stores.jobs.create(job(), key="k")
    stores.jobs.cancel(first.id)
    assert stores.jobs.create(job(), key="k")[0].status is Status.cancelled


def test_a_key_with_another_job_is_refused_and_stores_nothing(stores: Stores) -> None:
    first, _ = stores.jobs.create(job(), key="k")
    with pytest.raises(InvalidInput, match="new key") as complaint:
        stores.jobs.create(job(steps=101), key="k")
    assert complaint.value.path == ("Idempotency-Key",)
    assert stores.n_rows()["jobs"] == 1
    assert stores.jobs.create(job(), key="k")[0].id == first.id


def test_a_key_lives_as_long_as_it_is_told(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr("app.db.store.time.time", lambda: now)
    first, _ = stores.jobs.create(job(), key="k", key_seconds=100)
    now += 99
    assert stores.jobs.create(job(), key="k", key_seconds=100)[0].id == first.id
    now += 2
    second, is_new = stores.jobs.create(job(steps=101), key="k", key_seconds=100)
    assert is_new
    assert second.id != first.id
    assert stores.n_rows()["idempotency_keys"] == 1


def test_the_key_of_a_deleted_job_is_free(stores: Stores) -> None:
    first, _ = stores.jobs.create(job(), key="k")
    stores.jobs.delete(first.id)
    assert stores.jobs.create(job(steps=7), key="k")[1]


def test_one_key_sent_many_times_at_once_gives_one_job(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: stores.jobs.create(job(), key="k"), range(40)))
    assert len({record.id for record, _ in made}) == 1
    assert sum(is_new for _, is_new in made) == 1


# attempts


def test_the_queue_gives_the_longest_waiting_first(stores: Stores) -> None:
    ids = [stores.created(job()) for _ in range(5)]
    stores.jobs.cancel(ids[1])
    stores.begin(ids[2])
    stores.finish(ids[3])
    assert stores.attempts.waiting(10) == [(ids[0], 1), (ids[2], 1), (ids[4], 1)]
    assert stores.attempts.waiting(2) == [(ids[0], 1), (ids[2], 1)]
    stores.jobs.extend(ids[3], 5, LIMITS)
    assert stores.attempts.waiting(10)[-1] == (ids[3], 2)


def test_an_attempt_makes_the_job_run(stores: Stores) -> None:
    job_id = stores.created(job(timeout_s=1000))
    attempt = stores.begin(job_id)
    record = stores.jobs.get(job_id)
    assert (attempt.job_id, attempt.spec, attempt.number) == (job_id, record.spec, 1)
    assert (record.status, record.attempt) == (Status.running, 1)
    assert record.started_at is not None
    assert attempt.deadline_at is not None
    assert (attempt.deadline_at - record.started_at).total_seconds() == pytest.approx(1000, abs=1e-3)
    assert stores.attempts.checkpoint(attempt) is None
    assert stores.begin(stores.created(job())).deadline_at is None


def test_what_has_ended_is_gone_or_of_another_generation_is_not_begun(stores: Stores) -> None:
    done, cancelled, deleted = stores.finished(job()), stores.created(job()), stores.created(job())
    stores.jobs.cancel(cancelled)
    stores.jobs.delete(deleted)
    for job_id in (done, cancelled, deleted):
        assert stores.attempts.begin(job_id, 1) is None
    stores.jobs.extend(done, 5, LIMITS)
    assert stores.attempts.begin(done, 1) is None
    assert stores.attempts.begin(done, 3) is None
    assert stores.jobs.get(done).status is Status.queued
    assert stores.attempts.begin(done, 2) is not None


def test_the_deadline_stays_when_another_worker_takes_over_and_goes_with_an_extension(stores: Stores) -> None:
    job_id = stores.created(job(timeout_s=1000))
    first = stores.begin(job_id)
    stores.attempts.requeue_orphans()
    second = stores.begin(job_id)
    assert second.deadline_at == first.deadline_at
    stores.work(second, [3], ended_by=Outcome.timed_out)
    stores.jobs.extend(job_id, 5, LIMITS)
    third = stores.begin(job_id)
    assert third.deadline_at is not None
    assert first.deadline_at is not None
    assert third.deadline_at > first.deadline_at


def test_a_recorded_chunk_and_its_checkpoint_are_there_together(stores: Stores) -> None:
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


def state(stores: Stores, job_id: str) -> tuple[Any, ...]:
    with stores.database.read() as session:
        row = session.get(Job, job_id)
        checkpoint = session.get(Checkpoint, job_id)
        assert row is not None
        columns = {column.key: getattr(row, column.key) for column in inspect(Job).columns}
        saved = None if checkpoint is None else (checkpoint.step, checkpoint.state, checkpoint.results)
    return columns, saved, [(block.first_step, block.data) for block in stores.blocks(job_id)]


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
def test_an_attempt_writes_nothing_after_its_job_was_taken_away(stores: Stores, how: str) -> None:
    job_id = stores.created(job(steps=20))
    attempt = stores.begin(job_id)
    stores.work(attempt, [5])
    run = EagerRun(attempt.spec, stores.attempts.checkpoint(attempt))
    if how == "requeue":
        stores.attempts.requeue_orphans()
    elif how == "delete":
        stores.jobs.delete(job_id)
    else:
        stores.jobs.cancel(job_id)
        if how == "extend":
            stores.jobs.extend(job_id, 3, LIMITS)
    before = stores.n_rows(), None if how == "delete" else state(stores, job_id)
    assert not stores.attempts.record(attempt, run.advance(5))
    stores.attempts.finish(attempt)
    assert (stores.n_rows(), None if how == "delete" else state(stores, job_id)) == before


def test_a_write_that_breaks_off_leaves_nothing_half_written(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = stores.created(job(steps=20))
    attempt = stores.begin(job_id)
    stores.work(attempt, [5])
    before = state(stores, job_id)
    run = EagerRun(attempt.spec, stores.attempts.checkpoint(attempt))
    chunk = run.advance(5)

    def breaks_off(*_: object, **__: object) -> None:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "merge", breaks_off)  # after the job's row and the blocks
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


def test_jobs_that_lose_their_service_are_queued_again_and_that_is_no_loss(stores: Stores) -> None:
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


def test_losses_of_one_generation_do_not_count_in_the_next(stores: Stores) -> None:
    job_id = stores.created(job())
    for _ in range(MAX_LOST_ATTEMPTS):
        attempt = stores.begin(job_id)
    stores.work(attempt, [1000])
    stores.jobs.extend(job_id, 5, LIMITS)
    for _ in range(MAX_LOST_ATTEMPTS):
        assert stores.attempts.begin(job_id, 2) is not None
    assert stores.attempts.begin(job_id, 2) is None


def test_a_failure_is_told(stores: Stores) -> None:
    job_id = stores.created(job())
    stores.attempts.fail(stores.begin(job_id), "RuntimeError: no memory")
    record = stores.jobs.get(job_id)
    assert (record.status, record.error) == (Status.failed, "RuntimeError: no memory")
    assert record.finished_at is not None


# cancelling


def test_a_queued_job_is_cancelled_at_once(stores: Stores) -> None:
    job_id = stores.created(job(init=[[0, 0], [1, 1]]))
    record = stores.jobs.cancel(job_id)
    assert record.status is Status.cancelled
    assert record.finished_at is not None
    _, results = stores.jobs.get_with_results(job_id)
    assert results.outcome.tolist() == [Outcome.cancelled] * 2
    assert [len(trajectory.steps) for trajectory in stores.read(job_id)] == [0, 0]


def test_a_running_job_is_cancelled_and_keeps_what_was_recorded(stores: Stores) -> None:
    spec = job(**RAGGED)
    job_id = stores.created(spec)
    attempt = stores.begin(job_id)
    stores.work(attempt, [5, 8])
    stores.jobs.cancel(job_id)
    record, results = stores.jobs.get_with_results(job_id)
    assert (record.status, record.step) == (Status.cancelled, 13)
    assert_same_trajectories(stores.read(job_id), expected(spec.model_copy(update={"steps": 13})))
    undisturbed = drive(spec.model_copy(update={"steps": 13})).results
    went_on = undisturbed.outcome == Outcome.max_steps
    assert went_on.any()
    assert (results.outcome[went_on] == Outcome.cancelled).all()
    assert (results.outcome[~went_on] == undisturbed.outcome[~went_on]).all()


def test_cancelling_again_or_too_late_changes_nothing(stores: Stores) -> None:
    done, cancelled = stores.finished(job()), stores.created(job())
    stores.jobs.cancel(cancelled)
    for job_id in (done, cancelled):
        before = state(stores, job_id)
        stores.jobs.cancel(job_id)
        assert state(stores, job_id) == before


# extending


@pytest.mark.parametrize("optimizer", ["adam", {"name": "sgd", "momentum": 0.9}])
@pytest.mark.parametrize("record_every", [1, 7])
def test_a_then_b_is_stored_as_a_plus_b(stores: Stores, optimizer: Any, record_every: int) -> None:
    start = {"init": [[0, 0], [4, 0]], "optimizer": optimizer, "record_every": record_every}
    job_id = stores.finished(job(steps=17, **start), [4, 9])
    assert [t.steps[-1] for t in stores.read(job_id)] == [17, 17]
    record = stores.jobs.extend(job_id, 16, LIMITS)
    assert (record.status, record.generation, record.finished_at) == (Status.queued, 2, None)
    assert record.spec.steps == 33
    stores.finish(job_id, [2])
    whole = stores.finished(job(steps=33, **start))
    assert_same_trajectories(stores.read(job_id), stores.read(whole))
    assert_same_trajectories(stores.read(job_id), expected(job(steps=33, **start)))
    assert_same_results(stores.jobs.get_with_results(job_id)[1], stores.jobs.get_with_results(whole)[1])
    if record_every == 7:
        assert stores.read(job_id)[0].steps.tolist() == [0, 7, 14, 21, 28, 33]


@given(
    a=st.integers(1, 25),
    b=st.integers(1, 25),
    record_every=st.integers(1, 12),
    cuts=st.lists(st.integers(1, 9), max_size=4),
)
@settings(deadline=None, max_examples=12)
def test_extended_runs_with_ragged_ends_are_stored_as_one(
    lasting_stores: Stores, a: int, b: int, record_every: int, cuts: list[int]
) -> None:
    spec = job(**{**RAGGED, "steps": a + b, "record_every": record_every})
    job_id = lasting_stores.finished(spec.model_copy(update={"steps": a}), cuts)
    assert_same_trajectories(lasting_stores.read(job_id), expected(spec.model_copy(update={"steps": a})))
    lasting_stores.jobs.extend(job_id, b, LIMITS)
    lasting_stores.finish(job_id, cuts)
    assert_same_trajectories(lasting_stores.read(job_id), expected(spec))
    record, results = lasting_stores.jobs.get_with_results(job_id)
    assert record.status is Status.succeeded
    assert_same_results(results, drive(spec).results)


def test_what_waits_to_be_extended_shows_no_entry_off_the_grid(stores: Stores) -> None:
    job_id = stores.finished(job(steps=17, record_every=5))
    stores.jobs.extend(job_id, 10, LIMITS)
    assert stores.read(job_id)[0].steps.tolist() == [0, 5, 10, 15]
    assert stores.jobs.get_with_results(job_id)[1].outcome.tolist() == [Outcome.running]


def test_a_cancelled_job_goes_on_from_where_it_was(stores: Stores) -> None:
    job_id = stores.created(job(steps=100))
    stores.work(stores.begin(job_id), [12])
    stores.jobs.cancel(job_id)
    assert stores.jobs.extend(job_id, 8, LIMITS).spec.steps == 20
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=20)))


def test_a_job_that_was_cancelled_before_it_began_goes_on_from_its_start(stores: Stores) -> None:
    job_id = stores.created(job(steps=100))
    stores.jobs.cancel(job_id)
    assert stores.jobs.extend(job_id, 8, LIMITS).spec.steps == 8
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=8)))


def test_a_job_whose_time_was_up_goes_on_from_where_it_was(stores: Stores) -> None:
    job_id = stores.created(job(steps=100, timeout_s=5, record_every=10))
    stores.work(stores.begin(job_id), [3, 9], ended_by=Outcome.timed_out)
    record, results = stores.jobs.get_with_results(job_id)
    assert (record.status, record.step) == (Status.succeeded, 12)
    assert results.outcome.tolist() == [Outcome.timed_out]
    assert stores.read(job_id)[0].steps.tolist() == [0, 10, 12]
    assert stores.jobs.extend(job_id, 13, LIMITS).spec.steps == 25
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=25, record_every=10)))


def test_runs_that_have_all_ended_on_their_own_stay_as_they_are(stores: Stores) -> None:
    job_id = stores.finished(job(init=[[3, 2], [1e200, 0]], stop={"f": 1e-3}, steps=10))
    before = stores.read(job_id)
    assert stores.jobs.extend(job_id, 5, LIMITS).spec.steps == 15
    stores.finish(job_id)
    record, results = stores.jobs.get_with_results(job_id)
    assert record.status is Status.succeeded
    assert results.outcome.tolist() == [Outcome.converged, Outcome.diverged]
    assert_same_trajectories(stores.read(job_id), before)


def test_what_goes_on_or_failed_is_not_extended(stores: Stores) -> None:
    job_id = stores.created(job())
    with pytest.raises(Conflict, match="queued"):
        stores.jobs.extend(job_id, 5, LIMITS)
    attempt = stores.begin(job_id)
    with pytest.raises(Conflict, match="running"):
        stores.jobs.extend(job_id, 5, LIMITS)
    stores.attempts.fail(attempt, "reason")
    with pytest.raises(Conflict, match="failed"):
        stores.jobs.extend(job_id, 5, LIMITS)


def test_an_extension_over_a_limit_is_refused_and_changes_nothing(stores: Stores) -> None:
    job_id = stores.finished(job(steps=20))
    before = state(stores, job_id)
    with pytest.raises(LimitExceeded, match="max_steps"):
        stores.jobs.extend(job_id, 11, Limits(max_steps=30))
    with pytest.raises(LimitExceeded, match="record_every"):
        stores.jobs.extend(job_id, 10, Limits(max_recorded_points=30))
    assert state(stores, job_id) == before
    assert stores.jobs.extend(job_id, 10, Limits(max_steps=30, max_recorded_points=31)).spec.steps == 30


def test_an_extension_beyond_the_scheduler_is_refused(stores: Stores) -> None:
    scheduler = {"name": "one_cycle_lr", "max_lr": 0.1, "total_steps": 20}
    job_id = stores.finished(job(steps=15, scheduler=scheduler))
    with pytest.raises(InvalidInput, match="20 steps"):
        stores.jobs.extend(job_id, 6, LIMITS)
    stores.jobs.extend(job_id, 5, LIMITS)
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=20, scheduler=scheduler)))


# trajectories


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("record_every", [1, 3, 40, 1000])
def test_ragged_runs_are_read_as_the_engine_gave_them(stores: Stores, dtype: str, record_every: int) -> None:
    init = [[0, 0], [1e18 if dtype == "float32" else 1e200, 0], *RAGGED["init"][2:]]
    spec = job(**{**RAGGED, "init": init, "dtype": dtype, "record_every": record_every})
    outcomes = drive(spec).results.outcome.tolist()
    assert {Outcome.diverged, Outcome.converged, Outcome.max_steps} <= set(outcomes)
    wanted = expected(spec)
    assert len({len(trajectory.steps) for trajectory in wanted}) > 1
    for cuts in ([], [1, 1, 5, 2, 13]):
        assert_same_trajectories(stores.read(stores.finished(spec, cuts)), wanted)


@given(
    data=st.data(),
    record_every=st.integers(1, 15),
    cuts=st.lists(st.integers(1, 12), max_size=6),
)
@settings(deadline=None, max_examples=10)
def test_a_range_of_steps_is_cut_out(
    lasting_stores: Stores, data: st.DataObject, record_every: int, cuts: list[int]
) -> None:
    spec = job(**{**RAGGED, "record_every": record_every})
    job_id = lasting_stores.finished(spec, cuts)
    wanted = expected(spec)
    end = st.none() | st.integers(0, 50)
    for _ in range(5):
        first, last = data.draw(end), data.draw(end)
        low, high = first or 0, 10**9 if last is None else last
        cut = []
        for whole in wanted:
            kept = (whole.steps >= low) & (whole.steps <= high)
            cut.append(Trajectory(whole.run, whole.steps[kept], whole.x[kept], whole.f[kept]))
        assert_same_trajectories(lasting_stores.read(job_id, first, last), cut)


def test_some_runs_are_read_alone(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = job(**RAGGED)
    record, results = stores.jobs.get_with_results(stores.finished(spec, [3, 3]))
    wanted = expected(spec)
    for window_points in (500_000, 1, 90):
        monkeypatch.setattr("app.db.trajectories._WINDOW_POINTS", window_points)
        for runs in (range(1), range(2, 5), range(5, 6), range(6)):
            found = list(stores.trajectories.read(record, results, runs, StepRange()))
            assert_same_trajectories(found, [wanted[run] for run in runs])


def test_what_was_recorded_since_is_left_out(stores: Stores) -> None:
    spec = job(**{**RAGGED, "record_every": 4})
    job_id = stores.created(spec)
    attempt = stores.begin(job_id)
    stores.work(attempt, [3, 7])
    record, results = stores.jobs.get_with_results(job_id)
    stores.work(attempt, [11])
    found = stores.trajectories.read(record, results, range(spec.n_runs), StepRange())
    wanted = expected(spec)
    for run, trajectory in enumerate(found):
        seen = wanted[run].steps[wanted[run].steps <= 10]
        on_grid = seen[seen % 4 == 0]  # the last entries are shown when the job has ended
        assert_same(trajectory.steps, on_grid)


def test_a_job_that_has_not_begun_has_recorded_nothing(stores: Stores) -> None:
    (trajectory,) = stores.read(stores.created(job(dtype="float32")))
    assert trajectory.steps.shape == (0,)
    assert trajectory.x.shape == (0, 2)
    assert trajectory.x.dtype == np.float32


def test_a_large_chunk_is_cut_into_blocks_of_runs(stores: Stores) -> None:
    spec = job(function="sphere", init={"random": 100, "low": [-5] * 50, "high": [5] * 50}, steps=60)
    job_id = stores.finished(spec)
    blocks = stores.blocks(job_id)
    assert len(blocks) == 3
    assert [block.first_run for block in blocks] == [0, 40, 80]
    assert [(block.first_step, block.last_step) for block in blocks] == [(0, 60)] * 3
    assert_same_trajectories(stores.read(job_id), expected(spec))


def test_a_large_chunk_is_cut_into_blocks_of_steps(stores: Stores) -> None:
    # the second run has converged at its start: its last block is left out
    spec = job(function="sphere", init=[[1] * 3000, [0] * 3000, [2] * 3000], steps=100, stop={"f": 0.0}, lr=1e-3)
    job_id = stores.finished(spec)
    blocks = stores.blocks(job_id)
    assert [(block.first_run, block.first_step, block.last_step) for block in blocks] == [
        (0, 0, 40), (0, 41, 81), (0, 82, 100),
        (1, 0, 0),
        (2, 0, 40), (2, 41, 81), (2, 82, 100),
    ]  # fmt: skip
    for block in blocks:
        columns = unpack(block.data)
        assert columns["x"].nbytes + columns["f"].nbytes <= 1_000_000
    assert_same_trajectories(stores.read(job_id), expected(spec))
    for first, last in ((40, 41), (81, 82), (41, 81), (100, None), (82, 82)):
        cut = [
            Trajectory(t.run, t.steps[kept], t.x[kept], t.f[kept])
            for t in expected(spec)
            for kept in [(t.steps >= first) & (t.steps <= (last or 10**9))]
        ]
        assert_same_trajectories(stores.read(job_id, first, last), cut)


def test_two_thousand_steps_are_a_handful_of_rows(stores: Stores) -> None:
    stores.finished(job(steps=2000, dtype="float32", lr=0.001), [5, 500])
    assert stores.n_rows()["blocks"] == 3


# the database


def test_every_connection_is_configured(stores: Stores) -> None:
    def pragmas(_: int) -> tuple[Any, ...]:
        with stores.database.read() as session:
            barrier.wait(timeout=30)  # all hold a connection of their own
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            connection = session.connection()
            return tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names)

    barrier = threading.Barrier(12)
    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(pragmas, range(12))) == {("wal", 2, 1, 30_000)}


def test_foreign_keys_are_enforced(stores: Stores) -> None:
    with pytest.raises(IntegrityError), stores.database.write() as session:
        session.add(Tag(job_id=NO_JOB, tag="a"))


def test_a_reader_sees_one_state_and_does_not_stop_a_writer(stores: Stores) -> None:
    stores.created(job())
    counted = select(func.count()).select_from(Job)
    with stores.database.read() as session:
        assert session.execute(counted).scalar_one() == 1
        stores.created(job())
        assert session.execute(counted).scalar_one() == 1
    assert stores.n_rows()["jobs"] == 2


def create_many(path: str, n: int) -> list[str]:
    database = opened(Path(path))
    stores = Stores(database)
    ids = []
    for i in range(n):
        job_id = stores.created(job(steps=3, label=str(i)))
        ids.append(job_id)
        if i % 5 == 0:
            stores.finish(job_id, [1])
        stores.jobs.find(JobFilter(), 5)
    database.dispose()
    return ids


def test_threads_that_write_at_once_wait_for_each_other(stores: Stores, path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create_many(str(path), 50), range(8)))
    assert len({job_id for ids in made for job_id in ids}) == 400
    assert stores.n_rows()["jobs"] == 400
    assert all(ids == sorted(ids) for ids in made)


@pytest.mark.parametrize(
    "url", ["", "thalweg.db", "sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "sqlite:///"]
)
def test_what_is_not_a_supported_database_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        Database(url)


# migrations


def alembic_config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations._SCRIPTS))  # noqa: SLF001 the one place that knows
    config.attributes["database"] = database
    return config


def test_the_migrations_make_what_the_models_say(stores: Stores) -> None:
    with stores.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    command.check(alembic_config(stores.database))


def test_migrating_again_keeps_what_is_there(stores: Stores) -> None:
    job_id = stores.finished(job())
    before = state(stores, job_id)
    migrate(stores.database)
    assert state(stores, job_id) == before


def test_the_migrations_go_back_and_forth(stores: Stores) -> None:
    stores.finished(job(tags=["a"]))
    command.downgrade(alembic_config(stores.database), "base")
    assert inspect(stores.database.engine).get_table_names() == ["alembic_version"]
    migrate(stores.database)
    assert set(stores.n_rows().values()) == {0}


def test_a_database_of_a_later_version_is_refused_and_left_alone(stores: Stores) -> None:
    job_id = stores.finished(job())
    with stores.database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = state(stores, job_id)
    with pytest.raises(SettingsError, match=r"9999.*later"):
        migrate(stores.database)
    assert state(stores, job_id) == before


def test_missing_migrations_are_told(stores: Stores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(migrations, "_SCRIPTS", tmp_path / "nowhere")
    with pytest.raises(SettingsError, match="nowhere"):
        migrate(stores.database)
