"""Runs as JSON, of results that an older version stored."""

from datetime import UTC, datetime

import pytest

from tests.unit.driving import drive, job
from thalweg.api import wire
from thalweg.engine.outcome import UNCOUNTED, Results
from thalweg.jobs.record import JobRecord
from thalweg.jobs.status import Status
from thalweg.jobs.stored_spec import StoredSpec
from thalweg.spec.job import JobSpec


def record_of(spec: JobSpec) -> JobRecord:
    return JobRecord(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        spec=StoredSpec.of(spec),
        engine=spec.chosen_engine,
        status=Status.succeeded,
        attempt=1,
        step=spec.steps,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        queued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def of_older_version(results: Results) -> Results:
    since = {"n_evaluations", "raised", "sentences"}
    return Results.from_columns({name: column for name, column in results.columns().items() if name not in since})


@pytest.mark.parametrize(
    ("optimizer", "counted", "told"),
    # a step of lbfgs has 20 iterations by default, with an evaluation each
    [("adam", [4, 1], [4, 1]), ("lbfgs", [3 * 20 + 1, 1], [None, None])],
)
def test_uncounted_evaluations_are_inferred_for_single_evaluation_steps(
    optimizer: str, counted: list[int], told: list[int | None]
) -> None:
    spec = job(optimizer=optimizer, init=[[0, 0], [1e100, 0]], steps=3)
    results = drive(spec).results
    runs = wire.runs(record_of(spec), results, range(2))
    assert [run.raised for run in runs] == [None, None]
    old = of_older_version(results)
    assert old.n_evaluations.tolist() == [UNCOUNTED] * 2
    older = wire.runs(record_of(spec), old, range(2))
    assert [run.n_evaluations for run in runs] == counted
    assert [run.n_evaluations for run in older] == told
    for run, another in zip(older, runs, strict=True):
        assert run.model_copy(update={"n_evaluations": another.n_evaluations}) == another
