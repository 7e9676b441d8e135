"""Three descents on Himmelblau's function, over HTTP: what they print, where they end, and a picture.

Starts a Thalweg service of its own on a free port of this machine, and stops it at the end.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from matplotlib import patheffects
from matplotlib.colors import LightSource, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from thalweg.client import Client
from thalweg.plots.colors import HEIGHTS, INK, PATHS
from thalweg.plots.heights import Heights, heights

Json = dict[str, Any]

STEPS = 20_000
JOB: Json = {
    "function": "himmelblau",
    "optimizer": "adam",
    "lr": 1e-3,
    "steps": STEPS,
    "dtype": "float32",
    "init": [[0, 0], [4, 0], [-4, 0]],
    "label": "demo",
}
PRINT_EVERY = 2000
START_SECONDS = 120.0
STOP_SECONDS = 30.0

COLORS = LinearSegmentedColormap.from_list("heights", HEIGHTS)
CONTOURS = (2, 5, 10, 20, 50, 100, 200, 500, 1000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit code: 0 if everything went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).with_suffix(".png"),
        help="where the picture goes (default: beside this script)",
    )
    output: Path = parser.parse_args(arguments).output
    console = Console()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of every finally, so that nothing stays behind
    with tempfile.TemporaryDirectory(prefix="thalweg-demo-") as directory:
        try:
            with _service(Path(directory), console) as url, Client(url) as client:
                _show(client, output, console)
        except _ServiceError as error:
            console.print(f"[bold red]The service failed:[/] {error}", highlight=False, soft_wrap=True)
            console.out(error.log, highlight=False)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


def _show(client: Client, output: Path, console: Console) -> None:
    job = client.submit(JOB)
    _follow(client, job["id"], console)
    job = client.wait(job["id"])
    if job["status"] != "succeeded":
        raise SystemExit(f"the job has {job['status']}: {job['error']}")
    function = client.function("himmelblau")
    for run in job["runs"]:
        console.print(f"\n[bold]Start {_point(run['init'])}[/]", highlight=False)
        trajectory = client.trajectory(job["id"], run["run"])
        for line in _lines(trajectory):
            console.out(line, highlight=False)
    console.print("\n[bold]Where they ended[/]", highlight=False)
    for run in job["runs"]:
        console.out(_ending(run, function["minima"]), highlight=False)
    surface = client.surface("himmelblau", x_min=-6, x_max=6, y_min=-6, y_max=6, step=0.1)
    paths = [client.trajectory(job["id"], run, max_points=400) for run in range(job["n_runs"])]
    draw(surface, paths, function["minima"], output)
    console.print(f"\nThe picture is [bold]{output}[/]", highlight=False, soft_wrap=True)


def _follow(client: Client, job_id: str, console: Console) -> None:
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("Adam, three starts", total=STEPS)
        for place in client.progress(job_id):
            bar.update(task, completed=place["step"])


def _lines(trajectory: Json) -> Iterator[str]:
    """Yield what a plain PyTorch script prints: x after a step's update, and f before it."""
    x, f = trajectory["x"], trajectory["f"]
    for step in range(0, len(f) - 1, PRINT_EVERY):
        yield f"step {step}: x = {x[step + 1]}, f(x) = {f[step]}"


def _ending(run: Json, minima: Sequence[Json]) -> str:
    start, reached = _point(run["init"]), run["minimum"]
    if reached is None:
        return f"start {start}: at none of the {len(minima)} known minima, but at {run['x']}"
    known = minima[reached["index"]]
    place = _point(known["x"], decimals=6)
    return (
        f"start {start}: minimum {reached['index'] + 1} of {len(minima)}, "
        f"{place} with f = {known['f']:g}, {reached['distance']:.1g} away"
    )


def _point(x: Sequence[float], decimals: int = 0) -> str:
    return "(" + ", ".join(f"{value:.{decimals}f}" for value in x) + ")"


class _ServiceError(Exception):
    """The service ended, or did not answer in time: the reason, and the end of its log."""

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason)
        self.log = log


@contextmanager
def _service(directory: Path, console: Console) -> Iterator[str]:
    """Give the address of a service that is ready; it is stopped at the end, whatever happens."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    log = directory / "service.log"
    program = Path(sys.executable).with_name("thalweg")
    if not program.exists():
        raise _ServiceError(f"there is no {program}; run this as make demo", "")
    command: list[str | Path] = [program, "serve"]
    command += [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
        "--data-dir",
        directory / "data",
    ]
    # a database or keys that are configured for another service are not for this one
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("THALWEG_") and name != "DATABASE_URL"
    }
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)  # noqa: S603 the command is this script's own
    try:
        with console.status("Starting the service"):
            _wait_until_ready(process, url, log)
        yield url
    except httpx.TransportError as error:
        raise _ServiceError(f"it does not answer any more ({error})", _tail(log)) from error
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    with Client(url, timeout=5) as client:
        while not client.ready():
            code = process.poll()
            if code is not None:
                raise _ServiceError(f"it ended with code {code}", _tail(log))
            if time.monotonic() > until:
                raise _ServiceError(f"it is not ready after {START_SECONDS:.0f} seconds", _tail(log))
            time.sleep(0.2)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:])


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def draw(surface: Json, paths: Sequence[Json], minima: Sequence[Json], output: Path) -> None:
    """Draw the surface and the contours, with the paths on both.

    Heights and colors are logarithmic, as on the page: in f itself, the rim would dwarf the valleys.

    Args:
        surface: `x`, `y` and `z` of the service.
        paths: The trajectories.
        minima: The function's known minima.
        output: The file, a PNG.
    """
    figure = Figure(figsize=(13, 6.4), facecolor="white")
    height = heights(np.array(surface["z"]), np.array([minimum["f"] for minimum in minima]), log=True)
    _draw_surface(figure, surface, height, paths, minima)
    _draw_contours(figure, surface, height, paths, minima)
    figure.suptitle(
        "Three descents on Himmelblau's function: Adam, lr 0.001, 20,000 steps",
        y=0.965,
        fontsize=16,
        fontweight="bold",
        color=INK,
    )
    figure.legend(handles=_legend(paths), loc="lower center", ncols=6, frameon=False, fontsize=10.5, labelcolor=INK)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=110, pil_kwargs={"optimize": True})


def _draw_surface(
    figure: Figure, surface: Json, height: Heights, paths: Sequence[Json], minima: Sequence[Json]
) -> None:
    axes: Any = figure.add_axes((-0.005, 0.105, 0.5, 0.815), projection="3d", computed_zorder=False)
    x, y = np.meshgrid(surface["x"], surface["y"])
    z = height.of(np.array(surface["z"]))
    light = LightSource(azdeg=315, altdeg=50).hillshade(z, vert_exag=1.5, dx=0.1, dy=0.1)
    colors = COLORS(z / z.max())
    colors[..., :3] = np.clip(colors[..., :3] * (0.82 + 0.28 * light[..., None]), 0, 1)
    axes.plot_surface(x, y, z, facecolors=colors, rcount=120, ccount=120, linewidth=0, antialiased=False, zorder=1)
    axes.contour(x, y, z, levels=height.of(np.array(CONTOURS)), colors="white", linewidths=0.6, alpha=0.4, zorder=2)
    for path, color in zip(paths, PATHS, strict=False):
        points = np.array(path["x"])
        above = height.of(np.array(path["f"])) + 0.04
        axes.plot(points[:, 0], points[:, 1], above, color=color, lw=2.6, zorder=5, path_effects=_outline(4.6))
        axes.plot(*points[0], above[0], "o", color=color, ms=8, mec=INK, mew=1.3, zorder=7)
        axes.plot(*points[-1], above[-1], "s", color=color, ms=7, mec=INK, mew=1.3, zorder=7)
    for number, minimum in enumerate(minima, 1):
        axes.plot(*minimum["x"], 0.04, "D", color="white", ms=14, mec=INK, mew=1.2, zorder=6)
        axes.text(*minimum["x"], 0.04, f"    {number}", fontsize=11, color=INK, zorder=8, path_effects=_halo())
    axes.view_init(elev=60, azim=-66)
    axes.set_box_aspect((1, 1, 0.36), zoom=1.06)
    axes.set_zticks(*height.ticks())
    axes.set(xlabel="x", ylabel="y", xlim=(-6, 6), ylim=(-6, 6))
    figure.text(0.37, 0.884, "f on a logarithmic scale", fontsize=12, color=INK, ha="center")
    axes.set_zlabel("f", labelpad=2)
    axes.tick_params(labelsize=9, pad=0, colors=INK)


def _draw_contours(
    figure: Figure, surface: Json, height: Heights, paths: Sequence[Json], minima: Sequence[Json]
) -> None:
    axes = figure.add_axes((0.565, 0.14, 0.36, 0.7312))
    z = height.of(np.array(surface["z"]))
    filled = axes.contourf(surface["x"], surface["y"], z, levels=np.linspace(0, height.top, 28), cmap=COLORS)
    axes.contour(
        surface["x"],
        surface["y"],
        z,
        levels=height.of(np.array(CONTOURS)),
        colors="white",
        linewidths=0.6,
        alpha=0.45,
    )
    for path, color in zip(paths, PATHS, strict=False):
        points = np.array(path["x"])
        axes.plot(*points.T, color=color, lw=2.6, zorder=5, path_effects=_outline(4.6))
        axes.plot(*points[0], "o", color=color, ms=9, mec=INK, mew=1.3, zorder=7)
        axes.plot(*points[-1], "s", color=color, ms=7, mec=INK, mew=1.3, zorder=7)
    for number, minimum in enumerate(minima, 1):
        axes.plot(*minimum["x"], "D", color="white", ms=14, mec=INK, mew=1.2, zorder=6)
        axes.annotate(
            str(number),
            minimum["x"],
            (10, 9),
            textcoords="offset points",
            fontsize=11,
            color=INK,
            zorder=8,
            path_effects=_halo(),
        )
    axes.set(xlabel="x", ylabel="y", aspect="equal")
    axes.set_title("The same from above", fontsize=12, color=INK)
    axes.tick_params(labelsize=9, colors=INK)
    bar = figure.colorbar(filled, cax=figure.add_axes((0.938, 0.14, 0.014, 0.7312)))
    at, texts = height.ticks()
    bar.set_ticks(list(at), labels=texts)
    bar.ax.set_title("f", fontsize=12, color=INK)
    bar.ax.tick_params(labelsize=9, colors=INK)


def _legend(paths: Sequence[Json]) -> list[Line2D]:
    entries = [
        Line2D(
            [],
            [],
            color=color,
            lw=3,
            path_effects=_outline(4.6),
            label=f"from {_point(path['x'][0])}".replace("-", "\N{MINUS SIGN}"),
        )
        for path, color in zip(paths, PATHS, strict=False)
    ]
    marks = (("o", 9, "start"), ("s", 7, "end"), ("D", 11, "known minimum"))
    return entries + [
        Line2D([], [], marker=mark, ms=size, ls="", color="white", mec=INK, mew=1.2, label=label)
        for mark, size, label in marks
    ]


def _outline(width: float) -> list[patheffects.AbstractPathEffect]:
    return [patheffects.Stroke(linewidth=width, foreground=INK), patheffects.Normal()]


def _halo() -> list[patheffects.AbstractPathEffect]:
    return [patheffects.withStroke(linewidth=3, foreground="white")]


if __name__ == "__main__":
    sys.exit(main())
