"""Telling those who wait for jobs that they have ended."""

import threading
import time
from concurrent.futures import Future

from sqlalchemy import select

from app.db.models import Job
from app.db.session import Database
from app.jobs.status import ENDED

_PAUSE_SECONDS = 0.001
_LOOKING_SHARE = 0.4  # of its time, at most; the rest it sleeps
_IDS_OF_A_QUERY = 500


class Endings:
    """Tells within milliseconds that jobs have ended, whoever ended them.

    One thread looks for all who wait, and only while somebody does. It asks the database whether anything was
    committed, which is next to nothing, and for the jobs only if something was.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: dict[str, list[Future[None]]] = {}
        self._has_new = False
        self._looks = False

    def of(self, job_id: str) -> Future[None]:
        """Return what is done when the job has ended, or is gone; who does not want it any more cancels it.

        It raises `Unavailable` if the database cannot say.
        """
        future: Future[None] = Future()
        with self._lock:
            self._waiting.setdefault(job_id, []).append(future)
            self._has_new = True
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._look, name="endings", daemon=True).start()
        return future

    def _look(self) -> None:
        try:
            self._look_while_awaited()
        except Exception as error:  # noqa: BLE001 whoever waits must hear of it, whatever it is
            with self._lock:
                waiting, self._waiting, self._looks = self._waiting, {}, False
            for future in (future for futures in waiting.values() for future in futures):
                if future.set_running_or_notify_cancel():
                    future.set_exception(error)

    def _look_while_awaited(self) -> None:
        known = None
        with self._database.version() as version:
            while True:
                begun = time.monotonic()
                with self._lock:
                    self._forget_cancelled()
                    if not self._waiting:
                        self._looks = False
                        return
                    job_ids, has_new, self._has_new = list(self._waiting), self._has_new, False
                if has_new or version() != known:
                    known = version()  # before looking: what is committed meanwhile is looked at again
                    self._tell(self._ended(job_ids))
                taken = time.monotonic() - begun
                time.sleep(max(_PAUSE_SECONDS, taken / _LOOKING_SHARE))

    def _ended(self, job_ids: list[str]) -> set[str]:
        ended = set(job_ids)
        with self._database.read() as session:
            for i in range(0, len(job_ids), _IDS_OF_A_QUERY):
                query = select(Job.id).where(Job.id.in_(job_ids[i : i + _IDS_OF_A_QUERY]), Job.status.not_in(ENDED))
                ended.difference_update(session.scalars(query))
        return ended

    def _tell(self, job_ids: set[str]) -> None:
        with self._lock:
            told = [future for job_id in job_ids for future in self._waiting.pop(job_id, [])]
        for future in told:
            if future.set_running_or_notify_cancel():
                future.set_result(None)

    def _forget_cancelled(self) -> None:
        for job_id, futures in list(self._waiting.items()):
            left = [future for future in futures if not future.cancelled()]
            if left:
                self._waiting[job_id] = left
            else:
                del self._waiting[job_id]
