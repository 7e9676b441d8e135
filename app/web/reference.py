"""The reference of the API at `/docs`: Swagger UI, as the `fastapi-offline` package ships it."""

from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from string import Template

from app.web.assets import Page, asset, page

_NAMES = ("swagger-ui.css", "swagger-ui-bundle.js")
_DOCUMENT = Path(__file__).parent / "docs" / "index.html"


@cache
def reference() -> Page:
    """Return the document and Swagger UI's files, read once.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    package = find_spec("fastapi_offline")  # not imported: the files are all that is wanted of it
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the fastapi-offline package is not installed")
    folder = Path(package.submodule_search_locations[0]) / "static"
    files = {name: asset((folder / name).read_bytes(), Path(name).suffix) for name in _NAMES}
    digest = sha256("".join(each.etag for each in files.values()).encode()).hexdigest()[:16]
    document = Template(_DOCUMENT.read_text()).substitute(
        assets=f"assets/{page().digest}", swagger=f"assets/swagger/{digest}"
    )
    return Page(asset(document.encode(), ".html"), files, digest)
