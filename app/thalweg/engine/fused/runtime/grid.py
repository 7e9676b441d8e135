"""Many jobs that differ in numbers of their optimizer, through one kernel."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.engine.fused.frontend.hyperparameters import hyperparameters
from thalweg.engine.fused.runtime.company import Company
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Checkpoint, Chunk, Record, Results
from thalweg.spec.job import JobSpec


@dataclass(frozen=True, slots=True)
class GridChunk:
    """A piece of the trajectories of many jobs.

    Attributes:
        records: The recorded entries of each job's running runs, as the job alone would give them.
        results: The results of each job.
        checkpoint: The state of all jobs together.
    """

    records: list[Record]
    results: list[Results]
    checkpoint: Checkpoint


class FusedGrid:
    """Jobs that `alike` puts together, in native code: each has the digits that it has alone.

    Args:
        specs: The jobs.
        checkpoint: The state to continue from; None starts at the beginning.
        kernels: The cache of compiled kernels; None for the one of this process.
        threads: How many threads share the runs; None for one per available processor.

    Raises:
        ValueError: The jobs cannot run together.
        Untraceable: They cannot be compiled.
    """

    def __init__(
        self,
        specs: Sequence[JobSpec],
        checkpoint: Checkpoint | None = None,
        kernels: Kernels | None = None,
        threads: int | None = None,
    ) -> None:
        if len(alike(specs)) != 1:
            raise ValueError("the jobs differ in more than starts and numbers of their optimizer")
        if specs[0].record is not None:
            raise ValueError("details of entries are recorded of single jobs")
        self._begins = np.cumsum([0, *(spec.n_runs for spec in specs)])
        self._run = FusedRun(specs[0], checkpoint, kernels, threads, company_of(specs))

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self._run.finished

    def advance(self, n_steps: int, keep_going: Callable[[], bool] = lambda: True) -> GridChunk:
        """Do up to `n_steps` further updates of all jobs; see `Run.advance`.

        Raises:
            Interrupted: `keep_going` returned False.
        """
        chunk = self._run.advance(n_steps, keep_going)
        order = np.argsort(chunk.runs, kind="stable")
        cuts = np.searchsorted(chunk.runs[order], self._begins)
        parts = list(zip(self._begins, self._begins[1:], cuts, cuts[1:], strict=False))
        results = chunk.checkpoint.results
        return GridChunk(
            records=[_part(chunk, order[low:high], int(begin)) for begin, _, low, high in parts],
            results=[results.part(slice(begin, end)) for begin, end, *_ in parts],
            checkpoint=chunk.checkpoint,
        )


def _part(chunk: Chunk, rows: np.ndarray, begin: int) -> Record:
    return Record(chunk.steps, chunk.runs[rows] - begin, chunk.x[rows], chunk.f[rows], chunk.n_valid[rows])


def alike(specs: Iterable[JobSpec]) -> list[list[int]]:
    """Return the places of jobs that can run together, in the order of the first of each."""
    found: dict[str, list[int]] = {}
    for place, spec in enumerate(specs):
        found.setdefault(_kind(spec), []).append(place)
    return list(found.values())


def _kind(spec: JobSpec) -> str:
    """Return all that jobs which run together have in common."""
    optimizer, scheduler = spec.optimizer, spec.scheduler
    arguments = dict(optimizer.arguments)
    for each in () if spec.wide else hyperparameters(optimizer, scheduler):
        if not (each.moved and scheduler is not None and not scheduler.per_run):
            each.put(arguments, (each.sign, each.unit, each.fraction))
    rest = spec.model_dump_json(
        exclude={"optimizer", "lr", "init", "label", "tags", "timeout_s", "engine"}, exclude_none=True
    )
    return repr((optimizer.identity, arguments, rest))


def company_of(specs: Sequence[JobSpec]) -> Company:
    """Return the runs of jobs that are `alike`, one job after the other."""
    counts = [spec.n_runs for spec in specs]
    first = specs[0]
    arguments = [spec.optimizer.arguments for spec in specs]
    numbers = {}
    for each in hyperparameters(first.optimizer, first.scheduler):
        values = np.array([each.of(given) for given in arguments])
        if (values != values[0]).any():
            numbers[each.label] = np.repeat(values, counts)
    starts = np.concatenate([spec.starts() for spec in specs])
    return Company(first, starts, np.concatenate([np.arange(n) for n in counts]), numbers)
