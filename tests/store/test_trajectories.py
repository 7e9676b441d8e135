"""Trajectories: what is read is what the engine gave, however it was cut into blocks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.stores import RAGGED, Stores, assert_same_trajectories, expected
from tests.unit.driving import assert_same, drive, job
from thalweg.db.trajectories import StepRange, Trajectory
from thalweg.engine.columns import unpack
from thalweg.engine.outcome import Outcome


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
        monkeypatch.setattr("thalweg.db.trajectories._WINDOW_POINTS", window_points)
        for runs in (range(1), range(2, 5), range(5, 6), range(6)):
            found = list(stores.trajectories.read(record, results, runs, StepRange()))
            assert_same_trajectories(found, [wanted[run] for run in runs])


def test_later_entries_are_left_out(stores: Stores) -> None:
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
