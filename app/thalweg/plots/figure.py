"""A scene as a figure of matplotlib: the surface, and the same from above."""

from collections.abc import Sequence
from io import BytesIO
from threading import Lock
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LightSource, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke, withStroke

from thalweg.plots.colors import GAP, HEIGHTS, INK, path_color
from thalweg.plots.heights import Heights
from thalweg.plots.scene import AZIMUTH, ELEVATION, N_BANDS, Known, Line, Scene
from thalweg.plots.window import are_alike

_HEIGHTS = LinearSegmentedColormap.from_list("heights", HEIGHTS)
_LIFT = 0.012
_FLAT = 0.5  # above and below heights that are all the same
_START: dict[str, Any] = {"marker": "o", "ms": 7, "mec": "white", "mew": 1.3}
_END: dict[str, Any] = {"marker": "s", "ms": 6, "mec": "white", "mew": 1.3}
_DIVERGED: dict[str, Any] = {"marker": "X", "ms": 9, "mec": "white", "mew": 1.3}
_MINIMUM: dict[str, Any] = {"marker": "D", "ms": 9, "mec": INK, "mew": 1.2, "color": "white"}
_one_at_a_time = Lock()  # matplotlib's caches of fonts and text are not made for threads


def draw(
    scene: Scene,
    form: Literal["png", "svg"],
    *,
    log: bool | None = None,
    elevation: float = ELEVATION,
    azimuth: float = AZIMUTH,
    dpi: int = 110,
) -> bytes:
    """Return a picture as a file.

    Args:
        scene: What there is to see.
        form: What kind of file.
        log: Whether heights are on a log scale; None leaves it to the values.
        elevation: Degrees above the ground from which the surface is seen.
        azimuth: Degrees around it.
        dpi: Dots per inch; the picture is 12 by 5.6 inches.
    """
    with _one_at_a_time:
        height = scene.heights(log)
        lines, minima = scene.lines(height), scene.minima(height)
        figure = Figure(figsize=(12, 5.6), facecolor="white")
        figure.suptitle(scene.title, fontsize=14, color=INK, y=0.975, parse_math=False)
        figure.text(0.5, 0.905, scene.note, fontsize=9, color=INK, ha="center", parse_math=False)
        if len(scene.windows) > 1:
            _surface(figure, scene, height, lines, minima, elevation, azimuth)
            _map(figure, scene, height, lines, minima)
        else:
            _graph(figure, scene, height, lines, minima)
        figure.legend(handles=_legend(lines, minima), loc="lower center", ncols=4, frameon=False, fontsize=9)
        file = BytesIO()
        metadata = {"Date": None} if form == "svg" else None  # the same job is drawn alike
        # matplotlib projects by BLAS, which may compute with what is left in its buffers, too, and flags that
        with rc_context({"svg.hashsalt": "thalweg"}), np.errstate(over="ignore", invalid="ignore"):
            figure.savefig(file, format=form, dpi=dpi, metadata=metadata)
        return file.getvalue()


def _surface(
    figure: Figure,
    scene: Scene,
    height: Heights,
    lines: Sequence[Line],
    minima: Sequence[Known],
    elevation: float,
    azimuth: float,
) -> None:
    axes: Any = figure.add_axes((0.0, 0.04, 0.52, 0.88), projection="3d", computed_zorder=False)
    z, top = height.of(scene.z), height.top
    rise = top or 1.0
    across, along = (
        each.drawn(np.linspace(0, 1, n)) for each, n in zip(scene.windows, reversed(z.shape), strict=True)
    )
    if np.isfinite(z).any():
        colors = _HEIGHTS(z / rise)
        light = LightSource(azdeg=315, altdeg=50).hillshade(
            np.nan_to_num(z / rise), dx=1 / z.shape[1], dy=1 / z.shape[0]
        )
        colors[..., :3] = np.clip(colors[..., :3] * (0.85 + 0.2 * light[..., None]), 0, 1)
        x, y = np.meshgrid(across, along)
        axes.plot_surface(
            x, y, z, facecolors=colors, rcount=120, ccount=120, lw=0, antialiased=False, zorder=1, rasterized=True
        )
    lift = np.array([0, 0, _LIFT * rise])
    for index, line in enumerate(lines):
        place = _drawn(scene, line.places) + lift
        axes.plot(*place.T, color=path_color(index), lw=2, zorder=5, path_effects=_outline())
        for each, form, order in _ends(line):
            axes.plot(
                *_drawn(scene, each[None]).T + lift[:, None], **form, color=path_color(index), ls="", zorder=order
            )
    for known in minima:
        place = _drawn(scene, known.place[None])[0] + lift
        axes.plot(*place[:, None], **_MINIMUM, ls="", zorder=6)
        axes.text(*place, f"  {known.number}", fontsize=8, color=INK, zorder=9, path_effects=_halo())
    axes.view_init(elev=elevation, azim=azimuth)
    axes.set_box_aspect((1, 1, 0.36), zoom=0.97)
    (x_at, x_text), (y_at, y_text) = (each.ticks() for each in scene.windows)
    axes.set_xticks(x_at, x_text)
    axes.set_yticks(y_at, y_text)
    axes.set_zticks(*height.ticks())
    axes.set(xlim=scene.windows[0].ends, ylim=scene.windows[1].ends, zlim=(0, top) if top else (-_FLAT, _FLAT))
    axes.set_xlabel(scene.windows[0].title, parse_math=False)
    axes.set_ylabel(scene.windows[1].title, parse_math=False)
    axes.set_zlabel("f")
    axes.tick_params(labelsize=8, colors=INK)


def _map(figure: Figure, scene: Scene, height: Heights, lines: Sequence[Line], minima: Sequence[Known]) -> None:
    axes = figure.add_axes((0.575, 0.15, 0.335, 0.72))
    z = np.ma.masked_invalid(height.of(scene.z))
    across, along = (
        each.drawn(np.linspace(0, 1, n)) for each, n in zip(scene.windows, reversed(z.shape), strict=True)
    )
    top = height.top or 1.0
    axes.set_facecolor(GAP)
    mesh = axes.pcolormesh(across, along, z, cmap=_HEIGHTS, shading="gouraud", vmin=0, vmax=top, rasterized=True)
    if z.count() and z.min() < z.max():
        levels = np.linspace(0, top, N_BANDS + 1)[1:-1]
        axes.contour(across, along, z, levels=levels, colors="white", linewidths=0.5, alpha=0.6)
    for known in minima:
        (x, y, _) = _drawn(scene, known.place[None])[0]
        axes.plot(x, y, **_MINIMUM, ls="", zorder=5)
        axes.annotate(
            str(known.number),
            (x, y),
            (7, 6),
            textcoords="offset points",
            fontsize=9,
            color=INK,
            zorder=9,
            path_effects=_halo(),
        )
    for index, line in enumerate(lines):
        _way(axes, _drawn(scene, line.places)[:, :2], line, path_color(index), scene)
    _mark_across(axes, scene)
    at, texts = scene.windows[1].ticks()
    axes.set_yticks(at, texts)
    axes.set_ylabel(scene.windows[1].title, parse_math=False)
    axes.set_ylim(*scene.windows[1].ends)
    if are_alike(*scene.windows):
        axes.set_aspect("equal", anchor="E")
    bar = figure.colorbar(mesh, cax=figure.add_axes((0.925, 0.15, 0.012, 0.72)))
    marks, values = height.ticks()
    bar.set_ticks(list(marks), labels=values)
    bar.ax.tick_params(labelsize=8, colors=INK)
    bar.ax.set_title("f", fontsize=10, color=INK)


def _graph(figure: Figure, scene: Scene, height: Heights, lines: Sequence[Line], minima: Sequence[Known]) -> None:
    axes = figure.add_axes((0.08, 0.16, 0.88, 0.72))
    z = height.of(scene.z)
    axes.plot(scene.windows[0].drawn(np.linspace(0, 1, len(z))), z, color=HEIGHTS[2], lw=2)
    for known in minima:
        place = _drawn(scene, known.place[None])[0]
        axes.plot(*place[:, None], **_MINIMUM, ls="", zorder=5)
        axes.annotate(
            str(known.number), tuple(place), (0, 9), textcoords="offset points", fontsize=9, color=INK, ha="center"
        )
    for index, line in enumerate(lines):
        _way(axes, _drawn(scene, line.places), line, path_color(index), scene)
    _mark_across(axes, scene)
    at, texts = height.ticks()
    axes.set_yticks(list(at), labels=texts)
    room = 0.06 * height.top or _FLAT
    axes.set(ylabel="f", ylim=(-room, height.top + room))


def _mark_across(axes: Any, scene: Scene) -> None:
    at, texts = scene.windows[0].ticks()
    axes.set_xticks(at, texts)
    axes.set_xlim(*scene.windows[0].ends)
    axes.set_xlabel(scene.windows[0].title, parse_math=False)
    axes.tick_params(labelsize=9, colors=INK)


def _way(axes: Any, places: np.ndarray, line: Line, color: str, scene: Scene) -> None:
    axes.plot(*places.T, color=color, lw=1.8, zorder=6, path_effects=_outline())
    for each, form, order in _ends(line):
        place = _drawn(scene, each[None])[0, :2, None]
        axes.plot(*place, **form, color=color, ls="", zorder=order, clip_on=False)


def _drawn(scene: Scene, places: np.ndarray) -> np.ndarray:
    """Return places as coordinates of a drawing; heights stay."""
    drawn = places.copy()
    for axis, window in enumerate(scene.windows):
        drawn[:, axis] = window.drawn(places[:, axis])
    return drawn


def _ends(line: Line) -> list[tuple[np.ndarray, dict[str, Any], int]]:
    """Return the symbols at both ends of a line, with the order in which they are drawn."""
    start = [] if line.start is None else [(line.start, _START, 7)]
    end = [] if line.end is None else [(line.end, _DIVERGED if line.ended_as == "diverged" else _END, 8)]
    return start + end


def _legend(lines: Sequence[Line], minima: Sequence[Known]) -> list[Line2D]:
    ended_as = {line.ended_as for line in lines}
    shown = (
        (any(line.start is not None for line in lines), _START, "start"),
        ("end" in ended_as, _END, "end"),
        ("diverged" in ended_as, _DIVERGED, "diverged"),
        (len(minima) > 0, _MINIMUM, "known minimum"),
    )
    return [
        Line2D([], [], ls="", label=label, **{"color": INK, **form}) for is_there, form, label in shown if is_there
    ]


def _outline() -> list[Any]:
    return [Stroke(linewidth=3.4, foreground="white"), Normal()]


def _halo() -> list[Any]:
    return [withStroke(linewidth=2.2, foreground="white")]
