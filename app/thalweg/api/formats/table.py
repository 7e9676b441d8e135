"""Tables on their way out: named columns, whose values come a block of rows at a time."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

_BLOCK_ROWS = 20_000

Block = Mapping[str, np.ndarray]
"""Some rows of a table: each column's values, `(m,)`, or `(m, width)` where they are vectors."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of numbers, or of vectors of `width` numbers."""

    name: str
    dtype: np.dtype[Any]
    width: int | None = None

    @property
    def labels(self) -> list[str]:
        """Its name; for vectors, one name per coordinate, such as x0 and x1."""
        return [self.name] if self.width is None else [f"{self.name}{i}" for i in range(self.width)]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, the blocks that hold their values in order, and facts about the table as a whole.

    There may be no block at all, and none is empty.
    """

    columns: tuple[Column, ...]
    blocks: Iterable[Block]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def whole(cls, values: Block, facts: Mapping[str, Any] | None = None) -> Self:
        """Return a table whose values are all in memory."""
        columns = (
            Column(name, column.dtype, column.shape[1] if column.ndim > 1 else None)
            for name, column in values.items()
        )
        return cls(tuple(columns), tuple(blocks(values)), facts or {})


def blocks(values: Block) -> Iterator[Block]:
    """Yield columns of equal length as blocks of at most 20,000 rows."""
    n_rows = min(len(column) for column in values.values())
    for begin in range(0, n_rows, _BLOCK_ROWS):
        yield {name: column[begin : begin + _BLOCK_ROWS] for name, column in values.items()}
