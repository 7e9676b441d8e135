"""Trajectories: as JSON columns for pages and scripts, as CSV and NDJSON for the whole."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import orjson
from anyio.to_thread import run_sync
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from thalweg.analysis.accuracy import accuracy
from thalweg.analysis.thinning import METHOD, MIN_POINTS, downsample
from thalweg.api import wire
from thalweg.api.computing import SHORT_VALUES
from thalweg.api.dependencies import Computing, JobId, RunNumber, Services, Wired, check_network, check_run
from thalweg.api.entries import CSV, JSON, LOSS, NDJSON, TRAJECTORY
from thalweg.api.negotiation import preferred
from thalweg.db.trajectories import StepRange, Trajectory
from thalweg.engine.outcome import Results
from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.jobs.record import JobRecord
from thalweg.settings import Limits
from thalweg.spec.limits import check_work
from thalweg.whole_numbers import WRITTEN_WHOLE

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_SLICE = 20_000

SomeRun = Annotated[
    int | None, Query(ge=0, le=2**53, description="which run; 0, or all for CSV and NDJSON"), WRITTEN_WHOLE
]
FromStep = Annotated[int | None, Query(ge=0, le=2**53, description="first entry, included"), WRITTEN_WHOLE]
ToStep = Annotated[int | None, Query(ge=0, le=2**53, description="last entry, included"), WRITTEN_WHOLE]
MaxPoints = Annotated[
    int | None, Query(ge=MIN_POINTS, le=1_000_000, description="thin to so many; JSON only"), WRITTEN_WHOLE
]


@router.get(
    "/{job_id}/trajectory",
    response_class=StreamingResponse,
    responses=TRAJECTORY,
)
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
    """Return what a run recorded, or as CSV and NDJSON what all runs recorded.

    As JSON, the entries of a network that sorts into classes have their `accuracy`, too.
    """
    media_type = preferred(accept, (JSON, CSV, NDJSON))
    record, results = await run_sync(services.jobs.get_with_results, job_id)
    wanted = _wanted(from_step, to_step)
    check_run(record, run or 0)
    if media_type == JSON:
        run = run or 0
        n_values = _n_points(record, results, run, wanted) * (record.spec.dim + 1)
        if max_points is None:
            _check_size(record, results, run, wanted, services.settings)
        else:
            n_values += wire.n_accuracy_values(record, max_points)
        pieces = await compute(n_values, _columns, services, record, results, run, wanted, max_points)
        return _streamed(pieces, media_type, record)
    if max_points is not None:
        raise InvalidInput("max_points thins JSON only; CSV and NDJSON give the whole", "query", "max_points")
    runs = range(record.spec.n_runs) if run is None else range(run, run + 1)
    trajectories = services.trajectories.read(record, results, runs, wanted)
    lines = _csv(trajectories, record.spec.dim) if media_type == CSV else _ndjson(trajectories)
    n_values = sum(_n_points(record, results, each, wanted) for each in runs) * (record.spec.dim + 1)
    return _streamed(lines if n_values <= SHORT_VALUES else services.streaming.each(lines), media_type, record)


def _columns(
    services: Services,
    record: JobRecord,
    results: Results,
    run: int,
    wanted: StepRange,
    max_points: int | None,
) -> Iterator[bytes]:
    (trajectory,) = services.trajectories.read(record, results, range(run, run + 1), wanted)
    thinned, head = _thinned(record, trajectory, max_points)
    columns = {"step": thinned.steps, "x": thinned.x, "f": thinned.f}
    if (shares := _accuracy(record, thinned, services.settings)) is not None:
        columns["accuracy"] = shares
    return _json(head, columns)


@router.get(
    "/{job_id}/loss",
    response_class=StreamingResponse,
    responses=LOSS,
)
async def get_loss(
    job_id: JobId,
    services: Wired,
    compute: Computing,
    run: RunNumber = 0,
    from_step: FromStep = None,
    to_step: ToStep = None,
    max_points: MaxPoints = None,
) -> StreamingResponse:
    """Return a network's loss at every step, however seldom its parameters are recorded.

    Of a job with mini-batches it is the loss of the batch of that step.
    """
    record, results = await run_sync(services.jobs.get_with_results, job_id)
    check_network(record)
    check_run(record, run)
    wanted = _wanted(from_step, to_step)
    n_losses = _n_entries(*_ends(wanted, int(results.n_steps[run])), every=1)
    if max_points is None and n_losses > services.settings.max_json_points:
        raise _too_many(n_losses, "losses", services.settings)
    width = 1 if record.spec.records_losses else 1 + record.spec.dim  # else they stand beside the points

    def columns() -> Iterator[bytes]:
        losses = services.trajectories.losses(record, results, run, wanted)
        thinned, head = _thinned(record, replace(losses, x=losses.x[:, :0]), max_points)
        return _json(head, {"step": thinned.steps, "f": thinned.f})

    return _streamed(await compute(n_losses * width, columns), JSON, record)


def _wanted(from_step: int | None, to_step: int | None) -> StepRange:
    if from_step is not None and to_step is not None and from_step > to_step:
        raise InvalidInput(f"from_step is {from_step}, which is after to_step, {to_step}", "query", "from_step")
    return StepRange(from_step, to_step)


def _ends(wanted: StepRange, end: int) -> tuple[int, int]:
    """Return the first and the last step that is wanted of a run of `end` steps."""
    return wanted.first or 0, end if wanted.last is None else min(wanted.last, end)


def _n_entries(first: int, last: int, every: int) -> int:
    return max(0, last // every + 1 - -(-first // every))


def _n_points(record: JobRecord, results: Results, run: int, wanted: StepRange) -> int:
    end, every = int(results.n_steps[run]), record.spec.record_every
    first, last = _ends(wanted, end)
    return _n_entries(first, last, every) + (end % every > 0 and first <= end <= last)


def _check_size(record: JobRecord, results: Results, run: int, wanted: StepRange, limits: Limits) -> None:
    n_points = _n_points(record, results, run, wanted)
    n_values = n_points * (record.spec.dim + 1)
    if n_points > limits.max_json_points or n_values > 10 * limits.max_json_points:
        whole = ", or stream the trajectory with Accept: text/csv"
        raise _too_many(n_points, f"points of {record.spec.dim} coordinates", limits, whole)


def _too_many(n: int, what: str, limits: Limits, another_way: str = "") -> LimitExceeded:
    return LimitExceeded(
        f"the run has {n} {what} here, more than one JSON answer holds "
        f"({limits.max_json_points}, max_json_points): thin them with max_points, take a part with from_step and "
        f"to_step{another_way}",
        "query",
        "max_points",
    )


def _streamed(
    pieces: Iterator[bytes] | AsyncIterator[bytes], media_type: str, record: JobRecord
) -> StreamingResponse:
    headers = {"Vary": "Accept"}
    if media_type != JSON:
        suffix = "csv" if media_type == CSV else "ndjson"
        headers["Content-Disposition"] = f'attachment; filename="{record.id}.{suffix}"'
    return StreamingResponse(pieces, media_type=media_type, headers=headers)


def _thinned(
    record: JobRecord, trajectory: Trajectory, max_points: int | None
) -> tuple[Trajectory, dict[str, Any]]:
    """Return a trajectory with at most so many points, and what JSON says of it before its columns."""
    n_points = len(trajectory.steps)
    downsampling: dict[str, Any] | None = None
    if max_points is not None and n_points > max_points:
        kept = downsample(trajectory.x, trajectory.f, max_points)
        trajectory = Trajectory(trajectory.run, trajectory.steps[kept], trajectory.x[kept], trajectory.f[kept])
        downsampling = {
            "method": METHOD,
            "of_points": n_points,
            "max_points": max_points,
            "keeps": ["first", "last", "best", "extremes"],
        }
    head = {
        "job_id": record.id,
        "run": trajectory.run,
        "n_points": len(trajectory.steps),
        "downsampling": downsampling,
    }
    return trajectory, head


def _accuracy(record: JobRecord, trajectory: Trajectory, limits: Limits) -> np.ndarray | None:
    """Return the accuracy at each entry; None without classes, or where this version does not know the network."""
    if not record.spec.trains_network or (spec := record.spec.understood()) is None:
        return None
    if (network := spec.network) is not None and network.classes is not None:
        check_work(network, len(trajectory.steps), limits, "query", "max_points")
    return accuracy(spec, trajectory.x)


def _json(head: dict[str, Any], columns: dict[str, np.ndarray]) -> Iterator[bytes]:
    yield orjson.dumps(head)[:-1]
    for name, column in columns.items():
        yield f',"{name}":['.encode()
        for begin in range(0, len(column), _SLICE):
            yield (b"," if begin else b"") + _numbers(column[begin : begin + _SLICE])[1:-1]
        yield b"]"
    yield b"}"


def _csv(trajectories: Iterator[Trajectory], dim: int) -> Iterator[bytes]:
    yield ("run,step," + "".join(f"x{i}," for i in range(dim)) + "f\n").encode()
    for trajectory in trajectories:
        run = trajectory.run
        for steps, x, f in _slices(trajectory):
            rows = _rows(np.column_stack([x, f]))
            yield (
                "".join(f"{run},{step},{row}\n" for step, row in zip(steps, rows, strict=True))
                .replace("null", "")
                .encode()
            )


def _ndjson(trajectories: Iterator[Trajectory]) -> Iterator[bytes]:
    for trajectory in trajectories:
        run = trajectory.run
        for steps, x, f in _slices(trajectory):
            values = _numbers(f).decode()[1:-1].split(",")
            yield "".join(
                f'{{"run":{run},"step":{step},"x":[{row}],"f":{value}}}\n'
                for step, row, value in zip(steps, _rows(x), values, strict=True)
            ).encode()


def _slices(trajectory: Trajectory) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
    for begin in range(0, len(trajectory.steps), _SLICE):
        part = slice(begin, begin + _SLICE)
        yield trajectory.steps[part].tolist(), trajectory.x[part], trajectory.f[part]


def _rows(matrix: np.ndarray) -> list[str]:
    """Return each row's numbers, separated by commas."""
    return _numbers(matrix).decode()[2:-2].split("],[")


def _numbers(column: np.ndarray) -> bytes:
    """Return an array as JSON. Every number is the exact double: orjson would round a float32 to its own text."""
    if column.dtype.kind == "f":
        column = column.astype(np.float64)
    return orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)
