"""Separate threads for each kind of work, so that no kind waits behind another."""

import math
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import TypeVar, cast

from anyio import CapacityLimiter, Semaphore, WouldBlock, fail_after
from anyio.to_thread import run_sync

from thalweg.errors import Unavailable
from thalweg.settings import Settings

T = TypeVar("T")

_END = object()

_STREAMS = 4  # pieces of long responses made at once
_WRITERS = 8  # SQLite allows one writer at a time; the others prepare their data meanwhile
_MOST_WAITING_WRITERS = 1000


class Lane:
    """Threads for one kind of work, with a queue of bounded length and waiting time.

    A waiting caller occupies no thread.
    """

    def __init__(self, work: str, n_threads: int, n_waiting: int, wait_seconds: float, retry_seconds: int) -> None:
        self._work = work
        self._n_threads = n_threads
        self._most_waiting = n_waiting
        self._wait_seconds = wait_seconds
        self._retry_seconds = retry_seconds
        self._free = Semaphore(n_threads)
        self._n_waiting = 0
        self._threads = CapacityLimiter(math.inf)  # the semaphore bounds them

    @property
    def n_running(self) -> int:
        """Number of busy threads."""
        return self._n_threads - self._free.value

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of `work`, called in one of the threads.

        A cancelled caller leaves the queue, but waits for work that has already started.

        Raises:
            Unavailable: The queue is full, or no thread became free in time.
        """
        await self._enter()
        try:
            return await run_sync(work, limiter=self._threads)
        finally:
            self._free.release()

    async def each(self, items: Iterator[T]) -> AsyncIterator[T]:
        """Yield the items, each produced in one of the threads, which is released in between."""
        while (item := await self.run(partial(next, items, _END))) is not _END:
            yield cast("T", item)

    async def _enter(self) -> None:
        try:
            self._free.acquire_nowait()
        except WouldBlock:
            pass
        else:
            return
        if self._n_waiting >= self._most_waiting:
            raise self._full()
        self._n_waiting += 1
        try:
            with fail_after(self._wait_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise self._full() from None
        finally:
            self._n_waiting -= 1

    def _full(self) -> Unavailable:
        return Unavailable(
            f"the service is busy with other {self._work}: try again later", retry_seconds=self._retry_seconds
        )


def writing(settings: Settings) -> Lane:
    """Return the lane of requests that write: only they wait while the database is locked."""
    return Lane("requests that write", _WRITERS, _MOST_WAITING_WRITERS, settings.database_wait_seconds, 1)


def streaming() -> Lane:
    """Return the lane of streamed responses: one that has started is never refused a thread."""
    return Lane("streams", _STREAMS, sys.maxsize, math.inf, 1)
