"""NDJSON: a line for each row, a JSON object."""

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from thalweg.api.formats.format import Format
from thalweg.api.formats.schema import TableSchema
from thalweg.api.formats.table import Table
from thalweg.api.formats.texts import row_texts


def _write(table: Table) -> Iterator[bytes]:
    for block in table.blocks:
        parts: list[Iterable[str]] = []
        before = "{"
        for column in table.columns:
            opening, closing = ("[", "]") if column.width is not None else ("", "")
            parts += repeat(f'{before}"{column.name}":{opening}'), row_texts(block[column.name])
            before = f"{closing},"
        parts.append(repeat(f"{closing}}}\n"))
        yield "".join(map("".join, zip(*parts, strict=False))).encode()  # not strict: repeat has no end


def _media_object(schema: TableSchema) -> dict[str, Any]:
    return {
        "schema": {
            "type": "string",
            "description": f"a `{schema.model.__name__}` in each line",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": f"#/components/schemas/{schema.model.__name__}"},
        },
        "example": b"".join(_write(schema.example)).decode(),
    }


NDJSON = Format(
    name="NDJSON",
    media_type="application/x-ndjson",
    suffix="ndjson",
    streamed=True,
    write=_write,
    media_object=_media_object,
)
