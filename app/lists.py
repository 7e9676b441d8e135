"""Lists in what clients send: their length is checked first, and a wrong one is not read to its end."""

from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, PydanticKnownError, SchemaValidator, core_schema

_MOST_TOLD = 100
_MOST_TOLD_WITHIN = 10


class StopEarly:
    """Makes a pydantic field that is a tuple, or a tuple of tuples, cheap to refuse.

    By itself pydantic collects an error for every item. Here the items at the beginning are all told about, and
    beyond them the first wrong one. It comes behind the field's other annotations, and its items are numbers or
    texts, in tuples or not.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        collecting = SchemaValidator(schema)
        longest = schema.get("max_length")

        def validate(value: Any, until_wrong: ValidatorFunctionWrapHandler) -> Any:
            if longest is not None and isinstance(value, list | tuple) and len(value) > longest:
                context = {"field_type": "Tuple", "max_length": longest, "actual_length": len(value)}
                raise PydanticKnownError("too_long", context)
            try:
                return until_wrong(value)
            except ValidationError:
                collecting.validate_python(_beginning(value))
                raise

        return core_schema.no_info_wrap_validator_function(validate, _failing_fast(schema))


def _failing_fast(schema: Any) -> Any:
    if schema["type"] == "tuple" and "variadic_item_index" in schema:
        items = [_failing_fast(item) for item in schema["items_schema"]]
        return {**schema, "items_schema": items, "fail_fast": True}
    return schema


def _beginning(value: Any, most: int = _MOST_TOLD) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return [_beginning(item, _MOST_TOLD_WITHIN) for item in value[:most]]
