"""Stores over a real SQLite file, driven as a worker drives them."""

from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from sqlalchemy import Row, func, select

from tests.serving import NoWorkers
from tests.unit.driving import assert_same, drive
from thalweg.db.attempts import AttemptStore
from thalweg.db.events import EventReader
from thalweg.db.session import Database
from thalweg.db.store import JobStore
from thalweg.db.tables import BLOCKS, CHECKPOINTS, JOBS, METADATA
from thalweg.db.trajectories import StepRange, Trajectory, TrajectoryStore
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.outcome import Outcome, Results
from thalweg.jobs.cancel import Cancel
from thalweg.jobs.delete import Delete
from thalweg.jobs.extend import Extend, Extension
from thalweg.jobs.idempotency import Key
from thalweg.jobs.record import Attempt, JobRecord
from thalweg.jobs.submit import Submit
from thalweg.settings import Limits
from thalweg.spec.job import JobSpec

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
    """All stores of one database, the use cases over them, and the work that a worker does with them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.jobs = JobStore(database)
        self.attempts = AttemptStore(database)
        self.trajectories = TrajectoryStore(database)
        self.events = EventReader(database, lambda: 0)
        dispatcher = NoWorkers()
        self._submit = Submit(self.jobs, LIMITS, dispatcher)
        self.cancel = Cancel(self.jobs, dispatcher)
        self.delete = Delete(self.jobs, dispatcher)

    def submit(self, spec: JobSpec, key: Key | None = None) -> tuple[JobRecord, bool]:
        return self._submit(self._submit.draft(spec), key=key)

    def extend(
        self, job_id: str, steps: int, limits: Limits = LIMITS, key: Key | None = None
    ) -> tuple[JobRecord, bool]:
        return Extend(self.jobs, limits, NoWorkers())(job_id, Extension(steps=steps), key=key)

    def begin(self, job_id: str) -> Attempt:
        attempt = self.attempts.begin(job_id, self.jobs.get(job_id).generation)
        assert attempt is not None
        return attempt

    def work(self, attempt: Attempt, cuts: Iterable[int], *, ended_by: Outcome | None = None) -> None:
        """Record chunks of `cuts` steps; with `ended_by`, the last of them ends the job."""
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
        return self.submit(spec)[0].id

    def finished(self, spec: JobSpec, cuts: Iterable[int] = ()) -> str:
        job_id = self.created(spec)
        self.finish(job_id, cuts)
        return job_id

    def read(self, job_id: str, first: int | None = None, last: int | None = None) -> list[Trajectory]:
        record, results = self.jobs.get_with_results(job_id)
        runs = range(record.spec.n_runs)
        return list(self.trajectories.read(record, results, runs, StepRange(first, last)))

    def n_rows(self) -> dict[str, int]:
        with self.database.read() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in METADATA.sorted_tables
            }

    def blocks(self, job_id: str) -> list[Row[Any]]:
        with self.database.read() as connection:
            chosen = select(BLOCKS).where(BLOCKS.c.job_id == job_id)
            return list(connection.execute(chosen.order_by(BLOCKS.c.first_run, BLOCKS.c.first_step)))


def opened(path: Path) -> Database:
    return Database(f"sqlite:///{path}")


def state(stores: Stores, job_id: str) -> tuple[Any, ...]:
    """Return all that is stored for a job, for comparison."""
    with stores.database.read() as connection:
        row = connection.execute(select(JOBS).where(JOBS.c.id == job_id)).one()
        saved = connection.execute(select(CHECKPOINTS).where(CHECKPOINTS.c.job_id == job_id)).one_or_none()
    events = stores.jobs.history(job_id, 1000)
    return row._asdict(), saved, events, [(block.first_step, block.data) for block in stores.blocks(job_id)]


def expected(spec: JobSpec) -> list[Trajectory]:
    """Return the trajectories that a job should have, taken from a run that records every step."""
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
