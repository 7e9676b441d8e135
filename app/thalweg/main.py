"""The application, wired together."""

import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import Depends, FastAPI

from thalweg.api import (
    events,
    functions,
    jobs,
    landscapes,
    lesson,
    networks,
    optimizers,
    plots,
    problems,
    service,
    trajectories,
)
from thalweg.api.bodies import Bodies
from thalweg.api.broadcasts import Broadcasts
from thalweg.api.computing import Computations
from thalweg.api.dependencies import Services, authorize
from thalweg.api.head import HeadMiddleware
from thalweg.api.lanes import streaming, writing
from thalweg.api.openapi import description
from thalweg.api.queries import check_query
from thalweg.api.request_id import RequestIdMiddleware
from thalweg.db.events import EventSource
from thalweg.db.migrations import migrate
from thalweg.db.ownership import owned
from thalweg.db.session import Database
from thalweg.db.store import JobStore
from thalweg.db.trajectories import TrajectoryStore
from thalweg.errors import DiskFull, SettingsError
from thalweg.jobs.cancel import Cancel
from thalweg.jobs.delete import Delete
from thalweg.jobs.extend import Extend
from thalweg.jobs.lesson import Lesson
from thalweg.jobs.ports import Dispatcher
from thalweg.jobs.submit import Submit
from thalweg.jobs.watcher import Watcher
from thalweg.optimizers.check import warm_up
from thalweg.settings import Settings
from thalweg.web import pages
from thalweg.workers.cluster import check_scheduler
from thalweg.workers.deadlines import Deadlines
from thalweg.workers.dispatcher import QueueDispatcher

_log = logging.getLogger(__name__)

_DESCRIPTION = """
Gradient descent as a service: post a job (function, optimizer, learning rate, start, number of steps), and
look at every step it took. Errors are `application/problem+json`.
"""


def create_app(settings: Settings, dispatcher: Dispatcher | None = None) -> FastAPI:
    """Return the service. It opens its database and starts its dispatcher when it starts to serve.

    Args:
        settings: The configuration.
        dispatcher: Hands jobs to workers; by default, to the cluster that the settings describe.
    """
    app = FastAPI(
        title="Thalweg",
        version=version("thalweg"),
        description=_DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,  # FastAPI's own pages load scripts from other sites: thalweg.web has one that does not
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,  # the names of functions in generated clients
    )
    app.state.settings = settings
    app.state.dispatcher = dispatcher
    problems.install(app)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(RequestIdMiddleware)  # the outermost: every answer has an identifier
    problem: dict[int | str, dict[str, Any]] = {
        "4XX": {"model": problems.Problem, "description": "The request cannot be served, and why"},
        "5XX": {"model": problems.Problem, "description": "The service failed, or is not ready"},
    }
    checks = [Depends(authorize), Depends(check_query)]
    for module in (jobs, lesson, trajectories, landscapes, networks, events, plots, functions, optimizers):
        app.include_router(module.router, dependencies=checks, responses=problem)
    app.include_router(service.router, responses=problem)
    app.include_router(pages.router)
    app.openapi = cache(partial(description, app))  # type: ignore[method-assign]  # FastAPI's documented way
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    with prepared(settings) as database:
        await run_sync(warm_up)
        dispatcher: Dispatcher = app.state.dispatcher or QueueDispatcher(settings)
        store, watcher = JobStore(database), Watcher(EventSource(database))
        submit = Submit(store, settings, dispatcher)
        app.state.services = Services(
            settings=settings,
            jobs=store,
            submit=submit,
            cancel=Cancel(store, dispatcher),
            extend=Extend(store, settings, dispatcher),
            delete=Delete(store, dispatcher),
            trajectories=TrajectoryStore(database),
            watcher=watcher,
            broadcasts=Broadcasts(store, watcher),
            dispatcher=dispatcher,
            lesson=Lesson(store, submit),
            bodies=Bodies(settings),
            computations=Computations(settings),
            writing=writing(settings),
            streaming=streaming(),
            probing=CapacityLimiter(1),
        )
        deadlines = Deadlines(database, on_end=dispatcher.wake)
        deadlines.start()
        dispatcher.start()
        gc.collect()
        gc.freeze()  # or the collector traverses all of torch, in 0.3 s, whenever a body makes many lists
        try:
            yield
        finally:
            await run_sync(dispatcher.stop)
            await run_sync(deadlines.stop)


@contextmanager
def prepared(settings: Settings) -> Iterator[Database]:
    """Yield the service's database: migrated, and locked against a second service.

    Raises:
        SettingsError: The service cannot be started, with the reason.
    """
    database = Database(settings.url, settings.database_wait_seconds)
    check_scheduler(settings, database)
    _check_folder(settings.data_dir)
    with owned(database.path):
        try:
            _bring_up_to_date(database)
            yield database
        finally:
            database.dispose()


def _check_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = "it is not a folder" if folder.exists() and not folder.is_dir() else error.strerror
        raise SettingsError(
            f"the data directory {folder} cannot be used: {reason}. Name one that can be written, "
            "with --data-dir or THALWEG_DATA_DIR"
        ) from error


def _bring_up_to_date(database: Database) -> None:
    try:
        migrate(database)
    except DiskFull:
        if not database.reserve.release():
            raise
        _log.warning(
            "the disk of %s is full: jobs can be read and deleted, but none can be run until there is room",
            database.path,
        )
        database.dispose()
        migrate(database)
    else:
        database.reserve.fill()
