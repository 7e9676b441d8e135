"""The service as its own process, with its workers, to be killed and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psutil

THALWEG = Path(sys.executable).with_name("thalweg")
_PATIENCE_SECONDS = 240


class Service:
    """`thalweg serve` on a free port of 127.0.0.1, with its data in a directory.

    Args:
        data_dir: The directory.
        workers: Number of worker processes.
        inside: The beginning of a command line, that of a program which runs the rest of it in a namespace.
        log: Where what the service prints goes; into the directory by default.
        environment: Variables that are added to the environment.
    """

    def __init__(
        self,
        data_dir: Path,
        workers: int = 2,
        inside: tuple[str, ...] = (),
        log: Path | None = None,
        **environment: str,
    ) -> None:
        self._data_dir = data_dir
        self._inside = inside
        self.log = log or data_dir / "log"
        self._workers = workers
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def start(self) -> None:
        """Start the service, and wait until its workers are ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._inside,
                    THALWEG,
                    "serve",
                    "--port",
                    str(port),
                    "--data-dir",
                    self._data_dir,
                    "--workers",
                    str(self._workers),
                ],
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        self.client.close()
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=90)
        until(self._is_ready)

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill the service at once, and wait until its workers have noticed."""
        assert self._process is not None
        workers = self.workers()
        self._process.kill()
        self._process.wait()
        psutil.wait_procs(workers, timeout=60)

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes that there are now."""
        return [worker for starter in self._starters() for worker in starter.children()]

    def worker_starters(self) -> list[psutil.Process]:
        """Return the worker processes that there are now, and the one that they are forked from."""
        return [*self._starters(), *self.workers()]

    def _starters(self) -> list[psutil.Process]:
        assert self._process is not None
        children = psutil.Process(self._process.pid).children()
        return [child for child in children if "multiprocessing.forkserver" in " ".join(_command(child))]

    def post(self, **fields: Any) -> str:
        """Post a job, and return its id."""
        default = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": 10}
        answer = self.client.post("/v1/jobs", json={**default, **fields})
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as it is now."""
        answer = self.client.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def ended(self, job_id: str) -> dict[str, Any]:
        """Return a job when it has ended."""
        until(lambda: self.job(job_id)["status"] not in {"queued", "running"})
        return self.job(job_id)

    def is_running(self, job_id: str, step: int = 1, attempt: int = 1) -> bool:
        """Whether a job runs, in at least this attempt, and is at least so far."""
        job = self.job(job_id)
        assert job["status"] in {"queued", "running"}, job
        far_enough: bool = job["progress"]["step"] >= step and job["attempt"] >= attempt
        return far_enough and job["status"] == "running"

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        try:
            ready = self.client.get("/readyz").json()
        except httpx.TransportError:
            return False
        return bool(ready.get("workers") == self._workers)


def until(condition: Any) -> None:
    """Wait until a condition holds, and fail if it never does."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.02)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
