"""The one place where a job's state changes: its row, and an event that says so, in the same transaction."""

import time
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, and_, bindparam, func, insert, select, update
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from thalweg.db.tables import EVENTS, JOBS
from thalweg.jobs.record import Attempt
from thalweg.jobs.status import Status, Transition

_NOTHING: Mapping[str, Any] = MappingProxyType({})

_THIS = JOBS.c.id == bindparam("b_id")
_CHANGED = {"revision": JOBS.c.revision + 1}
_HELD = and_(JOBS.c.attempt == bindparam("b_attempt"), JOBS.c.status == Status.running)
"""The attempt is the latest one, and nobody has ended or requeued the job since."""

_RETURNED = (JOBS.c.attempt, JOBS.c.step, JOBS.c.steps, JOBS.c.n_lost)  # a whole row takes some 0.03 ms more

_AT: BindParameter[float] = bindparam("b_at")
_ENDED = {"finished_at": _AT}
_EFFECTS: Mapping[Transition, Mapping[str, Any]] = {
    Transition.started: {
        "attempt": JOBS.c.attempt + 1,
        "started_at": func.coalesce(JOBS.c.started_at, _AT),
    },
    Transition.lost: {"n_lost": JOBS.c.n_lost + 1},
    Transition.requeued: {},
    Transition.succeeded: _ENDED,
    Transition.failed: {**_ENDED, "error": bindparam("b_reason")},
    Transition.cancelled: _ENDED,
    Transition.extended: {
        "generation": JOBS.c.generation + 1,
        "n_lost": 0,
        "queued_at": _AT,
        "finished_at": None,
        "deadline_at": None,
        "n_diverged": None,
    },
}

_PROGRESS = update(JOBS).where(_THIS, _HELD).values(**_CHANGED, step=bindparam("b_step"))
_HOLDS = select(JOBS.c.id).where(_THIS, _HELD)
_INSERT_EVENT = insert(EVENTS)


def transition(
    connection: Connection,
    kind: Transition,
    job_id: str,
    values: Mapping[str, Any] = _NOTHING,
    *,
    attempt: int | None = None,
    generation: int | None = None,
    reason: str | None = None,
    at: float | None = None,
) -> Row[Any] | None:
    """Change a job's state, and return its new row; None, and no change, if the job is not in a state for it.

    Of the row, all columns are there for `started`, and for others those that an event needs, and `n_lost`.

    Args:
        connection: A transaction that writes.
        kind: What happens to the job, which must be in one of the states that this starts from.
        job_id: The job.
        values: Further columns to set; all of them for `created`.
        attempt: Whose change it is: the job must be running, and this must be its latest attempt.
        generation: The generation that the job must be of.
        reason: Why, for the event; for `failed` it is the job's error, too.
        at: When, in seconds since the epoch; now by default.
    """
    at = time.time() if at is None else at
    statement, names = _statement(kind, of_attempt=attempt is not None, of_generation=generation is not None)
    known = {"b_id": job_id, "b_at": at, "b_attempt": attempt, "b_generation": generation, "b_reason": reason}
    bound = {name: known[name] for name in names}
    row = connection.execute(statement, {**values, **bound}).one_or_none()
    if row is None:
        return None
    event = {
        "job_id": job_id,
        "at": at,
        "kind": kind,
        "attempt": row.attempt,
        "step": row.step,
        "steps": row.steps,
        "reason": reason,
    }
    connection.execute(_INSERT_EVENT, event)
    return row


def progress(connection: Connection, attempt: Attempt, step: int) -> bool:
    """Store the step that a running job is at, and return whether the attempt still holds the job."""
    written = {"b_id": attempt.job_id, "b_attempt": attempt.number, "b_step": step}
    return bool(connection.execute(_PROGRESS, written).rowcount)


def holds(connection: Connection, attempt: Attempt) -> bool:
    """Return whether an attempt may still write: it is the job's latest, and the job is running."""
    asked = {"b_id": attempt.job_id, "b_attempt": attempt.number}
    return connection.execute(_HOLDS, asked).first() is not None


@lru_cache
def _statement(
    kind: Transition, *, of_attempt: bool, of_generation: bool
) -> tuple[ReturningInsert[Any] | ReturningUpdate[Any], frozenset[str]]:
    """Return the statement of a transition, and the names of its parameters beside the columns that are set."""
    returned = JOBS.columns if kind is Transition.started else _RETURNED
    if kind is Transition.created:
        return insert(JOBS).returning(*returned), frozenset()
    conditions = [_THIS, _HELD if of_attempt else JOBS.c.status.in_(kind.sources)]
    if of_generation:
        conditions.append(JOBS.c.generation == bindparam("b_generation"))
    effects = {**_CHANGED, **_EFFECTS[kind], "status": kind.target}
    statement = update(JOBS).where(*conditions).values(effects).returning(*returned)
    return statement, frozenset(name for name in statement.compile().params if name.startswith("b_"))
