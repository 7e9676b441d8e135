"""Errors as problem+json (RFC 9457), and the mapping from errors to HTTP statuses."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thalweg.errors import (
    Conflict,
    DiskFull,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Remedy,
    ThalwegError,
    Unavailable,
)

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
MOST_TOLD = 100
"""Maximum number of complaints in one response."""

_MOST_CHARACTERS = 500  # of one complaint: it may quote a name of megabytes
_MOST_OF_NAME = 100

_STATUS: Mapping[type[ThalwegError], tuple[int, str]] = {
    LimitExceeded: (422, "limit-exceeded"),
    InvalidInput: (422, "invalid-input"),
    NotFound: (404, "not-found"),
    Conflict: (409, "conflict"),
    DiskFull: (507, "disk-full"),
    Unavailable: (503, "unavailable"),
}
REMEDIES: Mapping[Remedy, str] = {
    Remedy.functions: "GET /v1/functions lists all",
    Remedy.optimizers: "GET /v1/optimizers lists all",
    Remedy.schedulers: "GET /v1/schedulers lists all",
    Remedy.jobs: "GET /v1/jobs lists those there are",
    Remedy.evaluation: "POST /v1/evaluate gives its values at points",
}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # as in RFC 9110; older Pythons differ
_WORDS = {
    "extra_forbidden": "unknown field",
    "missing": "this field is required",
    "tuple_type": "Input should be a list",
    "dict_type": "Input should be an object",
    "too_short": "Input should have at least {min_length} items, not {actual_length}",
    "too_long": "Input should have at most {max_length} items",
    "model_type": "Input should be an object",
    "less_than_equal": "Input should be at most {le!r}",
    "greater_than_equal": "Input should be at least {ge!r}",
    "model_attributes_type": "Input should be a JSON object, sent with Content-Type: application/json",
}


class Complaint(BaseModel):
    """One error in a request."""

    pointer: str = Field(
        description="JSON Pointer, as a URI fragment, to the value in the body; `#/query/...` and "
        "`#/header/...` for query parameters and headers",
        examples=["#/lr"],
    )
    detail: str = Field(examples=["Input should be greater than 0"])
    column: int | None = Field(None, description="position in the formula, from 1")


class Problem(BaseModel):
    """What went wrong with a request (RFC 9457)."""

    type: str = Field(examples=["urn:thalweg:problem:invalid-input"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str
    instance: str = Field(description="the path of the request", examples=["/v1/jobs"])
    errors: list[Complaint] | None = None


class Unauthorized(HTTPException):
    """The request has no valid API key."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "send an API key of this service as Authorization: Bearer <key>",
            headers={"WWW-Authenticate": "Bearer"},
        )


class InvalidBody(Exception):
    """A request is invalid; `complaints` say why."""

    def __init__(self, complaints: Sequence[Complaint], *, status: int = 422) -> None:
        super().__init__(_summary(complaints))
        self.complaints = complaints
        self.status = status


class UnforeseenErrorMiddleware:
    """Logs an unexpected error and answers 500, keeping the connection open."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            if scope["type"] != "http" or has_begun:
                raise  # too late for an error response: the connection is dropped
            request = Request(scope)
            # the response refers to the request id, so it is logged whatever the log format
            _log.exception("%s %s failed, request %s", request.method, request.url.path, scope.get("request_id"))
            detail = "internal error of the service, not of the request: see its log for this X-Request-ID"
            await response(request, 500, detail)(scope, receive, send)


def install(app: FastAPI) -> None:
    """Make `app` answer every error with a problem document."""
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(InvalidBody, _invalid_body)
    app.add_exception_handler(ThalwegError, _known_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(UnforeseenErrorMiddleware)


def response(
    request: Request,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    errors: Sequence[Complaint] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem document as a response."""
    body = text(status, detail, request.url.path, kind=kind, errors=errors)
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def text(
    status: int,
    detail: str,
    path: str,
    *,
    kind: str | None = None,
    errors: Sequence[Complaint] | None = None,
) -> str:
    """Return a problem document as JSON."""
    problem = Problem(
        type="about:blank" if kind is None else f"urn:thalweg:problem:{kind}",
        title=_TITLES.get(status) or HTTPStatus(status).phrase,
        status=status,
        detail=_clipped(_printable(detail), 10 * _MOST_CHARACTERS),
        instance=_clipped(_printable(path)),
        errors=None if errors is None else list(errors[:MOST_TOLD]),
    )
    return problem.model_dump_json(exclude_none=True)


def _invalid_request(request: Request, error: Exception) -> Response:
    issues: Any = error.errors() if isinstance(error, RequestValidationError) else []
    return _invalid_body(request, InvalidBody(complaints(issues)))


def _invalid_body(request: Request, error: Exception) -> Response:
    if not isinstance(error, InvalidBody):
        raise error
    return response(request, error.status, str(error), kind="invalid-input", errors=error.complaints)


def _known_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, ThalwegError):
        raise error
    status, kind = next(entry for known, entry in _STATUS.items() if isinstance(error, known))
    errors = None
    if isinstance(error, InvalidInput):
        errors = [_told(error.path, _sentence(error), error.column)]
    headers = {"Retry-After": str(error.retry_seconds)} if isinstance(error, Unavailable) else None
    return response(request, status, _sentence(error), kind=kind, errors=errors, headers=headers)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail, headers = error.detail, error.headers
    if error.status_code == 404:
        detail = f"there is nothing at {_clipped(request.url.path)}: see /docs for all paths"
    elif error.status_code == 405:
        allowed = _allowed(request)
        possible = " and ".join(allowed)
        detail = f"{request.method} is not allowed at {_clipped(request.url.path)}: use {possible}"
        headers = {**(headers or {}), "Allow": ", ".join(allowed)}
    return response(request, error.status_code, detail, headers=headers)


def _allowed(request: Request) -> list[str]:
    """Return the methods of all routes that match the request's path; Starlette names those of one route only."""
    routes = request.app.routes

    def takes(method: str) -> bool:
        # HEAD is answered like GET, see thalweg.api.head
        scope = {**request.scope, "method": "GET" if method == "HEAD" else method}
        return any(route.matches(scope)[0] is Match.FULL for route in routes)

    return [method for method in _METHODS if takes(method)]


def complaints(issues: Sequence[Mapping[str, Any]]) -> list[Complaint]:
    """Return pydantic's errors in the wording of this API."""
    around = {issue["loc"][:n] for issue in issues for n in range(len(issue["loc"]))}
    # pydantic also reports a list as too short when its items are invalid
    return [_complaint(issue) for issue in issues if issue["type"] != "too_short" or issue["loc"] not in around]


def _complaint(issue: Mapping[str, Any]) -> Complaint:
    place, *rest = issue["loc"] or ("body",)
    cause = (issue.get("ctx") or {}).get("error")
    path = list(rest) if place == "body" else [place, *rest]
    if isinstance(cause, InvalidInput):
        return _told([*path, *cause.path], _sentence(cause), cause.column)
    words = _WORDS.get(issue["type"])
    return _told(path, issue["msg"] if words is None else words.format(**(issue.get("ctx") or {})))


def _sentence(error: ThalwegError) -> str:
    """Return what an error says, with the request that helps."""
    if error.remedy is None:
        return str(error)
    said = str(error)
    return f"{said}{'' if said.endswith('?') else ';'} {REMEDIES[error.remedy]}"


def _told(path: Iterable[str | int], detail: str, column: int | None = None) -> Complaint:
    return Complaint(pointer=_clipped(_pointer(path)), detail=_clipped(_printable(detail)), column=column)


def _pointer(path: Iterable[str | int]) -> str:
    parts = (_clipped(_printable(str(part)), _MOST_OF_NAME) for part in path)
    return "#" + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def _printable(text: str) -> str:
    """Escape lone surrogates, which JSON can express and UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode()


def _clipped(text: str, most: int = _MOST_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[:most]}..."


def _summary(complaints: Sequence[Complaint]) -> str:
    shown = "; ".join(
        complaint.detail if complaint.pointer == "#" else f"{complaint.pointer}: {complaint.detail}"
        for complaint in complaints[:5]
    )
    if (n_more := len(complaints) - 5) <= 0:
        return shown
    # validation stops after this many
    return f"{shown}; and {'at least ' if len(complaints) >= MOST_TOLD else ''}{n_more} more"
