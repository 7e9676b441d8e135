"""Cancelling a job."""

from thalweg.engine.outcome import Outcome
from thalweg.jobs.ports import Dispatcher, JobStore
from thalweg.jobs.record import JobRecord
from thalweg.jobs.status import Transition


class Cancel:
    """Ends a job at once, keeping what was recorded, and wakes the dispatcher to free its worker.

    The worker learns at its next write that it may not write any more.
    """

    def __init__(self, store: JobStore, dispatcher: Dispatcher) -> None:
        self._store = store
        self._dispatcher = dispatcher

    def __call__(self, job_id: str) -> JobRecord:
        """Cancel a job and return it; one that has ended stays as it is. Raises `NotFound`."""
        with self._store.writing() as jobs:
            record = jobs.get(job_id)
            if jobs.end(job_id, Transition.cancelled, Outcome.cancelled):
                record = jobs.get(job_id)
        self._dispatcher.wake()
        return record
