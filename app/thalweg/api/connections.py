"""Limits on connections: number, size of headers, and time.

uvicorn with httptools has none of these: it buffers an endless header until memory runs out, and keeps a silent
connection forever.
"""

import resource
import socket
from asyncio import TimerHandle, Transport
from typing import Any, ClassVar, cast

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uuid6 import uuid7
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from thalweg.api import problems
from thalweg.settings import Settings

_MOST_HEADERS = 100  # per request, as in most servers
_MOST_PIPELINED = 100  # requests sent without waiting for the previous response
_LEAST_READ = 16 * 1024  # bytes that a client must read per `stall_seconds`
_UNSENT_BYTES = 128 * 1024  # kernel send buffer; what queues beyond it shows whether the client reads
# input from a rejected client is discarded for a while, so that it can read the response
_LINGER_SECONDS = 2
_LINGER_BYTES = 1024 * 1024
_FILES_OF_ITS_OWN = 192  # opened besides connections: databases, workers, modules
_SURPLUS = 32  # connections over the limit, for health checks
_BODY_HEADERS = frozenset({b"content-length", b"transfer-encoding"})
_HEALTH = frozenset({"/healthz", "/readyz"})


def options(settings: Settings) -> dict[str, Any]:
    """Return the options of uvicorn that apply these limits."""
    return {
        "http": type("LimitedConnection", (Connection,), {"settings": settings}),
        "ws": "none",
        "timeout_keep_alive": settings.idle_seconds,
    }


class Connection(HttpToolsProtocol):
    """A connection that is closed if its client sends too much, sends too slowly, or stops reading.

    It is idle from its start, and from the end of a response, until the headers of the next request are complete.
    """

    settings: ClassVar[Settings]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.idle_since: float | None = None
        self._idle: TimerHandle | None = None
        self._stalled: TimerHandle | None = None
        self._n_unfinished = 0  # bytes since the last completed headers or body data
        self._got_on = False
        self._is_last = False
        self._refusal: tuple[int, str] | None = None
        self._refused = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start, if the limit on connections allows it."""
        super().connection_made(transport)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # not on every system
            option = socket.TCP_NOTSENT_LOWAT
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, option, _UNSENT_BYTES)
        self._await_request()
        if len(self.connections) > (most := _most_connections(self.settings)):
            self._make_room(most)

    def connection_lost(self, exc: Exception | None) -> None:
        """Clean up."""
        super().connection_lost(exc)
        self._stop_waiting()
        self._stop_watching()

    def data_received(self, data: bytes) -> None:
        """Handle bytes from the client."""
        if self._refused:
            self._n_unfinished += len(data)
            if self._n_unfinished > self.settings.max_header_bytes + _LINGER_BYTES:
                self.transport.abort()
            return
        self._got_on = False
        super().data_received(data)
        self._n_unfinished = 0 if self._got_on else self._n_unfinished + len(data)
        if self._n_unfinished > self.settings.max_header_bytes and not self._refused:
            self._refuse(*self._headers_too_large())

    def on_headers_complete(self) -> None:
        """Start a request."""
        n_bytes = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if n_bytes > self.settings.max_header_bytes or len(self.headers) > _MOST_HEADERS:
            self._refusal = self._headers_too_large()
        elif len(self.pipeline) >= _MOST_PIPELINED:
            self._refusal = 429, f"more than {_MOST_PIPELINED} requests were sent without waiting for a response"
        if self._refusal is not None:
            raise ValueError  # stops the parser; uvicorn then calls `send_400_response`
        self._got_on = True
        self._stop_waiting()
        super().on_headers_complete()
        names = {name for name, _ in self.headers}
        self._is_last = not self.cycle.keep_alive and not names.isdisjoint(_BODY_HEADERS)
        if self._is_last:  # closing while the body arrives would lose the response
            self.cycle.keep_alive = True

    def on_body(self, body: bytes) -> None:
        """Handle a part of a body."""
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Finish the body of a request."""
        self._got_on = True
        super().on_message_complete()
        if self._is_last and self.cycle.response_complete:
            self.transport.close()

    def on_response_complete(self) -> None:
        """Finish a response."""
        super().on_response_complete()
        if self._is_last and not self.cycle.more_body:
            self.transport.close()
        elif self.cycle.response_complete:
            self._await_request()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn passes a fixed text
        """Reject input that the parser did not accept."""
        self._refuse(*(self._refusal or (400, "this is not a valid HTTP/1.1 request")))

    def pause_writing(self) -> None:
        """Start watching a client that reads more slowly than the response is written."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """Stop watching a client that has caught up."""
        super().resume_writing()
        self._stop_watching()

    def _await_request(self) -> None:
        self._stop_waiting()
        self.idle_since = self.loop.time()
        self._idle = self.loop.call_later(self.settings.idle_seconds, self._end_idle)

    def _stop_waiting(self) -> None:
        self.idle_since = None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _end_idle(self) -> None:
        if self._n_unfinished and not self.transport.is_closing():
            seconds = self.settings.idle_seconds
            self._refuse(408, f"the request headers did not arrive within {seconds} seconds")
            return
        self.transport.close()  # the rest of a response is still sent
        self._watch_reader()

    def _watch_reader(self) -> None:
        self._stop_watching()
        n_bytes = self.transport.get_write_buffer_size()
        self._stalled = self.loop.call_later(self.settings.stall_seconds, self._check_reader, n_bytes)

    def _check_reader(self, n_bytes: int) -> None:
        if self.transport.get_write_buffer_size() > n_bytes - _LEAST_READ:
            self.transport.abort()
        else:
            self._watch_reader()

    def _stop_watching(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _make_room(self, most: int) -> None:
        others = [other for other in self.connections if other is not self and not other.transport.is_closing()]
        if len(others) < most:
            return
        idle = [other for other in others if isinstance(other, Connection) and other.idle_since is not None]
        if idle:
            min(idle, key=lambda other: other.idle_since or 0.0).transport.abort()
        elif len(others) < most + _SURPLUS:
            self.app = cast("Any", _Full(cast("ASGIApp", self.app)))
        else:
            self.transport.abort()

    def _headers_too_large(self) -> tuple[int, str]:
        detail = (
            f"the request line and headers are over this service's limit of {self.settings.max_header_bytes} bytes "
            f"(max_header_bytes) or {_MOST_HEADERS} headers: send less"
        )
        return 431, detail

    def _refuse(self, status: int, detail: str) -> None:
        self._refused = True
        if self.idle_since is None:  # a request is being handled
            if self.cycle.response_started or not self.cycle.more_body:
                self.transport.abort()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._stop_waiting()
        path = getattr(self, "url", b"").partition(b"?")[0]
        body = problems.text(status, detail, path.decode("latin-1")).encode()
        head = (
            f"content-type: {problems.MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
            f"x-request-id: {uuid7()}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(STATUS_LINE[status] + head.encode() + body)
        self.transport.write_eof()
        self.loop.call_later(_LINGER_SECONDS, self.transport.abort)


class _Full:
    """Answers 503 to everything but health checks, which go to the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] in _HEALTH:
            await self._app(scope, receive, send)
            return
        answer = problems.response(
            Request(scope),
            503,
            "the service has reached its maximum number of connections: try again later",
            kind="unavailable",
            headers={"Retry-After": "1", "Connection": "close", "X-Request-ID": str(uuid7())},
        )
        await answer(scope, receive, send)


def _most_connections(settings: Settings) -> int:
    n_files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if n_files == resource.RLIM_INFINITY:
        return settings.max_connections
    return max(1, min(settings.max_connections, n_files - _FILES_OF_ITS_OWN - _SURPLUS))
