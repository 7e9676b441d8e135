"""A scene as one HTML file, which can be turned without the service and without a network."""

from html import escape
from math import cos, radians, sin
from string import Template
from typing import Any

import numpy as np
import orjson

from app.plots import plotly
from app.plots.colors import INK, WATER, path_color
from app.plots.heights import Heights, heights
from app.plots.scene import Scene

_LIFT = 0.01
_DISTANCE = 2.1
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


def document(scene: Scene, *, log: bool = True, elevation: float = 60, azimuth: float = -30) -> bytes:
    """Return a picture as an HTML file; see `app.plots.figure.draw`."""
    height = heights(scene.z, scene.minima[:, -1], log=log)
    figure = _solid(scene, height, elevation, azimuth) if len(scene.y) else _flat(scene, height)
    text = orjson.dumps(figure, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    page = _PAGE.substitute(
        title=escape(scene.title),
        plotly=plotly.source().decode(),
        figure=text.replace("<", "\\u003c"),  # nothing in the data may end the script
    )
    return page.encode()


def _solid(scene: Scene, height: Heights, elevation: float, azimuth: float) -> dict[str, Any]:
    z = height.of(scene.z)
    low, high = float(np.nanmin(z)), float(np.nanmax(z))
    lift = _LIFT * (high - low)
    surface = {
        "type": "surface",
        "x": _column(scene.x),
        "y": _column(scene.y),
        "z": [_column(row) for row in z],
        "colorscale": [[i / (len(WATER) - 1), color] for i, color in enumerate(WATER)],
        "colorbar": {"title": {"text": "f"}, "thickness": 12, "len": 0.6, **_ticks(height, "tick")},
        "hoverinfo": "skip",
        "name": scene.title,
    }
    traces = [surface]
    for index, path in enumerate(scene.paths):
        across, along = (path.x[:, axis] for axis in scene.axes)
        traces.append(
            {
                "type": "scatter3d",
                "mode": "lines",
                "x": _column(across),
                "y": _column(along),
                "z": _column(np.minimum(height.of(path.f), high) + lift),
                "line": {"color": path_color(index), "width": 6},
                "name": f"run {path.run}",
            }
        )
    traces.append(
        {
            "type": "scatter3d",
            "mode": "markers",
            "x": _column(scene.minima[:, 0]),
            "y": _column(scene.minima[:, 1]),
            "z": _column(height.of(scene.minima[:, 2]) + 2 * lift),
            "marker": {"symbol": "diamond", "size": 5, "color": "white", "line": {"color": INK, "width": 2}},
            "name": "known minimum",
        }
    )
    up, around = radians(elevation), radians(azimuth)
    eye = {"x": cos(up) * cos(around), "y": cos(up) * sin(around), "z": sin(up)}
    layout = {
        "title": {"text": escape(scene.title)},
        "showlegend": False,
        "scene": {
            "xaxis": {"title": {"text": scene.names[0]}},
            "yaxis": {"title": {"text": scene.names[1]}},
            "zaxis": {"title": {"text": "f"}, **_ticks(height, "tick")},
            "aspectmode": "manual",
            "aspectratio": {"x": 1.15, "y": 1.15, "z": 0.7},
            "camera": {"eye": {axis: _DISTANCE * value for axis, value in eye.items()}},
        },
    }
    return {"data": traces, "layout": layout}


def _flat(scene: Scene, height: Heights) -> dict[str, Any]:
    traces: list[dict[str, Any]] = [
        {"type": "scatter", "mode": "lines", "x": _column(scene.x), "y": _column(height.of(scene.z)), "name": "f"}
    ]
    for index, path in enumerate(scene.paths):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": _column(path.x[:, 0]),
                "y": _column(height.of(path.f)),
                "line": {"color": path_color(index)},
                "name": f"run {path.run}",
            }
        )
    layout = {
        "title": {"text": escape(scene.title)},
        "xaxis": {"title": {"text": scene.names[0]}},
        "yaxis": {"title": {"text": "f"}, **_ticks(height, "tick")},
    }
    return {"data": traces, "layout": layout}


def _ticks(height: Heights, prefix: str) -> dict[str, Any]:
    at, texts = height.ticks()
    return {f"{prefix}vals": _column(at), f"{prefix}text": texts} if height.log else {}


def _column(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float64)
