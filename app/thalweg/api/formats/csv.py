"""CSV: a line for each row under a line of names; a cell is empty where its number is not finite."""

from collections.abc import Iterator
from typing import Any

from thalweg.api.formats.format import Format
from thalweg.api.formats.schema import TableSchema
from thalweg.api.formats.table import Table
from thalweg.api.formats.texts import row_texts


def _write(table: Table) -> Iterator[bytes]:
    yield (",".join(_labels(table)) + "\n").encode()
    for block in table.blocks:
        cells = (row_texts(block[column.name], null="") for column in table.columns)
        yield ("\n".join(map(",".join, zip(*cells, strict=True))) + "\n").encode()


def _labels(table: Table) -> list[str]:
    return [label for column in table.columns for label in column.labels]


def _media_object(schema: TableSchema) -> dict[str, Any]:
    *labels, last = _labels(schema.example)
    return {
        "schema": {"type": "string", "description": f"{', '.join(labels)}, ... and {last}; empty where not finite"},
        "example": b"".join(_write(schema.example)).decode(),
    }


CSV = Format(
    name="CSV",
    media_type="text/csv",
    suffix="csv",
    streamed=True,
    write=_write,
    media_object=_media_object,
)
