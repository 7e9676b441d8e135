"""What training a small network costs on the eager engine beside the fused one, over HTTP."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from benchmarks.timing import Figure, ratios, table
from tests.workers.service import Service

STEPS = 2000
N_SEEDS = 100
LEAST_SECONDS = 0.5
ENGINES = ("fused", "eager")


def trained(client: httpx.Client, n_seeds: int, layers: list[int], **fields: Any) -> None:
    """Train a network on XOR from so many seeds, and wait for the end."""
    job = {
        "function": {"mlp": {"layers": layers, "dataset": "xor"}},
        "optimizer": "adam",
        "lr": 0.05,
        "init": {"random": n_seeds},
        "steps": STEPS,
        **fields,
    }
    answer = client.post("/v1/jobs", json=job, headers={"Prefer": "wait=60"})
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(answer.text)


def eager_beside_fused(client: httpx.Client, n_seeds: int, layers: list[int], **fields: Any) -> float:
    """Return the cost of a network on the eager engine as a multiple of that on the fused one."""
    ways = {engine: partial(trained, client, n_seeds, layers, engine=engine, **fields) for engine in ENGINES}
    return ratios(ways, least=LEAST_SECONDS)["eager"]


def main() -> None:
    """Print what was measured through a service, warm."""
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder)) as service:
        service.client.timeout = httpx.Timeout(90)
        beside = partial(eager_beside_fused, service.client)
        figures = [
            Figure("2-3-1, one seed", beside(1, [2, 3, 1])),
            Figure(
                "2-8-1, one seed, every 100th step recorded", beside(1, [2, 8, 1], record_every=100), at_least=10
            ),
            Figure(f"2-8-1, {N_SEEDS} seeds, the same", beside(N_SEEDS, [2, 8, 1], record_every=100), at_least=3),
        ]
    table(f"networks on XOR, {STEPS} steps of Adam, posted and waited for: eager / fused", figures)


if __name__ == "__main__":
    main()
