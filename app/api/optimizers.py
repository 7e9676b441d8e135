"""Optimizers and schedulers: what there is, and what each can be told."""

from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.optimizers import catalogue, schedules
from app.optimizers.base import describe

router = APIRouter(prefix="/v1", tags=["optimizers"])


class Description(BaseModel):
    """An optimizer or a scheduler, as a job names it."""

    name: str
    title: str
    parameters: dict[str, Any] = Field(description="JSON Schema of its parameters, with torch's defaults")
    source: str


class DescriptionPage(BaseModel):
    """All of them; there is no further page."""

    items: list[Description]
    next_cursor: None = None


@router.get("/optimizers")
def list_optimizers() -> DescriptionPage:
    """Return torch's optimizers that a job can use."""
    return _optimizers()


@router.get("/schedulers")
def list_schedulers() -> DescriptionPage:
    """Return torch's learning-rate schedulers that a job can use."""
    return _schedulers()


# a schema is made from its class anew each time, and together they take some tenths of a second
@cache
def _optimizers() -> DescriptionPage:
    return DescriptionPage(items=[Description(**describe(optimizer)) for optimizer in catalogue.optimizers()])


@cache
def _schedulers() -> DescriptionPage:
    return DescriptionPage(items=[Description(**describe(scheduler)) for scheduler in schedules.schedulers()])
