"""Plots of jobs: PNG and SVG for slides and papers, HTML to rotate offline."""

from enum import StrEnum
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from thalweg.analysis.thinning import downsample
from thalweg.api.computing import LONG
from thalweg.api.dependencies import Computing, JobId, Services, Wired
from thalweg.api.queries import from_query
from thalweg.cancellation import check_wanted
from thalweg.db.trajectories import StepRange
from thalweg.engine.outcome import Outcome
from thalweg.plots.document import document
from thalweg.plots.figure import draw
from thalweg.plots.scene import AZIMUTH, ELEVATION, MOST_PATHS, PATH_POINTS, Scene, paths_alone, scene
from thalweg.plots.scene import Path as Way
from thalweg.whole_numbers import WRITTEN_WHOLE

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_OFFLINE = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"


class Form(StrEnum):
    """File type of a plot."""

    png = "png"
    svg = "svg"
    html = "html"


_MEDIA_TYPES = {Form.png: "image/png", Form.svg: "image/svg+xml", Form.html: "text/html; charset=utf-8"}
_CONTENT = {
    media_type: {"schema": {"type": "string", "contentMediaType": media_type}}
    for media_type in (each.partition(";")[0] for each in _MEDIA_TYPES.values())
}


@router.get(
    "/{job_id}/plot.{form}",
    response_class=Response,
    responses={200: {"description": "The plot", "content": _CONTENT}},
)
async def get_plot(  # noqa: PLR0913, PLR0917 most are query parameters
    job_id: JobId,
    form: Annotated[
        Form, Path(description="png and svg are drawings; html is a single file with a surface to rotate")
    ],
    services: Wired,
    compute: Computing,
    log: Annotated[
        bool | None, Query(description="logarithmic heights; by default if the surface has no negative values")
    ] = None,
    elevation: Annotated[float, Query(ge=-90, le=90, description="elevation of the camera in degrees")] = ELEVATION,
    azimuth: Annotated[float, Query(ge=-360, le=360, description="azimuth of the camera in degrees")] = AZIMUTH,
    x_axis: Annotated[int, Query(ge=0, description="index of the coordinate on the x axis"), WRITTEN_WHOLE] = 0,
    y_axis: Annotated[int, Query(ge=0, description="index of the coordinate on the y axis"), WRITTEN_WHOLE] = 1,
    dpi: Annotated[
        int, Query(ge=50, le=300, description="dots per inch of a png, which is 12 by 5.6 inches"), WRITTEN_WHOLE
    ] = 110,
) -> Response:
    """Return a plot of a job: surface and contour map with the paths of its first runs so far."""

    def drawn() -> str | bytes:
        with from_query():
            found = _scene(services, job_id, (x_axis, y_axis))
        check_wanted()
        if form is Form.html:
            return document(found, log=log, elevation=elevation, azimuth=azimuth)
        kind: Literal["png", "svg"] = "png" if form is Form.png else "svg"
        return draw(found, kind, log=log, elevation=elevation, azimuth=azimuth, dpi=dpi)

    body = await compute(LONG, drawn)
    headers = {
        "Content-Disposition": f'inline; filename="{job_id}.{form}"',
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": _OFFLINE,
    }
    return Response(body, headers=headers, media_type=_MEDIA_TYPES[form])


def _scene(services: Services, job_id: str, axes: tuple[int, int]) -> Scene:
    record, results = services.jobs.get_with_results(job_id)
    runs = range(min(MOST_PATHS, record.spec.n_runs))
    paths = []
    for trajectory in services.trajectories.read(record, results, runs, StepRange()):
        kept = downsample(trajectory.x, trajectory.f, PATH_POINTS)
        outcome = Outcome(int(results.outcome[trajectory.run]))
        x, f = trajectory.x[kept].astype(float), trajectory.f[kept].astype(float)
        paths.append(Way(trajectory.run, x, f, outcome))
    if not any(len(path.f) for path in paths):
        starts = record.spec.starts()[: len(runs)]
        paths = [Way(run, starts[run : run + 1], starts[run : run + 1, 0] * float("nan")) for run in runs]
    shown = tuple(path for path in paths if len(path.f))
    if (spec := record.spec.understood()) is None:
        return paths_alone(f"{record.spec.function}: {record.spec.optimizer}", record.spec.dim, shown, axes)
    return scene(spec, shown, axes, services.settings)
