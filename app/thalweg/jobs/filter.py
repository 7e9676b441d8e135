"""Selecting jobs for a list."""

from dataclasses import dataclass

from thalweg.jobs.status import Status


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Selects the jobs that match every field given here."""

    status: Status | None = None
    function: str | None = None
    optimizer: str | None = None
    tag: str | None = None
