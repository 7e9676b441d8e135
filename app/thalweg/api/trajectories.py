"""Trajectories and losses of jobs, in every output format."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from thalweg.analysis.accuracy import accuracy
from thalweg.analysis.thinning import METHOD, MIN_POINTS, downsample
from thalweg.analysis.work import check_work
from thalweg.api import formats, wire
from thalweg.api.computing import SHORT_VALUES
from thalweg.api.dependencies import Computing, JobId, RunNumber, Services, Wired, check_network, check_run
from thalweg.api.formats.format import Format
from thalweg.api.formats.json import JSON
from thalweg.api.formats.table import Column, Table, blocks
from thalweg.api.trajectory_schemas import LOSS, TRAJECTORY
from thalweg.db.trajectories import StepRange, Trajectory
from thalweg.engine.outcome import Results
from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.jobs.record import JobRecord
from thalweg.settings import Limits
from thalweg.whole_numbers import WRITTEN_WHOLE

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_STREAMED = ", ".join(each.name for each in formats.FORMATS if each.streamed)

SomeRun = Annotated[
    int | None,
    Query(
        ge=0,
        le=2**53,
        description=f"index of the run; by default 0 in JSON, and all runs in the streamed formats ({_STREAMED})",
    ),
    WRITTEN_WHOLE,
]
FromStep = Annotated[int | None, Query(ge=0, le=2**53, description="first step, inclusive"), WRITTEN_WHOLE]
ToStep = Annotated[int | None, Query(ge=0, le=2**53, description="last step, inclusive"), WRITTEN_WHOLE]
MaxPoints = Annotated[
    int | None,
    Query(ge=MIN_POINTS, le=1_000_000, description="thin to at most this many points; JSON only"),
    WRITTEN_WHOLE,
]


@router.get("/{job_id}/trajectory", response_class=StreamingResponse, responses=TRAJECTORY)
async def get_trajectory(
    job_id: JobId,
    services: Wired,
    compute: Computing,
    run: SomeRun = None,
    from_step: FromStep = None,
    to_step: ToStep = None,
    max_points: MaxPoints = None,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> StreamingResponse:
    """Return the recorded trajectory of one run as JSON, or of all runs in a streamed format.

    In JSON, a network that classifies also has its `accuracy` at every entry.
    """
    chosen = formats.negotiated(accept)
    record, results = await run_sync(services.jobs.get_with_results, job_id)
    wanted = _wanted(from_step, to_step)
    check_run(record, run or 0)
    if not chosen.streamed:
        run = run or 0
        n_values = _n_points(record, results, run, wanted) * record.spec.entry_values
        if max_points is None:
            _check_size(record, results, run, wanted, services.settings)
        else:
            n_values += wire.n_accuracy_values(record, max_points)
        whole = await compute(n_values, _whole, services, record, results, run, wanted, max_points)
        return _answer(chosen, chosen.write(whole), record)
    if max_points is not None:
        raise InvalidInput(
            f"max_points applies to {JSON.name} only: {chosen.name} always holds every point", "query", "max_points"
        )
    runs = range(record.spec.n_runs) if run is None else range(run, run + 1)
    pieces = chosen.write(_streamed(services, record, results, runs, wanted))
    n_values = sum(_n_points(record, results, each, wanted) for each in runs) * record.spec.entry_values
    return _answer(chosen, pieces if n_values <= SHORT_VALUES else services.streaming.each(pieces), record)


@router.get("/{job_id}/loss", response_class=StreamingResponse, responses=LOSS)
async def get_loss(
    job_id: JobId,
    services: Wired,
    compute: Computing,
    run: RunNumber = 0,
    from_step: FromStep = None,
    to_step: ToStep = None,
    max_points: MaxPoints = None,
) -> StreamingResponse:
    """Return a network's loss at every step, even if its parameters are recorded less often.

    With mini-batches, it is the loss of the batch of that step.
    """
    record, results = await run_sync(services.jobs.get_with_results, job_id)
    check_network(record)
    check_run(record, run)
    wanted = _wanted(from_step, to_step)
    n_losses = _n_entries(*_ends(wanted, int(results.n_steps[run])), every=1)
    if max_points is None and n_losses > services.settings.max_json_points:
        raise _too_many(n_losses, "losses", services.settings.max_json_points)
    width = 1 if record.spec.records_losses else 1 + record.spec.dim  # else they are read with the points

    def losses() -> Table:
        found = services.trajectories.losses(record, results, run, wanted)
        thinned, facts = _thinned(record, replace(found, x=found.x[:, :0], details={}), max_points)
        return Table.whole({"step": thinned.steps, "f": thinned.f}, facts)

    return _answer(JSON, JSON.write(await compute(n_losses * width, losses)), record)


def _whole(
    services: Services,
    record: JobRecord,
    results: Results,
    run: int,
    wanted: StepRange,
    max_points: int | None,
) -> Table:
    """Return the trajectory of one run, thinned, with accuracies for a network with classes."""
    (trajectory,) = services.trajectories.read(record, results, range(run, run + 1), wanted)
    thinned, facts = _thinned(record, trajectory, max_points)
    values = {"step": thinned.steps, "x": thinned.x, "f": thinned.f, **thinned.details}
    if (shares := _accuracy(record, thinned, services.settings)) is not None:
        values["accuracy"] = shares
    return Table.whole(values, facts)


def _streamed(services: Services, record: JobRecord, results: Results, runs: range, wanted: StepRange) -> Table:
    """Return the trajectories of `runs` as a table whose blocks are read from the database one by one."""
    trajectories = services.trajectories.read(record, results, runs, wanted)
    columns = (
        Column("run", np.dtype(np.int64)),
        Column("step", np.dtype(np.int64)),
        Column("x", results.x.dtype, width=record.spec.dim),
        Column("f", results.f.dtype),
        *(Column(name, results.x.dtype, width=n) for name, n in record.spec.details.items()),
    )
    return Table(columns, (block for trajectory in trajectories for block in blocks(_columns(trajectory))))


def _columns(trajectory: Trajectory) -> dict[str, np.ndarray]:
    run = np.full(len(trajectory.steps), trajectory.run)
    return {"run": run, "step": trajectory.steps, "x": trajectory.x, "f": trajectory.f, **trajectory.details}


def _answer(chosen: Format, pieces: Iterator[bytes] | AsyncIterator[bytes], record: JobRecord) -> StreamingResponse:
    return StreamingResponse(pieces, media_type=chosen.media_type, headers=chosen.headers(record.id))


def _wanted(from_step: int | None, to_step: int | None) -> StepRange:
    if from_step is not None and to_step is not None and from_step > to_step:
        raise InvalidInput(f"from_step is {from_step}, which is after to_step, {to_step}", "query", "from_step")
    return StepRange(from_step, to_step)


def _ends(wanted: StepRange, end: int) -> tuple[int, int]:
    """Return the first and the last wanted step of a run of `end` steps."""
    return wanted.first or 0, end if wanted.last is None else min(wanted.last, end)


def _n_entries(first: int, last: int, every: int) -> int:
    return max(0, last // every + 1 - -(-first // every))


def _n_points(record: JobRecord, results: Results, run: int, wanted: StepRange) -> int:
    end, every = int(results.n_steps[run]), record.spec.record_every
    first, last = _ends(wanted, end)
    return _n_entries(first, last, every) + (end % every > 0 and first <= end <= last)


def _check_size(record: JobRecord, results: Results, run: int, wanted: StepRange, limits: Limits) -> None:
    n_points, dim = _n_points(record, results, run, wanted), record.spec.dim
    most = min(limits.max_json_points, 10 * limits.max_json_points // record.spec.entry_values)
    if n_points > most:
        streamed = " or ".join(each.media_type for each in formats.FORMATS if each.streamed)
        another_way = f", or stream the whole trajectory with Accept: {streamed}"
        raise _too_many(n_points, f"points of {dim} coordinates", most, another_way)


def _too_many(n: int, what: str, most: int, another_way: str = "") -> LimitExceeded:
    return LimitExceeded(
        f"the run has {n} {what} here; one JSON response holds at most {most} (max_json_points): thin them with "
        f"max_points, request fewer with from_step and to_step{another_way}",
        "query",
        "max_points",
    )


def _thinned(
    record: JobRecord, trajectory: Trajectory, max_points: int | None
) -> tuple[Trajectory, dict[str, Any]]:
    """Return a trajectory of at most `max_points` points, and the facts that JSON gives before its columns."""
    n_points = len(trajectory.steps)
    downsampling = None
    if max_points is not None and n_points > max_points:
        kept = downsample(trajectory.x, trajectory.f, max_points)
        trajectory = trajectory.at(kept)
        downsampling = {
            "method": METHOD,
            "of_points": n_points,
            "max_points": max_points,
            "keeps": ["first", "last", "best", "extremes"],
        }
    facts = {
        "job_id": record.id,
        "run": trajectory.run,
        "n_points": len(trajectory.steps),
        "downsampling": downsampling,
    }
    return trajectory, facts


def _accuracy(record: JobRecord, trajectory: Trajectory, limits: Limits) -> np.ndarray | None:
    """Return the accuracy at each entry; None without classes, or if this version does not know the network."""
    if not record.spec.trains_network or (spec := record.spec.understood()) is None:
        return None
    if (network := spec.network) is not None and network.classes is not None:
        check_work(network, len(trajectory.steps), limits, "query", "max_points")
    return accuracy(spec, trajectory.x)
