"""Telling a slow worker from one that has stopped."""

from collections.abc import Mapping

_MOST_BETWEEN_LOOKS = 1.0  # seconds


class Silence:
    """Measures for how long each worker has sent no heartbeat.

    A worker sends heartbeats from a thread of its own, also while a job is in native code. Only time in which this
    process listened counts: while it was suspended, or the machine slept, it could receive none.
    """

    def __init__(self) -> None:
        self._heard_at: dict[str, float] = {}
        self._seconds: dict[str, float] = {}
        self._looked_at = float("inf")

    def look(self, heard_at: Mapping[str, float], now: float) -> dict[str, float]:
        """Return for how many seconds each worker has been silent.

        Args:
            heard_at: When the last heartbeat of each worker came, by any clock.
            now: The time, by a monotonic clock.
        """
        passed = min(max(0.0, now - self._looked_at), _MOST_BETWEEN_LOOKS)
        self._seconds = {
            worker: self._seconds[worker] + passed if self._heard_at.get(worker) == at else 0.0
            for worker, at in heard_at.items()
        }
        self._heard_at, self._looked_at = dict(heard_at), now
        return dict(self._seconds)
