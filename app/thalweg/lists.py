"""Lists in request bodies: length is checked first, and validation stops at an early error."""

from itertools import chain
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, InitErrorDetails, PydanticKnownError, SchemaValidator, core_schema

_MOST_TOLD = 100
_MOST_TOLD_WITHIN = 10
_PART = 5000  # items, validated in a few milliseconds


class StopEarly:
    """Makes an invalid tuple, or tuple of tuples, cheap to reject.

    pydantic alone collects an error for every invalid item. This reports all errors among the first items, or else
    the first error after them. Place it last among the field's annotations; items are numbers or strings, nested or
    not.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        collecting = SchemaValidator(schema)
        longest, shortest = schema.get("max_length"), schema.get("min_length") or 0

        def validate(value: Any, until_wrong: ValidatorFunctionWrapHandler) -> Any:
            if longest is not None and isinstance(value, list | tuple) and len(value) > longest:
                context = {"field_type": "Tuple", "max_length": longest, "actual_length": len(value)}
                raise PydanticKnownError("too_long", context)
            try:
                return _in_parts(value, until_wrong) if shortest <= 1 else until_wrong(value)
            except ValidationError:
                collecting.validate_python(_beginning(value))
                raise

        return core_schema.no_info_wrap_validator_function(validate, _failing_fast(schema))


def _in_parts(value: Any, until_wrong: ValidatorFunctionWrapHandler) -> Any:
    """Validate a list in parts, since pydantic does not release the interpreter within a call."""
    if not isinstance(value, list | tuple) or len(value) <= _PART:
        return until_wrong(value)
    parts = []
    for begin in range(0, len(value), _PART):
        try:
            parts.append(until_wrong(value[begin : begin + _PART]))
        except ValidationError as error:
            raise _moved(error, begin) from None
    return tuple(chain.from_iterable(parts))


def _moved(error: ValidationError, begin: int) -> ValidationError:
    details = [
        InitErrorDetails(
            type=issue["type"],
            loc=(begin + int(issue["loc"][0]), *issue["loc"][1:]),
            input=issue["input"],
            ctx=issue.get("ctx", {}),
        )
        for issue in error.errors()
        if issue["loc"]  # pydantic also reports a part as too short when its items are invalid
    ]
    return ValidationError.from_exception_data(error.title, details)


def _failing_fast(schema: Any) -> Any:
    if schema["type"] == "tuple" and "variadic_item_index" in schema:
        items = [_failing_fast(item) for item in schema["items_schema"]]
        return {**schema, "items_schema": items, "fail_fast": True}
    return schema


def _beginning(value: Any, most: int = _MOST_TOLD) -> Any:
    if not isinstance(value, list | tuple):
        return value
    return [_beginning(item, _MOST_TOLD_WITHIN) for item in value[:most]]
