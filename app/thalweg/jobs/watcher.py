"""Telling those who wait for jobs what happens to them: one thread reads events for all."""

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
_PAUSE_SHARE = 0.05  # of the time since the last commit
_READING_SHARE = 0.4  # of the thread's time, at most; it sleeps for the rest
_SWEEP_SECONDS = 0.2  # between readings of all jobs that are waited for: a deleted job leaves no event


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job is. `revision` increases with every change that a client can see."""

    revision: int
    status: Status
    step: int
    steps: int


class EventReader(Protocol):
    """Reads events and standings, in one thread."""

    def version(self) -> int:
        """Return a number that changes after any commit; cheap to call."""

    def latest(self) -> int:
        """Return the `seq` of the latest event; 0 if there is none."""

    def changes_after(self, seq: int) -> tuple[int, dict[str, Standing]]:
        """Return the `seq` of the latest event, and where the jobs with events after `seq` are now."""

    def standings(self, job_ids: Iterable[str]) -> Mapping[str, Standing]:
        """Return where these jobs are, without those that were deleted."""


class EventSource(Protocol):
    """The events of all jobs."""

    def reading(self) -> AbstractContextManager[EventReader]:
        """Open a reader. It raises `Unavailable` if the events cannot be read."""


class Watcher:
    """Resolves futures within milliseconds of what they wait for, whichever process caused it.

    One thread reads for all who wait, and only while there are any. After a commit it reads the jobs that have new
    events, and those that somebody follows step by step.
    """

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._waiting: dict[str, list[_Wait]] = {}
        self._new: set[str] = set()  # jobs that somebody began to wait for since they were last read
        self._is_reading = False

    def end_of(self, job_id: str) -> Future[Standing | None]:
        """Return a future of the job's standing once it has ended, or of None once it was deleted.

        Cancel the future to stop waiting. It raises `Unavailable` if the job cannot be read.
        """
        return self._when(_Wait(job_id, lambda standing: standing.status.ended, follows_steps=False))

    def change_of(self, job_id: str, known: Standing | None) -> Future[Standing | None]:
        """Return a future of the job's standing once its revision is not that of `known`, else as `end_of`.

        Standings between two readings are skipped.
        """
        return self._when(
            _Wait(job_id, lambda now: known is None or now.revision != known.revision, follows_steps=True)
        )

    def _when(self, wait: "_Wait") -> Future[Standing | None]:
        with self._lock:
            self._waiting.setdefault(wait.job_id, []).append(wait)
            self._new.add(wait.job_id)
            if not self._is_reading:
                self._is_reading = True
                threading.Thread(target=self._read, name="watcher", daemon=True).start()
        return wait.future

    def _read(self) -> None:
        try:
            self._read_while_awaited()
        except Exception as error:  # noqa: BLE001 whatever it is, those who wait must not wait for ever
            with self._lock:
                waiting, self._waiting, self._is_reading = self._waiting, {}, False
            for wait in (wait for waits in waiting.values() for wait in waits):
                if wait.future.set_running_or_notify_cancel():
                    wait.future.set_exception(error)

    def _read_while_awaited(self) -> None:
        changed_at = swept_at = time.monotonic()
        is_swept = True
        with self._source.reading() as reader:
            version, seq = reader.version(), reader.latest()
            while True:
                begun = time.monotonic()
                with self._lock:
                    self._forget_cancelled()
                    if not self._waiting:
                        self._is_reading = False
                        return
                    due, self._new = self._new, set()
                changes: dict[str, Standing] = {}
                if (now_version := reader.version()) != version:
                    version, changed_at, is_swept = now_version, begun, False
                    seq, changes = reader.changes_after(seq)
                    due |= self._awaited(lambda wait: wait.follows_steps)
                if not is_swept and begun - swept_at >= _SWEEP_SECONDS:
                    swept_at, is_swept = begun, True
                    due = self._awaited()
                self._tell(changes | self._read_standings(reader, due - changes.keys()))
                self._pause(begun, changed_at)

    @staticmethod
    def _pause(begun: float, changed_at: float) -> None:
        now = time.monotonic()
        pause = min(max(_LEAST_PAUSE_SECONDS, _PAUSE_SHARE * (now - changed_at)), _LONGEST_PAUSE_SECONDS)
        time.sleep(max(pause, (now - begun) / _READING_SHARE))

    def _awaited(self, chosen: "Callable[[_Wait], bool]" = lambda _: True) -> set[str]:
        with self._lock:
            return {job_id for job_id, waits in self._waiting.items() if any(map(chosen, waits))}

    def _read_standings(self, reader: EventReader, job_ids: set[str]) -> dict[str, Standing | None]:
        with self._lock:
            awaited = [job_id for job_id in job_ids if job_id in self._waiting]
        if not awaited:
            return {}
        standings = reader.standings(awaited)
        return {job_id: standings.get(job_id) for job_id in awaited}

    def _tell(self, standings: Mapping[str, Standing | None]) -> None:
        told = []
        with self._lock:
            for job_id, standing in standings.items():
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


class _Wait:
    def __init__(self, job_id: str, wanted: Callable[[Standing], bool], *, follows_steps: bool) -> None:
        self.job_id = job_id
        self.wanted = wanted
        self.follows_steps = follows_steps
        self.future: Future[Standing | None] = Future()
