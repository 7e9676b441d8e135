"""The dispatcher: a thread that feeds the workers until the service stops, whatever fails meanwhile."""

import logging
import threading
import time
from typing import Any

from thalweg.db.attempts import AttemptStore
from thalweg.db.session import Database
from thalweg.errors import Unavailable
from thalweg.settings import Settings
from thalweg.workers.cluster import Cluster
from thalweg.workers.feed import Feed
from thalweg.workers.warm import common, warm

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_LOOK_SOON_SECONDS = 0.1  # while a worker is missing or has to be freed
_RETRY_SECONDS = 1.0
_STALE_SECONDS = 10.0
_LOCK_SECONDS = 1.0  # to wait for the database's lock: its holder may be a worker that has to be replaced
_STOP_SECONDS = 60.0


class QueueDispatcher:
    """Runs queued jobs on a cluster that it starts. Implements `thalweg.jobs.ports.Dispatcher`.

    It has its own thread, so that the service answers while workers start and are fed. After any exception it
    starts again, with a new cluster.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = Database(settings.url, _LOCK_SECONDS)
        self._store = AttemptStore(self._database)
        self._kernels = str(settings.data_dir.resolve() / "kernels")
        self._n_ready = 0
        self._trouble: str | None = None
        self._turned_at: float | None = None
        self._attention = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Start and feed the workers, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop feeding, and stop local workers; their jobs go on when the service is started again."""
        self._stopping.set()
        self._attention.set()
        self._thread.join(_STOP_SECONDS)
        self._database.dispose()

    def wake(self) -> None:
        """Look at the queue soon. Returns at once, and never fails."""
        self._attention.set()

    def n_workers(self) -> int:
        """Return how many workers are ready, without waiting.

        Raises:
            Unavailable: No jobs are handed out at present, with the reason.
        """
        if (trouble := self._trouble) is not None:
            raise Unavailable(f"jobs are accepted, but not handed out at present: {trouble}")
        turned_at = self._turned_at
        if turned_at is not None and time.monotonic() - turned_at > _STALE_SECONDS:
            raise Unavailable(
                "jobs are accepted, but not handed out at present: the workers' scheduler has not answered for "
                f"{time.monotonic() - turned_at:.0f} s"
            )
        return self._n_ready

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except BaseException as error:  # noqa: BLE001 CancelledError, too: without a feed no job would run
                _log.exception("the dispatcher failed and is started again")
                self._trouble = f"{type(error).__name__}: {error}"
                self._stopping.wait(_RETRY_SECONDS)

    def _serve(self) -> None:
        """Feed a cluster until the service stops or the cluster fails."""
        if self._settings.scheduler is None:
            self._store.requeue_orphans()
        self._n_ready, self._turned_at = 0, None
        cluster = Cluster(self._settings)
        try:
            feed = Feed(cluster, self._store, self._settings.url, self._kernels, self.wake)
            warming = _warm(cluster, self._kernels)  # noqa: F841 Dask drops a task whose future is released
            while not self._stopping.is_set():
                self._turn(cluster, feed)
        finally:
            self._n_ready, self._turned_at = 0, None
            _close(cluster)

    def _turn(self, cluster: Cluster, feed: Feed) -> None:
        self._attention.clear()
        calm = feed.calm and cluster.complete
        workers = cluster.look(_LOOK_SECONDS if calm else _LOOK_SOON_SECONDS)
        self._n_ready = sum(worker.hears for worker in workers)
        try:
            feed.turn(workers)
        except Unavailable as error:
            _log.error("%s", error)
            self._stopping.wait(_RETRY_SECONDS)
        self._trouble, self._turned_at = None, time.monotonic()
        if not self._attention.wait(_LOOK_SECONDS if calm else _LOOK_SOON_SECONDS):
            feed.release()


def _warm(cluster: Cluster, kernels: str) -> list[Any]:
    """Have idle workers compile the usual kernels, and return the futures."""
    return [cluster.warm(warm, kernels, spec) for spec in common()]


def _close(cluster: Cluster) -> None:
    try:
        cluster.close()
    except BaseException:  # noqa: BLE001 the next cluster does not depend on it
        _log.exception("the cluster could not be closed")
