"""Threads for each kind of work, so that none waits behind work of another kind."""

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

_STREAMS = 4  # pieces of long answers at once
_WRITERS = 8  # SQLite has one at a time: the others make ready what they write
_MOST_WAITING_WRITERS = 1000


class Lane:
    """A number of threads for one kind of work, and a queue that is bounded in length and in time.

    Whoever waits holds no thread.
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
        """How many threads are at work."""
        return self._n_threads - self._free.value

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, called in one of the threads.

        A caller that is cancelled leaves the queue; a thread that is at work is waited for.

        Raises:
            Unavailable: The queue is full, or no thread became free in time.
        """
        await self._enter()
        try:
            return await run_sync(work, limiter=self._threads)
        finally:
            self._free.release()

    async def each(self, items: Iterator[T]) -> AsyncIterator[T]:
        """Yield the items, each made in one of the threads, which is free for others in between."""
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
            f"the service is busy with other {self._work}: try again in a while", retry_seconds=self._retry_seconds
        )


def writing(settings: Settings) -> Lane:
    """Return the threads that write to the database: while it is locked, they wait for it, and nobody else does."""
    return Lane("requests that write", _WRITERS, _MOST_WAITING_WRITERS, settings.database_wait_seconds, 1)


def streaming() -> Lane:
    """Return the threads that make pieces of long answers: none is refused that has begun."""
    return Lane("streams", _STREAMS, sys.maxsize, math.inf, 1)
