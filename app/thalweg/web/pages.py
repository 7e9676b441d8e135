"""The routes of the page and of the API's reference. They are open also where the API wants keys."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response

from thalweg.web.api_docs import reference
from thalweg.web.assets import Asset, Page, page

router = APIRouter(include_in_schema=False)

_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
_OWN_STYLE = "style-src 'self'"
_ANY_STYLE = "style-src 'self' 'unsafe-inline'"  # Swagger UI writes style attributes

AcceptEncoding = Annotated[str, Header()]
IfNoneMatch = Annotated[str, Header()]


@router.api_route("/", methods=["GET", "HEAD"])
async def get_page(
    request: Request, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return the document of the page."""
    return _document(request, page().document, _OWN_STYLE, accept_encoding, if_none_match)


@router.api_route("/docs", methods=["GET", "HEAD"])
def get_docs(request: Request, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = "") -> Response:
    """Return the document of the API's reference."""
    return _document(request, reference().document, _ANY_STYLE, accept_encoding, if_none_match)


@router.api_route("/assets/swagger/{digest}/{name}", methods=["GET", "HEAD"])
def get_swagger(
    request: Request, digest: str, name: str, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return a file of Swagger UI."""
    return _file(request, reference(), digest, name, accept_encoding, if_none_match)


@router.api_route("/assets/{digest}/{name:path}", methods=["GET", "HEAD"])
async def get_asset(
    request: Request, digest: str, name: str, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return a file of the page. Under the digest of what is served now it never changes."""
    return _file(request, page(), digest, name, accept_encoding, if_none_match)


def _document(request: Request, document: Asset, style: str, accept_encoding: str, if_none_match: str) -> Response:
    answer = _response(request, document, accept_encoding, if_none_match, _ASK_AGAIN)
    answer.headers["Content-Security-Policy"] = "; ".join((*_POLICY, style))
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
