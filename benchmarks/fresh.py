"""What only a process of its own can show: how long the first job takes, and how much memory a long one."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import torch

from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.start import start
from thalweg.spec.job import JobSpec

CHUNK_STEPS = 1_000_000


def seconds_until_ready(spec: JobSpec, cache: Path) -> float:
    """Return the seconds that a new process, all imports done, takes for the first step of a job."""
    return _measured("ready", spec, cache)


def peak_mib(spec: JobSpec, cache: Path) -> float:
    """Return the most memory, in MiB, that a new process held while it ran a job, imports included."""
    return _measured("memory", spec, cache)


def _measured(what: str, spec: JobSpec, cache: Path) -> float:
    answer = subprocess.run(  # noqa: S603 - this module itself
        [sys.executable, "-m", "benchmarks.fresh", what, json.dumps(spec.dumped), str(cache)],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return float(answer.stdout)


def main(what: str, spec: JobSpec, cache: Path) -> None:
    """Measure in this process, and print the figure."""
    torch.set_num_threads(1)
    begun = time.perf_counter()
    run = start(spec, spec.chosen_engine, kernels=Kernels(cache))
    run.advance(1)
    if what == "ready":
        print(time.perf_counter() - begun)
        return
    while not run.finished:
        run.advance(CHUNK_STEPS)
    # getrusage would count what the parent held when it started this process
    (peak_kib,) = re.findall(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak_kib) / 1024)


if __name__ == "__main__":
    main(sys.argv[1], JobSpec.model_validate_json(sys.argv[2]), Path(sys.argv[3]))
