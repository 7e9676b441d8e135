"""Plotly's JavaScript, as the `plotly` package ships it."""

from thalweg.plots.packages import folder_of


def source() -> bytes:
    """Return the text of the file.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    return (folder_of("plotly", "plotly") / "package_data" / "plotly.min.js").read_bytes()
