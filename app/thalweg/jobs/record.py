"""A job as the service knows it, apart from any database."""

from dataclasses import dataclass
from datetime import datetime

from thalweg.analysis.gradient_check import GradientCheck
from thalweg.jobs.status import Status
from thalweg.jobs.stored_spec import StoredSpec
from thalweg.spec.engine_choice import EngineName
from thalweg.spec.job import JobSpec


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job's specification and where it stands. Times are aware, UTC.

    `generation` counts how often the job was sent to the workers: once, and once
    more for each extension and for each time that it was called back from them before it had begun.
    `attempt` counts how often a worker took it up, over all generations; only the latest may write.
    `revision` changes with every change that a client can see. `n_diverged` counts the runs of an ended job that
    diverged, where that is known. `gradient_check` is there for formulas of clients.
    """

    id: str
    spec: StoredSpec
    engine: EngineName
    status: Status
    generation: int
    attempt: int
    revision: int
    step: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    n_diverged: int | None
    gradient_check: GradientCheck | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """The right to run a job, until somebody else takes it up: every write names it."""

    job_id: str
    spec: JobSpec
    engine: EngineName
    number: int
    deadline_at: datetime | None
