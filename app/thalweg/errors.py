"""The errors that Thalweg raises.

    ThalwegError
    ├── InvalidInput        a value in the request is invalid
    │   └── LimitExceeded   it is valid, but over a limit of this service
    ├── NotFound            no such resource
    ├── Conflict            the resource's state does not allow this
    │   └── NotUnderstood   it was stored by a version with other rules
    ├── Unavailable         the service cannot answer at the moment
    │   ├── DiskFull        no space left to write
    │   └── Abandoned       the client no longer waits for the result
    └── SettingsError       the service cannot start with this configuration

`thalweg.api.problems` maps them to HTTP statuses.
"""

from copy import copy
from enum import StrEnum
from typing import Self


class Remedy(StrEnum):
    """Where to look, or what to ask instead; the API says it by naming a request."""

    functions = "functions"  # the list of functions
    optimizers = "optimizers"
    schedulers = "schedulers"
    jobs = "jobs"
    evaluation = "evaluation"  # the values of a function at points


class ThalwegError(Exception):
    """Base of all. The message says what was wrong, where, and what to do about it."""

    remedy: Remedy | None = None


class InvalidInput(ThalwegError, ValueError):
    """A value is invalid.

    It is a `ValueError` so that pydantic collects it together with its own errors when a validator raises it.

    Args:
        detail: What is wrong, and what would be right.
        path: Keys and indices leading to the value, relative to where the error is raised.
        column: Position in the value if that is a text, from 1; else None.
        remedy: What helps, beyond what the message says.
    """

    def __init__(
        self, detail: str, *path: str | int, column: int | None = None, remedy: Remedy | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path
        self.column = column
        self.remedy = remedy

    def at(self, *path: str | int) -> Self:
        """Return the same complaint about the value at another path."""
        moved = copy(self)
        moved.path = path
        return moved


class LimitExceeded(InvalidInput):
    """A value is over a limit; the detail names the limit and a way to stay within it."""


class NotFound(ThalwegError):
    """No such job, function or other resource.

    Args:
        detail: What was not found.
        remedy: Where to look for what exists.
    """

    def __init__(self, detail: str, remedy: Remedy | None = None) -> None:
        super().__init__(detail)
        self.remedy = remedy


class Conflict(ThalwegError):
    """The resource's state does not allow the operation."""


class NotUnderstood(Conflict):
    """A stored specification can be shown, but this version cannot interpret it."""


class Unavailable(ThalwegError):
    """The service cannot answer now; retrying later may help.

    Args:
        detail: Why, and what to do.
        retry_seconds: Seconds to wait before retrying.
    """

    def __init__(self, detail: str, retry_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_seconds = retry_seconds


class Abandoned(Unavailable):
    """The computation was aborted because the client no longer waits for its result."""


class DiskFull(Unavailable):
    """The disk is full; nothing was written."""


class SettingsError(ThalwegError):
    """The service cannot start with this configuration."""
