"""Landscapes: the surface around the path of a run."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from thalweg.analysis.landscape import LARGEST, MOST_PATH_VALUES, Method, landscape
from thalweg.analysis.thinning import MIN_POINTS, downsample
from thalweg.analysis.work import check_work
from thalweg.api import wire
from thalweg.api.dependencies import Computing, JobId, RunNumber, Services, Wired, check_run
from thalweg.api.queries import from_query
from thalweg.db.trajectories import StepRange
from thalweg.engine.outcome import Results
from thalweg.errors import Conflict, LimitExceeded
from thalweg.jobs.record import JobRecord
from thalweg.spec.limits import n_recorded
from thalweg.whole_numbers import EXACT, LARGEST_EXACT, WRITTEN_WHOLE

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_MOST_SHOWN = 1000


class Landscape(BaseModel):
    """Values on a plane, and the path of a run projected onto it."""

    job_id: str
    run: int
    method: Method
    x: list[float] = Field(
        description="coordinates along the first direction, in units of its length; 0 is the center"
    )
    y: list[float] = Field(description="coordinates along the second direction")
    z: list[list[wire.Number]] = Field(description="`z[j][i]` is the value at `x[i]`, `y[j]`")
    path: list[tuple[float, float]] = Field(
        description="recorded points, thinned and projected orthogonally: pairs of coordinates along the two "
        "directions"
    )
    step: list[int] = Field(description="the steps of these points")
    f: list[wire.Number] = Field(description="the values at the points themselves, over all samples")
    center: list[float] = Field(description="the point of the plane at x = 0, y = 0")
    directions: list[list[float]] = Field(description="the two vectors that span the plane")
    explained_variance: float = Field(description="fraction of the path's variance within the plane, 0 to 1")
    max_distance: float = Field(description="largest distance of a point of the path from the plane")


@router.get("/{job_id}/landscape", response_model=Landscape)
async def get_landscape(
    job_id: JobId,
    services: Wired,
    compute: Computing,
    run: RunNumber = 0,
    method: Annotated[
        Method,
        Query(
            description="`pca`: the plane of the path's first two principal components; `random`: random "
            "directions through the last point, for networks normalized by filter (Li et al. 2018)"
        ),
    ] = "pca",
    points: Annotated[int, Query(ge=2, le=2**53, description="points along each axis"), WRITTEN_WHOLE] = 50,
    seed: Annotated[
        int,
        Query(ge=0, json_schema_extra={"maximum": LARGEST_EXACT}, description="seed of the random directions"),
        EXACT,
        WRITTEN_WHOLE,
    ] = 0,
) -> Response:
    """Return the surface of a job's function on a plane around the path of a run.

    Values are over all samples, even if the job uses mini-batches.
    """
    record, results = await run_sync(services.jobs.get_with_results, job_id)
    check_run(record, run)
    objective = record.spec.parsed().objective()
    if objective.dim < 2:
        raise Conflict("a landscape needs at least two coordinates; the points of this job have one")
    limits = services.settings
    if points**2 > limits.max_grid_points:
        raise LimitExceeded(
            f"{points} × {points} points are over this service's limit of {limits.max_grid_points} "
            "(max_grid_points): request fewer",
            "query",
            "points",
        )
    n_values = check_work(objective, points**2 + MIN_POINTS, limits, "query", "points")
    n_shown = min(_MOST_SHOWN, limits.max_request_values // objective.n_values - points**2)
    n_values += n_shown * objective.n_values
    n_values += n_recorded(int(results.n_steps[run]), record.spec.record_every) * (objective.dim + 1)
    plane = _Plane(method, points, seed, n_shown)
    return await compute(n_values, _landscape, services, record, results, run, plane)


@dataclass(frozen=True, slots=True)
class _Plane:
    """The requested plane, the points along each axis, and the maximum number of path points shown."""

    method: Method
    n_points: int
    seed: int
    n_shown: int


def _landscape(services: Services, record: JobRecord, results: Results, run: int, plane: _Plane) -> Response:
    objective = record.spec.parsed().objective()
    (trajectory,) = services.trajectories.read(record, results, range(run, run + 1), StepRange())
    if not trajectory.steps.size:
        raise Conflict("this run has no recorded points yet: retry after it has started")
    # a diverged run may end far outside
    within = np.flatnonzero((np.abs(trajectory.x.astype(np.float64)) <= LARGEST).all(axis=1))
    if not within.size:
        raise Conflict(
            f"the run has no point to show: in all of them a coordinate is not finite or over {LARGEST:g}"
        )
    # for very long paths, every k-th point (and the last) determines the plane well enough
    stride = -(-within.size * objective.dim // MOST_PATH_VALUES)
    sparse = within[::-stride][::-1]
    x, f = trajectory.x[sparse], trajectory.f[sparse]
    shown = downsample(x, f, plane.n_shown)
    with from_query():
        found = landscape(objective, x, shown, plane.method, plane.n_points, plane.seed)
    answer = {
        "job_id": record.id,
        "run": run,
        "method": plane.method,
        "x": found.x,
        "y": found.y,
        "z": found.z,
        "path": np.ascontiguousarray(found.path),
        "step": trajectory.steps[sparse][shown],
        "f": found.path_f,
        "center": found.center,
        "directions": found.directions,
        "explained_variance": found.explained_variance,
        "max_distance": found.max_distance,
    }
    return wire.numbers(answer)
