"""The history of a job: one event for every change of its state, stored with the change or not at all."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update

from tests.store.stores import Stores
from tests.unit.driving import job
from thalweg.db.attempts import MAX_LOST_ATTEMPTS
from thalweg.db.tables import JOBS
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Outcome
from thalweg.errors import Conflict, InvalidInput, LimitExceeded, NotFound, NotUnderstood
from thalweg.jobs.idempotency import Key
from thalweg.jobs.record import Attempt, Event, QueuedJob
from thalweg.jobs.status import Status
from thalweg.settings import Limits

LATER = 10_000.0  # seconds from now, when every deadline of these tests has passed

LEADS_TO = {
    "created": "queued",
    "started": "running",
    "lost": "queued",
    "requeued": "queued",
    "succeeded": "succeeded",
    "failed": "failed",
    "cancelled": "cancelled",
    "extended": "queued",
}


def history(stores: Stores, job_id: str) -> list[Event]:
    return stores.jobs.history(job_id, 1000)


def kinds(stores: Stores, job_id: str) -> str:
    return " ".join(event.kind for event in history(stores, job_id))


def told(stores: Stores, job_id: str) -> list[tuple[str, int, int, int | None, str | None]]:
    """Return everything but the numbers and times of a job's events."""
    return [(each.kind, each.attempt, each.step, each.steps, each.reason) for each in history(stores, job_id)]


def test_a_job_is_created_started_and_succeeds(stores: Stores) -> None:
    before = time.time()
    job_id = stores.finished(job(steps=20), [7])
    assert told(stores, job_id) == [
        ("created", 0, 0, 20, None),
        ("started", 1, 0, 20, None),
        ("succeeded", 1, 20, 20, None),
    ]
    record, events = stores.jobs.get(job_id), history(stores, job_id)
    assert [each.at for each in events] == [record.created_at, record.started_at, record.finished_at]
    assert before <= events[0].at.timestamp() <= events[1].at.timestamp() <= events[2].at.timestamp() <= time.time()
    assert sorted({each.seq for each in events}) == [each.seq for each in events]


def test_a_cancelled_job_is_extended_and_extended_again(stores: Stores) -> None:
    job_id = stores.created(job(steps=100))
    stores.work(stores.begin(job_id), [12])
    stores.cancel(job_id)
    stores.cancel(job_id)  # which changes nothing
    stores.extend(job_id, 8)
    stores.finish(job_id)
    stores.extend(job_id, 5)
    assert told(stores, job_id) == [
        ("created", 0, 0, 100, None),
        ("started", 1, 0, 100, None),
        ("cancelled", 1, 12, 100, None),
        ("extended", 1, 12, 20, None),
        ("started", 2, 12, 20, None),
        ("succeeded", 2, 20, 20, None),
        ("extended", 2, 20, 25, None),
    ]


def test_a_lost_worker_is_an_event_of_its_own_and_the_third_fails_the_job(stores: Stores) -> None:
    job_id = stores.created(job())
    stores.begin(job_id)
    for _ in range(MAX_LOST_ATTEMPTS - 1):
        stores.begin(job_id)
    assert kinds(stores, job_id) == "created started lost started lost started"
    assert stores.attempts.begin(job_id, 1) is None
    assert kinds(stores, job_id) == "created started lost started lost started lost failed"
    lost, failed = history(stores, job_id)[-2:]
    assert lost.reason is not None
    assert "died" in lost.reason
    assert failed.reason == stores.jobs.get(job_id).error
    assert failed.attempt == stores.jobs.get(job_id).attempt == MAX_LOST_ATTEMPTS


def test_a_restarted_service_and_a_worker_that_gives_up_requeue_a_job(stores: Stores) -> None:
    job_id, waiting = stores.created(job()), stores.created(job())
    stores.begin(job_id)
    stores.attempts.requeue_orphans()
    stores.begin(job_id)
    stores.attempts.put_back([QueuedJob(job_id, 1), QueuedJob(waiting, 1)])
    assert kinds(stores, job_id) == "created started requeued started requeued"
    assert kinds(stores, waiting) == "created"
    reasons = [each.reason for each in history(stores, job_id) if each.kind == "requeued"]
    assert reasons == ["the service was restarted", "its worker could not reach the database"]


@pytest.mark.parametrize("who", ["worker", "worker, without a chunk", "service", "service, between two attempts"])
def test_a_timeout_is_a_success_with_a_reason(stores: Stores, who: str) -> None:
    job_id = stores.created(job(timeout_s=1000, steps=100))
    attempt = stores.begin(job_id)
    stores.work(attempt, [4])
    if who == "worker":
        stores.work(attempt, [3], ended_by=Outcome.timed_out)
    elif who == "worker, without a chunk":
        stores.attempts.time_out(attempt)
    else:
        if who == "service, between two attempts":
            stores.attempts.requeue_orphans()
        assert stores.attempts.time_out_overdue(time.time() + LATER) == 1
    stores.attempts.time_out(attempt)
    *_, last = told(stores, job_id)
    assert last == ("succeeded", 1, 7 if who == "worker" else 4, 100, "its time was up")
    assert kinds(stores, job_id).count("succeeded") == 1


def test_a_failure_has_the_error_as_its_reason(stores: Stores) -> None:
    job_id, refused = stores.created(job()), stores.created(job())
    stores.attempts.fail(stores.begin(job_id), "RuntimeError: no memory")
    stores.attempts.refuse(refused, 1, "it is of another version")
    assert told(stores, job_id)[-1] == ("failed", 1, 0, 100, "RuntimeError: no memory")
    assert told(stores, refused) == [
        ("created", 0, 0, 100, None),
        ("failed", 0, 0, 100, "it is of another version"),
    ]


def test_there_is_no_event_without_a_transition(stores: Stores) -> None:
    job_id = stores.created(job(steps=20))
    stores.attempts.recall([QueuedJob(job_id, 1)])
    attempt = stores.begin(job_id)
    stores.work(attempt, [5, 5])
    before = history(stores, job_id)
    assert kinds(stores, job_id) == "created started"
    with pytest.raises(Conflict):
        stores.extend(job_id, 5)
    assert stores.attempts.begin(job_id, 1) is None  # of the generation before it was recalled
    older = attempt
    stores.attempts.requeue_orphans()
    stores.begin(job_id)
    after = history(stores, job_id)
    assert after[:2] == before
    stores.attempts.fail(older, "it was another attempt's by then")
    stores.attempts.finish(older)
    stores.attempts.time_out(older)
    assert history(stores, job_id) == after


def test_a_transaction_that_is_rolled_back_leaves_no_event(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks_off(*_: object) -> None:
        raise RuntimeError("the power is gone")

    job_id = stores.created(job(steps=20))
    attempt = stores.begin(job_id)
    chunk = EagerRun(attempt.spec).advance(20)
    before = stores.n_rows()
    with monkeypatch.context() as patch:
        patch.setattr("thalweg.db.attempts._replace_checkpoint", breaks_off)  # after the transition
        with pytest.raises(RuntimeError, match="power"):
            stores.attempts.record(attempt, chunk, ended_by=Outcome.max_steps)
    with monkeypatch.context() as patch:
        patch.setattr("thalweg.db.idempotency.remember", breaks_off)
        with pytest.raises(RuntimeError, match="power"):
            stores.submit(job(), Key("k"))
    assert stores.n_rows() == before
    assert kinds(stores, job_id) == "created started"
    assert stores.jobs.get(job_id).status is Status.running


def test_a_job_that_is_not_understood_is_not_started(stores: Stores) -> None:
    job_id = stores.created(job())
    with stores.database.write() as connection:
        connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(spec='{"function": "of old"}'))
    with pytest.raises(NotUnderstood):
        stores.attempts.begin(job_id, 1)
    assert kinds(stores, job_id) == "created"


def test_a_request_that_is_refused_leaves_no_event(stores: Stores) -> None:
    job_id, _ = stores.submit(job(steps=20), Key("k"))[0].id, stores.finished(job())
    stores.finish(job_id)
    before = stores.n_rows()
    with pytest.raises(InvalidInput, match="new key"):
        stores.submit(job(steps=21), Key("k"))
    with pytest.raises(InvalidInput, match="new key"):
        stores.extend(job_id, 5, key=Key("k"))
    with pytest.raises(LimitExceeded, match="max_steps"):
        stores.extend(job_id, 11, Limits(max_steps=30))
    stores.submit(job(steps=20), Key("k"))
    assert stores.n_rows() == before


def test_deleting_a_job_deletes_its_events_and_no_seq_is_reused(stores: Stores) -> None:
    kept, deleted = stores.created(job()), stores.created(job())
    last = history(stores, deleted)[-1].seq
    stores.delete(deleted)
    assert stores.n_rows()["events"] == 1
    with pytest.raises(NotFound, match=deleted):
        stores.jobs.history(deleted, 10)
    assert history(stores, stores.created(job()))[0].seq > last
    assert kinds(stores, kept) == "created"


def test_a_history_is_read_page_by_page(stores: Stores) -> None:
    job_id, _ = stores.created(job()), stores.created(job())
    for _ in range(4):
        stores.begin(job_id)
        stores.attempts.requeue_orphans()
    whole = history(stores, job_id)
    assert len(whole) == 9
    paged: list[Event] = []
    while page := stores.jobs.history(job_id, 2, paged[-1].seq if paged else 0):
        assert len(page) <= 2
        paged += page
    assert paged == whole


def test_histories_and_new_events_are_read_by_an_index(stores: Stores) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM events" in statement:
            asked.append((statement, parameters))

    event.listen(stores.database.engine, "before_cursor_execute", note)
    stores.jobs.history(stores.created(job()), 10)
    stores.events.latest()
    stores.events.changes_after(0)
    assert len(asked) == 3
    with stores.database.read() as connection:
        for statement, parameters in asked.copy():
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not any("TEMP B-TREE" in step or step == "SCAN events" for step in plan), (statement, plan)


# any order of operations


class Life:
    """A job, and everything that can happen to it."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self.job_id = stores.created(job(steps=30, timeout_s=1000))
        self._attempts: list[Attempt] = []

    def start(self) -> None:
        generation = self._stores.jobs.get(self.job_id).generation
        if (attempt := self._stores.attempts.begin(self.job_id, generation)) is not None:
            self._attempts.append(attempt)

    def start_an_older_generation(self) -> None:
        assert self._stores.attempts.begin(self.job_id, 0) is None

    def work(self) -> None:
        self._write(3, None)

    def end(self) -> None:
        self._write(10**6, Outcome.max_steps)

    def time_out(self) -> None:
        for attempt in self._attempts:
            self._stores.attempts.time_out(attempt)

    def pass_the_deadline(self) -> None:
        self._stores.attempts.time_out_overdue(time.time() + LATER)

    def fail(self) -> None:
        for attempt in self._attempts:
            self._stores.attempts.fail(attempt, "reason")

    def restart(self) -> None:
        self._stores.attempts.requeue_orphans()

    def give_up(self) -> None:
        self._stores.attempts.put_back([self._queued()])

    def recall(self) -> None:
        self._stores.attempts.recall([self._queued()])

    def cancel(self) -> None:
        self._stores.cancel(self.job_id)

    def extend(self) -> None:
        try:
            self._stores.extend(self.job_id, 4)
        except Conflict:
            assert self.status not in {"succeeded", "cancelled"}

    @property
    def status(self) -> str:
        return str(self._stores.jobs.get(self.job_id).status)

    def _queued(self) -> QueuedJob:
        return QueuedJob(self.job_id, self._stores.jobs.get(self.job_id).generation)

    def _write(self, n_steps: int, ended_by: Outcome | None) -> None:
        for attempt in self._attempts:
            if not self._stores.attempts.is_latest(attempt):
                assert not self._stores.attempts.record(
                    attempt, EagerRun(attempt.spec).advance(1), ended_by=ended_by
                )
                continue
            run = EagerRun(attempt.spec, self._stores.attempts.checkpoint(attempt))
            if run.finished:
                self._stores.attempts.finish(attempt)
            else:
                chunk = run.advance(n_steps)
                self._stores.attempts.record(attempt, chunk, ended_by=ended_by or _end_of(run))


def _end_of(run: EagerRun) -> Outcome | None:
    return Outcome.max_steps if run.finished else None


OPERATIONS: list[Callable[[Life], None]] = [
    Life.start,
    Life.start_an_older_generation,
    Life.work,
    Life.end,
    Life.time_out,
    Life.pass_the_deadline,
    Life.fail,
    Life.restart,
    Life.give_up,
    Life.recall,
    Life.cancel,
    Life.extend,
]


@given(st.lists(st.sampled_from(OPERATIONS), max_size=12))
@settings(deadline=None, max_examples=40)
def test_every_transition_is_one_event_and_replaying_them_gives_the_status(
    lasting_stores: Stores, operations: list[Callable[[Life], None]]
) -> None:
    life = Life(lasting_stores)
    for operation in (*operations, Life.start, Life.work):
        before, was = lasting_stores.jobs.get(life.job_id), history(lasting_stores, life.job_id)
        operation(life)
        after, now = lasting_stores.jobs.get(life.job_id), history(lasting_stores, life.job_id)
        new = [each.kind for each in now[len(was) :]]
        assert now[: len(was)] == was
        if operation is Life.start and before.status is Status.running:
            assert new in (["lost", "started"], ["lost", "failed"])
        else:
            assert len(new) == (before.status is not after.status)
        assert LEADS_TO[now[-1].kind] == after.status
        assert len([each for each in now if each.kind == "started"]) == after.attempt
        assert (after.revision > before.revision) == bool(new or after.step > before.step)
        assert (after.finished_at is None) == (after.status in {"queued", "running"})
        assert (after.error is None) == (after.status != "failed")
