"""Dask runs the jobs: in local worker processes, or on a cluster that exists already."""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import dask
from distributed import Client, LocalCluster, fire_and_forget
from distributed.utils import get_mp_context

from thalweg.db.session import Database
from thalweg.errors import SettingsError
from thalweg.settings import Settings, is_loopback
from thalweg.workers.processes import START_METHOD, start_fork_server, wake_stopped
from thalweg.workers.silence import Silence

_log = logging.getLogger(__name__)

_CONFIGURATION = {
    # thalweg.db.attempts counts the lost workers of each job; Dask's count blames a job for its neighbours
    "distributed.scheduler.allowed-failures": 1_000_000,
    "distributed.scheduler.work-stealing": False,  # no worker has tasks waiting
    # otherwise a worker that takes longer to restart is given up for good
    "distributed.deploy.lost-worker-timeout": "1 day",
    "distributed.worker.preload": ["thalweg.workers.preload"],
    "distributed.worker.multiprocessing-method": START_METHOD,
    "distributed.admin.tick.limit": "30s",
    "distributed.worker.profile.enabled": False,  # it samples a hundred times a second, and nothing reads it
}
_LOWEST_PRIORITY = -1
_SILENT_SECONDS = 3.0  # without a heartbeat (two come a second) a worker gets no further tasks
_WORKERS_PER_SECOND = 50  # Dask slows heartbeats down: a second is allowed for this many workers
_LOST_SECONDS = 6.0  # without a heartbeat a worker is replaced
_LOST_ELSEWHERE_SECONDS = 60.0  # a worker that is not forked sends none while it imports torch for its first task
_REPLACING_SECONDS = 10.0
_STUCK_SECONDS = 3.0
_GIVE_UP_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process.

    Attributes:
        address: Its address in Dask.
        n_threads: How many tasks it runs at the same time.
        hears: Whether it sent a heartbeat recently.
        is_lost: Whether it has sent none for so long that another worker should take over its jobs.
    """

    address: str
    n_threads: int
    hears: bool = True
    is_lost: bool = False


class Cluster:
    """The worker processes, and the Dask client that sends them tasks.

    Args:
        settings: Whether workers are local, how many there are, and where their scratch files live.
    """

    def __init__(self, settings: Settings) -> None:
        logging.getLogger("distributed").setLevel(logging.ERROR)
        dask.config.set(_CONFIGURATION)
        self.is_local = settings.scheduler is None
        # a forked worker is replaced at once; elsewhere that takes seconds, so it gets more time to notice an end
        self.patience: Final = 1.0 if self.is_local else 3.0
        self._n_local = settings.workers if self.is_local else 0
        self._local: Any = None
        self._silence = Silence()
        self._found: dict[str, Any] = {}
        self._workers: list[Worker] = []
        self._looked_at = float("-inf")
        self._short_since: float | None = None
        self._replaced_at: dict[str, float] = {}
        with ExitStack() as stack:
            if settings.scheduler is None:
                scratch = settings.data_dir.resolve() / "workers"
                scratch.mkdir(parents=True, exist_ok=True)
                self._local = _local_cluster(settings.workers, scratch)
                stack.callback(self._local.close, timeout=10)
                self._client = Client(self._local, set_as_default=False)
            else:
                self._client = Client(settings.scheduler, set_as_default=False, timeout="30s")
            stack.callback(self._client.close, timeout=5)
            self._opened = stack.pop_all()

    @property
    def complete(self) -> bool:
        """Whether all expected workers are there and send heartbeats."""
        return sum(worker.hears for worker in self._workers) >= max(self._n_local, len(self._workers))

    def look(self, most_seconds: float) -> list[Worker]:
        """Return the workers as of at most `most_seconds` ago: asking takes longer than sending a task.

        Raises:
            ConnectionError: The scheduler is gone for good.
        """
        now = time.monotonic()
        if now - self._looked_at < most_seconds:
            return self._workers
        if self._client.status == "closed":
            raise ConnectionError("the connection to the workers' scheduler is lost")
        found = self._found = self._asked()
        silent = self._silence.look({address: info["last_seen"] for address, info in found.items()}, now)
        allowance = len(found) / _WORKERS_PER_SECOND
        lost = _LOST_SECONDS if self.is_local else _LOST_ELSEWHERE_SECONDS
        self._workers = [
            Worker(
                address,
                info["nthreads"],
                hears=silent[address] < _SILENT_SECONDS + allowance,
                is_lost=silent[address] >= lost + allowance,
            )
            for address, info in found.items()
        ]
        self._looked_at = now
        if self.is_local:
            self._mend(set(found), now)
        return self._workers

    def warm(self, work: Callable[..., object], *arguments: Any) -> Any:
        """Submit a task for any worker that is otherwise idle, and return its future."""
        return self._client.submit(work, *arguments, pure=False, priority=_LOWEST_PRIORITY)

    def send(self, worker: Worker, work: Callable[..., object], *arguments: Any, key: str) -> Any:
        """Submit a task, and return its future.

        A local cluster runs it on `worker`, and not again if that dies. Elsewhere Dask chooses the worker, and
        another one if the first dies.
        """
        if self.is_local:
            return self._client.submit(work, *arguments, key=key, pure=False, workers=[worker.address])
        future = self._client.submit(work, *arguments, key=key, pure=False)
        fire_and_forget(future)  # otherwise the scheduler forgets it when this client disconnects
        return future

    def located(self) -> dict[str, str]:
        """Return the worker of each unfinished task, by the task's key."""
        processing = self._client.processing()
        return {key: address for address, keys in processing.items() for key in keys}

    def replace(self, worker: Worker, reason: str) -> None:
        """Kill a worker, whatever it is doing; a new one takes its place."""
        now = time.monotonic()
        if now - self._replaced_at.get(worker.address, float("-inf")) < _REPLACING_SECONDS:
            return
        self._replaced_at = {
            address: at for address, at in self._replaced_at.items() if now - at < _GIVE_UP_SECONDS
        }
        self._replaced_at[worker.address] = now
        _log.warning("worker %s %s and is replaced", worker.address, reason)
        if not self.is_local:
            threading.Thread(target=self._restart_elsewhere, args=(worker.address,), daemon=True).start()
        elif (process := self._local_processes().get(worker.address)) is not None:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def close(self) -> None:
        """Close the connection to the cluster; a local cluster is stopped."""
        self._opened.close()

    def _asked(self) -> dict[str, Any]:
        """Return the scheduler's description of its workers, or its previous one while it cannot be reached."""
        try:
            # not `scheduler_info`, whose result an update without workers may overwrite before it is read
            identity = self._client.sync(self._client.scheduler.identity, n_workers=-1)
        except OSError:
            return self._found
        return dict(identity["workers"])

    def _restart_elsewhere(self, address: str) -> None:
        try:
            self._client.restart_workers([address], timeout=30, raise_for_error=False)
        except Exception as error:  # noqa: BLE001 it has no nanny, or the scheduler is gone: there is nothing else to try
            _log.error("worker %s could not be replaced: %s", address, error)

    def _local_processes(self) -> dict[str, int]:
        nannies = self._local.workers.values()
        return {nanny.worker_address: nanny.pid for nanny in nannies if nanny.pid is not None}

    def _mend(self, there: set[str], now: float) -> None:
        """Bring back local workers whose nanny cannot: one that merely died is restarted by its nanny."""
        if len(there) >= self._n_local:
            self._short_since = None
            return
        if self._short_since is None:
            self._short_since = now
        if len(self._local.workers) < self._n_local:  # a nanny has ended, too
            self._local.scale(self._n_local)
        if now - self._short_since > _STUCK_SECONDS:
            wake_stopped({pid for address, pid in self._local_processes().items() if address in there})
        if now - self._short_since > _GIVE_UP_SECONDS:
            raise ConnectionError(
                f"only {len(there)} of {self._n_local} workers have come up in {_GIVE_UP_SECONDS:.0f} s"
            )


def check_scheduler(settings: Settings, database: Database) -> None:
    """Check that workers can reach the database.

    Raises:
        SettingsError: The scheduler is on another machine, which cannot open this one's SQLite file.
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
    get_mp_context()  # its first call sets what the fork server preloads; our own setting must come after it
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
