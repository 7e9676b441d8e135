"""What a picture of a job shows: the ground that was descended on, and the ways down."""

import textwrap
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from thalweg.analysis.evaluation import Evaluation, evaluate
from thalweg.analysis.surface import Slice, surface
from thalweg.engine.outcome import Outcome
from thalweg.errors import InvalidInput
from thalweg.functions.base import Objective
from thalweg.functions.expressions.expression import ExpressionReference
from thalweg.functions.minima import Minimum, first
from thalweg.plots import numbers
from thalweg.plots.heights import Heights, heights
from thalweg.plots.lines import level, within
from thalweg.plots.window import Window, window
from thalweg.settings import Limits
from thalweg.spec.job import JobSpec
from thalweg.spec.starts import LARGEST

MOST_PATHS = 64
PATH_POINTS = 800
GROUND_POINTS = 120
LINE_POINTS = 600
_MOST_MINIMA = 100
N_BANDS = 18  # between contours
ELEVATION, AZIMUTH = 60, -30  # degrees, from which a surface is first seen
IN_PLANE = 1e-6  # how far a minimum may lie from a slice on which it is marked
_FINE = 0.5 / (GROUND_POINTS - 1)  # of the window: half the distance of the ground's points
MOST_HELD = 6  # coordinates that are written out

End = Literal["end", "diverged"]


@dataclass(frozen=True, slots=True)
class Path:
    """A run: its entries, thinned, and how it stands."""

    run: int
    x: np.ndarray  # (m, dim)
    f: np.ndarray  # (m,)
    outcome: Outcome = Outcome.running


@dataclass(frozen=True, slots=True)
class Known:
    """A known minimum that lies in what is shown: its number from 1, as everywhere, and its place in shares."""

    number: int
    place: np.ndarray  # (1 + len(windows),): shares of the windows, and the height


@dataclass(frozen=True, slots=True)
class Line:
    """A path as it is drawn, in shares of the windows and heights; NaN where it is interrupted."""

    run: int
    places: np.ndarray  # (k, 1 + len(windows))
    start: np.ndarray | None  # a place; None where it is outside
    end: np.ndarray | None  # where it ended, or where it was last seen if it diverged
    ended_as: End | None


@dataclass(frozen=True)
class Scene:
    """A function over one window or two, and paths on it."""

    title: str
    note: str
    windows: tuple[Window, ...]
    z: np.ndarray  # (n_y, n_x), or (n_x,) of a function of one coordinate
    paths: tuple[Path, ...]
    axes: tuple[int, ...]
    known: tuple[tuple[int, Minimum], ...]
    is_whole: bool
    """Whether the ground is the whole function, and not a slice through it."""

    @property
    def fits_log(self) -> bool:
        """Whether heights are told apart better on a log scale: of a surface without negative values."""
        return len(self.windows) > 1 and not bool((self.z < 0).any())

    @cached_property
    def values(self) -> np.ndarray:
        """Values that heights reach down to: of the known minima, and of the paths where there is no ground."""
        if not np.isfinite(self.z).any():
            return np.concatenate([path.f for path in self.paths])
        return np.array([minimum.f for _, minimum in self.known], dtype=np.float64)

    def heights(self, log: bool | None) -> Heights:  # noqa: FBT001 as those who ask for a picture give it
        """Return the heights of what is shown; None leaves the scale to the values."""
        return heights(self.z, self.values, log=self.fits_log if log is None else log)

    def minima(self, height: Heights) -> list[Known]:
        """Return the known minima that can be seen."""
        shown = []
        for number, minimum in self.known:
            place = self._places(np.array([minimum.x]), height.of(np.array([minimum.f])))[0]
            if ((place[:-1] >= 0) & (place[:-1] <= 1)).all():
                shown.append(Known(number, place))
        return shown

    def lines(self, height: Heights) -> list[Line]:
        """Return the paths as they are drawn: on the ground if it is the whole function, else at their values."""
        top = height.top
        ground = height.of(self.z)
        return [self._line(path, height, ground, top) for path in self.paths]

    def _line(self, path: Path, height: Heights, ground: np.ndarray, top: float) -> Line:
        n = len(self.windows)
        places = self._places(path.x, height.of(path.f))
        if n == 1:
            seen = within(np.column_stack([places[:, 0], places[:, 1] / (top or 1)]), 2)
            seen[:, 1] *= top or 1
        else:
            seen = within(places, n, _FINE)
            on_ground = level(ground, seen[:, 0], seen[:, 1])
            seen[:, -1] = on_ground if self.is_whole else np.clip(seen[:, -1], 0, top)
        finite = np.flatnonzero(np.isfinite(places[:, :n]).all(axis=1))
        starts = bool(len(finite)) and finite[0] == 0 and _is_inside(places[0, :n]) and bool(len(seen))
        ended_as: End | None = None
        if path.outcome is Outcome.diverged:
            ended_as = "diverged"
        elif path.outcome is not Outcome.running and len(finite) and _is_inside(places[finite[-1], :n]):
            ended_as = "end"
        end = seen[-1] if ended_as and len(seen) else None
        return Line(path.run, seen, seen[0] if starts else None, end, ended_as if end is not None else None)

    def _places(self, x: np.ndarray, f: np.ndarray) -> np.ndarray:
        shares = [each.share(x[:, axis]) for each, axis in zip(self.windows, self.axes, strict=True)]
        return np.column_stack([*shares, f])


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
    shown = _shown(dim, axes)
    known = first(objective.minima, _MOST_MINIMA)
    names = coordinate_names(spec, dim)
    windows = tuple(
        window(
            names[axis],
            None if objective.domain is None else objective.domain[axis],
            (path.x[:, axis] for path in paths),
        )
        for axis in shown
    )
    through = _through(objective, known, paths)
    others = [axis for axis in range(dim) if axis not in shown]
    in_plane = tuple(
        (index + 1, each)
        for index, each in enumerate(known)
        if all(abs(each.x[axis] - through[axis]) <= IN_PLANE for axis in others)
    )
    return Scene(
        title=_title(spec),
        note=_held(others, names, through),
        windows=windows,
        z=_ground(spec, windows, shown, through, limits),
        paths=paths,
        axes=shown,
        known=in_plane,
        is_whole=dim <= 2,
    )


def paths_alone(title: str, dim: int, paths: tuple[Path, ...], axes: tuple[int, int]) -> Scene:
    """Return what there is to see of a job whose function is not known: its paths, without the ground.

    Args:
        title: What the picture is called.
        dim: Coordinates of a point.
        paths: The job's runs, at least one.
        axes: Which two coordinates are looked at, of more than two.

    Raises:
        InvalidInput: There are no such axes.
    """
    shown = _shown(dim, axes)
    names = _usual_names(dim)
    windows = tuple(window(names[axis], None, (path.x[:, axis] for path in paths)) for axis in shown)
    size = (LINE_POINTS,) if dim == 1 else (GROUND_POINTS, GROUND_POINTS)
    return Scene(
        title=title,
        note="paths alone: this version does not know the function",
        windows=windows,
        z=np.full(size, np.nan),
        paths=paths,
        axes=shown,
        known=(),
        is_whole=False,
    )


def _shown(dim: int, axes: tuple[int, int]) -> tuple[int, ...]:
    if dim == 1:
        return (0,)
    if max(axes) >= dim or axes[0] == axes[1]:
        raise InvalidInput(f"the axes must be two different coordinates of {dim}, from 0", "x_axis")
    return axes


def coordinate_names(spec: JobSpec, dim: int) -> tuple[str, ...]:
    """Return what the coordinates are called: as a formula has them, x and y, or x₀, x₁ and so on."""
    if isinstance(spec.function, ExpressionReference) and len(spec.function.variables) == dim:
        return spec.function.variables
    return _usual_names(dim)


def _usual_names(dim: int) -> tuple[str, ...]:
    return ("x", "y")[:dim] if dim <= 2 else tuple(numbers.indexed("x", axis) for axis in range(dim))


def _ground(
    spec: JobSpec, windows: tuple[Window, ...], axes: tuple[int, ...], through: np.ndarray, limits: Limits
) -> np.ndarray:
    if len(windows) == 1:
        at = np.linspace(windows[0].low, windows[0].high, LINE_POINTS)
        return evaluate(Evaluation(function=spec.function, points=tuple((value,) for value in at.tolist()))).f
    x, y = windows
    request = Slice(
        function=spec.function,
        axes=(axes[0], axes[1]),
        fixed=tuple(through.tolist()),
        x_min=x.low,
        x_max=x.high,
        y_min=y.low,
        y_max=y.high,
        points=GROUND_POINTS,
    )
    return surface(request, limits).z


def _through(objective: Objective, known: list[Minimum], paths: tuple[Path, ...]) -> np.ndarray:
    """Return the point that a slice goes through: a known minimum, the lowest end, or the middle of the domain."""
    if known:
        return np.array(known[0].x, dtype=np.float64)
    ends = [(path.f[entry], path.x[entry]) for path in paths if (entry := _last_finite(path)) is not None]
    if ends:
        return np.asarray(np.clip(min(ends, key=lambda end: end[0])[1], -LARGEST, LARGEST))
    domain = objective.domain or ((0.0, 0.0),) * objective.dim
    return np.array([low / 2 + high / 2 for low, high in domain])


def _last_finite(path: Path) -> int | None:
    finite = np.flatnonzero(np.isfinite(path.x).all(axis=1) & np.isfinite(path.f))
    return int(finite[-1]) if len(finite) else None


def _is_inside(place: np.ndarray) -> bool:
    return bool(((place >= 0) & (place <= 1)).all())


def _held(others: list[int], names: tuple[str, ...], through: np.ndarray) -> str:
    if not others:
        return ""
    values = [f"{names[axis]} = {numbers.text(through[axis], 4)}" for axis in others[:MOST_HELD]]
    return "slice at " + ", ".join(values) + (", …" if len(others) > MOST_HELD else "")


def _title(spec: JobSpec) -> str:
    if spec.label:
        return spec.label
    function = spec.function
    name = (
        textwrap.shorten(function.expression, 60)
        if isinstance(function, ExpressionReference)
        else str(function.name)
    )
    rate = "" if spec.lr is None else f", lr {numbers.text(spec.lr, 4)}"
    return f"{name}: {spec.optimizer.name}{rate}, {spec.steps} steps"
