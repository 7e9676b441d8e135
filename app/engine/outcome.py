"""What an engine hands out: chunks of trajectory, results so far, and the state to go on from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np


class Outcome(IntEnum):
    """How a run ended; its name is what clients see."""

    running = 0  # it has not ended
    max_steps = 1  # all its steps were done; an extension takes it further
    converged = 2  # a condition of `stop` held
    diverged = 3  # its point or its value was not finite any more
    timed_out = 4  # the job's time was up
    cancelled = 5  # the job was cancelled


@dataclass(frozen=True, slots=True)
class Results:
    """Where each run of a job is, as columns with one row for each run.

    The floating-point columns are of the job's dtype. Of a run that is `diverged`, `x` and `f` are the last
    entry of its trajectory, at least one number of which is not finite, and `finite_x` and `finite_f` the
    entry before; of others the two are equal.
    """

    n_steps: np.ndarray  # (n,) updates done
    outcome: np.ndarray  # (n,) values of Outcome
    x: np.ndarray  # (n, dim)
    f: np.ndarray  # (n,)
    grad_norm: np.ndarray  # (n,) Euclidean norm of the gradient at x
    finite_x: np.ndarray  # (n, dim)
    finite_f: np.ndarray  # (n,)
    best_step: np.ndarray  # (n,) the first entry with the lowest value
    best_x: np.ndarray  # (n, dim)
    best_f: np.ndarray  # (n,)

    @classmethod
    def before_start(cls, starts: np.ndarray) -> Self:
        """Return the results of runs that were not looked at yet; `starts` is `(n, dim)`."""
        n, dtype = len(starts), starts.dtype
        unknown = np.full(n, np.nan, dtype)
        return cls(
            n_steps=np.zeros(n, np.int64),
            outcome=np.zeros(n, np.uint8),
            x=starts.copy(),
            f=unknown.copy(),
            grad_norm=unknown.copy(),
            finite_x=starts.copy(),
            finite_f=unknown.copy(),
            best_step=np.zeros(n, np.int64),
            best_x=starts.copy(),
            best_f=np.full(n, np.inf, dtype),
        )

    @classmethod
    def from_columns(cls, columns: Mapping[str, np.ndarray]) -> Self:
        """Return the results that `columns` holds."""
        return cls(**{field.name: columns[field.name] for field in fields(cls)})

    def columns(self) -> dict[str, np.ndarray]:
        """Return the columns by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def copy(self) -> Self:
        """Return results that share no memory with these."""
        return type(self)(**{name: column.copy() for name, column in self.columns().items()})

    def ended(self, outcome: Outcome) -> Self:
        """Return results in which the runs that still went on have ended with `outcome`."""
        ended = self.copy()
        ended.outcome[ended.outcome == Outcome.running] = outcome
        return ended

    def resumed(self) -> Self:
        """Return results in which the runs that something from outside had ended go on."""
        resumed = self.copy()
        resumed.outcome[~np.isin(self.outcome, (Outcome.converged, Outcome.diverged))] = Outcome.running
        return resumed


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything that is needed to go on after `step` updates as if nothing had happened."""

    step: int
    state: bytes
    results: Results


@dataclass(frozen=True, slots=True)
class Record:
    """Recorded entries of some runs.

    Of run `runs[i]`, the first `n_valid[i]` of the entries exist; it may have ended among them.
    """

    steps: np.ndarray  # (m,)
    runs: np.ndarray  # (r,)
    x: np.ndarray  # (r, m, dim)
    f: np.ndarray  # (r, m)
    n_valid: np.ndarray  # (r,)


@dataclass(frozen=True, slots=True)
class Chunk(Record):
    """A piece of trajectory: the recorded entries of the runs that went on, and where that leads.

    Attributes:
        checkpoint: Where it leads.
        losses: The values at every step, without points, `(r, m, 0)`, where these are recorded beside the
            trajectory, which is sparser.
    """

    checkpoint: Checkpoint
    losses: Record | None = None
