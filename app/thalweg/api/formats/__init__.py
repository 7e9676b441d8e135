"""What tables can be written as. A new format is a module beside these and an entry in `FORMATS`."""

from typing import Any

from thalweg.api.formats.csv import CSV
from thalweg.api.formats.format import Format
from thalweg.api.formats.json import JSON
from thalweg.api.formats.ndjson import NDJSON
from thalweg.api.formats.schema import TableSchema
from thalweg.api.negotiation import preferred

FORMATS: tuple[Format, ...] = (JSON, CSV, NDJSON)
"""In order of preference, where a client likes several equally."""


def negotiated(accept: str | None) -> Format:
    """Return the format that an `Accept` header prefers.

    Raises:
        HTTPException: 406, it accepts none.
    """
    by_media_type = {each.media_type: each for each in FORMATS}
    return by_media_type[preferred(accept, tuple(by_media_type))]


def content(whole: TableSchema, streamed: TableSchema) -> dict[str, Any]:
    """Return the `content` of an OpenAPI response: a table in every format.

    Args:
        whole: The table of one run, for formats that hold it in memory.
        streamed: The table of all runs, for the others.
    """
    return {each.media_type: each.media_object(streamed if each.streamed else whole) for each in FORMATS}
