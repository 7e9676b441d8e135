"""What an engine hands out: chunks of trajectory, results so far, and the state to go on from."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final, Self

import numpy as np
import orjson

UNCOUNTED: Final = -1
"""The number of evaluations of a run that was begun by a version that did not count them."""


class Outcome(IntEnum):
    """How a run ended; its name is what clients see."""

    running = 0  # it has not ended
    max_steps = 1  # all its steps were done; an extension takes it further
    converged = 2  # a condition of `stop` held
    diverged = 3  # its point or its value was not finite any more, or torch raised
    timed_out = 4  # the job's time was up
    cancelled = 5  # the job was cancelled


@dataclass(frozen=True, slots=True)
class Results:
    """Where each run of a job is, as columns with one row for each run.

    The floating-point columns are of the job's dtype. Of a run that is `diverged` because a number was not finite,
    `x` and `f` are the last entry of its trajectory, which holds that number, and `finite_x` and `finite_f` the
    entry before; of others the two are equal. Where the optimizer or the schedule raised, the last entry is the
    one that they could not move on from; where the function raised, its value there is NaN.
    """

    n_steps: np.ndarray  # (n,) updates done
    n_evaluations: np.ndarray  # (n,) times that f and its gradient were computed, or UNCOUNTED
    raised: np.ndarray  # (n,) what ended the run: its place in `sentences`, from 1; 0 for nothing
    sentences: list[str]  # sorted, so that equal results are equal however they came about
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
        """Return the results that `columns` holds, which may be of a version that counted and kept less."""
        n = len(columns["n_steps"])
        since = {"n_evaluations": np.full(n, UNCOUNTED), "raised": np.zeros(n, np.int32)}
        known = {**since, **columns}
        sentences = orjson.loads(columns["sentences"].tobytes()) if "sentences" in columns else []
        return cls(sentences=sentences, **{name: known[name] for name in _COLUMNS})

    def columns(self) -> dict[str, np.ndarray]:
        """Return everything as arrays by name."""
        sentences = np.frombuffer(orjson.dumps(self.sentences), np.uint8)
        return {**{name: getattr(self, name) for name in _COLUMNS}, "sentences": sentences}

    def copy(self) -> Self:
        """Return results that share no memory with these."""
        columns = {name: getattr(self, name).copy() for name in _COLUMNS}
        return type(self)(sentences=list(self.sentences), **columns)

    @property
    def n_diverged(self) -> int:
        """How many of the runs have diverged."""
        return int((self.outcome == Outcome.diverged).sum())

    def sentence(self, run: int) -> str | None:
        """Return what was raised and ended a run; None where nothing was."""
        place = int(self.raised[run])
        return self.sentences[place - 1] if place else None

    def end_raised(self, runs: np.ndarray, sentence: str) -> None:
        """Note that `runs` have ended with an exception."""
        place = bisect_left(self.sentences, sentence)
        if sentence not in self.sentences:
            self.sentences.insert(place, sentence)
            self.raised[self.raised > place] += 1
        self.outcome[runs] = Outcome.diverged
        self.raised[runs] = place + 1

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


_COLUMNS: Final = tuple(field.name for field in fields(Results) if field.name != "sentences")


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
