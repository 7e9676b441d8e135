"""What ten million recorded points cost, against writing the same bytes raw into the same kind of database."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
from sqlalchemy import func, insert, select

from benchmarks.timing import ratios, table
from tests.store.stores import Stores
from thalweg.db.attempts import AttemptStore
from thalweg.db.session import Database
from thalweg.db.tables import BLOCKS, METADATA
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Checkpoint, Chunk, Results
from thalweg.jobs.record import Attempt
from thalweg.spec.job import JobSpec

N_RUNS, N_STEPS = 500, 20_000
CHUNK_POINTS = 2_500_000
BLOB_BYTES = 1_000_000
ROUNDS = 5


class Storing:
    """A job, its points, and new databases to write them to.

    Args:
        spec: The job.
        folder: Where the databases are; each is written to once.
    """

    def __init__(self, spec: JobSpec, folder: Path) -> None:
        self._x, self._f = _points(spec)
        self._fresh = (_opened(folder / f"{number}.db") for number in count())
        self._prepared: list[tuple[Database, Attempt]] = []
        self._spec = spec
        self.raw_bytes = self._x.nbytes + self._f.nbytes
        self.stored_bytes = 0

    def prepare(self, n_databases: int) -> None:
        """Make databases, so that the time this takes is not counted."""
        for _ in range(n_databases):
            database = next(self._fresh)
            job_id = Stores(database).created(self._spec)
            attempt = AttemptStore(database).begin(job_id, 1)
            if attempt is None:
                raise AssertionError("a job that was just stored can be begun")
            self._prepared.append((database, attempt))

    def write_raw(self) -> None:
        """Write the points and the values as they are, a transaction for each chunk."""
        database, attempt = self._prepared.pop()
        number = count()
        for steps in self._cuts():
            pieces = [self._x[:, :, steps].tobytes(), self._f[:, steps].tobytes()]
            rows = [
                {
                    "job_id": attempt.job_id,
                    "first_run": next(number),
                    "last_run": 0,
                    "first_step": 0,
                    "last_step": 0,
                    "data": piece[i : i + BLOB_BYTES],
                }
                for piece in pieces
                for i in range(0, len(piece), BLOB_BYTES)
            ]
            with database.write() as connection:
                connection.execute(insert(BLOCKS), rows)
        database.dispose()

    def store(self) -> None:
        """Store the points, which are there already, as a worker does."""
        self._record(self._chunks())

    def compute_and_store(self) -> None:
        """Do what a worker does for the job."""
        self._record(_computed(self._spec))

    def _record(self, chunks: Iterator[Chunk]) -> None:
        database, attempt = self._prepared.pop()
        store = AttemptStore(database)
        for chunk in chunks:
            store.record(attempt, chunk)
        with database.read() as connection:
            self.stored_bytes = connection.scalar(select(func.sum(func.length(BLOCKS.c.data)))) or 0
        database.dispose()

    def _cuts(self) -> Iterator[slice]:
        n_runs, n_steps = self._f.shape
        width = max(1, CHUNK_POINTS // n_runs)
        return (slice(i, min(i + width, n_steps)) for i in range(0, n_steps, width))

    def _chunks(self) -> Iterator[Chunk]:
        runs = np.arange(len(self._f))
        results = Results.before_start(self._x[:, :, 0])
        for steps in self._cuts():
            n = steps.stop - steps.start
            yield Chunk(
                steps=np.arange(steps.start, steps.stop),
                runs=runs,
                # as an engine hands them out: contiguous for the steps of one coordinate
                x=np.ascontiguousarray(self._x[:, :, steps]).swapaxes(1, 2),
                f=np.ascontiguousarray(self._f[:, steps]),
                n_valid=np.full(len(runs), n),
                checkpoint=Checkpoint(steps.stop - 1, b"", results),
            )


def job(n_runs: int, n_steps: int, **fields: object) -> JobSpec:
    """Return an Adam job that is on its way all the time."""
    return JobSpec.model_validate(
        {
            "function": "himmelblau",
            "optimizer": "adam",
            "lr": 2e-4 * N_STEPS / n_steps,
            "init": {"random": n_runs},
            "steps": n_steps - 1,
            **fields,
        }
    )


def main() -> None:
    """Print times as multiples of raw writing's, and sizes as parts of the raw size."""
    for name, fields in (("smooth", {}), ("noisy gradients", {"gradient_noise": {"std": 1.0}})):
        for n_runs, n_steps in ((N_RUNS, N_STEPS), (1, N_RUNS * N_STEPS)):
            with tempfile.TemporaryDirectory() as folder:
                storing = Storing(job(n_runs, n_steps, **fields), Path(folder))
                ways: dict[str, Callable[[], None]] = {"written raw": storing.write_raw, "stored": storing.store}
                if not fields:  # drawing noise is a cost of its own
                    ways["computed and stored"] = storing.compute_and_store
                storing.prepare(len(ways) * ROUNDS)
                times = ratios(ways, ROUNDS)
            title = f"{name}, {n_runs} runs of {n_steps} points"
            table(f"{title}: time", times, "of raw writing")
            table(f"{title}: size", {"stored": storing.stored_bytes / storing.raw_bytes}, "of raw")


def _computed(spec: JobSpec) -> Iterator[Chunk]:
    run = FusedRun(spec)
    while not run.finished:
        yield run.advance(run.most_steps(3 * CHUNK_POINTS))


def _points(spec: JobSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return all points `(runs, dim, steps)` and values `(runs, steps)` of a job."""
    chunks = list(_computed(spec))
    return (
        np.concatenate([chunk.x.swapaxes(1, 2) for chunk in chunks], axis=2),
        np.concatenate([chunk.f for chunk in chunks], axis=1),
    )


def _opened(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    METADATA.create_all(database.engine)
    return database


if __name__ == "__main__":
    main()
