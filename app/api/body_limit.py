"""The limit on the size of request bodies, whether their length was said beforehand or not."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems

_PATIENCE = 8  # times the limit that is read and thrown away, so that the sender gets to see the answer


class BodyLimitMiddleware:
    """Answers 413 to a body of more than `max_body_bytes`, and never holds more than that."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max_body_bytes:
            await self._discard(receive)
            answer = problems.response(Request(scope), 413, self._detail, kind="limit-exceeded")
            await answer(scope, receive, send)
            return
        n_bytes = 0

        async def counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > self._max_body_bytes:
                if message.get("more_body", False):
                    await self._discard(receive)
                raise HTTPException(413, self._detail)
            return message

        await self._app(scope, counted, send)

    async def _discard(self, receive: Receive) -> None:
        n_bytes = 0
        while n_bytes < _PATIENCE * self._max_body_bytes:
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if not message.get("more_body", False):
                return

    @property
    def _detail(self) -> str:
        return (
            f"the body is over this service's limit of {self._max_body_bytes} bytes (max_body_bytes): send less; "
            'many starting points are shorter as {"grid": ...} or {"random": n, "seed": s}'
        )
