"""What the use cases need of a database and of the workers. `thalweg.db` and `thalweg.workers` provide it."""

from contextlib import AbstractContextManager
from typing import Protocol

from thalweg.engine.outcome import Outcome, Results
from thalweg.jobs.filter import JobFilter
from thalweg.jobs.idempotency import Key
from thalweg.jobs.record import JobRecord
from thalweg.jobs.status import Transition
from thalweg.jobs.stored_spec import StoredSpec


class JobWriter(Protocol):
    """One transaction over jobs: no one else writes while it is open, and either all or none of it is stored."""

    def get(self, job_id: str) -> JobRecord:
        """Return a job. Raises `NotFound`."""

    def results(self, job_id: str) -> Results | None:
        """Return the results that were recorded last, as they were then; None if there are none."""

    def add(self, record: JobRecord, tags: tuple[str, ...]) -> None:
        """Store a new job."""

    def end(self, job_id: str, kind: Transition, outcome: Outcome) -> bool:
        """End an unfinished job, and its unfinished runs with `outcome`. Return False if it had ended before."""

    def extend(self, job_id: str, spec: StoredSpec) -> None:
        """Queue an ended job again, with this specification."""

    def answered(self, key: Key, digest: str) -> str | None:
        """Return the id of the job that the request of this key led to; None if the key is new.

        Raises:
            InvalidInput: The key came with a request of another digest.
        """

    def remember(self, key: Key, digest: str, job_id: str) -> None:
        """Store that the request of this key led to this job."""


class JobStore(Protocol):
    """All jobs."""

    def find(self, chosen: JobFilter, limit: int) -> list[JobRecord]:
        """Return up to `limit` jobs, newest first."""

    def writing(self) -> AbstractContextManager[JobWriter]:
        """Open a transaction, which is committed when the block ends. Raises `Unavailable`."""

    def delete(self, job_id: str) -> None:
        """Delete a job and all that was recorded for it. Raises `NotFound`."""


class Dispatcher(Protocol):
    """Hands queued jobs to workers."""

    def start(self) -> None:
        """Start handing out jobs, in the background."""

    def stop(self) -> None:
        """Stop handing out jobs; those that are running go on when the service is started again."""

    def wake(self) -> None:
        """Look at the queue soon. Returns at once, and never fails."""

    def n_workers(self) -> int:
        """Return how many workers are ready, without waiting.

        Raises:
            Unavailable: No jobs are handed out at present, with the reason.
        """
