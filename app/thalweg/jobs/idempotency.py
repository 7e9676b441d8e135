"""Idempotency keys: a request that is repeated with its key has no further effect."""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Key:
    """A key that a client sent with a request.

    Attributes:
        text: The key.
        seconds: For how long it is remembered.
        place: Where it stands in the request, for errors about it.
    """

    text: str
    seconds: float = 86400.0
    place: tuple[str, ...] = ("key",)


def digest(request: Any) -> str:
    """Return a digest of what a request asks for, given as JSON values."""
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()
