"""JSON: an object with the facts of a table, and an array for each column."""

from collections.abc import Iterator
from typing import Any

import orjson

from thalweg.api.formats.format import Format
from thalweg.api.formats.schema import TableSchema
from thalweg.api.formats.table import Table
from thalweg.api.formats.texts import array_text


def _write(table: Table) -> Iterator[bytes]:
    blocks = list(table.blocks)
    yield orjson.dumps(dict(table.facts))[:-1]
    for column in table.columns:
        yield f',"{column.name}":['.encode()
        for place, block in enumerate(blocks):
            yield (b"," if place else b"") + array_text(block[column.name])[1:-1]
        yield b"]"
    yield b"}"


def _media_object(schema: TableSchema) -> dict[str, Any]:
    return {
        "schema": {"$ref": f"#/components/schemas/{schema.model.__name__}"},
        "example": orjson.loads(b"".join(_write(schema.example))),
    }


JSON = Format(
    name="JSON",
    media_type="application/json",
    suffix="json",
    streamed=False,
    write=_write,
    media_object=_media_object,
)
