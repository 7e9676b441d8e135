"""What the fused engine saves beside the eager one, and how it stands beside what others would write.

`python -m benchmarks.fused one mix` does only these parts.
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks import fresh
from benchmarks.apart import Apart
from benchmarks.eager import by_hand as script
from benchmarks.peers import by_hand, c, compiled, xla
from benchmarks.timing import Figure, Way, multiple, ratios, seconds, table
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.runtime.company import Company
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Chunk, Outcome, Results
from thalweg.functions.base import CatalogueFunction
from thalweg.functions.catalogue import get
from thalweg.optimizers.families.torch_optim import FAMILY
from thalweg.spec.job import JobSpec

STEPS = 20_000
# the eager engine needs seconds for all steps: it does so many, and its time is scaled
EAGER_STEPS = 400
EAGER_STEPS_PER_PAIR = 200

N_STARTS, STEPS_PER_START = 10_000, 2000

MIXED = (
    *("himmelblau", "beale", "booth", "matyas", "goldstein_price", "three_hump_camel", "six_hump_camel"),
    *("sphere", "rosenbrock", "rastrigin", "ackley", "styblinski_tang"),
)
# of a pair that diverges, the first one at which it does not is taken
LEARNING_RATES = (None, 1e-4, 1e-6, 1e-9)

SIZES = (10**5, 10**6, 10**7, 10**8)
N_RECORDED = 1000
TURN_SECONDS = 0.05


def job(**fields: Any) -> JobSpec:
    """Return a job; what is not given is Adam on Himmelblau's function from the origin."""
    usual = {"function": "himmelblau", "optimizer": "adam", "init": [0, 0], "steps": STEPS}
    return JobSpec.model_validate({**usual, **fields})


def fused(spec: JobSpec, threads: int | None = 1, chunk_steps: int | None = None) -> Results:
    """Run a job on the fused engine, in one chunk unless told otherwise, and return its results."""
    run = FusedRun(spec, threads=threads)
    chunk: Chunk = run.advance(chunk_steps or spec.steps)
    while not run.finished:
        chunk = run.advance(chunk_steps or spec.steps)
    return chunk.checkpoint.results


def eager_part(spec: JobSpec, n_steps: int) -> Way:
    """Return a way that takes a job further by so many steps on the eager engine, and begins it again after."""
    run = EagerRun(spec)

    def way() -> None:
        nonlocal run
        if run.finished:
            run = EagerRun(spec)
        run.advance(n_steps)

    return way


def one() -> None:
    """One start, every step recorded."""
    spec = job()
    ways: dict[str, Callable[[], Any]] = {
        "fused": lambda: FusedRun(spec, threads=1).advance(STEPS),
        "eager": eager_part(spec, EAGER_STEPS),
        "script": partial(script, EAGER_STEPS),
        "compiled": compiled.one((0.0, 0.0), EAGER_STEPS),
        "optax": xla.one((0.0, 0.0), STEPS),
        "numba": by_hand.one((0.0, 0.0), STEPS),
        "c": c.one((0.0, 0.0), STEPS, 1),
    }
    expected = EagerRun(spec).advance(EAGER_STEPS)
    for name in ("optax", "numba"):
        points, values = ways[name]()
        _check_same(f"{name}'s points", points[: EAGER_STEPS + 1], expected.x[0])
        _check_same(f"{name}'s values", values[: EAGER_STEPS + 1], expected.f[0])
    _check_same("the points in C", ways["c"]()[: EAGER_STEPS + 1, :2], expected.x[0])
    for name in ("script", "compiled"):
        _check_same(f"the end of {name}", ways[name]().numpy(), expected.x[0, -1])
    chunk = FusedRun(spec, threads=1).advance(STEPS)
    _check_same("the fused points", chunk.x[0, : EAGER_STEPS + 1], expected.x[0])

    scale = dict.fromkeys(("eager", "script", "compiled"), STEPS / EAGER_STEPS)
    taken = seconds(ways, rounds=7, least=TURN_SECONDS, scale=scale)
    table(
        f"Adam, one start, {STEPS} steps, all recorded (engine and scripts in torch: {EAGER_STEPS} steps, scaled)",
        [
            Figure("eager engine / fused", multiple(taken, "eager", "fused"), at_least=1000),
            Figure("torch script / fused", multiple(taken, "script", "fused")),
            Figure("a step under torch.compile / fused", multiple(taken, "compiled", "fused")),
            Figure("fused / optax under scan", multiple(taken, "fused", "optax"), at_most=1),
            Figure("fused / by hand in Numba", multiple(taken, "fused", "numba"), at_most=2),
            Figure("fused / a program in C", multiple(taken, "fused", "c"), at_most=1.25),
        ],
    )


def many() -> None:
    """Many starts, whose ends only are recorded."""
    spec = job(init={"random": N_STARTS}, steps=STEPS_PER_START, record_every=STEPS_PER_START)
    starts = spec.starts()
    ways: dict[str, Callable[[], Any]] = {
        "fused, 1 thread": lambda: fused(spec).x,
        "fused, 2 threads": lambda: fused(spec, threads=2).x,
        "optax": xla.many(starts, STEPS_PER_START),
        "optax, a state each": xla.each(starts, STEPS_PER_START),
        "numba": by_hand.many(starts, STEPS_PER_START),
        "c": c.many(starts, STEPS_PER_START),
    }
    expected = EagerRun(spec).advance(STEPS_PER_START).checkpoint.results.x
    for name, way in ways.items():
        _check_same(f"the ends of {name}", way(), expected)
    for name in ways.keys() - {"fused, 2 threads"}:
        xla.check_one_thread(ways[name])

    with Apart(spec, 2) as pair:
        taken = seconds({**ways, "fused, 2 processes": pair}, rounds=7, least=TURN_SECONDS)
    by_threads = multiple(taken, "fused, 1 thread", "fused, 2 threads")
    by_processes = 2 * multiple(taken, "fused, 1 thread", "fused, 2 processes")
    table(
        f"Adam, {N_STARTS} starts, {STEPS_PER_START} steps, the ends recorded; one thread unless said otherwise",
        [
            Figure(
                "optax under vmap and scan, a state for each start / fused",
                multiple(taken, "optax, a state each", "fused, 1 thread"),
                at_least=3,
            ),
            Figure(
                "optax under vmap and scan, one count of steps for all / fused",
                multiple(taken, "optax", "fused, 1 thread"),
                at_least=1.3,
            ),
            Figure("by hand in Numba / fused", multiple(taken, "numba", "fused, 1 thread")),
            Figure("a program in C / fused", multiple(taken, "c", "fused, 1 thread")),
            Figure("speed of 2 threads / of 1", by_threads),
            Figure("speed of 2 processes / of 1", by_processes),
            Figure("speed of 2 threads / of 2 processes", by_threads / by_processes, at_least=0.9),
        ],
    )


def grid() -> None:
    """Many runs that differ in their numbers, beside as many with the same."""
    spec = job(init={"random": N_STARTS}, steps=STEPS_PER_START, record_every=STEPS_PER_START)
    chance, starts = np.random.default_rng(1), spec.starts()
    rates = {"lr": 10 ** chance.uniform(-4, -2, N_STARTS)}

    def betas(n: int) -> dict[str, np.ndarray]:
        values = {"betas.0": np.linspace(0.8, 0.95, n), "betas.1": np.linspace(0.95, 0.9995, n)}
        return {name: chance.choice(each, N_STARTS) for name, each in values.items()}

    numbers = {"the same": {}, "a rate each": rates}
    numbers |= {f"a rate each, {n} values of each beta": rates | betas(n) for n in (5, 10, 100)}
    runs = {name: Company(spec, starts, None, each) for name, each in numbers.items()}
    ways: dict[str, Callable[[], Any]] = {
        name: partial(lambda each: FusedRun(spec, threads=1, company=each).advance(STEPS_PER_START), each)
        for name, each in runs.items()
    }
    taken = seconds(ways, rounds=7, least=TURN_SECONDS)
    table(
        f"Adam, {N_STARTS} runs that differ in numbers, {STEPS_PER_START} steps, the ends recorded; one thread: "
        "of the time of as many with the same",
        [Figure(name, multiple(taken, name, "the same"), at_most=1.3) for name in list(ways)[1:]],
    )


def mix() -> None:
    """Every optimizer that can be traced on twelve functions, one start."""
    names = [str(cls.model_fields["name"].default) for cls in FAMILY.optimizers if cls.record.unfused is None]
    gains = {
        f"{optimizer} on {function.name}": _gain(_surviving(function, optimizer))
        for optimizer in names
        for function in map(get, MIXED)
    }
    lowest = sorted(gains.items(), key=lambda entry: entry[1])[:3]
    table(
        f"{len(gains)} pairs, one start, {STEPS} steps, all recorded: "
        f"eager engine / fused (eager: {EAGER_STEPS_PER_PAIR} steps, scaled)",
        [
            Figure("median", median(gains.values()), at_least=500),
            *(Figure(name, gain, at_least=50) for name, gain in lowest),
        ],
    )


def _surviving(function: CatalogueFunction, optimizer: str) -> JobSpec:
    """Return a job from near the first minimum that does all its steps."""
    objective = function.at()
    minimum = objective.minima[0].x
    start = [x + (high - low) / 20 for x, (low, high) in zip(minimum, objective.domain, strict=True)]
    for lr in LEARNING_RATES:
        spec = job(function=function.name, optimizer=optimizer, init=start, lr=lr)
        if fused(spec).outcome[0] == Outcome.max_steps:
            return spec
    raise RuntimeError(f"{optimizer} on {function.name} diverges at every learning rate")


def _gain(spec: JobSpec) -> float:
    ways: dict[str, Way] = {
        "fused": lambda: FusedRun(spec, threads=1).advance(STEPS),
        "eager": eager_part(spec, EAGER_STEPS_PER_PAIR),
    }
    return ratios(ways, least=TURN_SECONDS / 5, scale={"eager": STEPS / EAGER_STEPS_PER_PAIR})["eager"]


def first() -> None:
    """The first job of a pair, in a new process whose imports are done."""
    pairs = [("adam", "himmelblau"), ("nadam", "ackley"), ("asgd", "goldstein_price")]
    figures = []
    for optimizer, function in pairs:
        spec = job(function=function, optimizer=optimizer)
        cold, warm = [], []
        for _ in range(5):
            with tempfile.TemporaryDirectory() as cache:
                cold.append(fresh.seconds_until_ready(spec, Path(cache)))
                warm.append(fresh.seconds_until_ready(spec, Path(cache)))
        figures.append(Figure(f"{optimizer} on {function}, never seen", median(cold), at_most=2.5))
        figures.append(Figure(f"{optimizer} on {function}, kept on disk", median(warm), at_most=0.3))
    table("first step of the first job in a new process, imports done: seconds", figures)


def growth() -> None:
    """Cost of a step, and memory, as descents get longer: of one that comes to rest, and of one on its way."""
    for way, lr in (("comes to rest", 1e-3), ("still on its way", 1e-10)):
        specs = {f"{size:.0e} steps": job(steps=size, record_every=size // N_RECORDED, lr=lr) for size in SIZES}
        ways = {name: partial(fused, spec, 1, fresh.CHUNK_STEPS) for name, spec in specs.items()}
        names = list(specs)
        fused(specs[names[0]])
        costs = ratios(ways, least=TURN_SECONDS, scale={name: 1 / spec.steps for name, spec in specs.items()})
        title = f"cost of a step, {way}, {N_RECORDED} recorded, chunks of {fresh.CHUNK_STEPS}"
        table(
            f"{title}: of a step at {SIZES[0]:.0e}",
            [Figure(name, cost, at_most=1.2) for name, cost in list(costs.items())[1:]],
        )
    with tempfile.TemporaryDirectory() as cache:
        shortest, longest = specs[names[0]], specs[names[-1]]
        fresh.seconds_until_ready(shortest, Path(cache))
        peaks = {f"{spec.steps:.0e} steps": fresh.peak_mib(spec, Path(cache)) for spec in (shortest, longest)}
    table("peak memory of a process that runs it", peaks, "MiB")


def _check_same(what: str, found: Any, expected: np.ndarray) -> None:
    """Check that ways do the same, so that nothing is timed that does something else.

    Rounding in another order is magnified where a start lies on a ridge: a few digits have to do.

    Raises:
        RuntimeError: They do not.
    """
    worst = np.abs(np.asarray(found) - expected).max()
    if not worst < 1e-3:
        raise RuntimeError(f"{what} are off by {worst}")


PARTS: dict[str, Callable[[], None]] = {
    "one": one,
    "many": many,
    "grid": grid,
    "mix": mix,
    "first": first,
    "growth": growth,
}


def main(parts: list[str]) -> None:
    """Measure the parts of these names, all if there are none."""
    torch.set_num_threads(1)
    for part in parts or PARTS:
        PARTS[part]()


if __name__ == "__main__":
    main(sys.argv[1:])
