"""The surface around the path of a run."""

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
    """Values over a part of a plane, and the path of a run as its shadow on the plane."""

    job_id: str
    run: int
    method: Method
    x: list[float] = Field(description="places along the first direction, in units of its length; 0 is the center")
    y: list[float] = Field(description="places along the second direction")
    z: list[list[wire.Number]] = Field(description="`z[j][i]` is the value at `x[i]`, `y[j]`")
    path: list[tuple[float, float]] = Field(
        description="recorded entries, thinned, projected at right angles onto the plane: pairs of a place along "
        "the first direction and one along the second"
    )
    step: list[int] = Field(description="the steps of these entries")
    f: list[wire.Number] = Field(description="the values of all data at these entries themselves")
    center: list[float] = Field(description="the point of the plane at x = 0, y = 0")
    directions: list[list[float]] = Field(description="the two directions that span the plane")
    explained_variance: float = Field(description="the part of the path's variance that the plane holds, 0 to 1")
    max_distance: float = Field(description="the largest distance of a point of the path from the plane")


@router.get("/{job_id}/landscape", response_model=Landscape)
async def get_landscape(
    job_id: JobId,
    services: Wired,
    compute: Computing,
    run: RunNumber = 0,
    method: Annotated[
        Method,
        Query(
            description="`pca`: the plane that holds most of the path's variance; `random`: through the result, by "
            "random directions, of a network normalized filter by filter (Li et al. 2018)"
        ),
    ] = "pca",
    points: Annotated[int, Query(ge=2, le=2**53, description="places along each axis"), WRITTEN_WHOLE] = 50,
    seed: Annotated[
        int,
        Query(ge=0, json_schema_extra={"maximum": LARGEST_EXACT}, description="which random directions"),
        EXACT,
        WRITTEN_WHOLE,
    ] = 0,
) -> Response:
    """Return the surface of a job's function around the path of a run, over a plane through its dimensions.

    The values are those of all data, also where the job uses mini-batches.
    """
    record, results = await run_sync(services.jobs.get_with_results, job_id)
    check_run(record, run)
    objective = record.spec.parsed().objective()
    if objective.dim < 2:
        raise Conflict("the job's points have one coordinate, and no plane goes through them")
    limits = services.settings
    if points**2 > limits.max_grid_points:
        raise LimitExceeded(
            f"{points} × {points} points are over this service's limit of {limits.max_grid_points} "
            "(max_grid_points): take fewer",
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
    """What is wanted: which plane, how many places along each axis, and how many points of the path at most."""

    method: Method
    n_points: int
    seed: int
    n_shown: int


def _landscape(services: Services, record: JobRecord, results: Results, run: int, plane: _Plane) -> Response:
    objective = record.spec.parsed().objective()
    (trajectory,) = services.trajectories.read(record, results, range(run, run + 1), StepRange())
    if not trajectory.steps.size:
        raise Conflict("nothing of this run is recorded yet: wait until it has begun")
    # a run that has diverged ends far outside
    within = np.flatnonzero((np.abs(trajectory.x.astype(np.float64)) <= LARGEST).all(axis=1))
    if not within.size:
        raise Conflict(f"the run has no point whose coordinates are within {LARGEST:g}, which a landscape can show")
    # a path of very many points has the plane that each k-th of them has, the last one included
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
