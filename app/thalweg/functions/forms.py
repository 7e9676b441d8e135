"""A field that takes values of several forms, told apart by their looks."""

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema


class ByLooks:
    """Makes a pydantic field whose values `choose` turns into one of some models.

    A union would try every form and complain about each that a value is not; this one names the place that is
    wrong in the form that was meant.

    Args:
        choose: From a value as it was sent to a model; its errors are the field's.
        forms: What OpenAPI shows.
    """

    def __init__(self, choose: Callable[[Any], Any], forms: TypeAdapter[Any]) -> None:
        self._choose = choose
        self._forms = forms

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._choose,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda chosen: chosen.model_dump(mode="json")
            ),
        )

    def __get_pydantic_json_schema__(self, _core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(self._forms.core_schema)
