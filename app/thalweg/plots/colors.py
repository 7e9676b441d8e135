"""Colors of heights and of paths, the same as on the page."""

WATER = ("#0b1d3a", "#12416b", "#1c7293", "#4fa6a0", "#a5cfae", "#e3e3bd", "#f6edd9")
PATHS = ("#e0533a", "#b57a00", "#a559d6", "#2f9151", "#d6408f", "#5b7cf0", "#8a7a1f", "#c2603f")
INK = "#16202e"


def path_color(index: int) -> str:
    """Return the color of a path."""
    return PATHS[index % len(PATHS)]
