"""Reading recorded trajectories, a few runs at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from sqlalchemy import Table, select

from thalweg.cancellation import check_wanted
from thalweg.db.session import Database
from thalweg.db.tables import BLOCKS, LOSSES
from thalweg.engine.columns import unpack
from thalweg.engine.outcome import Results
from thalweg.jobs.record import JobRecord

_WINDOW_POINTS = 500_000
_OF_BLOCK: Final = frozenset({"steps", "runs", "n_valid", "x", "f"})
"""The columns of a block beside details."""


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The recorded entries of one run: the point before each update, the value there, and the details asked for."""

    run: int
    steps: np.ndarray  # (m,)
    x: np.ndarray  # (m, dim)
    f: np.ndarray  # (m,)
    details: Mapping[str, np.ndarray] = field(default_factory=dict)  # each (m, dim)

    def at(self, kept: np.ndarray) -> Self:
        """Return it with some of its entries, given by their places."""
        details = {name: values[kept] for name, values in self.details.items()}
        return type(self)(self.run, self.steps[kept], self.x[kept], self.f[kept], details)


@dataclass(frozen=True, slots=True)
class StepRange:
    """A range of steps, both ends included; None stands for the first or the last recorded step."""

    first: int | None = None
    last: int | None = None


class TrajectoryStore:
    """The trajectories of all jobs, in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, job: JobRecord, results: Results, runs: range, wanted: StepRange) -> Iterator[Trajectory]:
        """Yield the trajectories of `runs` in order, holding only a few runs in memory at a time.

        Args:
            job: The job.
            results: Its results as of the same moment: entries recorded since are left out.
            runs: The runs.
            wanted: The steps.
        """
        per_run = max(1, int(results.n_steps.max()) // job.spec.record_every)
        window = max(1, _WINDOW_POINTS // per_run)
        for start in range(runs.start, runs.stop, window):
            together = range(start, min(start + window, runs.stop))
            pieces = self._pieces(BLOCKS, job, results, together, wanted)
            for run in together:
                yield _joined(run, pieces[run], job, results, wanted)

    def losses(self, job: JobRecord, results: Results, run: int, wanted: StepRange) -> Trajectory:
        """Return the loss of a run at every step, for a job that trains a network.

        If the trajectory is sparser, the entries have no points: x is `(m, 0)`.

        Args:
            job: The job.
            results: Its results as of the same moment.
            run: The run.
            wanted: The steps.
        """
        if not job.spec.records_losses:
            (trajectory,) = self.read(job, results, range(run, run + 1), wanted)
            return trajectory
        pieces = self._pieces(LOSSES, job, results, range(run, run + 1), wanted)[run]
        return _concatenated(run, pieces, results, {})

    def _pieces(
        self,
        blocks: Table,
        job: JobRecord,
        results: Results,
        runs: range,
        wanted: StepRange,
    ) -> dict[int, list[Trajectory]]:
        last = min(_or(wanted.last, job.step), int(results.n_steps.max()))
        query = (
            select(blocks.c.data)
            .where(
                blocks.c.job_id == job.id,
                blocks.c.first_run < runs.stop,
                blocks.c.last_run >= runs.start,
                blocks.c.last_step >= _or(wanted.first, 0),
                blocks.c.first_step <= last,
            )
            .order_by(blocks.c.first_step)
        )
        pieces: dict[int, list[Trajectory]] = {run: [] for run in runs}
        with self._database.read() as connection:
            for data in connection.scalars(query.execution_options(yield_per=16)):
                check_wanted()
                columns = unpack(data)
                for row, run in enumerate(columns["runs"].tolist()):
                    if run in pieces:
                        pieces[run].append(_cut(run, row, columns, _or(wanted.first, 0), last))
        return pieces


def _cut(run: int, row: int, columns: dict[str, np.ndarray], first: int, last: int) -> Trajectory:
    steps = columns["steps"][: columns["n_valid"][row]]
    begin, end = np.searchsorted(steps, first), np.searchsorted(steps, last, side="right")
    return Trajectory(
        run=run,
        steps=steps[begin:end],
        x=columns["x"][row, :, begin:end].T,
        f=columns["f"][row, begin:end],
        details={name: values[row, :, begin:end].T for name, values in columns.items() if name not in _OF_BLOCK},
    )


def _joined(run: int, pieces: list[Trajectory], job: JobRecord, results: Results, wanted: StepRange) -> Trajectory:
    """Join the pieces of a run, and add its last entry if that is off the recorded grid."""
    end = int(results.n_steps[run])
    off_grid = end % job.spec.record_every > 0 and job.status.ended
    if off_grid and _or(wanted.first, 0) <= end <= _or(wanted.last, end):
        unknown = {name: np.full((1, n), np.nan, results.x.dtype) for name, n in job.spec.details.items()}
        pieces = [
            *pieces,
            Trajectory(run, np.array([end]), results.x[run : run + 1], results.f[run : run + 1], unknown),
        ]
    return _concatenated(run, pieces, results, job.spec.details)


def _concatenated(run: int, pieces: list[Trajectory], results: Results, details: Mapping[str, int]) -> Trajectory:
    if not pieces:
        nothing = {name: np.zeros((0, n), results.x.dtype) for name, n in details.items()}
        return Trajectory(run, np.zeros(0, np.int64), results.x[:0], results.f[:0], nothing)
    return Trajectory(
        run=run,
        steps=np.concatenate([piece.steps for piece in pieces]),
        x=np.concatenate([piece.x for piece in pieces]),
        f=np.concatenate([piece.f for piece in pieces]),
        details={name: np.concatenate([piece.details[name] for piece in pieces]) for name in details},
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
