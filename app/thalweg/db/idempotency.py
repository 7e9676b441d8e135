"""Keys that clients send with a request, so that sending it again does nothing more."""

import hashlib
import time
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from thalweg.db.models import IdempotencyKey
from thalweg.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it came.

    Attributes:
        text: The key.
        seconds: For how long a key is remembered.
        place: Where it stands in the request, for who is told that it cannot be used.
    """

    text: str
    seconds: float = 86400.0
    place: tuple[str, ...] = ("key",)


def digest(request: Any) -> str:
    """Return a digest of what a request asks for, given as JSON holds it."""
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()


def answered(connection: Connection, key: Key, asked: str) -> str | None:
    """Return the id of the job that the same request led to before, or None if the key is new.

    Raises:
        InvalidInput: The key came with a request of another digest than `asked`.
    """
    outdated = IdempotencyKey.created_at < time.time() - key.seconds
    connection.execute(delete(IdempotencyKey).where(outdated))
    query = select(IdempotencyKey.job_id, IdempotencyKey.digest).where(IdempotencyKey.key == key.text)
    known = connection.execute(query).one_or_none()
    if known is None:
        return None
    if known.digest != asked:
        raise InvalidInput("this key came with another request before: use a new key for a new request", *key.place)
    return str(known.job_id)


def remember(connection: Connection, key: Key, asked: str, job_id: str) -> None:
    """Store that the request of digest `asked` led to this job."""
    values = {"key": key.text, "job_id": job_id, "digest": asked, "created_at": time.time()}
    connection.execute(insert(IdempotencyKey), values)
