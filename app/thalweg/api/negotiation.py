"""Content negotiation by the `Accept` header."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """Return the media type of `offered` that an `Accept` header prefers; the first one on a tie.

    Raises:
        HTTPException: 406, it accepts none of them.
    """
    ranges = [_parse(part) for part in (accept or "*/*").split(",") if part.strip()]
    best, best_quality = None, 0.0
    for media_type in offered:
        fitting = [(len(pattern), quality) for pattern, quality in ranges if _fits(pattern, media_type)]
        quality = max(fitting)[1] if fitting else 0.0
        if quality > best_quality:
            best, best_quality = media_type, quality
    if best is None:
        raise HTTPException(406, f"this resource is available as {', '.join(offered)}: set Accept to one of these")
    return best


def _parse(part: str) -> tuple[str, float]:
    pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return pattern, min(max(float(value), 0.0), 1.0)
            except ValueError:
                return pattern, 0.0
    return pattern, 1.0


def _fits(pattern: str, media_type: str) -> bool:
    return pattern in {"*/*", media_type, f"{media_type.split('/', maxsplit=1)[0]}/*"}
