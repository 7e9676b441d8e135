"""Plotly's JavaScript, as the `plotly` package ships it."""

from importlib.util import find_spec
from pathlib import Path


def source() -> bytes:
    """Return the text of the file.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    package = find_spec("plotly")  # not imported: the file is all that is wanted of it
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the plotly package is not installed")
    return (Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js").read_bytes()
