"""Submitting a job."""

from dataclasses import dataclass
from datetime import UTC, datetime

from uuid6 import uuid7

from thalweg.analysis import gradient_check
from thalweg.analysis.gradient_check import GradientCheck
from thalweg.jobs.idempotency import Key, digest
from thalweg.jobs.ports import Dispatcher, JobStore
from thalweg.jobs.record import JobRecord
from thalweg.jobs.stored_spec import StoredSpec
from thalweg.settings import Limits
from thalweg.spec.job import JobSpec
from thalweg.spec.limits import check_limits


@dataclass(slots=True)
class Draft:
    """A job within this service's limits that is not stored yet."""

    spec: JobSpec
    _check: GradientCheck | None = None

    @property
    def n_check_values(self) -> int:
        """About how many numbers the gradient check computes; 0 if the job needs none."""
        return gradient_check.n_check_values(self.spec)

    def check_gradient(self) -> GradientCheck | None:
        """Compare the gradient of a formula with central differences, once; None if the job needs no check."""
        if self._check is None:
            self._check = gradient_check.check_formula(self.spec)
        return self._check


class Submit:
    """Stores a job and wakes the dispatcher.

    In two steps, so that the caller chooses where a long gradient check runs:
    `draft` applies the limits, and calling this stores the draft, with its check made by then or made now.
    """

    def __init__(self, store: JobStore, limits: Limits, dispatcher: Dispatcher) -> None:
        self._store = store
        self._limits = limits
        self._dispatcher = dispatcher

    def draft(self, spec: JobSpec) -> Draft:
        """Return a draft of a job.

        Raises:
            LimitExceeded: The job is over a limit of this service.
        """
        check_limits(spec, self._limits)
        return Draft(spec)

    def __call__(self, draft: Draft, *, key: Key | None = None) -> tuple[JobRecord, bool]:
        """Store a job and return it with whether it is new: a known `key` gives the job that it led to before.

        Raises:
            InvalidInput: The key came with another request before.
        """
        record = _new(draft)
        asked = digest(record.spec.document)
        with self._store.writing() as jobs:
            if key is not None and (job_id := jobs.answered(key, asked)) is not None:
                return jobs.get(job_id), False
            jobs.add(record, draft.spec.tags)
            if key is not None:
                jobs.remember(key, asked, record.id)
        self._dispatcher.wake()
        return record, True


def _new(draft: Draft) -> JobRecord:
    now = datetime.now(UTC)
    return JobRecord(
        id=str(uuid7()),
        spec=StoredSpec.of(draft.spec),
        engine=draft.spec.chosen_engine,
        created_at=now,
        queued_at=now,
        gradient_check=draft.check_gradient(),
    )
