"""What an engine returns: chunks of trajectory, the results so far, and checkpoints."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Final, Self

import numpy as np
import orjson

UNCOUNTED: Final = -1
"""Number of evaluations of a run that a version without this count began."""


class Outcome(IntEnum):
    """How a run ended. Clients see the name."""

    running = 0  # not ended
    max_steps = 1  # all steps were done; an extension continues it
    converged = 2  # a condition of `stop` was met
    diverged = 3  # point or value became infinite or NaN, or torch raised
    timed_out = 4  # the job reached its deadline
    cancelled = 5  # the job was cancelled


@dataclass(frozen=True, slots=True)
class Results:
    """The state of each run of a job, as columns with one row per run.

    Floating-point columns have the job's dtype. `x` and `f` are the last entry of a run's trajectory, `finite_x`
    and `finite_f` its last finite entry. The two differ only for a run that `diverged` because a number was not
    finite: there the last entry holds that number. Where the optimizer or the scheduler raised, the last entry is
    the one it could not move on from; where the function raised, the value of the last entry is NaN.
    """

    n_steps: np.ndarray  # (n,) updates done
    n_evaluations: np.ndarray  # (n,) evaluations of f and its gradient, or UNCOUNTED
    raised: np.ndarray  # (n,) the exception that ended the run: its place in `sentences`, from 1; 0 for none
    sentences: list[str]  # sorted, so that equal results compare equal however they came about
    outcome: np.ndarray  # (n,) values of Outcome
    x: np.ndarray  # (n, dim)
    f: np.ndarray  # (n,)
    grad_norm: np.ndarray  # (n,) Euclidean norm of the gradient at x
    finite_x: np.ndarray  # (n, dim)
    finite_f: np.ndarray  # (n,)
    best_step: np.ndarray  # (n,) step of the first entry with the lowest value
    best_x: np.ndarray  # (n, dim)
    best_f: np.ndarray  # (n,)

    @classmethod
    def before_start(cls, starts: np.ndarray) -> Self:
        """Return the results of runs before their first evaluation; `starts` is `(n, dim)`."""
        n, dtype = len(starts), starts.dtype
        unknown = np.full(n, np.nan, dtype)
        return cls(
            n_steps=np.zeros(n, np.int64),
            n_evaluations=np.zeros(n, np.int64),
            raised=np.zeros(n, np.int32),
            sentences=[],
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
        """Return the results stored in `columns`; an older version may have stored fewer of them."""
        n = len(columns["n_steps"])
        since = {"n_evaluations": np.full(n, UNCOUNTED), "raised": np.zeros(n, np.int32)}
        known = {**since, **columns}
        sentences = orjson.loads(columns["sentences"].tobytes()) if "sentences" in columns else []
        return cls(sentences=sentences, **{name: known[name] for name in _COLUMNS})

    def columns(self) -> dict[str, np.ndarray]:
        """Return all columns as arrays by name."""
        sentences = np.frombuffer(orjson.dumps(self.sentences), np.uint8)
        return {**{name: getattr(self, name) for name in _COLUMNS}, "sentences": sentences}

    def copy(self) -> Self:
        """Return a copy that shares no memory."""
        columns = {name: getattr(self, name).copy() for name in _COLUMNS}
        return type(self)(sentences=list(self.sentences), **columns)

    @property
    def n_diverged(self) -> int:
        """How many of the runs have diverged."""
        return int((self.outcome == Outcome.diverged).sum())

    def sentence(self, run: int) -> str | None:
        """Return the message of the exception that ended a run; None if none did."""
        place = int(self.raised[run])
        return self.sentences[place - 1] if place else None

    def end_raised(self, runs: np.ndarray, sentence: str) -> None:
        """End `runs` with an exception."""
        place = bisect_left(self.sentences, sentence)
        if sentence not in self.sentences:
            self.sentences.insert(place, sentence)
            self.raised[self.raised > place] += 1
        self.outcome[runs] = Outcome.diverged
        self.raised[runs] = place + 1

    def part(self, rows: slice) -> Self:
        """Return the results of some of the runs."""
        columns = {name: getattr(self, name)[rows].copy() for name in _COLUMNS}
        places = np.unique(columns["raised"][columns["raised"] > 0])
        columns["raised"] = (np.searchsorted(places, columns["raised"]) + (columns["raised"] > 0)).astype(np.int32)
        return type(self)(sentences=[self.sentences[place - 1] for place in places], **columns)

    def ended(self, outcome: Outcome) -> Self:
        """Return results in which all running runs have ended with `outcome`."""
        ended = self.copy()
        ended.outcome[ended.outcome == Outcome.running] = outcome
        return ended

    def resumed(self) -> Self:
        """Return results in which runs that were ended from outside are running again."""
        resumed = self.copy()
        resumed.outcome[~np.isin(self.outcome, (Outcome.converged, Outcome.diverged))] = Outcome.running
        return resumed


_COLUMNS: Final = tuple(each.name for each in fields(Results) if each.name != "sentences")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything needed to continue after `step` updates with unchanged digits."""

    step: int
    state: bytes
    results: Results


@dataclass(frozen=True, slots=True)
class Record:
    """Recorded entries of some runs. Run `runs[i]` has the first `n_valid[i]` of them: it may have ended early.

    `details` holds what was asked for beside points and values, see `JobSpec.details`.
    """

    steps: np.ndarray  # (m,)
    runs: np.ndarray  # (r,)
    x: np.ndarray  # (r, m, dim)
    f: np.ndarray  # (r, m)
    n_valid: np.ndarray  # (r,)
    details: Mapping[str, np.ndarray] = field(default_factory=dict, kw_only=True)  # each (r, m, dim)


@dataclass(frozen=True, slots=True)
class Chunk(Record):
    """A piece of trajectory: the recorded entries of the running runs, and the checkpoint behind them.

    Attributes:
        checkpoint: The state after the last entry.
        losses: Values at every step, without points (x is `(r, m, 0)`), for jobs that record these beside a sparser
            trajectory; else None.
    """

    checkpoint: Checkpoint
    losses: Record | None = None
