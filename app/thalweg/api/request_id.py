"""Request ids, which relate responses to lines of the log."""

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
    """Adds `request_id` to log records: that of the current request, or `-` outside of one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the id; never drop the record."""
        record.request_id = _current.get()
        return True


class RequestIdMiddleware:
    """Sends `X-Request-ID` with every response: the id of the request if it has one, else a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ACCEPTABLE.fullmatch(given) else str(uuid7())
        scope["request_id"] = request_id
        _current.set(
            request_id
        )  # never reset: the server writes its access log after the response, in the same task

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)
