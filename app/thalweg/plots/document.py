"""A scene as one HTML file, which can be turned without the service and without a network."""

from collections.abc import Sequence
from html import escape
from math import cos, radians, sin
from string import Template
from typing import Any

import numpy as np
import orjson

from thalweg.plots import plotly
from thalweg.plots.colors import HEIGHTS, INK, path_color
from thalweg.plots.heights import Heights
from thalweg.plots.scene import AZIMUTH, ELEVATION, Known, Line, Scene
from thalweg.plots.window import are_alike

_LIFT = 0.01
_DISTANCE = 2.1
_SIDE = 1.15
_MOST_PINS = 12
_START = {"symbol": "circle", "size": 5}
_END = {"symbol": "square", "size": 5}
_DIVERGED = {"symbol": "x", "size": 5}
_MINIMUM = {"symbol": "diamond", "size": 6, "color": "white", "line": {"color": INK, "width": 2}}
_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>html, body { margin: 0; height: 100%; background: #fff; } #plot { height: 100%; }</style>
<script>$plotly</script>
</head>
<body>
<div id="plot"></div>
<script type="application/json" id="figure">$figure</script>
<script>
const { data, layout } = JSON.parse(document.getElementById("figure").textContent);
Plotly.newPlot("plot", data, layout, { responsive: true, displaylogo: false });
</script>
</body>
</html>
""")


def document(
    scene: Scene, *, log: bool | None = None, elevation: float = ELEVATION, azimuth: float = AZIMUTH
) -> bytes:
    """Return a picture as an HTML file; see `thalweg.plots.figure.draw`."""
    height = scene.heights(log)
    lines, minima = scene.lines(height), scene.minima(height)
    if len(scene.windows) > 1:
        lift = _LIFT * (height.top or 1.0)
        traces = [_surface(scene, height), *_marks(scene, lines, minima, lift, "scatter3d")]
        traces += _pins(scene, minima[:_MOST_PINS], height.top + 5 * lift)
        layout = _box(scene, height, elevation, azimuth)
    else:
        traces = [_graph(scene, height), *_marks(scene, lines, minima, 0, "scatter")]
        layout = {"xaxis": _axis(scene, 0), "yaxis": _upright(height)}
    title = escape(scene.title) + (f"<br><sup>{escape(scene.note)}</sup>" if scene.note else "")
    layout |= {
        "title": {"text": title},
        "legend": {"itemsizing": "constant", "orientation": "h", "x": 0.5, "xanchor": "center", "y": -0.1},
    }
    text = orjson.dumps({"data": traces, "layout": layout}, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    page = _PAGE.substitute(
        title=escape(scene.title),
        plotly=plotly.source().decode(),
        figure=text.replace("<", "\\u003c"),  # nothing in the data may end the script
    )
    return page.encode()


def _surface(scene: Scene, height: Heights) -> dict[str, Any]:
    z = height.of(scene.z)
    at, texts = height.ticks()
    across, along = (
        each.drawn(np.linspace(0, 1, n)) for each, n in zip(scene.windows, reversed(z.shape), strict=True)
    )
    return {
        "type": "surface",
        "x": _column(across),
        "y": _column(along),
        "z": [_column(row) for row in z],
        "cmin": 0,
        "cmax": height.top or 1.0,
        "colorscale": [[i / (len(HEIGHTS) - 1), color] for i, color in enumerate(HEIGHTS)],
        "colorbar": {
            "title": {"text": "f"},
            "thickness": 12,
            "len": 0.6,
            "tickvals": _column(at),
            "ticktext": texts,
        },
        "hoverinfo": "skip",
        "name": "f",
    }


def _graph(scene: Scene, height: Heights) -> dict[str, Any]:
    z = height.of(scene.z)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": _column(scene.windows[0].drawn(np.linspace(0, 1, len(z)))),
        "y": _column(z),
        "line": {"color": HEIGHTS[2]},
        "hoverinfo": "skip",
        "name": "f",
    }


def _marks(
    scene: Scene, lines: Sequence[Line], minima: Sequence[Known], lift: float, kind: str
) -> list[dict[str, Any]]:
    """Return the paths, and of each kind of place one trace, which the legend names."""
    width = 6 if kind == "scatter3d" else 2
    traces: list[dict[str, Any]] = [
        {
            "type": kind,
            "mode": "lines",
            **_places(scene, line.places, lift),
            "line": {"color": path_color(index), "width": width},
            "name": f"run {line.run + 1}",
            "hoverinfo": "name",
            "showlegend": False,
        }
        for index, line in enumerate(lines)
    ]
    numbered = list(enumerate(lines))
    groups = (
        ("start", _START, [(i, line.run, line.start) for i, line in numbered if line.start is not None]),
        ("end", _END, [(i, line.run, line.end) for i, line in numbered if line.ended_as == "end"]),
        ("diverged", _DIVERGED, [(i, line.run, line.end) for i, line in numbered if line.ended_as == "diverged"]),
    )
    for name, symbol, found in groups:
        if found:
            colors = [path_color(index) for index, _, _ in found]
            marker = {**symbol, "color": colors}
            places = np.array([place for _, _, place in found])
            texts = [f"run {run + 1}: {name}" for _, run, _ in found]
            points = _points(scene, places, 1.5 * lift, kind, marker, name) | {"hovertext": texts}
            traces.append(_crossed(points, colors) if symbol is _DIVERGED and kind == "scatter3d" else points)
    if minima:
        places = np.array([known.place for known in minima])
        texts = [str(known.number) for known in minima]
        points = _points(scene, places, 2 * lift, kind, _MINIMUM, "known minimum")
        named = {"mode": "markers+text", "text": texts, "textposition": "top center"}
        traces.append(points | ({"hovertext": texts} if kind == "scatter3d" else named))
    return traces


def _crossed(points: dict[str, Any], colors: list[str]) -> dict[str, Any]:
    """Return points as crosses in space, where Plotly's own are of a letter that few fonts have."""
    crosses = {
        "mode": "markers+text",
        "text": ["×"] * len(colors),
        "textfont": {"size": 24, "color": colors},
        "textposition": "middle center",
    }
    return points | crosses | {"marker": {**points["marker"], "size": 0.1}}


def _pins(scene: Scene, minima: Sequence[Known], top: float) -> list[dict[str, Any]]:
    """Return a pin with its number above each minimum: it is seen when a hill hides the minimum."""
    if not minima:
        return []
    feet = np.array([known.place for known in minima])
    heads = np.column_stack([feet[:, :-1], np.full(len(feet), top)])
    pins = np.stack([feet, heads, np.full_like(feet, np.nan)], axis=1).reshape(-1, feet.shape[1])
    form = {"type": "scatter3d", "hoverinfo": "skip", "showlegend": False}
    numbers = [str(known.number) for known in minima]
    return [
        form | {"mode": "lines", **_places(scene, pins, 0), "line": {"color": INK, "width": 2}, "name": "pins"},
        form | {"mode": "text", **_places(scene, heads, 0), "text": numbers, "name": "numbers"},
    ]


def _points(
    scene: Scene, places: np.ndarray, lift: float, kind: str, marker: dict[str, Any], name: str
) -> dict[str, Any]:
    size = marker["size"] * (1 if kind == "scatter3d" else 2)  # of the same look
    return {
        "type": kind,
        "mode": "markers",
        **_places(scene, places, lift),
        "marker": {**marker, "size": size},
        "name": name,
        "hoverinfo": "text",
    }


def _places(scene: Scene, places: np.ndarray, lift: float) -> dict[str, np.ndarray]:
    shown = [window.drawn(places[:, axis]) for axis, window in enumerate(scene.windows)]
    return {name: _column(values) for name, values in zip("xyz", [*shown, places[:, -1] + lift], strict=False)}


def _box(scene: Scene, height: Heights, elevation: float, azimuth: float) -> dict[str, Any]:
    up, around = radians(elevation), radians(azimuth)
    eye = {"x": cos(up) * cos(around), "y": cos(up) * sin(around), "z": sin(up)}
    x, y = (each.high - each.low for each in scene.windows)
    largest = max(x, y)
    sides = (_SIDE * x / largest, _SIDE * y / largest) if are_alike(*scene.windows) else (_SIDE, _SIDE)
    return {
        "scene": {
            "xaxis": _axis(scene, 0),
            "yaxis": _axis(scene, 1),
            "zaxis": _upright(height),
            "aspectmode": "manual",
            "aspectratio": {"x": sides[0], "y": sides[1], "z": 0.7},
            "camera": {"eye": {axis: _DISTANCE * value for axis, value in eye.items()}},
        },
    }


def _axis(scene: Scene, axis: int) -> dict[str, Any]:
    window = scene.windows[axis]
    at, texts = window.ticks()
    title = {"text": escape(window.title)}
    return {"title": title, "range": window.ends, "tickvals": at, "ticktext": texts, "zeroline": False}


def _upright(height: Heights) -> dict[str, Any]:
    at, texts = height.ticks()
    return {"title": {"text": "f"}, "tickvals": _column(at), "ticktext": texts, "zeroline": False}


def _column(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float64)
