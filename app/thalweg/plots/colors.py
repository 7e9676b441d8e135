"""Colors of heights and paths: of the page, of the pictures of jobs, and of the demo."""

HEIGHTS = ("#0b1d3a", "#12416b", "#1c7293", "#4fa6a0", "#a5cfae", "#e3e3bd", "#f6edd9")  # from low to high
PATHS = (  # middle tones: at least 3 to 1 on white, on the page's dark theme, and on either end of the heights
    "#e0533a",
    "#b57a00",
    "#a559d6",
    "#2f9151",
    "#d6408f",
    "#5b7cf0",
    "#8a7a1f",
    "#c2603f",
)
NOWHERE = "#7d8590"  # one of many paths, which led to no known minimum
INK = "#16202e"
GAP = "#808080"  # where a function has no value


def path_color(index: int) -> str:
    """Return the color of a path."""
    return PATHS[index % len(PATHS)]
