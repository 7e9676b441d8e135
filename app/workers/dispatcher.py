"""The feed: takes what waits in the database, a little at a time, to the workers."""

import logging
import threading
import time
from dataclasses import dataclass
from math import ceil
from typing import Any

from distributed import fire_and_forget

from app.db.attempts import AttemptStore
from app.db.session import Database
from app.errors import Unavailable
from app.settings import Settings
from app.workers.cluster import Cluster
from app.workers.run_job import run_jobs
from app.workers.warm import common, warm

_log = logging.getLogger(__name__)

_TASKS_PER_THREAD = 2  # one that runs and one that is ready; a longer queue would be lost with its worker
_JOBS_OF_A_TASK = 8
_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_BEHIND_ALL_JOBS = -1
_MAX_DONE = 100

Job = tuple[str, int]  # its id and its generation


@dataclass(slots=True)
class _Task:
    """What Dask was sent: jobs to run one after the other."""

    future: Any
    jobs: list[Job]
    sent_at: float


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
        self._sent: dict[str, _Task] = {}
        self._done: dict[str, Any] = {}  # futures that Dask is still to forget
        self._not_before: dict[Job, float] = {}
        self._n_together = 1  # jobs of a task: more than one only while they are short
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
            try:
                self._collect()
                self._feed(self._cluster)
            except Unavailable as error:
                _log.error("%s", error)
                self._stopping.wait(_RETRY_SECONDS)
            is_idle = not self._attention.wait(_LOOK_SECONDS)
            if is_idle or len(self._done) > _MAX_DONE:
                self._release()

    def _warm(self, cluster: Cluster) -> None:
        """Have the usual kernels made, while there is nothing better to do."""
        self._warming = [
            cluster.client.submit(warm, self._kernels, spec, pure=False, priority=_BEHIND_ALL_JOBS)
            for spec in common()
        ]

    def _collect(self) -> None:
        now = time.monotonic()
        for key, task in list(self._sent.items()):
            is_late = now - task.sent_at > _LOOK_SECONDS
            if not task.future.done():
                if is_late and len(task.jobs) > 1:
                    self._recall(task)
                continue
            if task.future.status == "finished":
                self._done[key] = task.future
            else:
                _log.error("task %s was interrupted: %s", key, _exception(task.future))
                if task.future.status == "error":  # it was raised by a worker that lives: none was lost
                    self._store.put_back(task.jobs)
                self._not_before.update(dict.fromkeys(task.jobs, now + _RETRY_SECONDS))
                task.future.release()
            self._n_together = 1 if is_late else min(2 * self._n_together, _JOBS_OF_A_TASK)
            del self._sent[key]

    def _release(self) -> None:
        """Have Dask forget what is done: later, as it lets ten milliseconds pass between what it sends."""
        for future in self._done.values():
            future.release()
        self._done.clear()

    def _recall(self, task: _Task) -> None:
        """Take back what waits behind a job that is not short after all, for any worker to run."""
        self._n_together = 1
        recalled = self._store.recall(task.jobs[1:])
        task.jobs = [job for job in task.jobs if job not in recalled]

    def _feed(self, cluster: Cluster) -> None:
        room = _TASKS_PER_THREAD * cluster.n_threads() - len(self._sent)
        if room <= 0:
            return
        now = time.monotonic()
        self._not_before = {job: then for job, then in self._not_before.items() if then > now}
        held_back = {job for task in self._sent.values() for job in task.jobs} | self._not_before.keys()
        # a scheduler that outlives this service might still run what is in the middle of a task
        most = self._n_together if cluster.is_local else 1
        waiting = self._store.waiting(room * most + len(held_back))
        jobs = [job for job in waiting if job not in held_back][: room * most]
        n_together = max(1, ceil(len(jobs) / room))
        for i in range(0, len(jobs), n_together):
            self._send(cluster, jobs[i : i + n_together])

    def _send(self, cluster: Cluster, jobs: list[Job]) -> None:
        key = "{}:{}".format(*jobs[0])
        if key in self._done:  # a key whose future is held would give its old result instead of running again
            self._done.pop(key).release()
        future = cluster.client.submit(run_jobs, self._url, self._kernels, jobs, key=key, pure=False)
        if not cluster.is_local:
            fire_and_forget(future)  # or the scheduler would forget it with this client
        future.add_done_callback(lambda _future: self._attention.set())
        self._sent[key] = _Task(future, jobs, time.monotonic())

    def _close(self) -> None:
        cluster, self._cluster = self._cluster, None
        self._sent.clear()
        self._done.clear()
        self._warming.clear()
        if cluster is not None:
            cluster.close()


def _exception(future: Any) -> object:
    return future.exception() if future.status == "error" else future.status
