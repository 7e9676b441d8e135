"""What a table holds, for those who read the OpenAPI document."""

from dataclasses import dataclass

from pydantic import BaseModel

from thalweg.api.formats.table import Table


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The model of a table, and an example.

    The model is of the table as an object of columns; of a streamed table it is that of a row.
    """

    model: type[BaseModel]
    example: Table
