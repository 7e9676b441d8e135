"""The OpenAPI document: FastAPI's, adjusted so that clients can be generated from it."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from thalweg.api import problems
from thalweg.api.trajectory_schemas import TrajectoryEntry

_REF = "#/components/schemas/{model}"
_EVENTS = "text/event-stream"
_EVENTS_EXAMPLE = """\
event: progress
id: 400
data: {"step": 400, "steps": 20000, "status": "running"}

event: done
id: 20000
data: {"id": "0199...", "status": "succeeded", "...": "the job"}

"""
_NAMED: tuple[type[BaseModel], ...] = (TrajectoryEntry,)
"""Schemas that are referenced from the content of streamed formats only."""


def description(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application."""
    document: dict[str, Any] = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    schemas = document["components"]["schemas"]
    schemas.update({model.__name__: model.model_json_schema(ref_template=_REF) for model in _NAMED})
    for schema in schemas.values():
        _leave_rate_out(schema)
    for path in document["paths"].values():
        for operation in path.values():
            _mend_parameters(operation)
            _mend_responses(operation["responses"])
            _show_example(operation, schemas)
    return document


def _leave_rate_out(schema: dict[str, Any]) -> None:
    """Move an optimizer's default `lr` into its description: a generated client would send it beside the job's."""
    rate = schema.get("properties", {}).get("lr", {})
    if rate.get("default") is not None:
        rate["description"] = f"{rate['description']}; {rate.pop('default')} if left out, unless the job says it"


def _mend_parameters(operation: dict[str, Any]) -> None:
    """Drop null from types: queries and headers are absent instead."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        some = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
        if len(some) == 1:
            del schema["anyOf"]
            schema.update(some[0])


def _mend_responses(responses: dict[str, Any]) -> None:
    for status in ("4XX", "5XX"):
        problem = {"schema": {"$ref": _REF.format(model="Problem")}}
        responses[status]["content"] = {problems.MEDIA_TYPE: problem}
    for response in responses.values():
        if _EVENTS in response.get("content", {}):
            # FastAPI writes itemSchema of OpenAPI 3.2, which validators and generators do not support yet
            response["content"][_EVENTS] = {"schema": {"type": "string"}, "example": _EVENTS_EXAMPLE}


def _show_example(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Copy the first example of a body's schema to where Swagger UI reads it to try requests out."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        name = media["schema"]["$ref"].rpartition("/")[2]
        media["example"] = schemas[name]["examples"][0]
