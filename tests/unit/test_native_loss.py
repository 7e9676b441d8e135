"""The native loss of networks: torch's modules to a tolerance, and itself to the bit."""

from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.nets import objective, samples_of, torch_value, value_and_gradient
from tests.unit.processors import compiled_for, other_processors
from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.native_loss import NativeLoss, callable_of, emit
from thalweg.functions.networks.objective import NetworkObjective

N_NETWORKS = 100
N_STEPS = 100


def random_network(generator: np.random.Generator) -> tuple[NetworkObjective, int]:
    """Return a network and the size of its batches."""
    loss, name = generator.choice(list(LOSSES)), generator.choice(["xor", "moons", "circles", "spiral", "blobs"])
    n = int(generator.integers(4, 150))
    n_outputs = 3 if name == "blobs" else int(generator.integers(1 if loss != "cross_entropy" else 2, 3))
    hidden = generator.integers(1, 18, generator.integers(0, 4)).tolist()
    fields = {
        "layers": [2, *hidden, n_outputs],
        "activation": str(generator.choice(list(ACTIVATIONS))),
        "loss": str(loss),
        "dataset": {"name": str(name), "n": n, "seed": int(generator.integers(99))},
    }
    return objective(**fields), int(generator.integers(1, n + 1))


def native_loss(of: NetworkObjective, dtype: str = "float64") -> NativeLoss:
    x, y = (samples.numpy().astype(dtype) for samples in samples_of(of))
    return NativeLoss(of.architecture, x, y)


@pytest.mark.parametrize("number", range(N_NETWORKS))
def test_training_follows_that_of_torchs_modules(number: int) -> None:
    generator = np.random.default_rng(number)
    of, size = random_network(generator)
    loss, (x, y) = native_loss(of), samples_of(of)
    start = of.starts(1, number)
    ours, theirs = (torch.from_numpy(start.copy()).requires_grad_() for _ in range(2))
    classes = [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop]
    which = classes[number % 3]
    optimizers = [which([parameter], lr=0.01) for parameter in (ours, theirs)]
    for _ in range(N_STEPS):
        drawn = generator.permutation(of.n_samples)[:size]
        found, gradient = loss.values_and_gradients(ours.detach().numpy(), drawn[None])
        ours.grad = torch.from_numpy(gradient)
        value, slope = value_and_gradient(
            lambda p, rows=drawn: torch_value(of.architecture, p[0], x[rows], y[rows]), theirs
        )
        theirs.grad = slope
        assert abs(found[0] - value.item()) < 1e-12
        for optimizer in optimizers:
            optimizer.step()
        assert (ours - theirs).abs().max() < 1e-12


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_point_has_its_digits_alone_and_among_others_whatever_the_samples_around(dtype: str) -> None:
    generator = np.random.default_rng(7)
    for number in range(6):
        of, size = random_network(np.random.default_rng(number))
        loss = native_loss(of, dtype)
        points = of.starts(7, 1).astype(dtype)
        orders = np.array([generator.permutation(of.n_samples)[:size] for _ in points])
        for drawn in (None, orders):
            values, gradients = loss.values_and_gradients(points, drawn)
            assert np.array_equal(loss.values(points, drawn), values)
            for k in range(len(points)):
                alone, gradient = loss.values_and_gradients(
                    points[k : k + 1], None if drawn is None else drawn[k : k + 1]
                )
                assert alone[0] == values[k]
                assert gradient[0].tobytes() == gradients[k].tobytes()
        everything = np.tile(np.arange(of.n_samples), (len(points), 1))
        assert np.array_equal(loss.values(points, everything), loss.values(points))


def answers(loss: NativeLoss, points: np.ndarray) -> list[bytes]:
    outputs = loss.outputs(torch.from_numpy(points)).numpy()
    return [array.tobytes() for array in (*loss.values_and_gradients(points), outputs)]


@pytest.mark.parametrize(
    ("loss", "real"), [("mse", "double"), ("bce", "double"), ("cross_entropy", "double"), ("bce", "float")]
)
def test_no_digit_depends_on_the_processor(loss: str, real: Any) -> None:
    layers = [2, 13, 6, 2]
    of = objective(layers=layers, loss=loss, activation="tanh", dataset={"name": "moons", "n": 77})
    dtype = {"double": "float64", "float": "float32"}[real]
    points = 2 * of.starts(3, 8).astype(dtype)
    here = native_loss(of, dtype)
    expected = answers(here, points)
    output = str(of.architecture.output_activation)
    for processor in other_processors():
        there = native_loss(of, dtype)
        there._evaluate = callable_of(compiled_for(processor, emit("tanh", output, loss, real)))  # noqa: SLF001 - what is compiled for here
        assert answers(there, points) == expected, processor


def test_the_order_of_additions_is_the_stated_one() -> None:
    of = objective(layers=[2, 1], activation="identity", loss="half_sse", dataset={"name": "moons", "n": 21})
    point = of.starts(1, 3)
    (w0,), (w1,), (bias,) = point[0].reshape(3, 1).tolist()
    x, y = (samples.numpy() for samples in samples_of(of))
    wide = np.longdouble  # a product and a sum of doubles, nearly always rounded once

    def fma(a: float, b: float, c: float) -> float:
        return float(wide(a) * wide(b) + wide(c))

    errors, gradients = np.zeros(8), np.zeros((3, 8))
    for s, ((a, b), (target,)) in enumerate(zip(x.tolist(), y.tolist(), strict=True)):
        difference = fma(b, w1, fma(a, w0, bias)) - target
        errors[s % 8] += difference * difference
        for row, given in enumerate((a, b, 1.0)):
            gradients[row, s % 8] = fma(given, difference, gradients[row, s % 8])

    def total(lanes: np.ndarray) -> float:
        while len(lanes) > 1:
            lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
        return float(lanes[0])

    (value,), (gradient,) = native_loss(of).values_and_gradients(point)
    assert value == total(errors) * 0.5 / 21
    assert gradient.tolist() == [total(row) * (1 / 21) for row in gradients]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "gelu", "sin"])
def test_second_derivatives_are_those_of_torchs_modules(activation: str, loss: str) -> None:
    of = objective(layers=[2, 3, 2], activation=activation, loss=loss, dataset={"name": "moons", "n": 10})
    point = torch.from_numpy(of.starts(1, 2)[0])
    x, y = samples_of(of)
    ours = torch.autograd.functional.hessian(of, point)  # type: ignore[no-untyped-call]
    theirs = torch.autograd.functional.hessian(  # type: ignore[no-untyped-call]
        lambda p: torch_value(of.architecture, p, x, y), point
    )
    torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)


def test_numbers_that_are_not_finite_are_a_result() -> None:
    of = objective(layers=[2, 3, 1], activation="relu", dataset={"name": "moons", "n": 13})
    point = of.starts(2, 1)
    point[0] = np.nan
    values, gradients = native_loss(of).values_and_gradients(point)
    assert np.isnan(values[0])
    assert np.isfinite(values[1])
    assert np.isfinite(gradients[1]).all()
