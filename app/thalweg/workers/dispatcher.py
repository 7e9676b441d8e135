"""The dispatcher: a thread that feeds the workers, and that nothing ends but the service itself."""

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
_LOOK_SOON_SECONDS = 0.1  # while a worker is away or is to be freed
_RETRY_SECONDS = 1.0
_STALE_SECONDS = 10.0
_LOCK_SECONDS = 1.0  # of waiting for the database's lock: whoever holds it may be a worker that is to be replaced
_STOP_SECONDS = 60.0


class QueueDispatcher:
    """Runs what the database says is queued, on a cluster that it starts. Fulfils `jobs.dispatch.Dispatcher`.

    It is a thread of its own, so that the service answers while workers start and while they are fed. Whatever it
    raises, it begins afresh, with a new cluster.
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
        """Start the workers, and feed them, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop feeding and stop local workers; what they were at goes on when the service is started again."""
        self._stopping.set()
        self._attention.set()
        self._thread.join(_STOP_SECONDS)
        self._database.dispose()

    def wake(self) -> None:
        """Look at the queue now."""
        self._attention.set()

    def n_workers(self) -> int:
        """Return how many workers are ready, without asking any of them.

        Raises:
            Unavailable: Nobody hands jobs out at present; the reason is said.
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
            except BaseException as error:  # noqa: BLE001 CancelledError, too: without a feed nothing would run
                _log.exception("the dispatcher failed and starts again")
                self._trouble = f"{type(error).__name__}: {error}"
                self._stopping.wait(_RETRY_SECONDS)

    def _serve(self) -> None:
        """Feed a cluster until the service stops, or the cluster fails."""
        if self._settings.scheduler is None:
            self._store.requeue_orphans()
        self._n_ready, self._turned_at = 0, None
        cluster = Cluster(self._settings)
        try:
            feed = Feed(cluster, self._store, self._settings.url, self._kernels, self.wake)
            warming = _warm(cluster, self._kernels)  # noqa: F841 Dask forgets a task whose future is let go
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
    """Have the usual kernels made, while there is nothing better to do."""
    return [cluster.warm(warm, kernels, spec) for spec in common()]


def _close(cluster: Cluster) -> None:
    try:
        cluster.close()
    except BaseException:  # noqa: BLE001 the next cluster does not need it
        _log.exception("the cluster could not be closed")
