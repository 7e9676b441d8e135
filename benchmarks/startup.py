"""What a service costs before it does anything: time to be ready, memory, and small answers.

The figures are absolute: to compare two versions, run this in both checkouts, turn by turn.
"""

import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

import httpx
import psutil

from benchmarks.timing import table
from tests.workers.service import Service

N_WORKERS = 2
N_GETS = 300
ROUNDS = 3
PATHS = ("/healthz", "/v1/jobs", "/v1/functions", "/v1/functions/himmelblau/surface?points=50")


def pss_mib(processes: Iterable[psutil.Process]) -> float:
    """Return the memory of processes in MiB, shared pages divided among those that share them."""
    return sum(process.memory_full_info().pss for process in processes) / 2**20


def get_ms(client: httpx.Client, path: str) -> float:
    """Return the median of how many milliseconds an answer takes."""
    taken = []
    for _ in range(N_GETS):
        begun = time.perf_counter()
        client.get(path).raise_for_status()
        taken.append(time.perf_counter() - begun)
    return 1e3 * median(taken)


def main() -> None:
    """Print the medians over some starts; each has a database of its own."""
    ready, memory, worker = [], [], []
    latency: dict[str, list[float]] = {path: [] for path in PATHS}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            with Service(Path(folder), N_WORKERS) as service:
                ready.append(time.perf_counter() - begun)
                for path in PATHS:
                    latency[path].append(get_ms(service.client, path))
                served = psutil.Process(service.pid)
                memory.append(pss_mib([served, *served.children(recursive=True)]))
                worker.append(pss_mib(service.workers()) / N_WORKERS)
    table(f"until {N_WORKERS} workers are ready, imports included", {"start": median(ready)}, "s")
    table("memory, shared pages divided", {"all processes": median(memory), "a worker": median(worker)}, "MiB")
    table("small answers", {path: median(taken) for path, taken in latency.items()}, "ms")


if __name__ == "__main__":
    main()
