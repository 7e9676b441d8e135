"""Whether the service is alive, and whether it can work."""

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
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(BaseModel):
    """The database answers, and so many workers do."""

    status: Literal["ready"] = "ready"
    workers: int


@router.get("/healthz")
async def get_health() -> Alive:
    """Answer, as long as the process lives."""
    return Alive()


@router.get("/readyz")
async def get_readiness(services: Wired) -> Ready:
    """Answer 200 when the database and at least one worker do, and 503 with the reason before, within 2 s."""
    with move_on_after(_READY_SECONDS):
        return await run_sync(_ready, services, limiter=services.probing, abandon_on_cancel=True)
    raise Unavailable(f"the database and the workers have not answered within {_READY_SECONDS} s")


def _ready(services: Services) -> Ready:
    services.jobs.ping()
    workers = services.dispatcher.n_workers()
    if not workers:
        raise Unavailable("no worker is ready; jobs are accepted, and run as soon as one is")
    return Ready(workers=workers)
