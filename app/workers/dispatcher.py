"""The feed: takes what waits in the database, a little at a time, to the workers."""

import logging
import threading
import time
from typing import Any

from distributed import fire_and_forget

from app.db.attempts import AttemptStore
from app.db.session import Database
from app.settings import Settings
from app.workers.cluster import Cluster
from app.workers.run_job import run_job
from app.workers.warm import common, warm

_log = logging.getLogger(__name__)

_TASKS_PER_THREAD = 2  # one that runs and one that is ready; a longer queue would be lost with its worker
_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_BEHIND_ALL_JOBS = -1

Task = tuple[str, int]


class QueueDispatcher:
    """Runs what the database says is queued, on a cluster that it starts. Fulfils `jobs.dispatch.Dispatcher`.

    It is a thread of its own, so that the service answers while workers start and while they are fed. The
    database alone knows what is to be done: whatever happens to the workers, what has not ended is sent again.
    """

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._url = settings.url
        self._store = AttemptStore(database)
        self._kernels = str(settings.data_dir.resolve() / "kernels")
        self._cluster: Cluster | None = None
        self._warming: list[Any] = []
        self._sent: dict[Task, Any] = {}
        self._not_before: dict[Task, float] = {}
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
        self._thread.join()

    def wake(self) -> None:
        """Look at the queue now."""
        self._attention.set()

    def n_workers(self) -> int:
        """Return how many workers are ready."""
        cluster = self._cluster
        return 0 if cluster is None else cluster.n_workers()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._serve()
            except Exception:  # noqa: BLE001 without a feed nothing would ever run again: begin afresh
                _log.exception("the dispatcher failed and starts again")
                self._stopping.wait(_RETRY_SECONDS)
            finally:
                self._close()

    def _serve(self) -> None:
        if self._settings.scheduler is None:
            self._store.requeue_orphans()
        self._cluster = Cluster(self._settings)
        self._warm(self._cluster)
        while not self._stopping.is_set():
            self._attention.clear()
            self._cluster.replace_lost()
            self._collect()
            self._feed(self._cluster)
            self._attention.wait(_LOOK_SECONDS)

    def _warm(self, cluster: Cluster) -> None:
        """Have the usual kernels made, while there is nothing better to do."""
        self._warming = [
            cluster.client.submit(warm, self._kernels, spec, pure=False, priority=_BEHIND_ALL_JOBS)
            for spec in common()
        ]

    def _collect(self) -> None:
        for task, future in list(self._sent.items()):
            if not future.done():
                continue
            if future.status != "finished":
                _log.error("job %s was interrupted: %s", task[0], _exception(future))
                self._not_before[task] = time.monotonic() + _RETRY_SECONDS
            # a key whose future is held would give its old result instead of running again
            future.release()
            del self._sent[task]

    def _feed(self, cluster: Cluster) -> None:
        room = _TASKS_PER_THREAD * cluster.n_threads() - len(self._sent)
        if room <= 0:
            return
        now = time.monotonic()
        self._not_before = {task: then for task, then in self._not_before.items() if then > now}
        held_back = len(self._sent) + len(self._not_before)
        for task in self._store.waiting(room + held_back):
            if room > 0 and task not in self._sent and task not in self._not_before:
                self._send(cluster, task)
                room -= 1

    def _send(self, cluster: Cluster, task: Task) -> None:
        job_id, generation = task
        future = cluster.client.submit(
            run_job, self._url, self._kernels, job_id, generation, key=f"{job_id}:{generation}", pure=False
        )
        if not cluster.is_local:
            fire_and_forget(future)  # or the scheduler would forget it with this client
        future.add_done_callback(lambda _future: self._attention.set())
        self._sent[task] = future

    def _close(self) -> None:
        cluster, self._cluster = self._cluster, None
        self._sent.clear()
        self._warming.clear()
        if cluster is not None:
            cluster.close()


def _exception(future: Any) -> object:
    return future.exception() if future.status == "error" else future.status
