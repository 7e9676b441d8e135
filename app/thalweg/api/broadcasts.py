"""Progress of jobs as server-sent events, each read and encoded once for all listeners of a job."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import anyio
import orjson
from anyio.to_thread import run_sync
from fastapi.sse import format_sse_event

from thalweg.api import wire
from thalweg.db.store import JobStore
from thalweg.errors import NotFound
from thalweg.jobs.watcher import Standing, Watcher

_PAUSE_SECONDS = 0.2
_SILENCE_SECONDS = 15  # after which a comment is sent, as proxies close silent connections


@dataclass(frozen=True, slots=True)
class News:
    """Encoded events: `progress` for listeners that have not seen this step, `done` for all."""

    step: int
    progress: bytes | None
    done: bytes | None


class Broadcasts:
    """Follows each job once for all its listeners, while it has any."""

    def __init__(self, jobs: JobStore, watcher: Watcher) -> None:
        self._jobs = jobs
        self._watcher = watcher
        self._open: dict[str, _Broadcast] = {}

    async def follow(self, job_id: str) -> AsyncGenerator[News | None]:
        """Yield the latest news of a job whenever they change, until it is done. Raises `Unavailable`.

        A slow listener skips news that newer ones have replaced. None is yielded after a long silence.
        """
        broadcast = self._open.get(job_id)
        if broadcast is None or broadcast.has_ended:  # it may have been extended since
            broadcast = self._open[job_id] = _Broadcast(self._news(job_id))
        broadcast.n_listeners += 1
        news = None
        try:
            while news is None or news.done is None:
                silent = False
                try:
                    async with asyncio.timeout(_SILENCE_SECONDS):
                        news = await broadcast.after(news)
                except TimeoutError:
                    silent = True
                yield None if silent else news
        finally:
            broadcast.n_listeners -= 1
            if not broadcast.n_listeners:
                broadcast.stop()
                if self._open.get(job_id) is broadcast:
                    del self._open[job_id]

    async def _news(self, job_id: str) -> AsyncGenerator[News]:
        standing = None
        while True:
            standing = await asyncio.wrap_future(self._watcher.change_of(job_id, standing))
            if standing is None:
                yield _gone(job_id)
                return
            news = await self._made(job_id, standing)
            yield news
            if news.done is not None:
                return
            with anyio.move_on_after(_PAUSE_SECONDS):  # progress is told at most this often, the end at once
                await asyncio.wrap_future(self._watcher.end_of(job_id))

    async def _made(self, job_id: str, standing: Standing) -> News:
        step, status = standing.step, standing.status
        told = orjson.dumps({"step": step, "steps": standing.steps, "status": status}).decode()
        progress = format_sse_event(event="progress", id=str(step), data_str=told)
        if not status.ended:
            return News(step, progress, None)
        try:
            job = await run_sync(self._job, job_id)
        except NotFound:
            return _gone(job_id)
        return News(step, progress, format_sse_event(event="done", id=str(step), data_str=job))

    def _job(self, job_id: str) -> str:
        return wire.job(*self._jobs.get_with_results(job_id)).model_dump_json()


class _Broadcast:
    """Makes the news of one job and keeps the latest."""

    def __init__(self, news: AsyncGenerator[News]) -> None:
        self.n_listeners = 0
        self._latest: News | None = None
        self._error: Exception | None = None
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._make(news))

    @property
    def has_ended(self) -> bool:
        return self._task.done()

    def stop(self) -> None:
        self._task.cancel()

    async def after(self, known: News | None) -> News:
        """Return the latest news, once they are not `known`."""
        while self._latest is None or self._latest is known:
            if self._error is not None:
                raise self._error
            await self._changed.wait()
        return self._latest

    async def _make(self, news: AsyncGenerator[News]) -> None:
        try:
            async with aclosing(news):
                async for latest in news:
                    self._latest = latest
                    self._announce()
        except Exception as error:  # noqa: BLE001 it is raised for every listener
            self._error = error
            self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _gone(job_id: str) -> News:
    data = orjson.dumps({"id": job_id, "status": "deleted"}).decode()
    return News(-1, None, format_sse_event(event="done", data_str=data))
