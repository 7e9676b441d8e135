"""Ending a job before its runs have: the results that were recorded last say why."""

from sqlalchemy import Connection, bindparam, select, update

from thalweg.db.tables import CHECKPOINTS
from thalweg.db.transitions import transition
from thalweg.engine.columns import pack, unpack
from thalweg.engine.outcome import Outcome, Results
from thalweg.jobs.status import Transition

_THIS = CHECKPOINTS.c.job_id == bindparam("b_id")
_RESULTS = select(CHECKPOINTS.c.results).where(_THIS)
_SAVE = update(CHECKPOINTS).where(_THIS).values(results=bindparam("b_results"))


def end_early(
    connection: Connection,
    kind: Transition,
    job_id: str,
    outcome: Outcome,
    *,
    attempt: int | None = None,
    reason: str | None = None,
) -> bool:
    """End a job, and its unfinished runs with `outcome`, and return whether it was there to be ended.

    Args:
        connection: A transaction that writes.
        kind: The transition that ends it.
        job_id: The job.
        outcome: The outcome of runs that have not ended on their own.
        attempt: As for `transition`.
        reason: Why, for the event.
    """
    results = recorded_results(connection, job_id)
    if results is None:
        return transition(connection, kind, job_id, attempt=attempt, reason=reason) is not None
    results = results.resumed().ended(outcome)
    counted = {"n_diverged": results.n_diverged}
    if transition(connection, kind, job_id, counted, attempt=attempt, reason=reason) is None:
        return False
    connection.execute(_SAVE, {"b_id": job_id, "b_results": pack(results.columns())})
    return True


def recorded_results(connection: Connection, job_id: str) -> Results | None:
    """Return the results that were recorded last for a job, as they were then; None if there are none."""
    packed = connection.execute(_RESULTS, {"b_id": job_id}).scalar_one_or_none()
    return None if packed is None else Results.from_columns(unpack(packed))
