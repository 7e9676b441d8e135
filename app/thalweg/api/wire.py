"""JSON schemas of jobs and runs, and their conversion from records and results."""

import base64
import math
from datetime import datetime
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, RootModel

from thalweg.analysis.accuracy import accuracy
from thalweg.analysis.arrival import reached_minimum
from thalweg.analysis.gradient_check import GradientCheck
from thalweg.engine.outcome import UNCOUNTED, Outcome, Results
from thalweg.errors import InvalidInput
from thalweg.functions import catalogue
from thalweg.functions.base import Objective
from thalweg.jobs.record import Event, JobRecord
from thalweg.jobs.status import Status, Transition
from thalweg.spec.job import JobSpec
from thalweg.spec.limits import MOST_ACCURACIES

FIRST_RUNS = MOST_ACCURACIES

Number = Annotated[float | None, Field(description="null if not finite")]
Count = int | None
_LARGEST_COUNT = 2**53  # up to here, every JSON reader represents integers exactly


def count(number: int) -> Count:
    """Return an integer, or None if JSON readers could not represent it exactly."""
    return number if number <= _LARGEST_COUNT else None


class Best(BaseModel):
    """The entry of a run with the lowest value; the first one on a tie."""

    step: int
    x: list[Number]
    f: Number


class Minimum(BaseModel):
    """The known minimum that a run has reached: within 1e-3 of the width of the function's domain."""

    index: Count = Field(description="index in the function's `minima`; null beyond 2^53")
    x: list[float]
    distance: float


class Run(BaseModel):
    """A run of a job: one starting point and its result."""

    run: int
    init: list[Number]
    x: list[Number] = Field(description="the last point; for a diverged run, the last one with a finite value")
    f: Number
    grad_norm: Number
    outcome: str | None = Field(
        description="max_steps, converged, diverged, timed_out or cancelled; null while running"
    )
    n_steps: int = Field(description="number of updates made")
    n_evaluations: int | None = Field(
        description="number of evaluations of f and its gradient: n_steps + 1 if an update takes one, more for "
        "lbfgs; null for lbfgs jobs of versions that did not count them"
    )
    diverged_at: int | None = Field(
        description="step at which a run diverged: the first with a non-finite number, or the one that raised"
    )
    raised: str | None = Field(
        description="the exception that ended the run, as a hand-written loop would raise it; else null"
    )
    best: Best | None
    minimum: Minimum | None
    accuracy: Number = Field(
        None, description="fraction of its samples that a network classifies correctly; null without classes"
    )


class Progress(BaseModel):
    """Progress of a job."""

    step: int
    steps: int


class StoredSpec(RootModel[dict[str, Any]]):
    """A job's specification as stored, with all defaults filled in.

    It has the form of `JobSpec` at the time the job was posted; that of a job of this version can be posted again.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "properties": {
                "function": {"description": "the function to minimise"},
                "optimizer": {"description": "name and parameters of the optimizer, except lr"},
                "lr": {"description": "the learning rate"},
                "init": {"description": "the starting points"},
                "steps": {"type": "integer"},
                "record_every": {"type": "integer"},
                "label": {"type": ["string", "null"]},
                "tags": {"type": "array", "items": {"type": "string"}},
            }
        }
    )


class JobSummary(BaseModel):
    """A job, without its runs."""

    id: str
    status: Status
    spec: StoredSpec
    engine: str = Field(description="the engine that runs the job, eager or fused")
    engine_reason: str | None = Field(
        description="why `auto` chose eager; for fused, which digits may differ from eager on this machine"
    )
    attempt: int = Field(description="number of times a worker has started the job")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    progress: Progress
    n_runs: int
    error: str | None = Field(description="why the job failed")
    n_diverged: int | None = Field(
        description="number of diverged runs; null while the job is running, and for jobs of versions that did "
        "not count them"
    )
    gradient_check: GradientCheck | None = Field(
        description="for a formula: whether its gradient agrees with central differences at the starting points"
    )
    links: dict[str, str]


class Job(JobSummary):
    """A job with its first 100 runs."""

    runs: list[Run]


class JobPage(BaseModel):
    """A page of jobs, newest first."""

    items: list[JobSummary]
    next_cursor: str | None


class RunPage(BaseModel):
    """A page of a job's runs, in order."""

    items: list[Run]
    next_cursor: str | None


class JobEvent(BaseModel):
    """A change of a job's state."""

    seq: int = Field(description="increases from event to event, over all jobs")
    at: datetime
    kind: Transition
    attempt: int = Field(description="the job's latest attempt at that moment; 0 before the first")
    step: int = Field(description="the step that was recorded by then")
    steps: int | None = Field(
        description="the total number of steps that the job was to do; null where that was not kept"
    )
    reason: str | None = Field(description="why, where the kind alone does not tell")


class EventPage(BaseModel):
    """Some of a job's events, oldest first."""

    items: list[JobEvent]
    next_cursor: str | None


def event(event: Event) -> JobEvent:
    """Return an event of a job's history."""
    return JobEvent.model_validate(event, from_attributes=True)


def job_summary(record: JobRecord) -> JobSummary:
    """Return a job without its runs."""
    return JobSummary(**_summary(record))


def job(record: JobRecord, results: Results) -> Job:
    """Return a job with its first runs."""
    return Job(**_summary(record), runs=runs(record, results, range(min(FIRST_RUNS, record.spec.n_runs))))


def runs(record: JobRecord, results: Results, which: range) -> list[Run]:
    """Return the runs with the given indices."""
    spec = record.spec.understood()
    objective = None if spec is None else spec.objective()
    starts = record.spec.starts()
    shares = None if spec is None else accuracy(spec, results.finite_x[which.start : which.stop])
    return [
        Run(
            run=run,
            init=starts[run].tolist(),
            x=results.finite_x[run].tolist(),
            f=float(results.finite_f[run]),
            grad_norm=float(results.grad_norm[run]),
            outcome=_outcome(results, run),
            n_steps=int(results.n_steps[run]),
            n_evaluations=_n_evaluations(spec, results, run),
            diverged_at=int(results.n_steps[run]) if results.outcome[run] == Outcome.diverged else None,
            raised=results.sentence(run),
            best=_best(results, run),
            minimum=_minimum(objective, results.finite_x[run]),
            accuracy=None if shares is None else float(shares[run - which.start]),
        )
        for run in which
    ]


def n_accuracy_values(record: JobRecord, n_points: int) -> int:
    """Return roughly how many values it takes to compute the accuracy at `n_points` points; 0 without classes."""
    spec = record.spec.understood() if record.spec.trains_network else None
    network = None if spec is None else spec.network
    return 0 if network is None or network.classes is None else n_points * network.n_values


def n_run_values(record: JobRecord, n_runs: int = FIRST_RUNS) -> int:
    """Return roughly how many values it takes to show a job with `n_runs` of its runs."""
    return n_accuracy_values(record, min(n_runs, record.spec.n_runs))


def numbers(answer: Any) -> Response:
    """Return contiguous numpy arrays in dicts and lists as JSON, with null for non-finite numbers."""
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def etag(record: JobRecord) -> str:
    """Return the entity tag of a job's current state."""
    return f'"{record.id}.{record.revision}"'


def encode_cursor(position: str | int) -> str:
    """Return `position` as an opaque cursor."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return the position encoded in a cursor.

    Raises:
        InvalidInput: It is not a cursor.
    """
    try:
        position = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        position = ""
    if not position or encode_cursor(position) != cursor:
        raise bad_cursor()
    return position


def list_position(cursor: str, length: int) -> int:
    """Return the index encoded in a cursor of a list of `length` items.

    Raises:
        InvalidInput: It is not a cursor of this list.
    """
    position = decode_cursor(cursor)
    if not position.isascii() or not position.isdigit() or int(position) >= length:
        raise bad_cursor()
    return int(position)


def seq_position(cursor: str) -> int:
    """Return the `seq` that a cursor of a history stands for.

    Raises:
        InvalidInput: It is not a cursor of such a list.
    """
    position = decode_cursor(cursor)
    if not position.isascii() or not position.isdigit() or int(position) > _LARGEST_COUNT:
        raise bad_cursor()
    return int(position)


def bad_cursor() -> InvalidInput:
    """Return the error for a cursor that was not issued for this list."""
    return InvalidInput("invalid cursor: send the next_cursor of the previous page unchanged", "query", "cursor")


def _summary(record: JobRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "status": record.status,
        "spec": StoredSpec(record.spec.document),
        "engine": record.engine,
        "engine_reason": record.spec.engine_reason,
        "attempt": record.attempt,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "progress": Progress(step=record.step, steps=record.spec.steps),
        "n_runs": record.spec.n_runs,
        "error": record.error,
        "n_diverged": record.n_diverged,
        "gradient_check": record.gradient_check,
        "links": _links(record),
    }


def _links(record: JobRecord) -> dict[str, str]:
    at = f"/v1/jobs/{record.id}"
    ways = ["runs", "trajectory", "events", "history", "cancel", "extend"]
    if record.spec.dim > 1:
        ways.append("landscape")
    if record.spec.trains_network:
        ways += ["loss", "backprop"]
    links = {"self": at, **{way: f"{at}/{way}" for way in ways}}
    if catalogue.has(record.spec.function):
        links["function"] = f"/v1/functions/{record.spec.function}"
    return links


def _outcome(results: Results, run: int) -> str | None:
    outcome = Outcome(int(results.outcome[run]))
    return None if outcome is Outcome.running else outcome.name


def _n_evaluations(spec: JobSpec | None, results: Results, run: int) -> int | None:
    n_evaluations = int(results.n_evaluations[run])
    if n_evaluations != UNCOUNTED:
        return n_evaluations
    return None if spec is None or spec.optimizer.closure else int(results.n_steps[run]) + 1


def _best(results: Results, run: int) -> Best | None:
    f = float(results.best_f[run])
    if not math.isfinite(f):
        return None
    return Best(step=int(results.best_step[run]), x=results.best_x[run].tolist(), f=f)


def _minimum(objective: Objective | None, x: np.ndarray) -> Minimum | None:
    if objective is None or (reached := reached_minimum(objective, x)) is None:
        return None
    return Minimum(index=count(reached.index), x=list(reached.x), distance=reached.distance)
