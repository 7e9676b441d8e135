"""Telling those who wait for jobs what becomes of them: one look serves all."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from thalweg.jobs.status import Status

_LEAST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.005
_PAUSE_SHARE = 0.05  # of the time since anything was committed
_LOOKING_SHARE = 0.4  # of its time, at most; the rest it sleeps


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job is. `revision` changes with everything that a client can see."""

    revision: int
    status: Status
    step: int
    steps: int


class Look(Protocol):
    """Looks at jobs, from one thread."""

    def version(self) -> int:
        """Return a number that is another one after anybody has committed anything; cheap to ask."""

    def standings(self, job_ids: Iterable[str]) -> Mapping[str, Standing]:
        """Return where these jobs are, without those that are gone."""


class Source(Protocol):
    """What the watcher looks at."""

    def looking(self) -> AbstractContextManager[Look]:
        """Give a look, for as long as somebody waits. It raises `Unavailable` if there is nothing to be seen."""


class Watcher:
    """Tells within milliseconds where jobs have got to, whoever took them there.

    One thread looks for all who wait, and only while somebody does. It asks the source whether anything was
    committed, which is next to nothing, and for the jobs only if something was.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._waiting: dict[str, list[_Wait]] = {}
        self._has_new = False
        self._looks = False

    def when(self, job_id: str, wanted: Callable[[Standing], bool]) -> Future[Standing | None]:
        """Return the job's standing as soon as it is one that is `wanted`; None once the job is gone.

        Standings that are over before anybody has looked are not seen. Whoever does not want it any more cancels
        the future. It raises `Unavailable` if the source cannot say.
        """
        wait = _Wait(wanted, Future())
        with self._lock:
            self._waiting.setdefault(job_id, []).append(wait)
            self._has_new = True
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._look, name="watcher", daemon=True).start()
        return wait.future

    def end_of(self, job_id: str) -> Future[Standing | None]:
        """Return the job's standing once it has ended; None once it is gone."""
        return self.when(job_id, lambda standing: standing.status.ended)

    def change_of(self, job_id: str, known: Standing | None) -> Future[Standing | None]:
        """Return the job's standing once it is another one than `known`; None once it is gone."""
        return self.when(job_id, lambda standing: known is None or standing.revision != known.revision)

    def _look(self) -> None:
        try:
            self._look_while_awaited()
        except Exception as error:  # noqa: BLE001 whoever waits must hear of it, whatever it is
            with self._lock:
                waiting, self._waiting, self._looks = self._waiting, {}, False
            for wait in (wait for waits in waiting.values() for wait in waits):
                if wait.future.set_running_or_notify_cancel():
                    wait.future.set_exception(error)

    def _look_while_awaited(self) -> None:
        known, changed_at = None, time.monotonic()
        with self._source.looking() as look:
            while True:
                begun = time.monotonic()
                with self._lock:
                    self._forget_cancelled()
                    if not self._waiting:
                        self._looks = False
                        return
                    job_ids, has_new, self._has_new = list(self._waiting), self._has_new, False
                if (version := look.version()) != known or has_new:
                    known, changed_at = version, begun
                    self._tell(job_ids, look.standings(job_ids))
                now = time.monotonic()
                pause = min(max(_LEAST_PAUSE_SECONDS, _PAUSE_SHARE * (now - changed_at)), _LONGEST_PAUSE_SECONDS)
                time.sleep(max(pause, (now - begun) / _LOOKING_SHARE))

    def _tell(self, job_ids: list[str], standings: Mapping[str, Standing]) -> None:
        told = []
        with self._lock:
            for job_id in job_ids:
                standing = standings.get(job_id)
                left = []
                for wait in self._waiting.pop(job_id, []):
                    if standing is None or wait.wanted(standing):
                        told.append((wait.future, standing))
                    else:
                        left.append(wait)
                if left:
                    self._waiting[job_id] = left
        for future, standing in told:
            if future.set_running_or_notify_cancel():
                future.set_result(standing)

    def _forget_cancelled(self) -> None:
        for job_id, waits in list(self._waiting.items()):
            left = [wait for wait in waits if not wait.future.cancelled()]
            if left:
                self._waiting[job_id] = left
            else:
                del self._waiting[job_id]


@dataclass(frozen=True, slots=True)
class _Wait:
    wanted: Callable[[Standing], bool]
    future: Future[Standing | None]
