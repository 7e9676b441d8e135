"""Random jobs on networks, on both engines."""

import random
from itertools import chain, repeat
from typing import Any

import numpy as np

from tests.unit.driving import Recording, assert_equal, assert_same, drive, native
from tests.unit.test_fused import DTYPES, FUSED, FUSED_SCHEDULERS
from thalweg.analysis.evaluation import Evaluation, evaluate
from thalweg.engine.eager.run import EagerRun
from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.losses import LOSSES
from thalweg.spec.job import JobSpec


def network_fields(chance: random.Random) -> dict[str, Any]:
    """Return the fields of a job that trains a network."""
    loss = chance.choice(list(LOSSES))
    name = chance.choice(["xor", "moons", "spiral", "blobs"])
    n = chance.choice([4, 31, 64, 130])
    n_outputs = 3 if name == "blobs" else chance.choice([2] if loss == "cross_entropy" else [1, 2])
    hidden = [chance.randint(1, 9) for _ in range(chance.randint(0, 3))]
    mlp: dict[str, Any] = {
        "layers": [2, *hidden, n_outputs],
        "activation": chance.choice(list(ACTIVATIONS)),
        "loss": loss,
        "dataset": {"name": name, "n": n, "seed": chance.randrange(100)},
        "weight_init": chance.choice(["torch", "normal"]),
    }
    if chance.random() < 0.5:
        mlp |= {"batch_size": chance.randint(1, n), "seed": chance.randrange(2**53)}
    optimizer = dict(chance.choice(FUSED))
    fields: dict[str, Any] = {
        "function": {"mlp": mlp},
        "optimizer": {name: value for name, value in optimizer.items() if name != "lr"},
        "lr": 10 ** chance.uniform(-4, 0),
        "dtype": chance.choice(DTYPES),
        "init": {"random": chance.choice([1, 2, 3, 9]), "seed": chance.randrange(100)},
        "steps": chance.choice([5, 20, 60]),
        "record_every": chance.choice([1, 3, 10, 100]),
    }
    if chance.random() < 0.3:
        fields["scheduler"] = chance.choice(FUSED_SCHEDULERS)
    if chance.random() < 0.3:
        fields["gradient_noise"] = {"std": 10 ** chance.uniform(-3, 0), "seed": chance.randrange(2**53)}
    if chance.random() < 0.3:
        fields["clip_grad_norm"] = 10 ** chance.uniform(-2, 1)
    if chance.random() < 0.3:
        fields["stop"] = {chance.choice(["f", "grad_norm"]): 10 ** chance.uniform(-2, 0)}
    return fields


def losses(spec: JobSpec, cuts: list[int], engine: Any = EagerRun) -> list[np.ndarray]:
    """Return the values at every step of each run, resuming each chunk from the last checkpoint."""
    found: list[list[np.ndarray]] = [[] for _ in range(spec.n_runs)]
    checkpoint, next_step = None, 0
    for n_steps in chain(cuts, repeat(spec.steps)):
        run = engine(spec, checkpoint)
        if run.finished:
            break
        chunk = run.advance(n_steps)
        assert chunk.losses is not None
        assert chunk.losses.x.shape == (*chunk.losses.f.shape, 0)
        assert chunk.losses.steps.tolist() == list(range(next_step, run.step + 1))
        next_step = run.step + 1
        for row, (number, n_valid) in enumerate(zip(chunk.losses.runs, chunk.losses.n_valid, strict=True)):
            found[number].append(chunk.losses.f[row, :n_valid])
        checkpoint = chunk.checkpoint
    return [np.concatenate(pieces) for pieces in found]


def check(seed: int) -> None:
    """Train a random network on both engines, cut and extended at random, and evaluate its loss along the path."""
    chance = random.Random(seed)  # noqa: S311 - the same jobs every time
    fields = network_fields(chance)
    spec = JobSpec.model_validate(fields)
    assert spec.obstacle is None
    cuts = [chance.randint(1, spec.steps) for _ in range(2)]
    eager = drive(spec)
    assert_equal(eager, drive(spec, engine=native))
    assert_equal(eager, drive(spec, cuts, engine=native))
    if spec.records_losses:
        expected = losses(spec, [])
        for found in (losses(spec, [], native), losses(spec, cuts, native)):
            for one, other in zip(found, expected, strict=True):
                assert_same(one, other, "losses")
    if spec.dtype == "float64" and "batch_size" not in fields["function"]["mlp"]:
        check_evaluation(fields, eager)


def check_evaluation(fields: dict[str, Any], job: Recording) -> None:
    x, f = np.concatenate(job.x), np.concatenate(job.f)
    finite = np.flatnonzero(np.isfinite(x).all(axis=-1))
    question = {"function": fields["function"], "points": x[finite].tolist()}
    assert_same(evaluate(Evaluation.model_validate(question)).f, f[finite], "evaluation")
