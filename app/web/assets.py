"""The files of the page, held in memory as they are sent."""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from string import Template

_ROOT = Path(__file__).parent
_SUFFIXES = {".css", ".js", ".svg"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file: its bytes, the same compressed, and its entity tag."""

    body: bytes
    compressed: bytes
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """The page: its document, and the files that it is made of by their path below `assets/<digest>/`."""

    document: Asset
    files: dict[str, Asset]
    digest: str


@cache
def page() -> Page:
    """Return the page, read once."""
    paths = sorted(path for path in _ROOT.rglob("*") if path.suffix in _SUFFIXES)
    files = {path.relative_to(_ROOT).as_posix(): _asset(path.read_bytes(), path.suffix) for path in paths}
    digest = sha256("".join(asset.etag for asset in files.values()).encode()).hexdigest()[:16]
    # without the list, a module would be asked for only when the one that imports it has arrived
    modules = "\n    ".join(
        f'<link rel="modulepreload" href="assets/{digest}/{name}">' for name in files if name.endswith(".js")
    )
    document = Template((_ROOT / "index.html").read_text()).substitute(
        assets=f"assets/{digest}", modules=modules, plotly=plotly_name()
    )
    return Page(_asset(document.encode(), ".html"), files, digest)


def plotly_name() -> str:
    """Return the name that Plotly's JavaScript has here, which changes with its version."""
    return f"plotly-{version('plotly')}.min.js"


@cache
def plotly() -> Asset:
    """Return Plotly's JavaScript as the `plotly` package ships it, compressed once."""
    return _asset(plotly_source(), ".js")


def plotly_source() -> bytes:
    """Return the text of Plotly's JavaScript."""
    package = find_spec("plotly")  # not imported: the file is all that is wanted of it
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the plotly package is not installed")
    return (Path(package.submodule_search_locations[0]) / "package_data" / "plotly.min.js").read_bytes()


def _asset(body: bytes, suffix: str) -> Asset:
    media_type = "text/javascript" if suffix == ".js" else mimetypes.types_map[suffix]
    return Asset(
        body=body,
        compressed=gzip.compress(body, mtime=0),
        media_type=media_type,
        etag=f'"{sha256(body).hexdigest()[:32]}"',
    )
