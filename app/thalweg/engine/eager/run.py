"""A run on the reference engine: torch's own loop, chunk by chunk."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch

from thalweg.engine.details import PREVIOUS, details
from thalweg.engine.eager.loop import TorchLoop
from thalweg.engine.outcome import UNCOUNTED, Checkpoint, Chunk, Outcome, Record, Results
from thalweg.engine.raised import Raised
from thalweg.engine.run import Interrupted
from thalweg.optimizers.state import state_vectors
from thalweg.spec.job import JobSpec


@dataclass(slots=True)
class _Entries:
    """All entries of a chunk, recorded or not, for the rows of one or more loops.

    A row whose update raised has no entries from there on: they are NaN, and the first of them holds the number of
    evaluations with which the run ends.
    """

    x: np.ndarray  # (m, rows, dim)
    f: np.ndarray  # (m, rows)
    grad_norm: np.ndarray  # (m, rows)
    n_evaluations: np.ndarray  # (m, rows)
    n_done: np.ndarray  # (rows,) how many entries exist
    sentences: dict[tuple[int, int], str]  # message raised, by (entry or first missing entry, row)
    found: dict[str, np.ndarray]  # what details are made of, each (m, rows, dim)

    @classmethod
    def beside(cls, parts: list[Self]) -> Self:
        first_rows = np.cumsum([0, *(part.f.shape[1] for part in parts)]).tolist()
        return cls(
            x=np.concatenate([part.x for part in parts], axis=1),
            f=np.concatenate([part.f for part in parts], axis=1),
            grad_norm=np.concatenate([part.grad_norm for part in parts], axis=1),
            n_evaluations=np.concatenate([part.n_evaluations for part in parts], axis=1),
            n_done=np.concatenate([part.n_done for part in parts]),
            sentences={
                (entry, first_row + row): sentence
                for part, first_row in zip(parts, first_rows, strict=False)
                for (entry, row), sentence in part.sentences.items()
            },
            found={name: np.concatenate([part.found[name] for part in parts], axis=1) for name in parts[0].found},
        )


class EagerRun:
    """A `Run` in torch's own loop.

    Args:
        spec: The job.
        checkpoint: The state to continue from; None starts at the beginning.
    """

    def __init__(self, spec: JobSpec, checkpoint: Checkpoint | None = None) -> None:
        self._spec = spec
        if checkpoint is None:
            starts = spec.starts()
            self._results = Results.before_start(starts)
            self.step = 0
            self._first_entry = 0
            self._loops = self._started(torch.from_numpy(starts))
        else:
            self._results = checkpoint.results.resumed()
            self.step = checkpoint.step
            self._first_entry = checkpoint.step + 1
            saved = torch.load(io.BytesIO(checkpoint.state), weights_only=True)
            self._loops = [self._resumed(part) for part in saved]

    @property
    def first_steps(self) -> int:
        """One step: a single evaluation can take long."""
        return 1

    def most_steps(self, n_values: int) -> int:
        """Return the largest chunk, in steps and at least 1, that holds at most `n_values` numbers."""
        return max(1, n_values // (max(1, self.n_active) * (self._spec.entry_values + self._spec.dim + 2)))

    @property
    def n_active(self) -> int:
        """How many runs have not ended."""
        return sum(len(loop.runs) for loop in self._loops)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do: all steps are done, or every run has ended."""
        return self.step >= self._spec.steps or not self._loops

    def advance(self, n_steps: int, keep_going: Callable[[], bool] = lambda: True) -> Chunk:
        """Do up to `n_steps` further updates and return their entries; see `Run.advance`.

        Raises:
            Interrupted: `keep_going` returned False; it is called before every evaluation.
        """
        last = min(self.step + n_steps, self._spec.steps)
        runs = np.concatenate([loop.runs for loop in self._loops])
        parts = []
        for loop in self._loops:
            if not keep_going():
                raise Interrupted
            parts.append(self._advance(loop, last, keep_going))
        entries = _Entries.beside(parts)
        first, self.step, self._first_entry = self._first_entry, last, last + 1

        ended, n_entries = self._judge(entries, runs, first)
        steps = np.arange(first, last + 1)
        recorded = steps % self._spec.record_every == 0
        self._keep(runs, ended)
        x = np.ascontiguousarray(entries.x[recorded].transpose(1, 0, 2))
        found = {name: values[recorded].transpose(1, 0, 2) for name, values in entries.found.items()}
        return Chunk(
            steps=steps[recorded],
            runs=runs,
            x=x,
            f=np.ascontiguousarray(entries.f[recorded].T),
            n_valid=np.array([np.count_nonzero(recorded[:n]) for n in n_entries]),
            checkpoint=self._checkpoint(),
            losses=Record(steps, runs, entries.x.transpose(1, 0, 2)[..., :0], entries.f.T.copy(), n_entries)
            if self._spec.records_losses
            else None,
            details=details(self._spec, steps[recorded], x, found),
        )

    def _started(self, x: torch.Tensor) -> list[TorchLoop]:
        spec, runs = self._spec, np.arange(len(x))
        if spec.coupled:
            return [TorchLoop(spec, runs[i : i + 1], x[i].clone()) for i in runs]
        return [TorchLoop(spec, runs, x)]

    def _resumed(self, saved: dict[str, Any]) -> TorchLoop:
        runs = saved["runs"].numpy()
        return TorchLoop(self._spec, runs, saved["x"], saved, int(self._results.n_evaluations[runs[0]]))

    def _advance(self, loop: TorchLoop, last: int, keep_going: Callable[[], bool]) -> _Entries:
        first, rows = self._first_entry, len(loop.runs)
        n_entries, dtype = last + 1 - first, loop.entry.x.dtype
        x = torch.full((n_entries, rows, self._spec.dim), torch.nan, dtype=dtype)
        f = torch.full((n_entries, rows), torch.nan, dtype=dtype)
        gradient = torch.full_like(x, torch.nan)
        found = {name: torch.full_like(x, torch.nan) for name in self._found_names}
        n_evaluations = np.zeros((n_entries, rows), np.int64)
        n_done = n_entries
        sentences: dict[tuple[int, int], str] = {}
        alone = loop.entry.f.ndim == 0
        for index, entry in enumerate(range(first, last + 1)):
            if found:
                found[PREVIOUS][index] = loop.entry.x
            if entry > 0:
                try:
                    loop.advance(entry - 1, keep_going)
                except Raised as error:
                    n_evaluations[index] = loop.n_evaluations
                    n_done = index
                    sentences |= {(index, row): str(error) for row in range(rows)}
                    break
            x[index] = loop.entry.x
            f[index] = loop.entry.f
            gradient[index] = loop.entry.gradient
            n_evaluations[index] = loop.n_evaluations
            if found:
                for name, values in loop.vectors().items():
                    found[f"state.{name}"][index] = values
            sentences |= {(index, row): sentence for row, sentence in loop.entry.raised.items()}
            if alone and not torch.isfinite(loop.entry.f):
                break
        return _Entries(
            x=x.numpy(),
            f=f.numpy(),
            grad_norm=torch.linalg.vector_norm(gradient, dim=-1).numpy(),
            n_evaluations=n_evaluations,
            n_done=np.full(rows, n_done),
            sentences=sentences,
            found={
                name: values.numpy()
                for name, values in {**found, **({"gradient": gradient} if found else {})}.items()
            },
        )

    @property
    def _found_names(self) -> list[str]:
        """What details are made of, apart from the gradient; nothing if there are none."""
        return (
            [PREVIOUS, *(f"state.{name}" for name in state_vectors(self._spec.optimizer))]
            if self._spec.details
            else []
        )

    def _judge(self, entries: _Entries, runs: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
        """Update the results; return the mask of rows that have ended and the number of entries of each row."""
        diverged = ~(np.isfinite(entries.f) & np.isfinite(entries.x).all(axis=-1))
        converged = np.zeros_like(diverged)
        if (stop := self._spec.stop) is not None:
            if stop.f is not None:
                converged |= entries.f <= stop.f
            if stop.grad_norm is not None:
                converged |= entries.grad_norm <= stop.grad_norm
        stopped = diverged | converged
        ended = stopped.any(axis=0)
        end = np.where(ended, stopped.argmax(axis=0), len(stopped) - 1)
        row = np.arange(len(runs))
        # an update that raised leaves its run at the entry before it, possibly the last one of the previous chunk
        last = end - (end == entries.n_done)

        now = self._results
        now.n_steps[runs] = first + last
        counted = now.n_evaluations[runs] != UNCOUNTED
        now.n_evaluations[runs[counted]] = entries.n_evaluations[end, row][counted]
        now.outcome[runs[ended]] = np.where(diverged[end, row], Outcome.diverged, Outcome.converged)[ended]
        now.outcome[runs[~ended]] = Outcome.running if self.step < self._spec.steps else Outcome.max_steps
        for (index, k), sentence in entries.sentences.items():
            if end[k] == index:
                now.end_raised(runs[k : k + 1], sentence)
        self._note_last(entries, runs, last, back=diverged[end, row] & (last == end) & (first + last > 0))
        self._note_best(entries, runs, first, last)
        return ended, last + 1

    def _note_last(self, entries: _Entries, runs: np.ndarray, last: np.ndarray, back: np.ndarray) -> None:
        """Store each run's last entry and its last finite one, which is the entry before where `back` holds."""
        now, row = self._results, np.arange(len(runs))
        before_x, before_f = now.x[runs], now.f[runs]
        here = last >= 0
        now.x[runs[here]], now.f[runs[here]] = entries.x[last, row][here], entries.f[last, row][here]
        now.grad_norm[runs[here]] = entries.grad_norm[last, row][here]
        inside = back & (last > 0)
        finite_x, finite_f = now.x[runs], now.f[runs]
        finite_x[back], finite_f[back] = before_x[back], before_f[back]
        finite_x[inside] = entries.x[last[inside] - 1, row[inside]]
        finite_f[inside] = entries.f[last[inside] - 1, row[inside]]
        now.finite_x[runs], now.finite_f[runs] = finite_x, finite_f

    def _note_best(self, entries: _Entries, runs: np.ndarray, first: int, last: np.ndarray) -> None:
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
        for loop in self._loops:
            rows = np.array([i for i, run in enumerate(loop.runs) if run not in gone], dtype=np.int64)
            if len(rows) == len(loop.runs):
                kept.append(loop)
            elif len(rows):
                loop.keep(rows)
                kept.append(loop)
        self._loops = kept

    def _checkpoint(self) -> Checkpoint:
        saved: list[dict[str, Any]] = [loop.state(self.step) for loop in self._loops]
        buffer = io.BytesIO()
        torch.save(saved, buffer)
        return Checkpoint(self.step, buffer.getvalue(), self._results.copy())
