"""Bodies of requests: read within limits, parsed and validated off the event loop.

What is refused costs little: nothing is parsed before its size and its number of values are known, and lists stop
at an early wrong item (`thalweg.lists`).
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
_MOST_SMALL = 2  # that are parsed and validated at once; of large ones it is 1
_MOST_LARGE = 4  # that requests at work hold at once, validated
_MOST_BYTES = 32  # times the largest body: of all bodies at once
_ROOM_SECONDS = 10  # for which a body waits for others
_REST_SECONDS = 1  # after the last large body, until memory is given back
_BYTES_PER_SECOND = 8192  # for each so many that have come, a second more for the rest

_TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc


class Bodies:
    """Reads the bodies of a service's requests, a bounded number at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._n_bytes = 0
        self._n_large = 0  # that wait or are at work
        self._small = asyncio.Semaphore(_MOST_SMALL)
        self._large = asyncio.Semaphore(_MOST_LARGE)
        self._large_parsing = asyncio.Semaphore(1)
        self._threads = anyio.CapacityLimiter(_MOST_SMALL + 1)

    @asynccontextmanager
    async def read(self, request: Request, model: TypeAdapter[Any]) -> AsyncIterator[Any]:
        """Give the body of a request, validated; others wait for the room of a large one until it is let go.

        Raises:
            HTTPException: The body is too large or compressed, or comes too slowly.
            InvalidBody: It is not JSON, or not what `model` wants.
            InvalidInput: It is not called JSON.
            LimitExceeded: It holds too many values.
            Unavailable: There is no room for it.
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
                f"the body did not come in time: it has {seconds} seconds, and for every {_BYTES_PER_SECOND} "
                "bytes a second more",
                headers={"Connection": "close"},
            ) from None
        if message["type"] == "http.disconnect":
            raise HTTPException(400, "the connection ended before the body did")
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
        raise InvalidBody([Complaint(pointer="#", detail="this is required")])
    _check_counts(body, limits)
    try:
        value = from_json(body)
    except ValueError as error:
        raise InvalidBody([Complaint(pointer="#", detail=complaint(body, error))], status=400) from None
    try:
        return model.validate_python(value, context=limits)
    except ValidationError as error:
        issues = error.errors(include_url=False, include_input=False)
    del value  # an error keeps what the function has that raised it
    cause = issues[0].get("ctx", {}).get("error")
    if isinstance(cause, LimitExceeded):
        raise LimitExceeded(cause.detail, *issues[0]["loc"], *cause.path)
    raise InvalidBody(complaints([{**issue, "loc": ("body", *issue["loc"])} for issue in issues]))


def _check_counts(body: bytearray, limits: Limits) -> None:
    # a value comes behind a comma or is the first of its list or object; within texts they count, too, and hardly
    n_values = 1 + body.count(b",") + body.count(b"[") + body.count(b"{")
    if n_values > limits.max_body_values:
        raise LimitExceeded(
            f"the body holds about {n_values} values, over this service's limit of {limits.max_body_values} "
            '(max_body_values): send less; many starting points are shorter as {"grid": ...} or '
            '{"random": n, "seed": s}'
        )
    n_members = body.count(b":")
    if n_members > limits.max_body_members:
        raise LimitExceeded(
            f"the objects in the body have about {n_members} members, over this service's limit of "
            f"{limits.max_body_members} (max_body_members): send fewer"
        )


def _check_type(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise HTTPException(
            415,
            f"the body is sent with Content-Encoding: {encoding[:50]}, which this service does not read: send it "
            "as it is",
            headers={"Accept-Encoding": "identity"},
        )
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    subtype = message.get_content_subtype()
    if message.get_content_maintype() != "application" or not (subtype == "json" or subtype.endswith("+json")):
        raise InvalidInput("the body should be a JSON object, sent with Content-Type: application/json")


def _give_back() -> None:
    """Return to the system what malloc keeps for later."""
    gc.collect()
    if _TRIM is not None:
        _TRIM(0)


def _too_large(most_bytes: int) -> HTTPException:
    return HTTPException(
        413,
        f"the body is over this service's limit of {most_bytes} bytes (max_body_bytes): send less; "
        'many starting points are shorter as {"grid": ...} or {"random": n, "seed": s}',
    )


def _no_room() -> Unavailable:
    return Unavailable("too many large bodies are being read at present: send this one again in a while")
