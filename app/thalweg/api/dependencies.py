"""What endpoints depend on: use cases, stores, settings, and an authorized caller."""

import hmac
from dataclasses import dataclass
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from thalweg.api.bodies import Bodies
from thalweg.api.broadcasts import Broadcasts
from thalweg.api.computing import Computations, Compute
from thalweg.api.lanes import Lane
from thalweg.api.problems import Unauthorized
from thalweg.db.store import JobStore
from thalweg.db.trajectories import TrajectoryStore
from thalweg.errors import Conflict, InvalidInput, NotUnderstood
from thalweg.functions.networks.objective import NetworkObjective
from thalweg.jobs.cancel import Cancel
from thalweg.jobs.delete import Delete
from thalweg.jobs.extend import Extend
from thalweg.jobs.lesson import Lesson
from thalweg.jobs.ports import Dispatcher
from thalweg.jobs.record import JobRecord
from thalweg.jobs.submit import Submit
from thalweg.jobs.watcher import Watcher
from thalweg.settings import Settings
from thalweg.whole_numbers import WRITTEN_WHOLE


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the API works with; wired in `thalweg.main`."""

    settings: Settings
    jobs: JobStore
    submit: Submit
    cancel: Cancel
    extend: Extend
    delete: Delete
    trajectories: TrajectoryStore
    watcher: Watcher
    broadcasts: Broadcasts
    dispatcher: Dispatcher
    lesson: Lesson
    bodies: Bodies
    computations: Computations
    writing: Lane
    streaming: Lane
    probing: CapacityLimiter


# async although they await nothing: FastAPI runs a plain `def` in a thread
async def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


Wired = Annotated[Services, Depends(_services)]


async def _compute(request: Request, services: Wired) -> Compute:
    return Compute(services.computations, request)


Computing = Annotated[Compute, Depends(_compute)]

bearer = HTTPBearer(auto_error=False, description="needed where THALWEG_API_KEYS is set")


async def authorize(
    services: Wired, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> None:
    """Let a caller pass who has one of the keys; any caller if there are none."""
    keys = services.settings.api_keys
    if not keys:
        return
    sent = b"" if credentials is None else credentials.credentials.encode()
    # all keys are compared, so that the time taken reveals nothing
    matches = [hmac.compare_digest(sent, key.get_secret_value().encode()) for key in keys]
    if not any(matches):
        raise Unauthorized


JobId = Annotated[str, Path(max_length=100, description="the job's `id`")]
Limit = Annotated[int, Query(ge=1, le=1000, description="items of a page"), WRITTEN_WHOLE]
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")]
RunNumber = Annotated[int, Query(ge=0, le=2**53, description="which run"), WRITTEN_WHOLE]


def check_run(record: JobRecord, run: int) -> None:
    """Check that a job has a run of this number.

    Raises:
        InvalidInput: It has none.
    """
    if run >= record.spec.n_runs:
        raise InvalidInput(f"there is no run {run}: the job has {record.spec.n_runs}, from 0", "query", "run")


def check_network(record: JobRecord) -> None:
    """Check that a job trains a network.

    Raises:
        Conflict: It trains none.
    """
    if not record.spec.trains_network:
        raise Conflict(f"the job trains no network: its function is {record.spec.function}")


def network_of(record: JobRecord) -> NetworkObjective:
    """Return the network that a job trains.

    Raises:
        Conflict: It trains none.
        NotUnderstood: This version does not know what the network is.
    """
    check_network(record)
    network = record.spec.parsed().network
    if network is None:
        raise NotUnderstood(f"this version does not know {record.spec.function} as a network")
    return network
