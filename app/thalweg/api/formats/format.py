"""What is to be known of an output format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from thalweg.api.formats.schema import TableSchema
from thalweg.api.formats.table import Table


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write tables as bytes.

    A streamed format is a file to download: it takes records of any length, all runs of a job in one table. Others
    hold one run, whose values and `facts` fit into memory.
    """

    name: str
    media_type: str
    suffix: str
    streamed: bool
    write: Callable[[Table], Iterator[bytes]]
    media_object: Callable[[TableSchema], dict[str, Any]]
    """What the OpenAPI document says of a table in this format."""

    def headers(self, name: str) -> dict[str, str]:
        """Return the headers of a table, `name` being that of its file without suffix."""
        headers = {"Vary": "Accept"}
        if self.streamed:
            headers["Content-Disposition"] = f'attachment; filename="{name}.{self.suffix}"'
        return headers
