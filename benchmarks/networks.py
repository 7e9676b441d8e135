"""What many seeds of a small network cost beside one, in one job, over HTTP."""

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


def many_beside_one(client: httpx.Client, **fields: Any) -> float:
    """Return the cost of many seeds of a network as a multiple of one seed's."""
    ways = {str(n): partial(trained, client, n, [2, 8, 1], **fields) for n in (1, N_SEEDS)}
    return ratios(ways, least=LEAST_SECONDS)[str(N_SEEDS)]


def eager_beside_fused(client: httpx.Client) -> float:
    """Return the cost of a network on the eager engine as a multiple of that on the fused one."""
    ways = {engine: partial(trained, client, 1, [2, 3, 1], engine=engine) for engine in ("fused", "eager")}
    return ratios(ways, least=LEAST_SECONDS)["eager"]


def main() -> None:
    """Print what was measured through a service, warm."""
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder)) as service:
        service.client.timeout = httpx.Timeout(90)
        figures = [
            Figure(f"2-8-1, {N_SEEDS} seeds / one", many_beside_one(service.client), at_most=3),
            Figure(
                "the same, every 100th step recorded", many_beside_one(service.client, record_every=100), at_most=3
            ),
            Figure("2-3-1, one seed, eager / fused", eager_beside_fused(service.client)),
        ]
    table(f"networks on XOR, {STEPS} steps of Adam, posted and waited for", figures)


if __name__ == "__main__":
    main()
