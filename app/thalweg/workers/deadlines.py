"""Enforcing deadlines, whatever the workers do."""

import logging
import threading
import time
from collections.abc import Callable

from thalweg.db.attempts import AttemptStore
from thalweg.db.session import Database

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 0.3  # for the worker to end the job itself, with its current chunk


class Deadlines:
    """Ends jobs whose time is up, in a thread that depends on nothing but the database.

    Args:
        database: The jobs.
        on_end: Called after jobs were ended, whose workers are to be freed.
    """

    def __init__(self, database: Database, on_end: Callable[[], None]) -> None:
        self._store = AttemptStore(database)
        self._on_end = on_end
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)

    def start(self) -> None:
        """Enforce deadlines from now on; those that passed before are enforced at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop enforcing deadlines."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._store.time_out_overdue(time.time() - _GRACE_SECONDS):
                    self._on_end()
            except Exception as error:  # noqa: BLE001 the next try may succeed, and nothing else would try
                _log.error("deadlines could not be enforced just now: %s", error)
            self._stopping.wait(_LOOK_SECONDS)
