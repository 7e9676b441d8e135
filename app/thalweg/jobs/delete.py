"""Deleting a job."""

from thalweg.jobs.ports import Dispatcher, JobStore


class Delete:
    """Deletes a job with all that was recorded for it, and wakes the dispatcher to free its worker."""

    def __init__(self, store: JobStore, dispatcher: Dispatcher) -> None:
        self._store = store
        self._dispatcher = dispatcher

    def __call__(self, job_id: str) -> None:
        """Delete a job, also while it is running. Raises `NotFound`."""
        self._store.delete(job_id)
        self._dispatcher.wake()
