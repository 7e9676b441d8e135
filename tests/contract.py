"""Holding answers against the OpenAPI document: each JSON answer against the schema of its operation and status."""

import json
import re
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from thalweg.main import create_app
from thalweg.settings import Settings

_JSON = re.compile(r"application/(problem\+)?json")
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


@cache
def document() -> dict[str, Any]:
    """Return the service's OpenAPI document, as JSON holds it."""
    found: dict[str, Any] = json.loads(json.dumps(create_app(Settings()).openapi()))
    return found


def check_answer(answer: httpx.Response) -> None:
    """Check that an answer is one that the document describes, if it is JSON of a path that the document has."""
    media_type = answer.headers.get("content-type", "")
    if answer.request.method == "HEAD" or not _JSON.fullmatch(media_type):
        return
    content = _content(answer.request.method, answer.request.url.path, answer.status_code)
    if content is None:
        return
    said = f"{answer.request.method} {answer.request.url.path} {answer.status_code} {media_type}"
    assert media_type in content, f"{said} is not documented"
    answer.read()
    for error in _validator(json.dumps(content[media_type]["schema"])).iter_errors(answer.json()):
        raise AssertionError(f"{said}: {error.json_path}: {error.message[:500]}")


def _content(method: str, path: str, status: int) -> dict[str, Any] | None:
    """Return what is documented by media type; None of what the document says nothing about."""
    operations = next((ways for pattern, ways in _paths() if pattern.fullmatch(path)), None)
    if operations is None:
        return _PROBLEM if path.startswith("/v1") else None
    if method.lower() not in operations:
        return _PROBLEM
    responses = operations[method.lower()]["responses"]
    found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
    assert found is not None, f"{method} {path} answers {status}, which is not documented"
    content: dict[str, Any] = found.get("content", {})
    return content


@cache
def _paths() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    patterns = [
        (re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)), ways) for path, ways in document()["paths"].items()
    ]
    return [(re.compile(pattern), ways) for pattern, ways in patterns]


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": document()["components"]})
