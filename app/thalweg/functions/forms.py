"""A pydantic field for values of several forms, chosen by inspection instead of by trial."""

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema


class ByLooks:
    """Makes a pydantic field whose values are converted to one of several models by `choose`.

    A union would try every model and report the errors of all; this reports those of the intended one.

    Args:
        choose: Converts a value from the request to a model; its errors become the field's.
        forms: The union to show in OpenAPI.
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
