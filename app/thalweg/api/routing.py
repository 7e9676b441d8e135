"""Routes that take a body: it is read by `Bodies`, and only when the caller's key has been checked."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidatorFunctionWrapHandler, WrapValidator

from thalweg.api.dependencies import Services, authorize, bearer


class BodyRoute(APIRoute):
    """A route whose body FastAPI is given as a model.

    FastAPI would read and parse a body before it asks who has sent it, and validate it in the event loop. The
    parameter for the body is annotated with `SENT`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what serves a request."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle
        model: TypeAdapter[Any] = TypeAdapter(cast("Any", self.body_field.field_info.annotation))

        async def read_and_handle(request: Request) -> Response:
            services = cast("Services", request.app.state.services)
            await authorize(services, await bearer(request))
            async with services.bodies.read(request, model) as value:
                return await handle(_Read(request, value))

        return read_and_handle


class _Read(Request):
    """A request whose body has been read."""

    def __init__(self, request: Request, value: BaseModel) -> None:
        super().__init__(request.scope, request.receive)
        self._value: BaseModel | None = value

    async def body(self) -> bytes:
        return b"{}"  # all that FastAPI asks is whether there is one

    async def json(self) -> BaseModel | None:
        value, self._value = self._value, None  # the request lasts as long as its answer, and may be waited for
        return value


def _as_it_is(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, BaseModel) else validate(value)


SENT = WrapValidator(_as_it_is)
"""Keeps FastAPI from validating a body again that `Bodies` has validated."""
