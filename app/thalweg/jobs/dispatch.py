"""The port to whoever runs the jobs."""

from typing import Protocol


class Dispatcher(Protocol):
    """Runs what the database says is queued."""

    def start(self) -> None:
        """Start handing out jobs, in the background."""

    def stop(self) -> None:
        """Stop handing out jobs; those that run go on when the service is started again."""

    def wake(self) -> None:
        """Look at the queue soon: there may be something new. Returns at once, and never fails."""

    def n_workers(self) -> int:
        """Return how many workers are ready, at once.

        Raises:
            Unavailable: Nobody hands jobs out at present; the reason is said.
        """
