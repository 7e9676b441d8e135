"""The errors that Thalweg raises on purpose.

    ThalwegError
    ├── InvalidInput        a value that was sent cannot be used
    │   └── LimitExceeded   it could be, but is over a limit of this service
    ├── NotFound            there is no such thing
    ├── Conflict            the thing is in a state that does not allow this
    │   └── NotUnderstood   it was stored by a version whose rules were others
    ├── Unavailable         the service cannot do its work at present
    │   ├── DiskFull        because there is no room to write
    │   └── Abandoned       nobody waits for the result any more
    └── SettingsError       the service cannot be started as it is configured

Which HTTP status each becomes is decided in `thalweg.api.problems` alone.
"""


class ThalwegError(Exception):
    """What was wrong, where, and what to do about it, in a sentence for the person who gets it."""


class InvalidInput(ThalwegError, ValueError):
    """A value cannot be used.

    It is a `ValueError` so that pydantic collects it, raised inside a validator, with all other complaints.

    Args:
        detail: The sentence: what is wrong and what would be right.
        path: Keys and indices that lead to the value, from where the error is raised.
        column: Where in the value, a text, from 1; None where there is no such place.
    """

    def __init__(self, detail: str, *path: str | int, column: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path
        self.column = column


class LimitExceeded(InvalidInput):
    """A value is over a limit; the detail names the limit and the way out."""


class NotFound(ThalwegError):
    """There is no such job, function or other resource."""


class Conflict(ThalwegError):
    """The resource is in a state that does not allow what was asked."""


class NotUnderstood(Conflict):
    """What is stored can be shown, but this version does not know what to do with it."""


class Unavailable(ThalwegError):
    """The service cannot answer now; trying again later may help.

    Args:
        detail: Why, and what to do.
        retry_seconds: After how long trying again makes sense.
    """

    def __init__(self, detail: str, retry_seconds: int = 1) -> None:
        super().__init__(detail)
        self.retry_seconds = retry_seconds


class Abandoned(Unavailable):
    """The computation was ended, because nobody waits for its result any more."""


class DiskFull(Unavailable):
    """There is no room on the disk for what was to be written; nothing of it is stored."""


class SettingsError(ThalwegError):
    """The service cannot be started with these settings."""
