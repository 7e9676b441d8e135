"""A job as the service knows it, apart from any database."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from thalweg.analysis.gradient_check import GradientCheck
from thalweg.engine.outcome import Outcome, Results
from thalweg.jobs.status import Status, Transition
from thalweg.jobs.stored_spec import StoredSpec
from thalweg.spec.engine_choice import EngineName
from thalweg.spec.job import JobSpec

_BEFORE_START = {Status.cancelled: Outcome.cancelled, Status.succeeded: Outcome.timed_out}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """A job's specification and its state. Times are aware, in UTC. The defaults are those of a new job.

    The table `jobs` has a column for each field, and for each field of `spec`.

    Attributes:
        generation: How often the job was offered to the workers: once, and once more for each extension and each
            time that it was recalled from a worker before it started.
        attempt: How often a worker started it, over all generations. Only the latest attempt may write.
        n_lost: Attempts of this generation whose worker died.
        revision: Increases with every change that a client can see.
        n_diverged: How many runs of an ended job diverged; None for jobs that ended before this was counted.
        gradient_check: Present for formulas of clients.
    """

    id: str
    spec: StoredSpec
    engine: EngineName
    created_at: datetime
    queued_at: datetime
    status: Status = Status.queued
    generation: int = 1
    attempt: int = 0
    n_lost: int = 0
    revision: int = 1
    step: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline_at: datetime | None = None
    error: str | None = None
    n_diverged: int | None = None
    gradient_check: GradientCheck | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A transition of a job, as its history holds it.

    Attributes:
        seq: Increases from event to event, over all jobs.
        attempt: The job's latest attempt at that moment; 0 before the first.
        step: The step that was recorded by then.
        steps: The total number of steps that the job was to do; None if it was extended before histories were kept.
        reason: Why, where the transition alone does not tell.
    """

    seq: int
    at: datetime
    kind: Transition
    attempt: int
    step: int
    steps: int | None
    reason: str | None


class QueuedJob(NamedTuple):
    """A job that is offered to workers: it may be started as long as it is of this generation."""

    id: str
    generation: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """The right to run a job until another worker starts it. Every write of a worker names its attempt."""

    job_id: str
    spec: JobSpec
    engine: EngineName
    number: int
    deadline_at: datetime | None


def before_start(record: JobRecord) -> Results:
    """Return the results of a job for which nothing was recorded."""
    return Results.before_start(record.spec.starts()).ended(_BEFORE_START.get(record.status, Outcome.running))
