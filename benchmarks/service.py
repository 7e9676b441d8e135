"""What the service costs around a short job: over HTTP, against the script that everybody writes and bare Dask."""

import logging
import selectors
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import httpx
import torch
from distributed import Client, LocalCluster

from benchmarks.eager import STEPS, by_hand
from benchmarks.timing import table
from tests.workers.service import Service

N_WORKERS = 2
N_WAITED = 30
N_BURST = 300
N_CLIENTS = 4
N_WATCHERS = 200
N_GETS = 100
ROUNDS = 5
JOB_STEPS = 20_000
JOB = {"function": "himmelblau", "optimizer": "adam", "lr": 0.001, "init": [0, 0], "steps": JOB_STEPS}
ENDLESS = {**JOB, "steps": 10**9, "record_every": 10**6, "engine": "eager"}


def nothing(*_: object) -> None:
    """Do what a task does at least."""


def bare_rate(client: Client, number: int) -> float:
    """Return how many tasks that do nothing a cluster runs in a second."""
    begun = time.perf_counter()
    futures = [client.submit(nothing, i, key=f"nothing-{number}-{i}", pure=False) for i in range(N_BURST)]
    client.gather(futures)
    return N_BURST / (time.perf_counter() - begun)


def burst_rate(client: httpx.Client, number: int) -> float:
    """Return how many jobs the service takes and ends in a second, posted by a few clients at once."""
    tag = f"burst-{number}"
    begun = time.perf_counter()
    with ThreadPoolExecutor(N_CLIENTS) as pool:
        list(pool.map(lambda n: _post(str(client.base_url), tag, n), [N_BURST // N_CLIENTS] * N_CLIENTS))
    for status in ("queued", "running"):
        while client.get("/v1/jobs", params={"tag": tag, "status": status, "limit": 1}).json()["items"]:
            time.sleep(0.05)
    return N_BURST / (time.perf_counter() - begun)


def waited_seconds(client: httpx.Client) -> float:
    """Return how long it takes from posting a job to having its results."""
    begun = time.perf_counter()
    answer = client.post("/v1/jobs", json=JOB, headers={"Prefer": "wait=60"})
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(answer.text)
    return time.perf_counter() - begun


def get_seconds(client: httpx.Client, job_id: str) -> float:
    """Return how long a small answer takes."""
    begun = time.perf_counter()
    client.get(f"/v1/jobs/{job_id}").raise_for_status()
    return time.perf_counter() - begun


@contextmanager
def watched(client: httpx.Client, job_ids: list[str]) -> Iterator[None]:
    """Have many clients follow the events of jobs, each by a connection of its own."""
    stopping = threading.Event()
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for i in range(N_WATCHERS):
            address = (client.base_url.host, client.base_url.port or 80)
            connection = stack.enter_context(socket.create_connection(address))
            connection.sendall(
                f"GET /v1/jobs/{job_ids[i % len(job_ids)]}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            )
            selector.register(connection, selectors.EVENT_READ)

        def drain() -> None:
            while not stopping.is_set():
                for ready, _ in selector.select(0.1):
                    ready.fileobj.recv(1 << 16)  # type: ignore[union-attr]

        reading = threading.Thread(target=drain)
        reading.start()
        try:
            yield
        finally:
            stopping.set()
            reading.join()


def watched_ratio(client: httpx.Client) -> float:
    """Return how many times as long a small answer takes while many follow running jobs."""
    job_ids = [client.post("/v1/jobs", json=ENDLESS).raise_for_status().json()["id"] for _ in range(N_WORKERS)]
    while len(client.get("/v1/jobs", params={"status": "running"}).json()["items"]) < N_WORKERS:
        time.sleep(0.05)
    ratios = []
    for _ in range(ROUNDS):
        alone = median(get_seconds(client, job_ids[0]) for _ in range(N_GETS))
        with watched(client, job_ids):
            time.sleep(1)  # in which the streams open
            among = median(get_seconds(client, job_ids[0]) for _ in range(N_GETS))
        ratios.append(among / alone)
    for job_id in job_ids:
        client.post(f"/v1/jobs/{job_id}/cancel").raise_for_status()
    return median(ratios)


def script_seconds() -> float:
    """Return how long the usual script takes, from a tenth of the job's steps."""
    begun = time.perf_counter()
    by_hand()
    return (time.perf_counter() - begun) * JOB_STEPS / STEPS


def main() -> None:
    """Print the latency and the rate as ratios, each to what was measured in turn with it."""
    torch.set_num_threads(1)
    by_hand()
    with (
        tempfile.TemporaryDirectory() as folder,
        Service(Path(folder), N_WORKERS) as service,
        _bare_cluster() as cluster,
        Client(cluster, set_as_default=False) as bare,
    ):
        for _ in range(4 * N_WORKERS):
            waited_seconds(service.client)
        latency, rate = [], []
        for number in range(ROUNDS):
            script = script_seconds()
            waited = median(waited_seconds(service.client) for _ in range(N_WAITED // ROUNDS))
            latency.append(waited / script)
            reference = bare_rate(bare, number)
            rate.append(burst_rate(service.client, number) / reference)
        among = watched_ratio(service.client)
    steps = f"{JOB_STEPS} steps of Adam"
    print(
        f"\nscript {script:.2f} s, waited {1e3 * waited:.1f} ms, empty tasks {reference:.0f}/s, in the last round"
    )
    table(f"{steps}, posted and waited for: time", {"service": median(latency)}, "of the script's, scaled")
    table(f"a small GET while {N_WATCHERS} follow running jobs: time", {"service": among}, "of that without them")
    table(f"{N_BURST} such jobs at once: rate", {"service": median(rate)}, "of the rate of Dask's empty tasks")


def _post(base_url: str, tag: str, n_jobs: int) -> None:
    with httpx.Client(base_url=base_url, timeout=60) as client:
        for _ in range(n_jobs):
            client.post("/v1/jobs", json={**JOB, "tags": [tag]}).raise_for_status()


def _bare_cluster() -> LocalCluster:
    return LocalCluster(
        n_workers=N_WORKERS,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.ERROR,
    )


if __name__ == "__main__":
    main()
