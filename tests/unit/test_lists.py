"""Long invalid lists are rejected early: by length first, then by errors near their beginning."""

from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from thalweg.lists import StopEarly

Number = Annotated[float, Field(strict=True)]
ROW: TypeAdapter[Any] = TypeAdapter(
    Annotated[tuple[Number, ...], Field(min_length=1, max_length=1000), StopEarly()]
)
ROWS: TypeAdapter[Any] = TypeAdapter(Annotated[tuple[tuple[Number, ...], ...], StopEarly()])


def places(adapter: TypeAdapter[Any], value: object) -> list[tuple[int | str, ...]]:
    with pytest.raises(ValidationError) as caught:
        adapter.validate_python(value)
    return [issue["loc"] for issue in caught.value.errors() if issue["type"] == "float_type"]


def test_valid_lists_are_unchanged() -> None:
    assert ROW.validate_python([1.0, 2.0]) == (1.0, 2.0)
    assert ROWS.validate_python([[1.0], [2.0, 3.0]]) == ((1.0,), (2.0, 3.0))
    assert ROWS.dump_json(((1.0,), (2.0, 3.0))) == b"[[1.0],[2.0,3.0]]"


def test_all_errors_near_the_beginning_are_reported() -> None:
    assert places(ROW, [None, 1.0, None]) == [(0,), (2,)]
    assert places(ROWS, [[1.0, None], [None]]) == [(0, 1), (1, 0)]


def test_beyond_the_beginning_the_first_error_is_reported() -> None:
    assert places(ROW, [0.0] * 150 + [None] * 150) == [(150,)]
    assert places(ROWS, [[0.0] * 50] * 150 + [[0.0] * 20 + [None] * 9] * 150) == [(150, 20)]


def test_number_of_errors_is_bounded() -> None:
    assert len(places(ROW, [None] * 1000)) == 100
    assert len(places(ROWS, [[None] * 1000] * 1000)) == 1000


def test_items_of_too_long_lists_are_not_validated() -> None:
    with pytest.raises(ValidationError) as caught:
        ROW.validate_python([None] * 1001)
    (issue,) = caught.value.errors()
    assert (issue["type"], issue["ctx"]["max_length"], issue["ctx"]["actual_length"]) == ("too_long", 1000, 1001)


def test_errors_have_the_index_in_the_whole_list() -> None:
    starts: list[list[float | None]] = [[0.0, 1.0] for _ in range(12_345)]
    assert ROWS.validate_python(starts) == tuple(map(tuple, starts))
    starts[12_340][1] = None
    assert places(ROWS, starts) == [(12_340, 1)]
    starts[7] = [None]
    assert places(ROWS, starts) == [(7, 0)]
