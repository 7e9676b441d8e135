"""The reference engine: torch's own loop, in chunks, for all the runs of a job."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import torch

from app.engine.descent import Descent, Interrupted
from app.engine.outcome import Checkpoint, Chunk, Outcome, Record, Results
from app.engine.spec import JobSpec


@dataclass(slots=True)
class _Entries:
    """All entries of a chunk, recorded or not, of the rows of one or more descents."""

    x: np.ndarray  # (m, rows, dim)
    f: np.ndarray  # (m, rows)
    grad_norm: np.ndarray  # (m, rows)

    @classmethod
    def beside(cls, parts: list[Self]) -> Self:
        return cls(
            x=np.concatenate([part.x for part in parts], axis=1),
            f=np.concatenate([part.f for part in parts], axis=1),
            grad_norm=np.concatenate([part.grad_norm for part in parts], axis=1),
        )


class EagerRun:
    """A job under way. It knows no clock and no store: whoever drives it asks for chunks, and may stop.

    What it finds does not depend on how the steps are cut into chunks. Runs end on their own when they
    converge or diverge; the rest go on.

    Args:
        spec: The job.
        checkpoint: Where to go on from; None starts anew.
    """

    first_steps: Final = 1

    def __init__(self, spec: JobSpec, checkpoint: Checkpoint | None = None) -> None:
        self._spec = spec
        if checkpoint is None:
            starts = spec.starts()
            self._results = Results.before_start(starts)
            self.step = 0
            self._first_entry = 0
            self._descents = self._start(torch.from_numpy(starts))
        else:
            self._results = checkpoint.results.resumed()
            self.step = checkpoint.step
            self._first_entry = checkpoint.step + 1
            saved = torch.load(io.BytesIO(checkpoint.state), weights_only=True)
            self._descents = [Descent(spec, part["runs"].numpy(), part["x"], part) for part in saved]

    def most_steps(self, n_values: int) -> int:
        """Return how many steps a chunk may have, at least 1, that is to hold `n_values` numbers at most."""
        return max(1, n_values // (max(1, self.n_active) * (2 * self._spec.dim + 2)))

    @property
    def n_active(self) -> int:
        """How many runs still go on."""
        return sum(len(descent.runs) for descent in self._descents)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: all steps are done, or all runs have ended."""
        return self.step >= self._spec.steps or not self._descents

    def advance(self, n_steps: int, keep_going: Callable[[], bool] = lambda: True) -> Chunk:
        """Do up to `n_steps` further updates, at least 1, and return what they brought.

        The first chunk holds the entry of the start, too.

        Raises:
            Interrupted: `keep_going`, which is asked before every evaluation, said no. The chunk is lost.
        """
        last = min(self.step + n_steps, self._spec.steps)
        runs = np.concatenate([descent.runs for descent in self._descents])
        parts = []
        for descent in self._descents:
            if not keep_going():
                raise Interrupted
            parts.append(self._advance(descent, last, keep_going))
        entries = _Entries.beside(parts)
        first, self.step, self._first_entry = self._first_entry, last, last + 1

        ended, n_entries = self._look(entries, runs, first)
        steps = np.arange(first, last + 1)
        recorded = steps % self._spec.record_every == 0
        self._keep(runs, ended)
        return Chunk(
            steps=steps[recorded],
            runs=runs,
            x=np.ascontiguousarray(entries.x[recorded].transpose(1, 0, 2)),
            f=np.ascontiguousarray(entries.f[recorded].T),
            n_valid=np.array([np.count_nonzero(recorded[:n]) for n in n_entries]),
            checkpoint=self._checkpoint(),
            losses=Record(steps, runs, entries.x.transpose(1, 0, 2)[..., :0], entries.f.T.copy(), n_entries)
            if self._spec.records_losses
            else None,
        )

    def _start(self, x: torch.Tensor) -> list[Descent]:
        spec, runs = self._spec, np.arange(len(x))
        coupled = not spec.optimizer.rowwise or (spec.scheduler is not None and spec.scheduler.per_run)
        if coupled:
            return [Descent(spec, runs[i : i + 1], x[i].clone(), None) for i in runs]
        return [Descent(spec, runs, x, None)]

    def _advance(self, descent: Descent, last: int, keep_going: Callable[[], bool]) -> _Entries:
        first, rows = self._first_entry, len(descent.runs)
        dtype = descent.entry.x.dtype
        x = torch.full((last + 1 - first, rows, self._spec.dim), torch.nan, dtype=dtype)
        f = torch.full((last + 1 - first, rows), torch.nan, dtype=dtype)
        gradient = torch.full_like(x, torch.nan)
        alone = descent.entry.f.ndim == 0
        for entry in range(first, last + 1):
            if entry > 0:
                descent.advance(entry - 1, keep_going)
            x[entry - first] = descent.entry.x
            f[entry - first] = descent.entry.f
            gradient[entry - first] = descent.entry.gradient
            if alone and not torch.isfinite(descent.entry.f):
                break
        return _Entries(x.numpy(), f.numpy(), torch.linalg.vector_norm(gradient, dim=-1).numpy())

    def _look(self, entries: _Entries, runs: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
        """Bring the results up to date; return which rows have ended, and how many entries each has."""
        diverged = ~(np.isfinite(entries.f) & np.isfinite(entries.x).all(axis=-1))
        converged = np.zeros_like(diverged)
        if (stop := self._spec.stop) is not None:
            if stop.f is not None:
                converged |= entries.f <= stop.f
            if stop.grad_norm is not None:
                converged |= entries.grad_norm <= stop.grad_norm
        stopped = diverged | converged
        ended = stopped.any(axis=0)
        last = np.where(ended, stopped.argmax(axis=0), len(stopped) - 1)
        row = np.arange(len(runs))

        now = self._results
        now.n_steps[runs] = first + last
        now.outcome[runs[ended]] = np.where(diverged[last, row], Outcome.diverged, Outcome.converged)[ended]
        now.outcome[runs[~ended]] = Outcome.running if self.step < self._spec.steps else Outcome.max_steps
        before_x, before_f = now.x[runs], now.f[runs]
        now.x[runs], now.f[runs] = entries.x[last, row], entries.f[last, row]
        now.grad_norm[runs] = entries.grad_norm[last, row]
        # the entry before the last may be the last one of the chunk before
        back = diverged[last, row] & (first + last > 0)
        inside = back & (last > 0)
        finite_x, finite_f = now.x[runs], now.f[runs]
        finite_x[back], finite_f[back] = before_x[back], before_f[back]
        finite_x[inside] = entries.x[last[inside] - 1, row[inside]]
        finite_f[inside] = entries.f[last[inside] - 1, row[inside]]
        now.finite_x[runs], now.finite_f[runs] = finite_x, finite_f
        self._look_for_best(entries, runs, first, last)
        return ended, last + 1

    def _look_for_best(self, entries: _Entries, runs: np.ndarray, first: int, last: np.ndarray) -> None:
        row = np.arange(len(runs))
        exists = np.arange(len(entries.f))[:, None] <= last
        f = np.where(exists & np.isfinite(entries.f), entries.f, np.inf)
        lowest = f.argmin(axis=0)
        better = f[lowest, row] < self._results.best_f[runs]
        where, runs, row = lowest[better], runs[better], row[better]
        self._results.best_step[runs] = first + where
        self._results.best_x[runs] = entries.x[where, row]
        self._results.best_f[runs] = entries.f[where, row]

    def _keep(self, runs: np.ndarray, ended: np.ndarray) -> None:
        if not ended.any():
            return
        gone = set(runs[ended].tolist())
        kept = []
        for descent in self._descents:
            rows = np.array([i for i, run in enumerate(descent.runs) if run not in gone], dtype=np.int64)
            if len(rows) == len(descent.runs):
                kept.append(descent)
            elif len(rows):
                descent.keep(rows)
                kept.append(descent)
        self._descents = kept

    def _checkpoint(self) -> Checkpoint:
        saved: list[dict[str, Any]] = [descent.state(self.step) for descent in self._descents]
        buffer = io.BytesIO()
        torch.save(saved, buffer)
        return Checkpoint(self.step, buffer.getvalue(), self._results.copy())
