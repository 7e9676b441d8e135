"""Lists in what clients send: their length is checked first, and a wrong one is not read to its end."""

from itertools import chain
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError, ValidatorFunctionWrapHandler
from pydantic_core import CoreSchema, InitErrorDetails, PydanticKnownError, SchemaValidator, core_schema

_MOST_TOLD = 100
_MOST_TOLD_WITHIN = 10
_PART = 5000  # items: some milliseconds


class StopEarly:
    """Makes a pydantic field that is a tuple, or a tuple of tuples, cheap to refuse.

    By itself pydantic collects an error for every item. Here the items at the beginning are all told about, and
    beyond them the first wrong one. It comes behind the field's other annotations, and its items are numbers or
    texts, in tuples or not.
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
    """Validate a list part by part: pydantic holds the interpreter, and with it the event loop, all along."""
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
        if issue["loc"]  # a part is also said to be too short when its items are wrong
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
