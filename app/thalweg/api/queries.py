"""Rejects unknown query parameters, with a suggestion."""

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import ValidationError

from thalweg.errors import InvalidInput

_MOST_CHARACTERS = 50  # of a quoted name


async def check_query(request: Request) -> None:
    """Check that the route has every query parameter of the request.

    Raises:
        InvalidInput: It does not have one of them.
    """
    if not request.query_params:
        return
    known = tuple(_names(request.scope["route"].dependant))
    for name in request.query_params:
        if name not in known:
            raise InvalidInput(_complaint(name, known), "query", name[:_MOST_CHARACTERS])


@contextmanager
def from_query() -> Iterator[None]:
    """Make the path of every complaint raised within lead into the query."""
    try:
        yield
    except ValidationError as error:
        issue = error.errors()[0]
        cause = issue.get("ctx", {}).get("error")
        if isinstance(cause, InvalidInput):
            raise cause.at("query", *issue["loc"], *cause.path) from None
        raise InvalidInput(issue["msg"], "query", *issue["loc"]) from None
    except InvalidInput as error:
        raise error.at("query", *error.path) from None


def _names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for each in dependant.dependencies:
        yield from _names(each)


def _complaint(name: str, known: tuple[str, ...]) -> str:
    said = name[:_MOST_CHARACTERS]
    if not known:
        return f"unknown query parameter {said!r}: this path takes none"
    close = get_close_matches(said.lower(), known, n=1)
    guess = f": did you mean {close[0]}?" if close else "."
    return f"unknown query parameter {said!r}{guess} This path takes {', '.join(known)}"
