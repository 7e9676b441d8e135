"""The routes of the page and of the API's reference. They are open also where the API wants keys."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response

from app.plots import plotly
from app.web.assets import Asset, Page, page, script
from app.web.reference import reference

router = APIRouter(include_in_schema=False)

_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Plotly and Swagger UI write style attributes
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

AcceptEncoding = Annotated[str, Header()]
IfNoneMatch = Annotated[str, Header()]


@router.api_route("/", methods=["GET", "HEAD"])
async def get_page(
    request: Request, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return the document of the page."""
    return _document(request, page().document, accept_encoding, if_none_match)


@router.api_route("/docs", methods=["GET", "HEAD"])
def get_docs(request: Request, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = "") -> Response:
    """Return the document of the API's reference."""
    return _document(request, reference().document, accept_encoding, if_none_match)


@router.api_route("/assets/swagger/{digest}/{name}", methods=["GET", "HEAD"])
def get_swagger(
    request: Request, digest: str, name: str, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return a file of Swagger UI."""
    return _file(request, reference(), digest, name, accept_encoding, if_none_match)


# compressing it takes a moment, the first time: a thread's work
@router.api_route("/assets/plotly/{name}", methods=["GET", "HEAD"])
def get_plotly(
    request: Request, name: str, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return Plotly's JavaScript, under the name of its version."""
    if name != plotly.name():
        raise HTTPException(404)
    return _response(request, script(), accept_encoding, if_none_match, _FOR_GOOD)


@router.api_route("/assets/{digest}/{name:path}", methods=["GET", "HEAD"])
async def get_asset(
    request: Request, digest: str, name: str, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return a file of the page. Under the digest of what is served now it never changes."""
    return _file(request, page(), digest, name, accept_encoding, if_none_match)


def _document(request: Request, document: Asset, accept_encoding: str, if_none_match: str) -> Response:
    answer = _response(request, document, accept_encoding, if_none_match, _ASK_AGAIN)
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def _file(request: Request, of: Page, digest: str, name: str, accept_encoding: str, if_none_match: str) -> Response:
    asset = of.files.get(name)
    if asset is None:
        raise HTTPException(404)
    lifetime = _FOR_GOOD if digest == of.digest else _ASK_AGAIN
    return _response(request, asset, accept_encoding, if_none_match, lifetime)


def _response(request: Request, asset: Asset, accept_encoding: str, if_none_match: str, lifetime: str) -> Response:
    headers = {
        "Cache-Control": lifetime,
        "ETag": asset.etag,
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if asset.etag[1:-1] in if_none_match:
        return Response(status_code=304, headers=headers)
    body = asset.body
    if "gzip" in accept_encoding:
        body = asset.compressed
        headers["Content-Encoding"] = "gzip"
        headers["ETag"] = f'{asset.etag[:-1]}-gzip"'
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(body))
        body = b""
    return Response(body, headers=headers, media_type=asset.media_type)
