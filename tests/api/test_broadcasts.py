"""Broadcasts: news of a job are read and encoded once for all listeners, and stale ones are skipped."""

import asyncio
import selectors
import socket
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import NoWorkers, served
from tests.store.stores import NO_JOB, Stores, opened
from tests.unit.driving import job
from thalweg.api.broadcasts import Broadcasts, News
from thalweg.db.events import EventReader, EventSource
from thalweg.db.migrations import migrate
from thalweg.db.store import JobStore
from thalweg.errors import Unavailable
from thalweg.jobs.watcher import Watcher
from thalweg.settings import Settings

PATIENCE_SECONDS = 60
N_STREAMS = 200


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    database = opened(tmp_path / "thalweg.db")
    migrate(database)
    yield Stores(database)
    database.dispose()


def broadcasts(stores: Stores) -> Broadcasts:
    return Broadcasts(stores.jobs, Watcher(EventSource(stores.database)))


class Calls(Counter[str]):
    """Counts how often methods are called."""

    def __init__(self, patch: pytest.MonkeyPatch, **methods: tuple[type, str]) -> None:
        super().__init__()
        for name, (owner, method) in methods.items():
            patch.setattr(owner, method, self._counted(name, getattr(owner, method)))

    def _counted(self, name: str, method: Any) -> Any:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self[name] += 1
            return method(*args, **kwargs)

        return counted


class Streams:
    """Many streams of events, each with a connection of its own."""

    def __init__(self, stack: ExitStack, client: httpx.Client, path: str, n: int) -> None:
        self._selector = stack.enter_context(selectors.DefaultSelector())
        self.received: list[bytearray] = [bytearray() for _ in range(n)]
        for i in range(n):
            connection = stack.enter_context(
                socket.create_connection((client.base_url.host, client.base_url.port or 80))
            )
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            self._selector.register(connection, selectors.EVENT_READ, i)

    def until_all_have(self, text: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not all(text in received for received in self.received):
            assert time.monotonic() < deadline, f"{text!r} has not come"
            for key, _ in self._selector.select(0.1):
                self.received[key.data] += key.fileobj.recv(1 << 16)  # type: ignore[union-attr]


def test_all_streams_of_a_job_share_reading_and_encoding(
    tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(Settings(data_dir=tmp_path), NoWorkers()) as client, ExitStack() as stack:
        job_id = stores.created(job(steps=10))
        streams = Streams(stack, client, f"/v1/jobs/{job_id}/events", N_STREAMS)
        streams.until_all_have(b'"status":"queued"')
        calls = Calls(
            monkeypatch,
            looks=(EventReader, "standings"),
            jobs=(JobStore, "get"),
            results=(JobStore, "get_with_results"),
            revisions=(JobStore, "revision"),
        )
        attempt = stores.begin(job_id)
        for _ in range(4):
            stores.work(attempt, [2])
        streams.until_all_have(b'"step":8')
        assert calls["looks"] <= 2 * 6
        stores.work(attempt, [2])
        streams.until_all_have(b"event: done")
        assert calls["looks"] <= 2 * 8
        assert (calls["jobs"], calls["results"], calls["revisions"]) == (1, 1, 0)  # one get is that of `begin`
        done = client.get(f"/v1/jobs/{job_id}").content
        assert all(b"data: " + done in received for received in streams.received)


async def news(following: AsyncGenerator[News | None]) -> News:
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await anext(following)
    assert found is not None
    return found


def test_a_slow_listener_gets_the_latest_news(stores: Stores) -> None:
    async def listen() -> None:
        followed = broadcasts(stores)
        slow, quick = followed.follow(job_id), followed.follow(job_id)
        assert [(await news(each)).step for each in (slow, quick)] == [0, 0]
        attempt = stores.begin(job_id)
        for step in range(1, 4):
            stores.work(attempt, [1])
            while (await news(quick)).step < step:
                pass
        assert (await news(slow)).step == 3
        stores.cancel(job_id)
        for each in (slow, quick):
            last = await news(each)
            assert (last.step, last.progress is None, last.done is None) == (3, False, False)
            with pytest.raises(StopAsyncIteration):
                await anext(each)

    job_id = stores.created(job(steps=10))
    asyncio.run(listen())


def test_a_listener_after_an_extension_does_not_get_the_earlier_end(stores: Stores) -> None:
    async def listen() -> None:
        followed = broadcasts(stores)
        late = followed.follow(job_id)
        assert (await news(late)).done is not None
        stores.extend(job_id, 10)
        new = followed.follow(job_id)
        assert (await news(new)).done is None
        await new.aclose()
        await late.aclose()

    job_id = stores.finished(job(steps=10))
    asyncio.run(listen())


def test_a_deleted_job_is_done(stores: Stores) -> None:
    async def listen() -> News:
        return await news(broadcasts(stores).follow(NO_JOB))

    gone = asyncio.run(listen())
    assert gone.progress is None
    assert gone.done == f'event: done\ndata: {{"id":"{NO_JOB}","status":"deleted"}}\n\n'.encode()


def test_a_silent_stream_sends_comments(tmp_path: Path, stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("thalweg.api.broadcasts._SILENCE_SECONDS", 0.05)
    with served(Settings(data_dir=tmp_path), NoWorkers()) as client, ExitStack() as stack:
        job_id = stores.created(job(steps=10))
        streams = Streams(stack, client, f"/v1/jobs/{job_id}/events", 2)
        streams.until_all_have(b": ping\n\n")
        stores.cancel(job_id)
        streams.until_all_have(b"event: done")
        for received in streams.received:
            assert received.count(b"event: ") == 2
            assert received.index(b"event: progress") < received.index(b": ping") < received.index(b"event: done")


def test_an_unreadable_database_is_an_error_for_every_listener(tmp_path: Path) -> None:
    async def listen() -> None:
        followed = broadcasts(Stores(database))
        for _ in range(2):
            with pytest.raises(Unavailable):
                await news(followed.follow(NO_JOB))

    database = opened(tmp_path / "empty.db")  # it has no tables
    asyncio.run(listen())
    database.dispose()
