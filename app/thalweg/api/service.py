"""Liveness and readiness."""

from typing import Literal

from anyio import move_on_after
from anyio.to_thread import run_sync
from fastapi import APIRouter
from pydantic import BaseModel

from thalweg.api.dependencies import Services, Wired
from thalweg.errors import Unavailable

router = APIRouter(tags=["service"])

_READY_SECONDS = 2


class Alive(BaseModel):
    """The process is alive."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The database and at least one worker are ready."""

    status: Literal["ready"] = "ready"
    workers: int


@router.get("/healthz")
async def get_health() -> Alive:
    """Answer 200 while the process is alive."""
    return Alive()


@router.get("/readyz")
async def get_readiness(services: Wired) -> Ready:
    """Answer 200 if the database and at least one worker are ready, else 503 with the reason, within 2 s."""
    with move_on_after(_READY_SECONDS):
        return await run_sync(_ready, services, limiter=services.probing, abandon_on_cancel=True)
    raise Unavailable(f"the database or the workers did not answer within {_READY_SECONDS} s")


def _ready(services: Services) -> Ready:
    services.jobs.ping()
    workers = services.dispatcher.n_workers()
    if not workers:
        raise Unavailable("no worker is ready; jobs are accepted, and will run as soon as one is")
    return Ready(workers=workers)
