"""What storing ten million recorded points costs, against writing the same bytes raw into the same database."""

import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
from sqlalchemy import func, insert, select

from app.db.attempts import AttemptStore
from app.db.models import Base, Block
from app.db.session import Database
from app.db.store import JobStore
from app.engine.eager import EagerRun
from app.engine.outcome import Checkpoint, Chunk, Results
from app.engine.spec import JobSpec
from app.jobs.record import Attempt
from benchmarks.timing import ratios, table

N_RUNS, N_STEPS = 500, 20_000
CHUNK_POINTS = 2_500_000
BLOB_BYTES = 1_000_000
ROUNDS = 5


class Storing:
    """A job's chunks, and new databases to write them to.

    Args:
        x: All points, `(runs, dim, steps)`.
        f: The values there, `(runs, steps)`.
        folder: Where the databases are; each is written to once.
    """

    def __init__(self, x: np.ndarray, f: np.ndarray, folder: Path) -> None:
        self._x, self._f = x, f
        self._fresh = (_opened(folder / f"{f.shape[0]}-{number}.db") for number in count())
        self._prepared: list[tuple[Database, Attempt]] = []
        self._spec = JobSpec.model_validate(
            {"function": "himmelblau", "optimizer": "adam", "init": x[:, :, 0].tolist(), "steps": f.shape[1]}
        )
        self.stored_bytes = 0

    def prepare(self, n_databases: int) -> None:
        """Make databases, so that the time this takes is not counted."""
        for _ in range(n_databases):
            database = next(self._fresh)
            job_id = JobStore(database).create(self._spec)[0].id
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
            with database.write() as session:
                session.execute(insert(Block), rows)
        database.dispose()

    def store(self) -> None:
        """Store the chunks as a worker does."""
        database, attempt = self._prepared.pop()
        store = AttemptStore(database)
        for chunk in self._chunks():
            store.record(attempt, chunk)
        with database.read() as session:
            self.stored_bytes = session.scalar(select(func.sum(func.length(Block.data)))) or 0
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


def paths(noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Return an Adam job's points `(runs, dim, steps)`, on their way all the time, and values `(runs, steps)`."""
    spec = JobSpec.model_validate(
        {
            "function": "himmelblau",
            "optimizer": "adam",
            "lr": 2e-4,
            "init": {"random": N_RUNS},
            "steps": N_STEPS - 1,
            **({"gradient_noise": {"std": noise}} if noise else {}),
        }
    )
    run = EagerRun(spec)
    chunks = []
    while not run.finished:
        chunks.append(run.advance(2000))
    return (
        np.concatenate([chunk.x.swapaxes(1, 2) for chunk in chunks], axis=2),
        np.concatenate([chunk.f for chunk in chunks], axis=1),
    )


def main() -> None:
    """Print times as multiples of raw writing's, and sizes as parts of the raw size."""
    for name, noise in (("smooth", 0.0), ("noisy gradients", 1.0)):
        x, f = paths(noise)
        one = np.ascontiguousarray(x.swapaxes(0, 1)).reshape(1, 2, -1), f.reshape(1, -1)
        for shape in ((x, f), one):
            title = f"{name}, {shape[1].shape[0]} runs of {shape[1].shape[1]} points"
            with tempfile.TemporaryDirectory() as folder:
                storing = Storing(*shape, Path(folder))
                storing.prepare(2 * ROUNDS)
                times = ratios({"written raw": storing.write_raw, "stored": storing.store}, ROUNDS)
            table(f"{title}: time", times, "of raw writing")
            raw = shape[0].nbytes + shape[1].nbytes
            table(f"{title}: size", {"stored": storing.stored_bytes / raw}, "of raw")


def _opened(path: Path) -> Database:
    database = Database(f"sqlite:///{path}")
    Base.metadata.create_all(database.engine)
    return database


if __name__ == "__main__":
    main()
