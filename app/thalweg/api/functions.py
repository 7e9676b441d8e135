"""Functions: the catalogue, surfaces, values and critical points."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from thalweg.analysis.arrival import minimum_radius
from thalweg.analysis.critical_points import Kind, Search, critical_points
from thalweg.analysis.evaluation import Evaluation, evaluate
from thalweg.analysis.surface import Slice
from thalweg.api import wire
from thalweg.api.computing import LONG, Compute
from thalweg.api.dependencies import Computing, Cursor, Limit, Services, Wired
from thalweg.api.queries import from_query
from thalweg.api.routing import SENT, BodyRoute
from thalweg.errors import InvalidInput, NotFound
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueFunction
from thalweg.functions.minima import first
from thalweg.whole_numbers import WRITTEN_WHOLE

router = APIRouter(route_class=BodyRoute, prefix="/v1", tags=["functions"])

Dim = Annotated[
    int | None,
    Query(
        ge=1, le=10_000, description="the dimension of a function of any dimension; by default 2, or its minimum"
    ),
    WRITTEN_WHOLE,
]
End = Annotated[float | None, Query(allow_inf_nan=False)]


MOST_MINIMA = 1000
MOST_COORDINATES_OF_MINIMA = 100_000


class KnownMinimum(BaseModel):
    """A global minimum."""

    x: list[float]
    f: float


class Function(BaseModel):
    """A function of the catalogue."""

    name: str
    title: str
    dim: int
    any_dim: bool = Field(description="whether the dimension is variable; `dim` is then the one shown")
    domain: list[tuple[float, float]] = Field(description="the usual search interval of each coordinate")
    minima: list[KnownMinimum] = Field(
        description=f"the known global minima in the domain, at most {MOST_MINIMA}, fewer in high dimensions"
    )
    n_minima: wire.Count = Field(description="number of known global minima; null beyond 2^53")
    minimum_radius: float = Field(
        description="how far from a known minimum a point may lie to be at it: what `minimum` of a run goes by"
    )
    all_minima_known: bool = Field(description="whether the domain has no other global minima")
    smooth: bool = Field(description="whether the gradient is continuous in the whole domain")
    formula: str = Field(description="LaTeX")
    source: str


class FunctionPage(BaseModel):
    """A page of functions, in the order of the catalogue."""

    items: list[Function]
    next_cursor: str | None


class Surface(BaseModel):
    """Values on a grid: `z[j][i]` at `x[i]`, `y[j]`; null if not finite."""

    x: list[float]
    y: list[float]
    z: list[list[wire.Number]]


class Values(BaseModel):
    """Values and derivatives at the given points; null if not finite."""

    f: list[wire.Number]
    gradient: list[list[wire.Number]] | None = None
    hessian: list[list[list[wire.Number]]] | None = None


class CriticalPoint(BaseModel):
    """A point where the gradient vanishes."""

    x: list[float]
    f: float
    kind: Kind = Field(description="by the signs of the eigenvalues; degenerate if one is 0")
    eigenvalues: list[float] = Field(description="of the Hessian, ascending")
    isolated: bool = Field(description="false on a curve of critical points, of which only some are listed")


class CriticalPoints(BaseModel):
    """The critical points in a box, lowest value first."""

    box: list[tuple[float, float]] = Field(description="the searched interval of each coordinate")
    counts: dict[Kind, int]
    critical_points: list[CriticalPoint]


@router.get("/functions")
def list_functions(limit: Limit = 1000, cursor: Cursor = None) -> FunctionPage:
    """Return the functions of the catalogue."""
    functions = catalogue.functions()
    first = 0 if cursor is None else wire.list_position(cursor, len(functions))
    end = min(first + limit, len(functions))
    return FunctionPage(
        items=[_function(function, None) for function in functions[first:end]],
        next_cursor=wire.encode_cursor(end) if end < len(functions) else None,
    )


@router.get("/functions/{name}")
def get_function(name: str, dim: Dim = None) -> Function:
    """Return a function of the catalogue."""
    return _function(_existing(name), dim)


@router.get("/functions/{name}/surface", response_model=Surface)
async def get_surface(  # noqa: PLR0913, PLR0917 most are fields of the query
    name: str,
    services: Wired,
    compute: Computing,
    x_min: End = None,
    x_max: End = None,
    y_min: End = None,
    y_max: End = None,
    step: Annotated[
        float | None, Query(gt=0, allow_inf_nan=False, description="grid spacing, as in numpy.arange")
    ] = None,
    points: Annotated[
        int | None,
        Query(ge=2, le=2**53, description="points along each axis, as in numpy.linspace; 100 by default"),
        WRITTEN_WHOLE,
    ] = None,
) -> Response:
    """Return the surface of a function of two coordinates, by default over its domain."""
    window = {"x_min": x_min, "x_max": x_max, "y_min": y_min, "y_max": y_max, "step": step, "points": points}
    with from_query():
        request = Slice.model_validate({"function": _existing(name).name, **window})
        return await _surface(request, services, compute)


@router.post("/surface", response_model=Surface)
async def post_surface(request: Annotated[Slice, SENT], services: Wired, compute: Computing) -> Response:
    """Return the surface of any function over two axes, with the other coordinates fixed."""
    return await _surface(request, services, compute)


@router.post("/evaluate", response_model=Values, response_model_exclude_none=True)
async def post_evaluate(request: Annotated[Evaluation, SENT], services: Wired, compute: Computing) -> Response:
    """Return a function's values at points in float64, with gradients and Hessians if requested."""
    return await compute(request.check_limits(services.settings), _values, request)


@router.post("/critical-points")
async def post_critical_points(
    request: Annotated[Search, SENT], services: Wired, compute: Computing
) -> CriticalPoints:
    """Return the critical points of a function of two coordinates in a box, classified.

    They are found by Newton's method from a grid of starts: all of them if the grid is fine enough.
    """
    request.check_limits(services.settings)
    found = await compute(LONG, critical_points, request)  # thousands of small steps
    return CriticalPoints(
        box=list(request.box()),
        counts={kind: sum(point.kind == kind for point in found) for kind in Kind},
        critical_points=[
            CriticalPoint(
                x=list(point.x),
                f=point.f,
                kind=point.kind,
                eigenvalues=list(point.eigenvalues),
                isolated=point.isolated,
            )
            for point in found
        ],
    )


def _existing(name: str) -> CatalogueFunction:
    try:
        return catalogue.get(name)
    except InvalidInput as error:
        raise NotFound(error.detail, error.remedy) from None


def _function(function: CatalogueFunction, dim: int | None) -> Function:
    try:
        objective = function.at(dim)
    except InvalidInput as error:
        raise InvalidInput(error.detail, "query", "dim") from None
    most = max(1, min(MOST_MINIMA, MOST_COORDINATES_OF_MINIMA // objective.dim))
    return Function(
        name=function.name,
        title=function.title,
        dim=objective.dim,
        any_dim=function.dim is None,
        domain=list(objective.domain),
        minima=[KnownMinimum(x=list(known.x), f=known.f) for known in first(objective.minima, most)],
        n_minima=wire.count(objective.minima.count),
        minimum_radius=minimum_radius(objective.domain),
        all_minima_known=objective.all_minima_known,
        smooth=function.smooth,
        formula=function.formula,
        source=function.source,
    )


async def _surface(request: Slice, services: Services, compute: Compute) -> Response:
    cut = request.cut(services.settings)

    def computed() -> Response:
        found = cut.surface()
        return _json({"x": found.x, "y": found.y, "z": found.z})

    return await compute(cut.n_values, computed)


def _values(request: Evaluation) -> Response:
    found = evaluate(request)
    columns = {"f": found.f, "gradient": found.gradient, "hessian": found.hessian}
    return _json({name: column for name, column in columns.items() if column is not None})


def _json(columns: dict[str, Any]) -> Response:
    arrays = {name: np.ascontiguousarray(column) for name, column in columns.items()}
    return wire.numbers(arrays)
