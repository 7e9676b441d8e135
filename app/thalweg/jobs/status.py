"""The states of a job, and the transitions between them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """Where a job is.

    created ──► queued ── started ──► running ──► succeeded, failed or cancelled
                 ▲  │                    │
                 │  └──► cancelled; failed if it cannot be run; succeeded if its time is up
                 ├── lost, requeued ─────┘
                 └── extended, from succeeded or cancelled
    """

    queued = "queued"  # stored, and waiting for a worker
    running = "running"  # a worker is running it
    succeeded = "succeeded"  # every run has an outcome; `diverged` and `timed_out` are outcomes
    failed = "failed"  # the service could not do its work; `error` says why
    cancelled = "cancelled"  # ended on request; what was recorded is kept

    @property
    def ended(self) -> bool:
        """Whether the job stays as it is until a client extends it."""
        return self in ENDED


ENDED = frozenset({Status.succeeded, Status.failed, Status.cancelled})
UNFINISHED = frozenset({Status.queued, Status.running})
EXTENDABLE = frozenset({Status.succeeded, Status.cancelled})


class Transition(StrEnum):
    """A change of a job's state. Each is one event in its history, under this name."""

    created = "created"
    started = "started"  # a worker took it up
    lost = "lost"  # its worker died
    requeued = "requeued"  # its service restarted, or its worker gave it up and lives
    succeeded = "succeeded"
    failed = "failed"
    cancelled = "cancelled"
    extended = "extended"

    @property
    def sources(self) -> frozenset[Status]:
        """The states that it may start from; none for `created`."""
        return _STATES[self][0]

    @property
    def target(self) -> Status:
        """The state that it leads to."""
        return _STATES[self][1]


_STATES: Mapping[Transition, tuple[frozenset[Status], Status]] = MappingProxyType(
    {
        Transition.created: (frozenset(), Status.queued),
        Transition.started: (frozenset({Status.queued}), Status.running),
        Transition.lost: (frozenset({Status.running}), Status.queued),
        Transition.requeued: (frozenset({Status.running}), Status.queued),
        Transition.succeeded: (UNFINISHED, Status.succeeded),
        Transition.failed: (UNFINISHED, Status.failed),
        Transition.cancelled: (UNFINISHED, Status.cancelled),
        Transition.extended: (EXTENDABLE, Status.queued),
    }
)
