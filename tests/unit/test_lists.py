"""Long lists are refused early: by their length first, and by what is wrong near their beginning."""

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


def test_what_is_right_is_taken_as_it_is() -> None:
    assert ROW.validate_python([1.0, 2.0]) == (1.0, 2.0)
    assert ROWS.validate_python([[1.0], [2.0, 3.0]]) == ((1.0,), (2.0, 3.0))
    assert ROWS.dump_json(((1.0,), (2.0, 3.0))) == b"[[1.0],[2.0,3.0]]"


def test_all_that_is_wrong_at_the_beginning_is_told() -> None:
    assert places(ROW, [None, 1.0, None]) == [(0,), (2,)]
    assert places(ROWS, [[1.0, None], [None]]) == [(0, 1), (1, 0)]


def test_the_rest_is_told_up_to_what_is_wrong_first() -> None:
    assert places(ROW, [0.0] * 150 + [None] * 150) == [(150,)]
    assert places(ROWS, [[0.0] * 50] * 150 + [[0.0] * 20 + [None] * 9] * 150) == [(150, 20)]


def test_a_list_of_wrong_items_gives_as_many_complaints_as_a_person_reads() -> None:
    assert len(places(ROW, [None] * 1000)) == 100
    assert len(places(ROWS, [[None] * 1000] * 1000)) == 1000


def test_a_list_that_is_too_long_is_not_looked_into() -> None:
    with pytest.raises(ValidationError) as caught:
        ROW.validate_python([None] * 1001)
    (issue,) = caught.value.errors()
    assert (issue["type"], issue["ctx"]["max_length"], issue["ctx"]["actual_length"]) == ("too_long", 1000, 1001)


def test_a_wrong_item_is_told_by_its_place_in_the_whole_list() -> None:
    starts: list[list[float | None]] = [[0.0, 1.0] for _ in range(12_345)]
    assert ROWS.validate_python(starts) == tuple(map(tuple, starts))
    starts[12_340][1] = None
    assert places(ROWS, starts) == [(12_340, 1)]
    starts[7] = [None]
    assert places(ROWS, starts) == [(7, 0)]
