"""The optimizers and the schedulers, with the parameters that each takes."""

from functools import cache
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from thalweg.optimizers import catalogue, schedules
from thalweg.optimizers.base import describe

router = APIRouter(prefix="/v1", tags=["optimizers"])


class Description(BaseModel):
    """An optimizer or a scheduler, by the name that a job gives."""

    name: str
    title: str
    parameters: dict[str, Any] = Field(description="JSON Schema of its parameters, with torch's defaults")
    source: str


class OptimizerDescription(Description):
    """An optimizer, by the name that a job gives."""

    family: str = Field(description="torch is torch.optim, zoo is pytorch_optimizer")
    licence: str = Field(description="the licence of its class, as SPDX names it")
    matrices_only: bool = Field(description="whether it moves matrices only: then the function must be a network")
    fused: bool = Field(description="whether the fused engine runs it; if not, torch's own loop does")


class SchedulerPage(BaseModel):
    """All of them; there is no further page."""

    items: list[Description]
    next_cursor: None = None


class OptimizerPage(BaseModel):
    """All of them; there is no further page."""

    items: list[OptimizerDescription]
    next_cursor: None = None


@router.get("/optimizers")
def list_optimizers() -> OptimizerPage:
    """Return the optimizers that a job can use: torch's, and those of the zoo where it is installed."""
    return _optimizers()


@router.get("/optimizers/{name}")
def get_optimizer(name: str) -> OptimizerDescription:
    """Return an optimizer with its parameters."""
    return OptimizerDescription(**describe(catalogue.find(name)))


@router.get("/schedulers")
def list_schedulers() -> SchedulerPage:
    """Return torch's learning-rate schedulers that a job can use."""
    return _schedulers()


# pydantic makes a schema anew at each call, and together they take some tenths of a second
@cache
def _optimizers() -> OptimizerPage:
    return OptimizerPage(
        items=[OptimizerDescription(**describe(optimizer)) for optimizer in catalogue.optimizers()]
    )


@cache
def _schedulers() -> SchedulerPage:
    return SchedulerPage(items=[Description(**describe(scheduler)) for scheduler in schedules.schedulers()])
