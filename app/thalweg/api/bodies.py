"""Request bodies: read within limits, parsed and validated off the event loop.

Rejecting a body is cheap: its size and number of values are checked before it is parsed, and lists are validated
up to an early error only (`thalweg.lists`).
"""

import asyncio
import ctypes
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from email.message import Message
from typing import Any

import anyio
from anyio.to_thread import run_sync
from fastapi import Request
from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from thalweg.api.malformed_json import complaint
from thalweg.api.problems import Complaint, InvalidBody, complaints
from thalweg.errors import InvalidInput, LimitExceeded, Unavailable
from thalweg.settings import Limits, Settings

_SMALL_BYTES = 64 * 1024
_MOST_SMALL = 2  # small bodies parsed and validated at once; large ones one by one
_MOST_LARGE = 4  # validated large bodies held in memory at once
_MOST_BYTES = 32  # times max_body_bytes: total of all bodies in memory
_ROOM_SECONDS = 10  # that a body waits for its turn
_REST_SECONDS = 1  # from the last large body until memory is returned to the system
_BYTES_PER_SECOND = 8192  # the slowest rate at which a long body may arrive

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only


class Bodies:
    """Reads the bodies of a service's requests, a bounded number at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._n_bytes = 0
        self._n_large = 0  # waiting or in use
        self._small = asyncio.Semaphore(_MOST_SMALL)
        self._large = asyncio.Semaphore(_MOST_LARGE)
        self._large_parsing = asyncio.Semaphore(1)
        self._threads = anyio.CapacityLimiter(_MOST_SMALL + 1)

    @asynccontextmanager
    async def read(self, request: Request, model: TypeAdapter[Any]) -> AsyncIterator[Any]:
        """Yield the validated body of a request; a large one occupies its slot until the block ends.

        Raises:
            HTTPException: The body is too large, compressed, or too slow.
            InvalidBody: It is not JSON, or does not match `model`.
            InvalidInput: Its content type is not JSON.
            LimitExceeded: It holds too many values.
            Unavailable: Too many other bodies are being read.
        """
        _check_type(request)
        async with AsyncExitStack() as room:
            body = await room.enter_async_context(self._received(request))
            turn = self._small
            if len(body) > _SMALL_BYTES:
                turn = self._large_parsing
                await room.enter_async_context(self._counted())
                await room.enter_async_context(_within(self._large))
            async with _within(turn):
                value = await run_sync(_validated, body, model, self._settings, limiter=self._threads)
            yield value

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._n_large += 1
        try:
            yield
        finally:
            self._n_large -= 1
            if not self._n_large:
                asyncio.get_running_loop().call_later(_REST_SECONDS, self._rest)

    def _rest(self) -> None:
        if not self._n_large:
            asyncio.get_running_loop().run_in_executor(None, _give_back)

    @asynccontextmanager
    async def _received(self, request: Request) -> AsyncIterator[bytearray]:
        most_bytes = self._settings.max_body_bytes
        body = bytearray()
        try:
            async for chunk in _chunks(request, most_bytes, self._settings.body_seconds):
                if len(body) + len(chunk) > most_bytes:
                    raise _too_large(most_bytes)
                if self._n_bytes + len(chunk) > _MOST_BYTES * most_bytes:
                    raise _no_room()
                self._n_bytes += len(chunk)
                body += chunk
            yield body
        finally:
            self._n_bytes -= len(body)


async def _chunks(request: Request, most_bytes: int, seconds: float) -> AsyncIterator[bytes]:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > most_bytes:
        raise _too_large(most_bytes)
    loop = asyncio.get_running_loop()
    seconds_left = seconds
    more = True
    while more:
        begun = loop.time()
        try:
            async with asyncio.timeout(seconds_left):
                message = await request.receive()
        except TimeoutError:
            raise HTTPException(
                408,
                f"the body did not arrive in time: it has {seconds} seconds, plus one second per "
                f"{_BYTES_PER_SECOND} bytes received",
                headers={"Connection": "close"},
            ) from None
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the connection was closed before the whole body arrived")
        chunk: bytes = message.get("body", b"")
        seconds_left += len(chunk) / _BYTES_PER_SECOND - (loop.time() - begun)
        more = message.get("more_body", False)
        yield chunk


@asynccontextmanager
async def _within(semaphore: asyncio.Semaphore) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(_ROOM_SECONDS):
            await semaphore.acquire()
    except TimeoutError:
        raise _no_room() from None
    try:
        yield
    finally:
        semaphore.release()


def _validated(body: bytearray, model: TypeAdapter[Any], limits: Limits) -> Any:
    if not body:
        raise InvalidBody([Complaint(pointer="#", detail="a request body is required")])
    _check_counts(body, limits)
    try:
        value = from_json(body)
    except ValueError as error:
        raise InvalidBody([Complaint(pointer="#", detail=complaint(body, error))], status=400) from None
    try:
        return model.validate_python(value, context=limits)
    except ValidationError as error:
        issues = error.errors(include_url=False, include_input=False)
    del value  # the traceback of an error keeps local variables alive
    cause = issues[0].get("ctx", {}).get("error")
    if isinstance(cause, LimitExceeded):
        raise LimitExceeded(cause.detail, *issues[0]["loc"], *cause.path)
    raise InvalidBody(complaints([{**issue, "loc": ("body", *issue["loc"])} for issue in issues]))


def _check_counts(body: bytearray, limits: Limits) -> None:
    # every value follows a comma or opens its list or object; commas within strings are counted, too
    n_values = 1 + body.count(b",") + body.count(b"[") + body.count(b"{")
    if n_values > limits.max_body_values:
        raise LimitExceeded(
            f"the body holds about {n_values} values, over this service's limit of {limits.max_body_values} "
            '(max_body_values): send fewer, or give starting points as {"grid": ...} or {"random": n, "seed": s}'
        )
    n_members = body.count(b":")
    if n_members > limits.max_body_members:
        raise LimitExceeded(
            f"the objects in the body have about {n_members} members in total, over this service's limit of "
            f"{limits.max_body_members} (max_body_members): send fewer"
        )


def _check_type(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise HTTPException(
            415,
            f"Content-Encoding: {encoding[:50]} is not supported: send the body uncompressed",
            headers={"Accept-Encoding": "identity"},
        )
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    subtype = message.get_content_subtype()
    if message.get_content_maintype() != "application" or not (subtype == "json" or subtype.endswith("+json")):
        raise InvalidInput("send the body as a JSON object with Content-Type: application/json")


def _give_back() -> None:
    """Return free memory that malloc holds to the system."""
    gc.collect()
    if _TRIM is not None:
        _TRIM(0)


def _too_large(most_bytes: int) -> HTTPException:
    return HTTPException(
        413,
        f"the body is over this service's limit of {most_bytes} bytes (max_body_bytes): send less, or give "
        'starting points as {"grid": ...} or {"random": n, "seed": s}',
    )


def _no_room() -> Unavailable:
    return Unavailable("too many large request bodies are being read: try again later")
