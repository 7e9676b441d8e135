"""Cancelling and extending jobs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.stores import (
    RAGGED,
    Stores,
    assert_same_results,
    assert_same_trajectories,
    expected,
    state,
)
from tests.unit.driving import drive, job
from thalweg.engine.outcome import Outcome
from thalweg.errors import Conflict, InvalidInput, LimitExceeded
from thalweg.jobs.status import Status
from thalweg.settings import Limits

# cancelling


def test_a_queued_job_is_cancelled_at_once(stores: Stores) -> None:
    job_id = stores.created(job(init=[[0, 0], [1, 1]]))
    record = stores.cancel(job_id)
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
    stores.cancel(job_id)
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
    stores.cancel(cancelled)
    for job_id in (done, cancelled):
        before = state(stores, job_id)
        stores.cancel(job_id)
        assert state(stores, job_id) == before


# extending


@pytest.mark.parametrize("optimizer", ["adam", {"name": "sgd", "momentum": 0.9}])
@pytest.mark.parametrize("record_every", [1, 7])
def test_a_then_b_is_stored_as_a_plus_b(stores: Stores, optimizer: Any, record_every: int) -> None:
    start = {"init": [[0, 0], [4, 0]], "optimizer": optimizer, "record_every": record_every}
    job_id = stores.finished(job(steps=17, **start), [4, 9])
    assert [t.steps[-1] for t in stores.read(job_id)] == [17, 17]
    record, _ = stores.extend(job_id, 16)
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
    lasting_stores.extend(job_id, b)
    lasting_stores.finish(job_id, cuts)
    assert_same_trajectories(lasting_stores.read(job_id), expected(spec))
    record, results = lasting_stores.jobs.get_with_results(job_id)
    assert record.status is Status.succeeded
    assert_same_results(results, drive(spec).results)


def test_an_extended_job_drops_its_last_entry_off_the_grid(stores: Stores) -> None:
    job_id = stores.finished(job(steps=17, record_every=5))
    stores.extend(job_id, 10)
    assert stores.read(job_id)[0].steps.tolist() == [0, 5, 10, 15]
    assert stores.jobs.get_with_results(job_id)[1].outcome.tolist() == [Outcome.running]


def test_a_cancelled_job_goes_on_from_where_it_was(stores: Stores) -> None:
    job_id = stores.created(job(steps=100))
    stores.work(stores.begin(job_id), [12])
    stores.cancel(job_id)
    assert stores.extend(job_id, 8)[0].spec.steps == 20
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=20)))


def test_a_job_that_was_cancelled_before_it_began_goes_on_from_its_start(stores: Stores) -> None:
    job_id = stores.created(job(steps=100))
    stores.cancel(job_id)
    assert stores.extend(job_id, 8)[0].spec.steps == 8
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=8)))


def test_a_timed_out_job_goes_on_from_where_it_was(stores: Stores) -> None:
    job_id = stores.created(job(steps=100, timeout_s=5, record_every=10))
    stores.work(stores.begin(job_id), [3, 9], ended_by=Outcome.timed_out)
    record, results = stores.jobs.get_with_results(job_id)
    assert (record.status, record.step) == (Status.succeeded, 12)
    assert results.outcome.tolist() == [Outcome.timed_out]
    assert stores.read(job_id)[0].steps.tolist() == [0, 10, 12]
    assert stores.extend(job_id, 13)[0].spec.steps == 25
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=25, record_every=10)))


def test_runs_that_have_all_ended_on_their_own_stay_as_they_are(stores: Stores) -> None:
    job_id = stores.finished(job(init=[[3, 2], [1e200, 0]], stop={"f": 1e-3}, steps=10))
    before = stores.read(job_id)
    assert stores.extend(job_id, 5)[0].spec.steps == 15
    stores.finish(job_id)
    record, results = stores.jobs.get_with_results(job_id)
    assert record.status is Status.succeeded
    assert results.outcome.tolist() == [Outcome.converged, Outcome.diverged]
    assert_same_trajectories(stores.read(job_id), before)


def test_an_unfinished_or_failed_job_is_not_extended(stores: Stores) -> None:
    job_id = stores.created(job())
    with pytest.raises(Conflict, match="queued"):
        stores.extend(job_id, 5)
    attempt = stores.begin(job_id)
    with pytest.raises(Conflict, match="running"):
        stores.extend(job_id, 5)
    stores.attempts.fail(attempt, "reason")
    with pytest.raises(Conflict, match="failed"):
        stores.extend(job_id, 5)


def test_an_extension_over_a_limit_is_refused_and_changes_nothing(stores: Stores) -> None:
    job_id = stores.finished(job(steps=20))
    before = state(stores, job_id)
    with pytest.raises(LimitExceeded, match="max_steps"):
        stores.extend(job_id, 11, Limits(max_steps=30))
    with pytest.raises(LimitExceeded, match="record_every"):
        stores.extend(job_id, 10, Limits(max_recorded_points=30))
    assert state(stores, job_id) == before
    limits = Limits(max_steps=30, max_recorded_points=31)
    assert stores.extend(job_id, 10, limits)[0].spec.steps == 30


def test_an_extension_beyond_the_scheduler_is_refused(stores: Stores) -> None:
    scheduler = {"name": "one_cycle_lr", "max_lr": 0.1, "total_steps": 20}
    job_id = stores.finished(job(steps=15, scheduler=scheduler))
    with pytest.raises(InvalidInput, match="20 steps"):
        stores.extend(job_id, 6)
    stores.extend(job_id, 5)
    stores.finish(job_id)
    assert_same_trajectories(stores.read(job_id), expected(job(steps=20, scheduler=scheduler)))
