"""The states of a job, and how it gets from one to another."""

from enum import StrEnum


class Status(StrEnum):
    """Where a job is.

    queued ──► running ──► succeeded
      ▲  │        │  └───► failed
      │  │        └──────► cancelled
      │  └───────────────► cancelled
      ├── running            its service was stopped or killed; it goes on from its checkpoint
      └── succeeded, cancelled            it was extended; it goes on from its checkpoint
    """

    queued = "queued"  # stored, and waits for a worker
    running = "running"  # a worker is at it
    succeeded = "succeeded"  # every run has an outcome, divergence and a time that was up included
    failed = "failed"  # the service could not do its work; `error` says why
    cancelled = "cancelled"  # ended on request; what was recorded is kept

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to the job unless somebody asks for it."""
        return self in ENDED


ENDED = frozenset({Status.succeeded, Status.failed, Status.cancelled})
EXTENDABLE = frozenset({Status.succeeded, Status.cancelled})
