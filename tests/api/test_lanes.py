"""Lanes: bounded numbers of threads, with bounded queues."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator

import pytest

from thalweg.api.lanes import Lane
from thalweg.errors import Unavailable

PATIENCE_SECONDS = 30


class Work:
    """Work that runs until it is released."""

    def __init__(self) -> None:
        self.n_running = 0
        self.most_running = 0
        self.order: list[int] = []
        self._lock = threading.Lock()
        self._begun = threading.Semaphore(0)
        self._let_go = threading.Semaphore(0)

    def __call__(self, number: int) -> Callable[[], int]:
        def work() -> int:
            with self._lock:
                self.n_running += 1
                self.most_running = max(self.most_running, self.n_running)
                self.order.append(number)
            self._begun.release()
            assert self._let_go.acquire(timeout=PATIENCE_SECONDS)
            with self._lock:
                self.n_running -= 1
            return number

        return work

    def let_go(self, n: int) -> None:
        self._let_go.release(n)

    async def until_running(self, n: int) -> None:
        for _ in range(n):
            assert await asyncio.to_thread(self._begun.acquire, timeout=PATIENCE_SECONDS)


def lane(n_threads: int, n_waiting: int, wait_seconds: float = PATIENCE_SECONDS) -> Lane:
    return Lane("tests", n_threads, n_waiting, wait_seconds, retry_seconds=7)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    asyncio.run(main())


def test_threads_and_queue_are_bounded() -> None:
    async def test() -> None:
        work, tried = Work(), lane(2, 3)
        begun = [asyncio.create_task(tried.run(work(number))) for number in range(5)]
        await work.until_running(2)
        assert tried.n_running == 2
        with pytest.raises(Unavailable, match="busy with other tests") as refused:
            await tried.run(work(5))
        assert refused.value.retry_seconds == 7
        work.let_go(5)
        assert await asyncio.gather(*begun) == [0, 1, 2, 3, 4]
        assert work.most_running == 2
        assert sorted(work.order) == [0, 1, 2, 3, 4]
        assert tried.n_running == 0

    run(test)


def test_the_queue_is_first_in_first_out() -> None:
    async def test() -> None:
        work, tried = Work(), lane(1, 5)
        begun = [asyncio.create_task(tried.run(work(number))) for number in range(6)]
        work.let_go(6)
        await asyncio.gather(*begun)
        assert work.order == [0, 1, 2, 3, 4, 5]

    run(test)


def test_a_cancelled_caller_leaves_the_queue() -> None:
    async def test() -> None:
        work, tried = Work(), lane(1, 1)
        first = asyncio.create_task(tried.run(work(0)))
        await work.until_running(1)
        second = asyncio.create_task(tried.run(work(1)))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        third = asyncio.create_task(tried.run(work(2)))
        work.let_go(2)
        assert (await first, await third) == (0, 2)
        assert work.order == [0, 2]

    run(test)


def test_waiting_time_is_bounded() -> None:
    async def test() -> None:
        work, tried = Work(), lane(1, 1, wait_seconds=0.05)
        first = asyncio.create_task(tried.run(work(0)))
        await work.until_running(1)
        for _ in range(2):  # and leaves the queue
            with pytest.raises(Unavailable):
                await tried.run(work(1))
        work.let_go(2)
        assert await first == 0
        assert await tried.run(work(2)) == 2

    run(test)


def test_failed_work_releases_its_thread() -> None:
    async def test() -> None:
        tried = lane(1, 0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await tried.run(lambda: 1 // 0)
        assert await tried.run(lambda: 1) == 1

    run(test)


def test_streams_take_turns() -> None:
    def counted(name: str) -> Iterator[str]:
        for i in range(3):
            yield f"{name}{i}"

    async def listed(tried: Lane, name: str) -> None:
        async for item in tried.each(counted(name)):
            items.append(item)  # noqa: PERF401 in the order of all streams

    async def test() -> None:
        tried = lane(1, 10)
        await asyncio.gather(*[listed(tried, name) for name in "abc"])

    items: list[str] = []
    run(test)
    assert sorted(items) == [f"{name}{i}" for name in "abc" for i in range(3)]
    assert items[:3] == ["a0", "b0", "c0"]
