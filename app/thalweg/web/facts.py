"""What the page draws as the pictures of jobs do: colors, heights, numbers, each said once in `thalweg.plots`."""

from typing import Any

from thalweg.plots import colors, heights, numbers, scene, window


def facts() -> dict[str, Any]:
    """Return the facts that the page reads, as `js/facts.js` describes them."""
    return {
        "colors": {
            "heights": colors.HEIGHTS,
            "paths": colors.PATHS,
            "nowhere": colors.NOWHERE,
            "ink": colors.INK,
            "gap": colors.GAP,
        },
        "heights": {
            "most": heights.MOST,
            "resolved": heights.RESOLVED,
            "tick_room": heights.TICK_ROOM,
            "n_linear_ticks": heights.N_LINEAR_TICKS,
            "roundest_first": heights.ROUNDEST_FIRST,
            "few": heights.FEW,
        },
        "numbers": {
            "plain_from": numbers.PLAIN_FROM,
            "plain_to": numbers.PLAIN_TO,
            "digits": numbers.DIGITS,
            "least_step": numbers.LEAST_STEP,
        },
        "picture": {
            "most_paths": scene.MOST_PATHS,
            "ground_points": scene.GROUND_POINTS,
            "line_points": scene.LINE_POINTS,
            "most_held": scene.MOST_HELD,
            "in_plane": scene.IN_PLANE,
            "elevation": scene.ELEVATION,
            "azimuth": scene.AZIMUTH,
            "n_bands": scene.N_BANDS,
            "away": window.AWAY,
            "most_unequal": window.MOST_UNEQUAL,
        },
    }


def palette() -> str:
    """Return the colors as a style sheet: `--height-0` is the lowest, `--path-0` the first path."""
    named = {
        **{f"height-{index}": color for index, color in enumerate(colors.HEIGHTS)},
        **{f"path-{index}": color for index, color in enumerate(colors.PATHS)},
    }
    return ":root {\n" + "".join(f"  --{name}: {color};\n" for name, color in named.items()) + "}\n"
