"""Jobs in the store: submitted, listed, deleted; and idempotency keys."""

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from math import comb
from typing import Any

import pytest
from sqlalchemy import event

from tests.store.stores import NO_JOB, Stores
from tests.unit.driving import assert_same, job
from thalweg.engine.outcome import Outcome
from thalweg.errors import InvalidInput, NotFound
from thalweg.jobs.filter import JobFilter
from thalweg.jobs.idempotency import Key
from thalweg.jobs.status import Status

# jobs


def test_a_created_job_is_queued_and_found_again(stores: Stores) -> None:
    spec = job(label="first", tags=["a", "b"])
    record, is_new = stores.submit(spec)
    assert is_new
    assert record == stores.jobs.get(record.id)
    assert record.spec.parsed() == spec
    assert (record.status, record.generation, record.attempt, record.step) == (Status.queued, 1, 0, 0)
    assert (record.started_at, record.finished_at, record.error) == (None, None, None)
    assert record.created_at.utcoffset() is not None
    assert stores.jobs.revision(record.id) == (record.revision, Status.queued, 0)
    again, results = stores.jobs.get_with_results(record.id)
    assert again == record
    assert_same(results.x, spec.starts())
    assert results.outcome.tolist() == [Outcome.running]


@pytest.mark.parametrize("ask", ["get", "revision", "get_with_results"])
def test_a_job_that_does_not_exist_is_not_found(stores: Stores, ask: str) -> None:
    with pytest.raises(NotFound, match=NO_JOB):
        getattr(stores.jobs, ask)(NO_JOB)


def test_a_job_that_does_not_exist_is_not_cancelled_extended_or_deleted(stores: Stores) -> None:
    for change in (stores.cancel, stores.delete, lambda job_id: stores.extend(job_id, 5)):
        with pytest.raises(NotFound, match=NO_JOB):
            change(NO_JOB)
    with pytest.raises(NotFound, match=NO_JOB):
        stores.jobs.history(NO_JOB, 10)


def test_jobs_are_found_newest_first_and_page_by_page(stores: Stores) -> None:
    ids = [stores.created(job(label=str(i))) for i in range(7)]
    assert [record.id for record in stores.jobs.find(JobFilter(), 100)] == ids[::-1]
    paged: list[str] = []
    while page := stores.jobs.find(JobFilter(), 3, paged[-1] if paged else None):
        assert len(page) <= 3
        paged += [record.id for record in page]
    assert paged == ids[::-1]


def test_filters_can_be_combined(stores: Stores) -> None:
    made = {
        "a": stores.created(job(tags=["x", "y"])),
        "b": stores.created(job(optimizer="sgd", tags=["x"])),
        "c": stores.created(job(function="booth", tags=["xy"])),
        "d": stores.created(job(function="booth", optimizer="sgd", tags=["x", "y"])),
    }
    stores.cancel(made["a"])

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
    job_id = stores.submit(job(tags=["a", "b"]), key=Key("key"))[0].id
    other = stores.finished(job(tags=["a"]))
    stores.finish(job_id, [10])
    before = stores.n_rows()
    assert before["blocks"] == 3
    stores.delete(job_id)
    left = {"jobs": 1, "tags": 1, "checkpoints": 1, "blocks": 1, "losses": 0, "idempotency_keys": 0, "events": 3}
    assert stores.n_rows() == left
    stores.delete(other)
    assert set(stores.n_rows().values()) == {0}
    with pytest.raises(NotFound):
        stores.delete(job_id)


def test_a_ping_succeeds_if_the_tables_exist(stores: Stores) -> None:
    stores.jobs.ping()


# idempotency keys


def test_a_repeated_key_returns_the_first_job(stores: Stores) -> None:
    first, is_new = stores.submit(job(lr=0.001), key=Key("k"))
    again, is_new_again = stores.submit(job(), key=Key("k"))  # the same once normalised
    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert stores.submit(job(), key=Key("other"))[0].id != first.id
    assert stores.submit(job())[0].id != first.id
    assert stores.n_rows()["jobs"] == 3


def test_a_repeated_key_returns_the_job_as_it_is_now(stores: Stores) -> None:
    first, _ = stores.submit(job(), key=Key("k"))
    stores.cancel(first.id)
    assert stores.submit(job(), key=Key("k"))[0].status is Status.cancelled


def test_a_key_with_another_job_is_refused_and_stores_nothing(stores: Stores) -> None:
    first, _ = stores.submit(job(), key=Key("k"))
    with pytest.raises(InvalidInput, match="new key") as complaint:
        stores.submit(job(steps=101), key=Key("k"))
    assert complaint.value.path == ("key",)
    assert stores.n_rows()["jobs"] == 1
    assert stores.submit(job(), key=Key("k"))[0].id == first.id


def test_a_key_expires(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1e9
    monkeypatch.setattr("thalweg.db.idempotency.time.time", lambda: now)
    first, _ = stores.submit(job(), key=Key("k", 100))
    now += 99
    assert stores.submit(job(), key=Key("k", 100))[0].id == first.id
    now += 2
    second, is_new = stores.submit(job(steps=101), key=Key("k", 100))
    assert is_new
    assert second.id != first.id
    assert stores.n_rows()["idempotency_keys"] == 1


def test_the_key_of_a_deleted_job_is_free(stores: Stores) -> None:
    first, _ = stores.submit(job(), key=Key("k"))
    stores.delete(first.id)
    assert stores.submit(job(steps=7), key=Key("k"))[1]


def test_one_key_sent_many_times_at_once_gives_one_job(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: stores.submit(job(), key=Key("k")), range(40)))
    assert len({record.id for record, _ in made}) == 1
    assert sum(is_new for _, is_new in made) == 1


@pytest.mark.parametrize("before", [None, NO_JOB])
@pytest.mark.parametrize("n_filters", [0, 1, 2, 3, 4])
def test_a_list_reads_only_the_jobs_it_shows(stores: Stores, n_filters: int, before: str | None) -> None:
    """The plan of every query: an index has a filter's jobs newest first, so nothing is sorted or scanned."""
    values = {"status": Status.queued, "function": "booth", "optimizer": "sgd", "tag": "x"}
    statements: list[tuple[str, Any]] = []
    event.listen(
        stores.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, _context, _many: statements.append(
            (statement, parameters)
        ),
    )
    for names in combinations(values, n_filters):
        stores.jobs.find(JobFilter(**{name: values[name] for name in names}), 10, before)  # type: ignore[arg-type]
    listed = [(statement, parameters) for statement, parameters in statements if "FROM jobs" in statement]
    assert len(listed) == comb(len(values), n_filters)
    with stores.database.read() as connection:
        for statement, parameters in listed:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            steps = [step.detail for step in plan]
            assert not any("TEMP B-TREE" in step for step in steps), steps
            if n_filters:
                assert all(step.startswith(("SEARCH", "CORRELATED")) for step in steps), steps
