"""The files of the page, held in memory as they are sent."""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from string import Template

import orjson

from thalweg.web.facts import facts, palette

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
    files = {path.relative_to(_ROOT).as_posix(): asset(path.read_bytes(), path.suffix) for path in paths}
    files["css/palette.css"] = asset(palette().encode(), ".css")
    digest = digest_of(files)
    # without this list, the browser would fetch each module only once its importer has arrived
    modules = "\n    ".join(
        f'<link rel="modulepreload" href="assets/{digest}/{name}">' for name in files if name.startswith("js/")
    )
    document = Template((_ROOT / "index.html").read_text()).substitute(
        assets=f"assets/{digest}",
        modules=modules,
        facts=orjson.dumps(facts()).decode().replace("<", "\\u003c"),  # nothing in them may end the script
    )
    return Page(asset(document.encode(), ".html"), files, digest)


def digest_of(files: dict[str, Asset]) -> str:
    """Return a digest of the files' contents."""
    return sha256("".join(each.etag for each in files.values()).encode()).hexdigest()[:16]


def asset(body: bytes, suffix: str) -> Asset:
    """Return a file's bytes as they are sent; the suffix gives the media type."""
    media_type = "text/javascript" if suffix == ".js" else mimetypes.types_map[suffix]
    return Asset(
        body=body,
        compressed=gzip.compress(body, mtime=0),
        media_type=media_type,
        etag=f'"{sha256(body).hexdigest()[:32]}"',
    )
