"""The feed: sends queued jobs to free workers, and recalls those that they do not start."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Any

from thalweg.db.attempts import AttemptStore
from thalweg.jobs.record import QueuedJob
from thalweg.jobs.status import Status
from thalweg.workers.cluster import Cluster, Worker
from thalweg.workers.run_job import run_jobs

_log = logging.getLogger(__name__)

_JOBS_OF_A_TASK = 8
_LATE_SECONDS = 0.5
_RETRY_SECONDS = 1.0
_MAX_DONE = 100


@dataclass(slots=True)
class _Task:
    """Jobs that a worker was sent to run one after the other. It has one task for each of its threads."""

    future: Any
    jobs: list[QueuedJob]
    worker: str | None  # None if Dask chose one and was not asked yet which
    sent_at: float
    is_begun: bool = False  # as of the last look
    pointless_since: float | None = None  # when the last of its jobs ended or was recalled

    def is_late(self, now: float) -> bool:
        return now - self.sent_at > _LATE_SECONDS


class Feed:
    """Keeps every worker of a cluster busy with jobs from the database.

    The database is the only queue: whatever happens to the workers, a job that has not ended is sent again.

    Args:
        cluster: The workers.
        store: The jobs.
        url: The URL by which workers open the database.
        kernels: The folder of compiled kernels.
        wake: Called when a task is done.
    """

    def __init__(
        self, cluster: Cluster, store: AttemptStore, url: str, kernels: str, wake: Callable[[], None]
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._url = url
        self._kernels = kernels
        self._wake = wake
        self._numbers = count()
        self._sent: dict[str, _Task] = {}
        self._done: dict[str, Any] = {}  # futures that are not released yet
        self._not_before: dict[QueuedJob, float] = {}
        self._n_together = 1  # jobs in a task: more than one only while jobs are short

    @property
    def calm(self) -> bool:
        """Whether every task still has a job to run."""
        return all(task.pointless_since is None for task in self._sent.values())

    def turn(self, workers: list[Worker]) -> None:
        """Collect finished tasks, recover from lost and stuck workers, and send new tasks."""
        now = time.monotonic()
        self._replace_lost(workers)
        self._collect(now)
        self._locate({worker.address for worker in workers}, now)
        self._take_back({worker.address for worker in workers if worker.hears}, now)
        self._free(workers, now)
        self._give([worker for worker in workers if worker.hears], now)
        if len(self._done) > _MAX_DONE:
            self.release()

    def release(self) -> None:
        """Release the futures of finished tasks: not at once, as Dask waits 10 ms between two of its messages."""
        for future in self._done.values():
            future.release()
        self._done.clear()

    def _collect(self, now: float) -> None:
        for key, task in list(self._sent.items()):
            if not task.future.done():
                continue
            if task.future.status == "finished":
                self._done[key] = task.future
            else:
                _log.error("task %s was interrupted: %s", key, _exception(task.future))
                if task.future.status == "error":  # a worker raised it and lives: none was lost
                    self._store.put_back(task.jobs)
                self._not_before.update(dict.fromkeys(task.jobs, now + _RETRY_SECONDS))
                task.future.release()
            self._n_together = 1 if task.is_late(now) else min(2 * self._n_together, _JOBS_OF_A_TASK)
            del self._sent[key]

    def _locate(self, there: set[str], now: float) -> None:
        """Drop tasks whose worker is gone, so that their jobs are sent again; elsewhere Dask moves the tasks."""
        gone = {key: task for key, task in self._sent.items() if task.worker not in there}
        if self._cluster.is_local:
            for key, task in gone.items():
                task.future.release()
                del self._sent[key]
        elif any(task.is_late(now) for task in gone.values()):
            located = self._cluster.located()
            for key, task in gone.items():
                task.worker = located.get(key)

    def _take_back(self, hearing: set[str], now: float) -> None:
        """Recall jobs that wait behind one that is not short, or at a silent worker, for others to run."""
        late = [task for task in self._sent.values() if task.is_late(now)]
        goes_on = self._store.unfinished(job for task in late for job in task.jobs)
        for task in late:
            task.jobs = [job for job in task.jobs if job in goes_on]
            task.is_begun |= any(goes_on[job] is Status.running for job in task.jobs)
            held_up = task.jobs[1:] if task.worker in hearing else task.jobs
            waiting = [job for job in held_up if goes_on[job] is Status.queued]
            if waiting:
                self._n_together = 1
                recalled = self._store.recall(waiting)
                task.jobs = [job for job in task.jobs if job not in recalled]
            if task.jobs:
                task.pointless_since = None
            elif task.pointless_since is None:
                task.pointless_since = now

    def _replace_lost(self, workers: Iterable[Worker]) -> None:
        """Replace lost workers: before anything else, as one may hold the database's lock."""
        for worker in workers:
            if worker.is_lost:
                self._cluster.replace(worker, "has sent no heartbeat for long")

    def _free(self, workers: Iterable[Worker], now: float) -> None:
        """Replace workers that do not notice that all their jobs have ended."""
        for worker in workers:
            tasks = [task for task in self._sent.values() if task.worker == worker.address]
            if tasks and all(self._is_stuck(task, now) for task in tasks):
                self._cluster.replace(worker, "does not leave a job that has ended")

    def _is_stuck(self, task: _Task, now: float) -> bool:
        if task.pointless_since is None or now - task.pointless_since < self._cluster.patience:
            return False
        # a worker that is not forked may still be importing torch, and will then see that nothing is left to do
        return task.is_begun or self._cluster.is_local

    def _give(self, workers: Iterable[Worker], now: float) -> None:
        n_tasks = Counter(task.worker for task in self._sent.values())
        free = [worker for worker in workers for _ in range(worker.n_threads - n_tasks[worker.address])]
        room = len(free) - n_tasks[None]
        if room <= 0:
            return
        self._not_before = {job: then for job, then in self._not_before.items() if then > now}
        held_back = {job for task in self._sent.values() for job in task.jobs} | self._not_before.keys()
        # a scheduler that outlives this service might still run the rest of a task
        most = self._n_together if self._cluster.is_local else 1
        waiting = self._store.waiting(room * most + len(held_back))
        jobs = [job for job in waiting if job not in held_back][: room * most]
        n_together = max(1, ceil(len(jobs) / room))
        for i, worker in zip(range(0, len(jobs), n_together), free, strict=False):
            self._send(jobs[i : i + n_together], worker)

    def _send(self, jobs: list[QueuedJob], worker: Worker) -> None:
        key = "{}:{}".format(*jobs[0])
        if self._cluster.is_local:
            # a client returns the old future of a key until it has processed its release
            key = f"{key}:{next(self._numbers)}"
        if key in self._done:  # a key whose future is held gives its old result instead of running again
            self._done.pop(key).release()
        future = self._cluster.send(worker, run_jobs, self._url, self._kernels, jobs, key=key)
        future.add_done_callback(lambda _future: self._wake())
        address = worker.address if self._cluster.is_local else None
        self._sent[key] = _Task(future, jobs, address, time.monotonic())


def _exception(future: Any) -> object:
    return future.exception() if future.status == "error" else future.status
