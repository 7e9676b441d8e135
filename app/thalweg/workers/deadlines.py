"""Keeping deadlines, whatever the workers do."""

import logging
import threading
import time
from collections.abc import Callable

from thalweg.db.attempts import AttemptStore
from thalweg.db.session import Database

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 0.3  # in which a worker may end the job itself, with the chunk that it is at


class Deadlines:
    """Ends jobs whose time is up, from a thread of the service that needs nothing but the database.

    Args:
        database: Where the jobs are.
        on_end: Called when jobs were ended: their workers are to be free.
    """

    def __init__(self, database: Database, on_end: Callable[[], None]) -> None:
        self._store = AttemptStore(database)
        self._on_end = on_end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)

    def start(self) -> None:
        """Keep deadlines from now on; those that passed while nobody did are kept at once."""
        self._thread.start()

    def stop(self) -> None:
        """Keep no more deadlines."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._store.time_out_overdue(time.time() - _GRACE_SECONDS):
                    self._on_end()
            except Exception as error:  # noqa: BLE001 the next look may succeed, and nobody else would look
                _log.error("deadlines could not be kept just now: %s", error)
            self._stopping.wait(_LOOK_SECONDS)
