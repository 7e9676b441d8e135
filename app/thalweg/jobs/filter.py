"""Which jobs a list holds."""

from dataclasses import dataclass

from thalweg.jobs.status import Status


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs a list holds: those that are all of what is given here."""

    status: Status | None = None
    function: str | None = None
    optimizer: str | None = None
    tag: str | None = None
