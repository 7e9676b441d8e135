"""What the eager engine costs beside the loop that everybody writes, and what rows of a batch save."""

from functools import partial

import torch

from benchmarks.timing import ratios, table
from thalweg.engine.eager.run import EagerRun
from thalweg.spec.job import JobSpec

STEPS = 2000


def by_hand(steps: int = STEPS) -> torch.Tensor:
    """Run the usual script, one start, Adam, nothing recorded; return where it ends."""
    x = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([x])
    for _ in range(steps):
        f = (x[0] ** 2 + x[1] - 11) ** 2 + (x[0] + x[1] ** 2 - 7) ** 2
        optimizer.zero_grad()
        f.backward()  # type: ignore[no-untyped-call]  # torch ships no type for it
        optimizer.step()
    return x.detach()


def run(n_starts: int, optimizer: str = "adam", steps: int = STEPS) -> None:
    """Run a job on the engine, every step recorded."""
    spec = JobSpec.model_validate(
        {
            "function": "himmelblau",
            "optimizer": optimizer,
            "init": {"random": n_starts},
            "steps": steps,
        }
    )
    engine = EagerRun(spec)
    while not engine.finished:
        engine.advance(500)


def main() -> None:
    """Print times as multiples of the hand-written loop's, and of one start's."""
    torch.set_num_threads(1)
    table(
        f"Adam, {STEPS} steps: time",
        ratios({"by hand, 1 start": by_hand, "engine, 1 start": lambda: run(1)}),
        "of the hand-written loop",
    )
    table(
        "engine, by number of starts: time",
        ratios({f"{n} starts": partial(run, n) for n in (1, 100, 10_000)}, rounds=3),
        "of one start",
    )
    table(
        "LBFGS, 100 steps, a descent for each start: time",
        ratios({f"{n} starts": partial(run, n, "lbfgs", 100) for n in (1, 10)}, rounds=3),
        "of one start",
    )


if __name__ == "__main__":
    main()
