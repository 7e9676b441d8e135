"""The delta rule, compared with autograd and with a case worked out by hand."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.nets import network, torch_value, value_and_gradient
from thalweg.analysis.backprop import BackpropRequest
from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.delta_rule import Backpropagation, backpropagation
from thalweg.functions.networks.losses import LOSSES

GENERATOR = np.random.default_rng(0)
ARCHITECTURES = [
    [int(width) for width in GENERATOR.integers(1, 9, size=depth)] for depth in (2, 3, 3, 3, 4, 4, 5, 5, 6, 8)
]


def gradient_of(found: Backpropagation, architecture: Architecture) -> np.ndarray:
    return architecture.point(
        [layer.weight_gradient for layer in found.layers], [layer.bias_gradient for layer in found.layers]
    )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_agrees_with_autograd(activation: str, loss: str) -> None:
    generator = np.random.default_rng(1)
    for layers in ARCHITECTURES:
        if loss == "cross_entropy":
            layers = [*layers[:-1], max(2, layers[-1])]  # noqa: PLW2901 a class alone would be no question
        architecture = Architecture.model_validate(
            {"layers": layers, "activation": activation, "loss": loss, "weight_init": "xavier_normal"}
        )
        point = architecture.starts(1, 5)[0] + 0.1 * generator.standard_normal(architecture.dim)
        sample = generator.standard_normal(layers[0])
        target = np.eye(layers[-1])[0] if loss == "cross_entropy" else generator.uniform(0, 1, layers[-1])
        found = backpropagation(architecture, point, sample, target)
        assert found.autograd_max_abs_difference < 1e-12
        value, gradient = value_and_gradient(
            lambda p, a=architecture, s=sample, t=target: torch_value(
                a, p, torch.from_numpy(s[None]), torch.from_numpy(t[None])
            ),
            torch.from_numpy(point),
        )
        assert np.abs(gradient_of(found, architecture) - gradient.numpy()).max() < 1e-12
        assert found.error == pytest.approx(value.item(), abs=1e-13)


@pytest.mark.parametrize(("output", "loss"), [*itertools.product(ACTIVATIONS, ["mse", "half_sse"])])
def test_outputs_with_another_activation(output: str, loss: str) -> None:
    architecture = Architecture.model_validate(
        {"layers": [3, 4, 2], "activation": "tanh", "output_activation": output, "loss": loss}
    )
    point = architecture.starts(1, 3)[0]
    found = backpropagation(architecture, point, np.array([0.3, -1.0, 2.0]), np.array([0.5, -0.25]))
    assert found.autograd_max_abs_difference < 1e-14


def test_a_2_2_1_network_by_hand() -> None:
    request = BackpropRequest.model_validate(
        {
            "layers": [2, 2, 1],
            "activation": "sigmoid",
            "weights": [[[0.1, 0.2], [0.3, 0.4]], [[0.5], [0.6]]],
            "biases": [[0.01, 0.02], [0.03]],
            "input": [1, 0.5],
            "target": [1],
        }
    )
    found = request.backpropagation()
    hidden, last = found.layers
    # net_1 = 1 * 0.1 + 0.5 * 0.3 + 0.01, net_2 = 1 * 0.2 + 0.5 * 0.4 + 0.02
    np.testing.assert_allclose(hidden.net, [0.26, 0.42], rtol=1e-15)
    np.testing.assert_allclose(hidden.output, [0.564636291803, 0.603483249864], rtol=1e-11)
    np.testing.assert_allclose(last.net, [0.674408095820], rtol=1e-11)
    np.testing.assert_allclose(found.output, [0.662489501807], rtol=1e-11)
    o = found.output[0]
    assert found.error == pytest.approx((1 - o) ** 2 / 2)
    delta = (o - 1) * o * (1 - o)
    np.testing.assert_allclose(last.delta, [delta])
    np.testing.assert_allclose(last.weight_gradient, [[hidden.output[0] * delta], [hidden.output[1] * delta]])
    np.testing.assert_allclose(
        hidden.delta,
        [
            hidden.output[0] * (1 - hidden.output[0]) * delta * 0.5,
            hidden.output[1] * (1 - hidden.output[1]) * delta * 0.6,
        ],
    )
    np.testing.assert_allclose(hidden.weight_gradient, [hidden.delta, 0.5 * hidden.delta])
    np.testing.assert_allclose(hidden.bias_gradient, hidden.delta)
    # derivatives along each weight, by differences of the error
    for i, j in itertools.product(range(2), range(2)):
        moved = request.model_dump()
        errors = []
        for step in (1e-5, -1e-5):
            weights = [[list(row) for row in matrix] for matrix in request.weights or ()]
            weights[0][i][j] += step
            errors.append(BackpropRequest.model_validate({**moved, "weights": weights}).backpropagation().error)
        slope = (errors[0] - errors[1]) / 2e-5
        assert hidden.weight_gradient[i, j] == pytest.approx(slope, rel=1e-6)


def test_a_weight_runs_from_row_to_column() -> None:
    fields: dict[str, Any] = {
        "layers": [2, 3, 1],
        "activation": "identity",
        "weights": [[[0, 0, 0], [0, 0, 7]], [[0], [0], [11]]],  # from input 1 to node 2, from there to the output
        "biases": [[0, 0, 0], [0]],
        "input": [100, 2],
        "target": [0],
    }
    found = BackpropRequest.model_validate(fields).backpropagation()
    hidden, last = found.layers
    assert hidden.net.tolist() == [0, 0, 14]
    assert found.output.tolist() == [154]
    assert last.weight_gradient.tolist() == [[0], [0], [14 * 154]]
    assert hidden.delta.tolist() == [0, 0, 11 * 154]
    assert hidden.weight_gradient.tolist() == [[0, 0, 100 * 11 * 154], [0, 0, 2 * 11 * 154]]


def test_default_parameters_are_a_start_of_training() -> None:
    mlp = network(layers=[2, 4, 1], weight_init="normal").mlp
    request: dict[str, Any] = {
        "layers": [2, 4, 1],
        "weight_init": "normal",
        "loss": "mse",
        "input": [0, 1],
        "target": [1],
        "seed": 9,
    }
    drawn = BackpropRequest.model_validate(request).backpropagation()
    point = mlp.starts(1, 9)[0]
    of = mlp.objective
    same = backpropagation(mlp, point, *of.sample(1))
    assert np.array_equal(gradient_of(drawn, mlp), gradient_of(same, mlp))
    assert np.array_equal(mlp.point(drawn.weights, drawn.biases), point)
    biases = [[1.0, 2, 3, 4], [5]]
    partly = BackpropRequest.model_validate({**request, "biases": biases}).backpropagation()
    assert [bias.tolist() for bias in partly.biases] == biases
    assert all(np.array_equal(a, b) for a, b in zip(partly.weights, drawn.weights, strict=True))


def test_the_mean_over_samples_is_what_training_descends() -> None:
    mlp = network(layers=[2, 3, 1], loss="half_sse").mlp
    of, point = mlp.objective, mlp.starts(1, 0)[0]
    _, gradient = value_and_gradient(of, torch.from_numpy(point))
    each = [gradient_of(backpropagation(mlp, point, *of.sample(k)), mlp) for k in range(of.n_samples)]
    np.testing.assert_allclose(np.mean(each, axis=0), gradient.numpy(), atol=1e-16)


def test_non_finite_numbers_are_a_result() -> None:
    architecture = Architecture.model_validate({"layers": [1, 1, 1], "activation": "identity"})
    found = backpropagation(architecture, np.array([1e200, 0, 1e200, 0]), np.array([1.0]), np.array([0.0]))
    assert np.isinf(found.error)
    assert np.isnan(found.autograd_max_abs_difference)
