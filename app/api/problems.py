"""Errors as clients see them: problem+json, RFC 9457. The one place where an error becomes a status."""

import json
import logging
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from app.errors import Conflict, InvalidInput, LimitExceeded, NotFound, ThalwegError, Unavailable

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

_STATUS: Mapping[type[ThalwegError], tuple[int, str]] = {
    LimitExceeded: (422, "limit-exceeded"),
    InvalidInput: (422, "invalid-input"),
    NotFound: (404, "not-found"),
    Conflict: (409, "conflict"),
    Unavailable: (503, "unavailable"),
}
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # as RFC 9110 has them, older Pythons not
_WORDS = {
    "extra_forbidden": "there is no such field here",
    "missing": "this is required",
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
    """One thing that is wrong with a request."""

    pointer: str = Field(
        description="JSON Pointer, as a URI fragment, to the value in the body; "
        "`#/query/...` and `#/header/...` for what is not in the body",
        examples=["#/lr"],
    )
    detail: str = Field(examples=["Input should be greater than 0"])
    column: int | None = Field(None, description="where in the value, of a formula; from 1")


class Problem(BaseModel):
    """What went wrong with a request (RFC 9457)."""

    type: str = Field(examples=["urn:thalweg:problem:invalid-input"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str
    instance: str = Field(description="the path of the request", examples=["/v1/jobs"])
    errors: list[Complaint] | None = None


class Unauthorized(HTTPException):
    """The request carries no valid key."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "send one of the service's keys, as in Authorization: Bearer <key>",
            headers={"WWW-Authenticate": "Bearer"},
        )


def install(app: FastAPI) -> None:
    """Make every error of `app` leave as a problem."""
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(ThalwegError, _known_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen)


def response(
    request: Request,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    errors: Iterable[Complaint] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as a response."""
    problem = Problem(
        type="about:blank" if kind is None else f"urn:thalweg:problem:{kind}",
        title=_TITLES.get(status) or HTTPStatus(status).phrase,
        status=status,
        detail=_printable(detail),
        instance=_printable(request.url.path),
        errors=None if errors is None else list(errors),
    )
    body = json.dumps(problem.model_dump(exclude_none=True))
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def _invalid_request(request: Request, error: Exception) -> Response:
    issues: Any = error.errors() if isinstance(error, RequestValidationError) else []
    complaints = [_complaint(issue) for issue in issues if not _follows(issue, issues)]
    kind = "invalid-input"
    if any(issue["type"] == "json_invalid" for issue in issues):
        return response(request, 400, complaints[0].detail, kind=kind, errors=complaints)
    return response(request, 422, _summary(complaints), kind=kind, errors=complaints)


def _known_error(request: Request, error: Exception) -> Response:
    status, kind = next(entry for known, entry in _STATUS.items() if isinstance(error, known))
    errors = None
    if isinstance(error, InvalidInput):
        errors = [Complaint(pointer=_pointer(error.path), detail=_printable(error.detail), column=error.column)]
    headers = {"Retry-After": "1"} if status == 503 else None
    return response(request, status, str(error), kind=kind, errors=errors, headers=headers)


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    detail = error.detail
    if error.status_code == 404:
        detail = f"there is nothing at {request.url.path}; /docs shows what there is"
    elif error.status_code == 405:
        detail = f"{request.method} is not possible at {request.url.path}"
    return response(request, error.status_code, detail, headers=error.headers)


def _unforeseen(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    detail = "an error of the service, not of the request; its log tells more under this X-Request-ID"
    headers = {"X-Request-ID": request.scope.get("request_id", "")}
    return response(request, 500, detail, headers=headers)


def _follows(issue: Mapping[str, Any], issues: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a list is said to be too short only because its items are wrong."""
    n = len(issue["loc"])
    return issue["type"] == "too_short" and any(
        len(other["loc"]) > n and other["loc"][:n] == issue["loc"] for other in issues
    )


def _complaint(issue: Mapping[str, Any]) -> Complaint:
    place, *rest = issue["loc"] or ("body",)
    cause = (issue.get("ctx") or {}).get("error")
    if issue["type"] == "json_invalid":
        return Complaint(pointer="#", detail=f"malformed JSON: {cause} at character {rest[0] if rest else 0}")
    path = list(rest) if place == "body" else [place, *rest]
    if isinstance(cause, InvalidInput):
        return Complaint(
            pointer=_pointer([*path, *cause.path]), detail=_printable(cause.detail), column=cause.column
        )
    words = _WORDS.get(issue["type"])
    detail = issue["msg"] if words is None else words.format(**(issue.get("ctx") or {}))
    return Complaint(pointer=_pointer(path), detail=_printable(detail))


def _pointer(path: Iterable[str | int]) -> str:
    return "#" + "".join("/" + _printable(str(part)).replace("~", "~0").replace("/", "~1") for part in path)


def _printable(text: str) -> str:
    """Return a text without the lone surrogates that JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode()


def _summary(complaints: list[Complaint]) -> str:
    shown = "; ".join(f"{complaint.pointer}: {complaint.detail}" for complaint in complaints[:5])
    return shown if len(complaints) <= 5 else f"{shown}; and {len(complaints) - 5} more"
