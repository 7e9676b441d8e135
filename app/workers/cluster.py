"""Dask as the engine that runs jobs: processes of this machine, or a cluster that is there already."""

import logging
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster
from distributed.utils import get_mp_context

from app.db.session import Database
from app.errors import SettingsError
from app.settings import Settings, is_loopback
from app.workers.processes import START_METHOD, start_fork_server

_CONFIGURATION = {
    # our own limit counts the attempts of each job; Dask's blames a job for its neighbours
    "distributed.scheduler.allowed-failures": 1_000_000,
    # a worker that takes longer to come back would otherwise be given up for good
    "distributed.deploy.lost-worker-timeout": "1 day",
    "distributed.worker.preload": ["app.workers.preload"],
    "distributed.worker.multiprocessing-method": START_METHOD,
    "distributed.admin.tick.limit": "30s",
    "distributed.worker.profile.enabled": False,  # it looks a hundred times a second, at what nobody asks for
}
_REMEMBERED_SECONDS = 0.5


class Cluster:
    """The worker processes, and the client that hands them tasks.

    Args:
        settings: Whether they are local, how many, and where their scratch files live.
    """

    def __init__(self, settings: Settings) -> None:
        logging.getLogger("distributed").setLevel(logging.ERROR)
        dask.config.set(_CONFIGURATION)
        self.is_local = settings.scheduler is None
        self._n_local = settings.workers
        self._local: Any = None
        self._n_threads, self._n_threads_until = 0, 0.0
        if settings.scheduler is None:
            scratch = settings.data_dir.resolve() / "workers"
            scratch.mkdir(parents=True, exist_ok=True)
            self._local = _local_cluster(settings.workers, scratch)
            self.client = Client(self._local, set_as_default=False)
        else:
            self.client = Client(settings.scheduler, set_as_default=False, timeout="30s")

    def n_threads(self) -> int:
        """Return how many tasks can run at the same time, as it was a moment ago."""
        now = time.monotonic()
        if (
            now >= self._n_threads_until
        ):  # the scheduler is asked, and takes longer to answer than to hand out a task
            self._n_threads = sum(worker["nthreads"] for worker in self._workers().values())
            self._n_threads_until = now + _REMEMBERED_SECONDS
        return self._n_threads

    def n_workers(self) -> int:
        """Return how many worker processes are ready."""
        return len(self._workers())

    def replace_lost(self) -> None:
        """Start local workers anew whose supervision ended; those that only died come back on their own."""
        if self._local is not None and len(self._local.workers) < self._n_local:
            self._local.scale(self._n_local)

    def close(self) -> None:
        """Let go of the cluster; a local one is stopped."""
        self.client.close(timeout=5)
        if self._local is not None:
            self._local.close(timeout=10)

    def _workers(self) -> dict[str, Any]:
        return dict(self.client.scheduler_info(n_workers=-1)["workers"])


def check_scheduler(settings: Settings, database: Database) -> None:
    """Check that workers can reach the database.

    Raises:
        SettingsError: The scheduler is on another machine, which has not got this one's SQLite file.
    """
    if settings.scheduler is None:
        return
    host = urlsplit(settings.scheduler).hostname or ""
    same_host = is_loopback(host) or host in {socket.gethostname(), socket.getfqdn()}
    if not same_host and database.url.get_backend_name() == "sqlite":
        raise SettingsError(
            f"the scheduler at {host} is not on this machine, and its workers cannot reach an SQLite file of "
            "this one: use a database server, or a scheduler on this machine"
        )


def _local_cluster(n_workers: int, scratch: Path) -> Any:
    get_mp_context()  # on its first call Dask chooses what is preloaded; ours must come after it
    start_fork_server()
    return LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=str(scratch),
        silence_logs=logging.ERROR,
    )
