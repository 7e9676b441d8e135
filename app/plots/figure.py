"""A scene as a figure of matplotlib: the surface, and the same from above."""

from io import BytesIO
from threading import Lock
from typing import Any, Literal

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LightSource, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke

from app.plots.colors import INK, WATER, path_color
from app.plots.heights import Heights, heights
from app.plots.scene import Path, Scene

_WATER = LinearSegmentedColormap.from_list("water", WATER)
_LEVELS = 18
_LIFT = 0.012
_one_at_a_time = Lock()  # matplotlib's caches of fonts and text are not made for threads


def draw(
    scene: Scene,
    form: Literal["png", "svg"],
    *,
    log: bool = True,
    elevation: float = 60,
    azimuth: float = -30,
    dpi: int = 110,
) -> bytes:
    """Return a picture as a file.

    Args:
        scene: What there is to see.
        form: What kind of file.
        log: Whether heights are on a log scale.
        elevation: Degrees above the ground from which the surface is seen.
        azimuth: Degrees around it.
        dpi: Dots per inch; the picture is 12 by 5.6 inches.
    """
    with _one_at_a_time:
        height = heights(scene.z, scene.minima[:, -1], log=log)
        figure = Figure(figsize=(12, 5.6), facecolor="white")
        figure.suptitle(scene.title, fontsize=14, color=INK, y=0.97, parse_math=False)
        if len(scene.y):
            _surface(figure, scene, height, elevation, azimuth)
            _map(figure, scene, height)
        else:
            _graph(figure, scene, height)
        file = BytesIO()
        metadata = {"Date": None} if form == "svg" else None  # the same job is drawn alike
        with rc_context({"svg.hashsalt": "thalweg"}):
            figure.savefig(file, format=form, dpi=dpi, metadata=metadata)
        return file.getvalue()


def _surface(figure: Figure, scene: Scene, height: Heights, elevation: float, azimuth: float) -> None:
    axes: Any = figure.add_axes((0.0, 0.02, 0.52, 0.92), projection="3d", computed_zorder=False)
    x, y = np.meshgrid(scene.x, scene.y)
    z = height.of(scene.z)
    low, high = np.nanmin(z), np.nanmax(z)
    rise = float(high - low) or 1.0
    colors = _WATER((z - low) / rise)
    light = LightSource(azdeg=315, altdeg=50).hillshade(z / rise, dx=1 / z.shape[1], dy=1 / z.shape[0])
    colors[..., :3] = np.clip(colors[..., :3] * (0.85 + 0.2 * light[..., None]), 0, 1)
    axes.plot_surface(
        x, y, z, facecolors=colors, rcount=120, ccount=120, lw=0, antialiased=False, zorder=1, rasterized=True
    )
    for index, path in enumerate(scene.paths):
        across, along = (path.x[:, axis] for axis in scene.axes)
        inside = _inside(across, scene.x) & _inside(along, scene.y)
        above = np.where(inside, np.minimum(height.of(path.f), high) + _LIFT * rise, np.nan)
        axes.plot(across, along, above, color=path_color(index), lw=2, zorder=5, path_effects=_outline())
        axes.plot(across[:1], along[:1], above[:1], "o", color=path_color(index), ms=6, mec="white", zorder=6)
    axes.view_init(elev=elevation, azim=azimuth)
    axes.set_box_aspect((1, 1, 0.36), zoom=0.97)
    axes.set_zticks(*height.ticks())
    axes.set(xlabel=scene.names[0], ylabel=scene.names[1], zlabel="f")
    axes.tick_params(labelsize=8, colors=INK)


def _map(figure: Figure, scene: Scene, height: Heights) -> None:
    axes = figure.add_axes((0.575, 0.12, 0.335, 0.76))
    z = np.ma.masked_invalid(height.of(scene.z))
    levels = np.linspace(float(z.min()), float(z.max()) or 1.0, _LEVELS) if z.min() < z.max() else None
    mesh = axes.pcolormesh(scene.x, scene.y, z, cmap=_WATER, shading="gouraud", rasterized=True)
    if levels is not None:
        axes.contour(scene.x, scene.y, z, levels=levels, colors="white", linewidths=0.5, alpha=0.6)
    for index, path in enumerate(scene.paths):
        across, along = (path.x[:, axis] for axis in scene.axes)
        _way(axes, path, across, along, path_color(index))
    axes.plot(scene.minima[:, 0], scene.minima[:, 1], "D", color="white", ms=6, mec=INK, zorder=7)
    axes.set(xlabel=scene.names[0], ylabel=scene.names[1], xlim=_ends(scene.x), ylim=_ends(scene.y))
    axes.tick_params(labelsize=9, colors=INK)
    bar = figure.colorbar(mesh, cax=figure.add_axes((0.925, 0.12, 0.012, 0.76)))
    at, texts = height.ticks()
    bar.set_ticks(list(at), labels=texts)
    bar.ax.tick_params(labelsize=8, colors=INK)
    bar.ax.set_title("f", fontsize=10, color=INK)


def _graph(figure: Figure, scene: Scene, height: Heights) -> None:
    axes = figure.add_axes((0.08, 0.12, 0.88, 0.76))
    axes.plot(scene.x, height.of(scene.z), color=WATER[2], lw=2)
    for index, path in enumerate(scene.paths):
        _way(axes, path, path.x[:, 0], height.of(path.f), path_color(index))
    axes.plot(scene.minima[:, 0], height.of(scene.minima[:, 1]), "D", color="white", ms=7, mec=INK, zorder=7)
    at, texts = height.ticks()
    axes.set_yticks(list(at), labels=texts)
    axes.set(xlabel=scene.names[0], ylabel="f", xlim=_ends(scene.x))


def _way(axes: Any, path: Path, across: np.ndarray, up: np.ndarray, color: str) -> None:
    axes.plot(across, up, color=color, lw=1.8, zorder=5, path_effects=_outline(), label=f"run {path.run}")
    axes.plot(across[:1], up[:1], "o", color=color, ms=7, mec="white", mew=1.3, zorder=6)


def _outline() -> list[Any]:
    return [Stroke(linewidth=3.4, foreground="white"), Normal()]


def _inside(values: np.ndarray, axis: np.ndarray) -> np.ndarray:
    inside: np.ndarray = (values >= axis[0]) & (values <= axis[-1])
    return inside


def _ends(axis: np.ndarray) -> tuple[float, float]:
    return float(axis[0]), float(axis[-1])
