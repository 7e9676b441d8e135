"""Both engines and an evaluation give the same value on random jobs. `make sweep` tries more."""

import random
from typing import Any

import numpy as np
import pytest

from tests.unit.driving import Recording, assert_equal, assert_same, drive, native
from tests.unit.random_jobs import random_fields
from thalweg.analysis.evaluation import Evaluation, evaluate
from thalweg.engine.eager.run import EagerRun
from thalweg.spec.job import JobSpec

N_HERE = 12
N_EVALUATED = 30


def check(seed: int) -> None:
    """Run a random job on both engines, cut and extended at random, and evaluate its function along the path."""
    chance = random.Random(seed)  # noqa: S311 - the same jobs every time
    fields = random_fields(chance)
    spec = JobSpec.model_validate(fields)
    cuts = [chance.randint(1, spec.steps) for _ in range(2)]
    eager = drive(spec)
    assert_equal(eager, drive(spec, engine=native))
    assert_equal(eager, drive(spec, cuts, engine=native))
    begun = JobSpec.model_validate({**fields, "steps": cuts[0]})
    assert_equal(
        *(drive(spec, checkpoint=drive(begun, engine=engine).checkpoint, engine=engine) for engine in ENGINES)
    )
    if spec.dtype == "float64":
        check_evaluation(fields, eager, chance)


ENGINES = (EagerRun, native)


def check_evaluation(fields: dict[str, Any], job: Recording, chance: random.Random) -> None:
    x, f = np.concatenate(job.x), np.concatenate(job.f)
    finite = np.flatnonzero(np.isfinite(x).all(axis=-1))
    places = np.array(chance.sample(finite.tolist(), min(N_EVALUATED, len(finite))))
    assert_same(values(fields, x[places]), f[places], "evaluation")
    assert_same(values(fields, x[places[:1]]), f[places[:1]], "evaluation of one point")


def values(fields: dict[str, Any], points: np.ndarray) -> np.ndarray:
    return evaluate(Evaluation.model_validate({"function": fields["function"], "points": points.tolist()})).f


@pytest.mark.parametrize("seed", range(N_HERE))
def test_a_random_job_has_the_same_digits_everywhere(seed: int) -> None:
    check(seed)
