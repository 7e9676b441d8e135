"""Routes whose body is read by `Bodies`, after the API key has been checked."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidatorFunctionWrapHandler, WrapValidator

from thalweg.api.dependencies import Services, authorize, bearer


class BodyRoute(APIRoute):
    """A route that passes its body to FastAPI as a validated model.

    FastAPI itself would read and parse a body before authorization, and validate it in the event loop. Annotate
    the parameter of the body with `SENT`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request."""
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
    """A request whose body has been read and validated."""

    def __init__(self, request: Request, value: BaseModel) -> None:
        super().__init__(request.scope, request.receive)
        self._value: BaseModel | None = value

    async def body(self) -> bytes:
        return b"{}"  # FastAPI only checks that it is not empty

    async def json(self) -> BaseModel | None:
        value, self._value = self._value, None  # do not keep the body alive while a response waits or streams
        return value


def _as_it_is(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    return value if isinstance(value, BaseModel) else validate(value)


SENT = WrapValidator(_as_it_is)
"""Keeps FastAPI from validating a body a second time."""
