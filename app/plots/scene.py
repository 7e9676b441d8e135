"""What a picture of a job shows: the ground that was descended on, and the ways down."""

from dataclasses import dataclass

import numpy as np

from app.engine.spec import JobSpec
from app.engine.values import Evaluation, Slice, evaluate, surface
from app.errors import InvalidInput
from app.functions.minima import first
from app.settings import Limits

MOST_PATHS = 64
PATH_POINTS = 800
_GROUND_POINTS = 120
_LINE_POINTS = 600
_MOST_MINIMA = 100
_IN_PLANE = 1e-6


@dataclass(frozen=True, slots=True)
class Path:
    """A run: its entries, thinned."""

    run: int
    x: np.ndarray  # (m, dim)
    f: np.ndarray  # (m,)


@dataclass(frozen=True, slots=True)
class Scene:
    """The function over a window, and paths on it; of a function of one coordinate, `y` is empty."""

    title: str
    names: tuple[str, ...]
    axes: tuple[int, ...]
    x: np.ndarray  # (n_x,)
    y: np.ndarray  # (n_y,)
    z: np.ndarray  # (n_y, n_x), or (n_x,) without y
    paths: tuple[Path, ...]
    minima: np.ndarray  # (n_minima, 1 + len(axes)): coordinates, and the value
    is_whole: bool
    """Whether the ground is the whole function, and not a slice through it."""


def scene(spec: JobSpec, paths: tuple[Path, ...], axes: tuple[int, int], limits: Limits) -> Scene:
    """Return what there is to see of a job.

    Args:
        spec: The job.
        paths: Its runs, at least one.
        axes: Which two coordinates are looked at, of more than two.
        limits: What one answer may take.

    Raises:
        InvalidInput: The function has no such axes.
        LimitExceeded: It would be too much work.
    """
    objective = spec.objective()
    dim = objective.dim
    shown: tuple[int, ...] = (0,) if dim == 1 else axes
    if dim > 1 and (max(axes) >= dim or axes[0] == axes[1]):
        raise InvalidInput(f"the axes must be two different coordinates of {dim}, from 0", "query", "x_axis")
    known = list(first(objective.minima, _MOST_MINIMA))
    through = np.array(known[0].x if known else paths[0].x[-1], dtype=np.float64)
    windows = [_window(None if objective.domain is None else objective.domain[axis], paths, axis) for axis in shown]
    if dim == 1:
        x, y = np.linspace(*windows[0], _LINE_POINTS), np.zeros(0)
        z = evaluate(Evaluation(function=spec.function, points=tuple((value,) for value in x.tolist()))).f
    else:
        (x_min, x_max), (y_min, y_max) = windows
        window = {"x_min": x_min, "x_max": x_max, "y_min": y_min, "y_max": y_max, "points": _GROUND_POINTS}
        fixed = tuple(through.tolist())
        ground = surface(Slice(function=spec.function, axes=axes, fixed=fixed, **window), limits)
        x, y, z = ground.x, ground.y, ground.z
    others = [axis for axis in range(dim) if axis not in shown]
    in_plane = [
        (*(each.x[axis] for axis in shown), each.f)
        for each in known
        if all(abs(each.x[axis] - through[axis]) <= _IN_PLANE for axis in others)
    ]
    return Scene(
        title=_title(spec),
        names=("x", "y")[:dim] if dim <= 2 else tuple(f"x{axis}" for axis in shown),
        axes=shown,
        x=x,
        y=y,
        z=z,
        paths=paths,
        minima=np.array(in_plane, dtype=np.float64).reshape(len(in_plane), 1 + len(shown)),
        is_whole=dim <= 2,
    )


def _window(domain: tuple[float, float] | None, paths: tuple[Path, ...], axis: int) -> tuple[float, float]:
    if domain is not None:
        return domain
    values = np.concatenate([path.x[:, axis] for path in paths])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (-1.0, 1.0)
    margin = 0.15 * (high - low) or 1.0
    return low - margin, high + margin


def _title(spec: JobSpec) -> str:
    if spec.label:
        return spec.label
    name = getattr(spec.function, "name", None) or "f"
    return f"{name}: {spec.optimizer.name}, lr {spec.lr:g}, {spec.steps} steps"
