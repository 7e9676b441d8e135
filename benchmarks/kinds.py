"""Every kind of job beside the same in jax, or beside torch's own loop where jax has nothing like it.

`python -m benchmarks.kinds functions networks` does only these parts. Time goes to what the service would do: the
engine that `auto` chooses, in one process and on one thread, both sides recording every 50th step.
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
import torch

from benchmarks import fresh
from benchmarks.peers import xla
from benchmarks.timing import Figure, Way, multiple, seconds, table
from tests.workers.service import Service
from thalweg.engine.outcome import Chunk
from thalweg.engine.start import start
from thalweg.spec.job import JobSpec

EVERY = 50
ROUNDS = 5
TURN_SECONDS = 0.05
NETWORK_STEPS = 4000
EAGER_PART = 20
FUNCTION_STEPS = {32: 2000, 40: 2000, 100: 2000, 150: 2000, 1000: 2000}

MOONS = {"dataset": "moons", "activation": "tanh", "loss": "bce"}
NETWORKS: dict[str, dict[str, Any]] = {
    "2-8-1, full batch": {"layers": [2, 8, 1]},
    "2-16-16-1, full batch": {"layers": [2, 16, 16, 1]},
    "2-12-12-1, full batch": {"layers": [2, 12, 12, 1]},
    "2-8-1, batches of 32": {"layers": [2, 8, 1], "batch_size": 32},
}
# what has no peer: the job, and how much of it torch's loop does, to be scaled
ALONE: dict[str, tuple[dict[str, Any], dict[str, Any], float]] = {
    "LBFGS with strong Wolfe, rosenbrock, 100 starts": (
        {
            "function": {"name": "rosenbrock", "dim": 2},
            "optimizer": {"name": "lbfgs", "line_search_fn": "strong_wolfe"},
            "init": {"random": 100},
            "steps": 50,
        },
        {"init": {"random": 2}},
        50.0,
    ),
    "Adafactor, himmelblau": (
        {"function": "himmelblau", "optimizer": "adafactor", "init": [0, 0], "steps": 5000},
        {"steps": 500},
        10.0,
    ),
    "Adam with reduce_lr_on_plateau, himmelblau": (
        {
            "function": "himmelblau",
            "optimizer": "adam",
            "scheduler": "reduce_lr_on_plateau",
            "init": [0, 0],
            "steps": 20_000,
        },
        {"steps": 500},
        40.0,
    ),
    "SGD with one_cycle_lr, which cycles its momentum, himmelblau": (
        {
            "function": "himmelblau",
            "optimizer": {"name": "sgd", "momentum": 0.9},
            "scheduler": {"name": "one_cycle_lr", "max_lr": 0.001, "total_steps": 20_000},
            "init": [0, 0],
            "steps": 20_000,
        },
        {"steps": 500},
        40.0,
    ),
}


def job(**fields: Any) -> JobSpec:
    """Return a job that records every 50th step; its optimizer is Adam unless another is given."""
    return JobSpec.model_validate({"optimizer": "adam", "record_every": EVERY, **fields})


def run(spec: JobSpec) -> Chunk:
    """Run a job on the engine that the service would choose, in one chunk, and return it."""
    return start(spec, spec.chosen_engine).advance(spec.steps)


def functions() -> None:
    """Rosenbrock's function of many coordinates, one start."""
    figures = []
    for dim, steps in FUNCTION_STEPS.items():
        spec = job(function={"name": "rosenbrock", "dim": dim}, init=[0.5] * dim, steps=steps)
        point = spec.starts()[0]
        peers: dict[str, Way] = {
            "nested": xla.nested(xla.rosenbrock, point, steps, EVERY),
            "flat": xla.flat(xla.rosenbrock, point, steps, EVERY),
        }
        at_most = 1.25 if dim == 1000 else 1.0
        figures.append(_beside(spec, f"{dim} coordinates, {steps} steps", peers, at_most))
    table("Adam on rosenbrock, one start: service / the faster of two spellings in jax", figures)


def networks() -> None:
    """Networks on the moons, one start."""
    figures = []
    for name, fields in NETWORKS.items():
        spec = job(function={"mlp": {**MOONS, **fields}}, init={"random": 1}, steps=NETWORK_STEPS)
        figures.append(_beside(spec, name, _network_peers(spec, fields), at_most=1.0))
    table(f"Adam on moons of 200, {NETWORK_STEPS} steps: service / the faster of two spellings in jax", figures)


def _network_peers(spec: JobSpec, fields: dict[str, Any]) -> dict[str, Way]:
    network, point = spec.network, spec.starts()[0]
    if network is None:
        raise RuntimeError("not a network")
    samples = [network.sample(index) for index in range(network.n_samples)]
    x, y = (np.stack(column) for column in zip(*samples, strict=True))
    layers = fields["layers"]
    if (size := fields.get("batch_size")) is not None:
        return {"windows": xla.drawn(layers, x, y, size, point, spec.steps, EVERY)}
    loss = xla.network(layers, x, y)
    return {"nested": xla.nested(loss, point, spec.steps, EVERY), "flat": xla.flat(loss, point, spec.steps, EVERY)}


def _beside(spec: JobSpec, name: str, peers: dict[str, Way], at_most: float) -> Figure:
    """Return how long a job takes as a multiple of the faster peer."""
    way, scale = _service(spec)
    if "nested" in peers:
        found: Any = way()
        expected: Any = peers["nested"]()
        _check_same(name, found.x[0], np.asarray(expected[0])[: found.x.shape[1]])
    for peer in peers.values():
        xla.check_one_thread(peer)
    taken = seconds({"service": way, **peers}, rounds=ROUNDS, least=TURN_SECONDS, scale={"service": scale})
    fastest = min(peers, key=lambda peer: median(taken[peer]))
    shown = f"{name} ({spec.chosen_engine}, {1000 * median(taken['service']):.1f} ms)"
    return Figure(shown, multiple(taken, "service", fastest), at_most=at_most)


def _service(spec: JobSpec) -> tuple[Way, float]:
    """Return a way to run a job, and the factor of its time: torch's loop does only a part of the steps."""
    part = EAGER_PART if spec.chosen_engine == "eager" else 1
    return partial(run, spec.model_copy(update={"steps": spec.steps // part})), part


def alone() -> None:
    """What jax has nothing like, beside torch's own loop."""
    figures = []
    for name, (fields, part, scale) in ALONE.items():
        spec = job(**fields)
        eager = job(**{**fields, **part, "engine": "eager"})
        ways: dict[str, Way] = {"service": partial(run, spec), "torch": partial(run, eager)}
        taken = seconds(ways, rounds=ROUNDS, least=TURN_SECONDS, scale={"torch": scale})
        shown = f"{name} ({spec.chosen_engine}, {1000 * median(taken['service']):.1f} ms)"
        figures.append(Figure(shown, multiple(taken, "torch", "service"), at_least=100))
    table("torch's loop, a part of it, scaled / service", figures)


def first() -> None:
    """The first job of a kind, in a new process whose imports are done."""
    jobs = {
        **{
            f"adam on rosenbrock of {dim}": job(
                function={"name": "rosenbrock", "dim": dim}, init=[0.5] * dim, steps=100
            )
            for dim in (32, 100, 1000)
        },
        "adam on a network 2-16-16-1": job(
            function={"mlp": {**MOONS, "layers": [2, 16, 16, 1]}}, init={"random": 1}, steps=100
        ),
        "lbfgs on rosenbrock": job(
            function={"name": "rosenbrock", "dim": 2},
            optimizer={"name": "lbfgs", "line_search_fn": "strong_wolfe"},
            init={"random": 1},
            steps=2,
        ),
    }
    figures = []
    for name, spec in jobs.items():
        times = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as cache:
                times.append(fresh.seconds_until_ready(spec, Path(cache)))
        figures.append(Figure(f"{name} ({spec.chosen_engine})", median(times), at_most=2.5))
    table("first step of the first job in a new process, imports done: seconds", figures)


def memory() -> None:
    """Memory of a job of many coordinates, as it gets longer, with the same number of entries recorded."""
    figures = []
    with tempfile.TemporaryDirectory() as cache:
        for steps in (1000, 100_000):
            spec = job(
                function={"name": "rosenbrock", "dim": 1000},
                init=[0.5] * 1000,
                steps=steps,
                record_every=steps // 10,
            )
            figures.append(Figure(f"{steps} steps", fresh.peak_mib(spec, Path(cache))))
    table("peak memory of a process that runs rosenbrock of 1000 coordinates, 10 entries recorded: MiB", figures)


def http() -> None:
    """The same jobs over HTTP: what they take more than a trivial one takes."""
    jobs: dict[str, dict[str, Any]] = {
        "trivial": {"function": "himmelblau", "init": [0, 0], "steps": 1},
        "rosenbrock of 100": {
            "function": {"name": "rosenbrock", "dim": 100},
            "init": [0.5] * 100,
            "steps": 2000,
        },
        "2-8-1 on moons": {
            "function": {"mlp": {**MOONS, "layers": [2, 8, 1]}},
            "init": {"random": 1},
            "steps": NETWORK_STEPS,
        },
    }
    with tempfile.TemporaryDirectory() as folder, Service(Path(folder)) as service:
        service.client.timeout = httpx.Timeout(90)
        posted: dict[str, Way] = {
            name: partial(_posted, service.client, {"optimizer": "adam", "record_every": EVERY, **fields})
            for name, fields in jobs.items()
        }
        taken = seconds(posted, rounds=ROUNDS, least=0.5)
    trivial = median(taken["trivial"])
    rows = {name: 1000 * median(times) for name, times in taken.items()}
    for name in list(jobs)[1:]:
        within = seconds({"here": partial(run, job(**jobs[name]))}, least=TURN_SECONDS)["here"]
        rows[f"{name}: beyond its own and a trivial job's time"] = rows[name] - 1000 * (median(within) + trivial)
    table("posted and waited for", rows, "ms")


def _posted(client: httpx.Client, fields: dict[str, Any]) -> None:
    answer = client.post("/v1/jobs", json=fields, headers={"Prefer": "wait=60"})
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(answer.text)


def _check_same(what: str, found: np.ndarray, expected: np.ndarray) -> None:
    """Check that both do the same, so that nothing is timed that does something else.

    Raises:
        RuntimeError: They do not.
    """
    worst = np.abs(found - expected).max()
    if not worst < 1e-6:
        raise RuntimeError(f"{what}: the points are off by {worst}")


PARTS: dict[str, Callable[[], None]] = {
    "functions": functions,
    "networks": networks,
    "alone": alone,
    "first": first,
    "memory": memory,
    "http": http,
}


def main(parts: list[str]) -> None:
    """Measure the parts of these names, all if there are none."""
    torch.set_num_threads(1)
    for part in parts or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
