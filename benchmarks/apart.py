"""Processes that run the same job at the same time: what the machine gives to two that share nothing."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Self

import torch

from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.spec.job import JobSpec


class Apart:
    """Processes of their own that have compiled a job and wait; called, all of them run it, on one thread each.

    Args:
        spec: The job, which the fused engine must take.
        n: How many processes.
    """

    def __init__(self, spec: JobSpec, n: int) -> None:
        command = [sys.executable, "-m", "benchmarks.apart", json.dumps(spec.dumped)]
        self._processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - itself
            for _ in range(n)
        ]

    def __enter__(self) -> Self:
        self._wait()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        for process in self._processes:
            process.communicate()

    def __call__(self) -> None:
        """Run the job in all processes, and wait for the last one."""
        for process in self._processes:
            if process.stdin is None:
                raise RuntimeError("no pipe to the process")
            process.stdin.write("\n")
            process.stdin.flush()
        self._wait()

    def _wait(self) -> None:
        for process in self._processes:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError("a process has ended")


def main(spec: JobSpec) -> None:
    """Say that the job is compiled; then run it for each line read, and say so."""
    torch.set_num_threads(1)
    FusedRun(spec, threads=1).advance(1)
    print(flush=True)
    for _ in sys.stdin:
        FusedRun(spec, threads=1).advance(spec.steps)
        print(flush=True)


if __name__ == "__main__":
    main(JobSpec.model_validate_json(sys.argv[1]))
