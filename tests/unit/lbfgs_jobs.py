"""Random jobs with LBFGS: functions, formulas and barriers, every option of the optimizer, and any of a job."""

import random
from typing import Any

from pydantic import ValidationError

from tests.unit.driving import assert_equal, drive, native
from tests.unit.random_jobs import Formulas
from thalweg.engine.eager.run import EagerRun
from thalweg.functions import catalogue
from thalweg.spec.job import JobSpec

BARRIERS = (
    "x**2 + y**2 - 0.1*log(x - 1) - log(4 - x - y)",
    "x*x + 10*y*y - log(x) - log(y)",
    "(x - 3)**2 + exp(y) - y - 0.01*log(2 - x)",
    "x + y - log(x*y - 1)",
)
SCHEDULERS: tuple[dict[str, Any], ...] = (
    {"name": "step_lr", "step_size": 3, "gamma": 0.5},
    {"name": "exponential_lr", "gamma": 0.9},
    {"name": "exponential_lr", "gamma": 50.0},
    {"name": "cosine_annealing_lr", "T_max": 7},
)
OPTIONS: dict[str, tuple[Any, ...]] = {
    "max_iter": (1, 2, 3, 5, 40),
    "max_eval": (1, 2, 4, 9, 25, 60),
    "tolerance_grad": (0.0, 1e-12, 1e-3, 1.0),
    "tolerance_change": (0.0, 1e-15, 1e-4, 0.1),
    "history_size": (1, 2, 3, 5),
}


def check(seed: int, dtype: str) -> JobSpec:
    """Run a random job on both engines, cut and extended at random, and return it."""
    chance = random.Random(f"{seed} {dtype}")  # noqa: S311 - the same jobs every time
    spec = drawn(chance, dtype)
    eager = drive(spec)
    assert_equal(eager, drive(spec, engine=native))
    cuts = [chance.randint(1, spec.steps) for _ in range(2)]
    assert_equal(eager, drive(spec, cuts, engine=native))
    longer = JobSpec.model_validate({**spec.dumped, "steps": spec.steps + 5})
    ends = (drive(spec, cuts[:1], engine=engine).checkpoint for engine in (EagerRun, native))
    assert_equal(
        *(
            drive(longer, checkpoint=end, engine=engine)
            for end, engine in zip(ends, (EagerRun, native), strict=True)
        )
    )
    return spec


def drawn(chance: random.Random, dtype: str) -> JobSpec:
    """Return a random job that the fused engine runs."""
    while True:
        try:
            spec = JobSpec.model_validate(_fields(chance, dtype))
        except ValidationError:  # an index out of range, a constant that is no number
            continue
        if spec.obstacle is None:
            return spec


def _fields(chance: random.Random, dtype: str) -> dict[str, Any]:
    function, dim = _function(chance)
    optimizer: dict[str, Any] = {"name": "lbfgs"}
    if chance.random() < 0.65:
        optimizer["line_search_fn"] = "strong_wolfe"
    optimizer |= {name: chance.choice(values) for name, values in OPTIONS.items() if chance.random() < 0.4}
    fields: dict[str, Any] = {
        "function": function,
        "optimizer": optimizer,
        "lr": chance.choice([1.0, 1.0, 10 ** chance.uniform(-4, 1), 10 ** chance.uniform(20, 38)]),
        "dtype": dtype,
        "init": [_start(chance, dim) for _ in range(chance.choice([1, 2, 5]))],
        "steps": chance.choice([1, 3, 10, 20]),
        "record_every": chance.choice([1, 1, 3]),
    }
    others = {
        "scheduler": chance.choice(SCHEDULERS),
        "gradient_noise": {"std": 10 ** chance.uniform(-3, 0), "seed": chance.randrange(1000)},
        "clip_grad_norm": 10 ** chance.uniform(-2, 1),
        "stop": {chance.choice(["f", "grad_norm"]): 10 ** chance.uniform(-2, 1)},
    }
    return fields | {name: value for name, value in others.items() if chance.random() < 0.2}


def _function(chance: random.Random) -> tuple[Any, int]:
    kind = chance.random()
    if kind < 0.35:
        vector = chance.random() < 0.4
        text = Formulas(chance, vector=vector).formula(chance.choice([1, 2, 2]))
        variables = ["x"] if vector else ["x", "y"]
        function = {"expression": text, "variables": variables, "constants": {"a": chance.uniform(-2, 2)}}
        return function, chance.choice([2, 3, 5]) if vector else 2
    if kind < 0.5:
        return {"expression": chance.choice(BARRIERS), "variables": ["x", "y"]}, 2
    entry = chance.choice(catalogue.functions())
    dim = entry.dim or chance.choice([2, 3, 4, 7, 16, 17, 33, 100, 257])
    return {"name": entry.name, "dim": dim}, dim


def _start(chance: random.Random, dim: int) -> list[float]:
    spread = chance.choice([1.0, 1.0, 3.0, 30.0])
    return [
        chance.choice([0.0, 1.0, -1.0]) if chance.random() < 0.1 else chance.gauss(0, spread) for _ in range(dim)
    ]
