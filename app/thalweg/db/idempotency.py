"""Storing which job each idempotency key led to."""

import time

from sqlalchemy import Connection, delete, insert, select

from thalweg.db.tables import KEYS
from thalweg.errors import InvalidInput
from thalweg.jobs.idempotency import Key


def answered(connection: Connection, key: Key, asked: str) -> str | None:
    """Return the id of the job that the request of this key led to; None if the key is new.

    Raises:
        InvalidInput: The key came with a request of another digest than `asked`.
    """
    connection.execute(delete(KEYS).where(KEYS.c.created_at < time.time() - key.seconds))
    known = connection.execute(select(KEYS.c.job_id, KEYS.c.digest).where(KEYS.c.key == key.text)).one_or_none()
    if known is None:
        return None
    if known.digest != asked:
        raise InvalidInput("this key came with another request before: use a new key for a new request", *key.place)
    return str(known.job_id)


def remember(connection: Connection, key: Key, asked: str, job_id: str) -> None:
    """Store that the request of digest `asked` led to this job."""
    values = {"key": key.text, "job_id": job_id, "digest": asked, "created_at": time.time()}
    connection.execute(insert(KEYS), values)
