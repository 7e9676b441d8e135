"""The reference of the API at `/docs`: Swagger UI, as the `fastapi-offline` package ships it."""

from functools import cache
from pathlib import Path
from string import Template

from thalweg.plots.packages import folder_of
from thalweg.web.assets import Page, asset, digest_of, page

_NAMES = ("swagger-ui.css", "swagger-ui-bundle.js")
_DOCUMENT = Path(__file__).parent / "docs" / "index.html"


@cache
def reference() -> Page:
    """Return the document and Swagger UI's files, read once.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    folder = folder_of("fastapi_offline", "fastapi-offline") / "static"
    files = {name: asset((folder / name).read_bytes(), Path(name).suffix) for name in _NAMES}
    digest = digest_of(files)
    document = Template(_DOCUMENT.read_text()).substitute(
        assets=f"assets/{page().digest}", swagger=f"assets/swagger/{digest}"
    )
    return Page(asset(document.encode(), ".html"), files, digest)
