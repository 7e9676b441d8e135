"""Numbers as text: the shortest that reads back as the same double, and null where it is not finite."""

import numpy as np
import orjson


def array_text(column: np.ndarray) -> bytes:
    """Return an array as JSON.

    A float32 is written as the double that it equals: orjson would round it to a shorter text of its own.
    """
    if column.dtype.kind == "f":
        column = column.astype(np.float64)
    return orjson.dumps(np.ascontiguousarray(column), option=orjson.OPT_SERIALIZE_NUMPY)


def row_texts(column: np.ndarray, null: str = "null") -> list[str]:
    """Return the text of each row of a column, which has at least one; numbers of a vector are joined by commas."""
    text = array_text(column).decode()
    if null != "null":
        text = text.replace("null", null)
    return text[1:-1].split(",") if column.ndim == 1 else text[2:-2].split("],[")
