"""The files of the page, held in memory as they are sent."""

import gzip
import mimetypes
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
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
    files = {path.relative_to(_ROOT).as_posix(): asset(path.read_bytes(), path.suffix) for path in paths}
    digest = digest_of(files)
    # without the list, a module would be asked for only when the one that imports it has arrived
    modules = "\n    ".join(
        f'<link rel="modulepreload" href="assets/{digest}/{name}">' for name in files if name.startswith("js/")
    )
    document = Template((_ROOT / "index.html").read_text()).substitute(assets=f"assets/{digest}", modules=modules)
    return Page(asset(document.encode(), ".html"), files, digest)


def digest_of(files: dict[str, Asset]) -> str:
    """Return what is another one where any of these files is."""
    return sha256("".join(each.etag for each in files.values()).encode()).hexdigest()[:16]


def asset(body: bytes, suffix: str) -> Asset:
    """Return a file of this content; its name's suffix says what it is."""
    media_type = "text/javascript" if suffix == ".js" else mimetypes.types_map[suffix]
    return Asset(
        body=body,
        compressed=gzip.compress(body, mtime=0),
        media_type=media_type,
        etag=f'"{sha256(body).hexdigest()[:32]}"',
    )
