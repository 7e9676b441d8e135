"""An identifier for every request, so that a client's complaint can be found in the log."""

import logging
import re
from contextvars import ContextVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid6 import uuid7

_NONE = "-"
_ACCEPTABLE = re.compile(r"[\w.:+/=@-]{1,128}", re.ASCII)


_current = ContextVar("request_id", default=_NONE)


class RequestIdFilter(logging.Filter):
    """Gives every line of a log the `request_id` of the request that it is about, `-` where it is about none."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the line pass."""
        record.request_id = _current.get()
        return True


class RequestIdMiddleware:
    """Answers every request with the `X-Request-ID` that it brought, or with a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else str(uuid7())
        scope["request_id"] = request_id
        _current.set(request_id)  # for good: the server logs an access after the answer, in the same task

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)
