"""The routes of the page. They are no part of the API, and open also where that wants keys."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Request, Response

from app.web.assets import Asset, page

router = APIRouter(include_in_schema=False)

_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
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
    answer = _response(request, page().document, accept_encoding, if_none_match, _ASK_AGAIN)
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@router.api_route("/assets/{digest}/{name:path}", methods=["GET", "HEAD"])
async def get_asset(
    request: Request, digest: str, name: str, accept_encoding: AcceptEncoding = "", if_none_match: IfNoneMatch = ""
) -> Response:
    """Return a file of the page. Under the digest of what is served now it never changes."""
    asset = page().files.get(name)
    if asset is None:
        raise HTTPException(404)
    lifetime = _FOR_GOOD if digest == page().digest else _ASK_AGAIN
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
