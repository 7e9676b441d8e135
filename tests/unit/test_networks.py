"""Networks as objectives, compared with torch's modules."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.unit.nets import (
    MODULES,
    network,
    objective,
    samples_of,
    torch_nets,
    torch_value,
    value_and_gradient,
)
from thalweg.errors import InvalidInput
from thalweg.functions.base import Objective
from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.functions.networks.losses import LOSSES
from thalweg.functions.networks.network import NetworkReference

SHAPES: list[dict[str, Any]] = [
    {"layers": [2, 4, 1]},
    {"layers": [2, 1]},
    {"layers": [2, 5, 3, 2], "dataset": {"name": "moons", "n": 30}},
    {"layers": [2, 16, 3], "dataset": {"name": "blobs", "n": 60}},
]


def fits(fields: dict[str, Any], loss: str) -> bool:
    return loss != "cross_entropy" or fields["layers"][-1] > 1


CASES = [
    {**fields, "activation": activation, "loss": loss}
    for fields, activation, loss in itertools.product(SHAPES, ACTIVATIONS, LOSSES)
    if fits(fields, loss)
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['layers']}-{case['activation']}-{case['loss']}")
def test_value_and_gradient_are_those_of_torchs_modules(case: dict[str, Any], dtype: torch.dtype) -> None:
    of = objective(**case)
    x, y = (tensor.to(dtype) for tensor in samples_of(of))
    points = (3 * torch.from_numpy(of.starts(4, 1))).to(dtype)
    values, gradients = value_and_gradient(of, points)
    assert values.dtype == gradients.dtype == dtype
    for point, value, gradient in zip(points, values, gradients, strict=True):
        expected, slope = value_and_gradient(lambda p: torch_value(of.architecture, p, x, y), point)
        torch.testing.assert_close(value, expected, rtol=0, atol=400 * torch.finfo(dtype).eps)
        torch.testing.assert_close(gradient, slope, rtol=0, atol=400 * torch.finfo(dtype).eps)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_torchs_also_far_out(name: str) -> None:
    net = torch.cat([torch.linspace(-40, 40, 161), torch.tensor([-1e4, -800.0, -20.0, 20.0, 800.0, 1e4])]).double()
    value, slope = value_and_gradient(ACTIVATIONS[name].value, net)
    expected, expected_slope = value_and_gradient(MODULES[name], net)
    torch.testing.assert_close(value, expected, rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(slope, expected_slope, rtol=1e-13, atol=1e-15)
    by_hand = [ACTIVATIONS[name].derivative(net[i : i + 1].numpy(), value[i : i + 1].numpy()) for i in range(160)]
    torch.testing.assert_close(torch.from_numpy(np.concatenate(by_hand)), slope[:160], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_losses_of_logits_stay_finite(loss: str) -> None:
    nets = torch.tensor([[[-900.0, 900.0]], [[0.0, 0.0]], [[1e4, 1e4]]], dtype=torch.float64)
    targets = torch.tensor([1.0, 0.0], dtype=torch.float64)
    value, slope = value_and_gradient(lambda nets: LOSSES[loss].error(nets, targets), nets)
    assert value.isfinite().all()
    assert slope.isfinite().all()
    assert value.flatten().tolist() == pytest.approx(
        [900, np.log(2), 5000] if loss == "bce" else [1800, np.log(2), np.log(2)]
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    "case",
    [
        {"layers": [2, 8, 1]},
        {"layers": [2, 3, 3], "dataset": "blobs", "loss": "cross_entropy"},
        {"layers": [2, 13, 7, 1], "dataset": {"name": "moons", "n": 101}, "loss": "bce"},
        {"layers": [2, 32, 32, 1], "dataset": "circles", "activation": "gelu"},
        {"layers": [1, 9, 1], "dataset": "sine", "activation": "softplus"},
        {"layers": [2, 20, 5, 2], "dataset": {"name": "spiral", "n": 33}, "activation": "silu", "batch_size": 10},
    ],
    ids=lambda case: str(case["layers"]),
)
def test_a_batch_equals_single_points_to_the_bit(case: dict[str, Any], dtype: torch.dtype) -> None:
    of = objective(**case)
    points = torch.from_numpy(of.starts(23, 5)).to(dtype)
    runs = np.arange(23)
    values, gradients = value_and_gradient(lambda p: of(p, 7, runs), points)
    for some in ([0], [1], [22], [3, 4, 5], [2, 11, 19]):
        value, gradient = value_and_gradient(lambda p, some=some: of(p, 7, np.array(some)), points[some])
        assert torch.equal(value, values[some])
        assert torch.equal(gradient, gradients[some])
    value, gradient = value_and_gradient(lambda p: of(p, 7, np.array([6])), points[6])
    assert (value.shape, gradient.shape) == ((), (of.dim,))
    assert torch.equal(value, values[6])
    assert torch.equal(gradient, gradients[6])


def test_column_j_of_a_matrix_leads_into_node_j() -> None:
    of = objective(layers=[2, 3, 1], activation="identity")
    assert of.matrix_shapes == ((3, 3), (4, 1))
    point = np.zeros(13)
    weights, biases = of.parts(point)  # views
    weights[0][1, 2] = 5.0  # from input 1 to node 2
    biases[0][2] = 0.5
    weights[1][2, 0] = 2.0  # from node 2 to the output
    biases[1][0] = -1.0
    got = of.predict(torch.from_numpy(point[None]), torch.tensor([[10.0, 1.0]], dtype=torch.float64))
    assert got.tolist() == [[[2 * (5 * 1 + 0.5) - 1]]]
    linear = torch.nn.Linear(2, 3).double()
    weights, biases = of.parts(of.starts(1, 0)[0])
    assert linear.weight.shape == weights[0].T.shape
    assert np.array_equal(of.architecture.point(weights, biases), of.starts(1, 0)[0])


def test_it_is_an_objective() -> None:
    of: Objective = objective()
    assert (of.dim, of.domain, of.minima.count) == (13, None, 0)
    assert sum(rows * columns for rows, columns in of.matrix_shapes) == of.dim
    grown = objective(layers=[2, 30, 1], dataset={"name": "moons", "n": 1000})
    assert grown.n_values > 100 * of.n_values
    few = objective(layers=[2, 30, 1], dataset={"name": "moons", "n": 1000}, batch_size=2)
    assert few.n_step_values < grown.n_step_values / 20
    assert few.n_values == grown.n_values == grown.n_step_values
    points = torch.from_numpy(few.starts(3, 1))
    assert torch.equal(few(points), grown(points))
    assert of(torch.zeros(3, 5, 13)).shape == (3, 5)


def test_a_reference_survives_json_with_its_defaults_filled_in() -> None:
    short = network(layers=[2, 4, 1], dataset="moons")
    dumped = short.model_dump(mode="json")
    assert dumped == {
        "mlp": {
            "layers": [2, 4, 1],
            "activation": "sigmoid",
            "output_activation": "sigmoid",
            "loss": "mse",
            "weight_init": "torch",
            "dataset": {"name": "moons", "n": 200, "noise": 0.1, "classes": 2, "seed": 0},
            "batch_size": None,
            "seed": 0,
        }
    }
    before = short.objective()
    assert NetworkReference.model_validate(dumped) == short
    assert NetworkReference.model_validate_json(short.model_dump_json()) == short
    assert hash(NetworkReference.model_validate(dumped)) == hash(short)
    assert short.objective(17) is before
    assert (short.name, short.dim) == ("mlp", 17)
    given = network(layers=[1, 2, 1], dataset={"x": [[0], [1.5]], "y": [0.25, 3]})
    assert NetworkReference.model_validate_json(given.model_dump_json()) == given
    with pytest.raises(InvalidInput, match="17 parameters"):
        short.objective(2)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"loss": "bce", "activation": "relu"}, "sigmoid"),
        ({"loss": "cross_entropy", "layers": [2, 3, 2]}, "softmax"),
        ({"activation": "tanh"}, "tanh"),
        ({"loss": "half_sse"}, "sigmoid"),
        ({"layers": [1, 3, 1], "dataset": "sine"}, "identity"),
        ({"dataset": {"x": [[0, 1], [1, 0]], "y": [0, 1]}}, "sigmoid"),
        ({"dataset": {"x": [[0, 1], [1, 0]], "y": [0, 1.5]}}, "identity"),
        ({"activation": "tanh", "output_activation": "identity"}, "identity"),
    ],
)
def test_the_output_activation_follows_the_loss_and_the_data(fields: dict[str, Any], expected: str) -> None:
    assert network(**fields).mlp.output_activation == expected


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"layers": [3, 4, 1]}, ("mlp", "layers", 0), "2 inputs"),
        ({"layers": [2, 4, 3]}, ("mlp", "layers", 2), "2 classes"),
        ({"layers": [2, 4, 1], "dataset": "blobs"}, ("mlp", "layers", 2), "3 classes"),
        ({"layers": [2, 4, 1], "loss": "cross_entropy"}, ("mlp", "layers", 2), "at least 2"),
        ({"layers": [1, 4, 2], "dataset": "sine"}, ("mlp", "layers", 2), "one output"),
        ({"layers": [1, 4, 1], "dataset": "sine", "loss": "bce"}, ("mlp", "loss"), "bce needs classes"),
        ({"layers": [2]}, ("mlp", "layers"), "at least 2"),
        ({"layers": [2, 0, 1]}, ("mlp", "layers", 1), "greater"),
        ({"layers": [2, True, 1]}, ("mlp", "layers", 1), "integer"),
        ({"activation": "sigmod"}, ("mlp", "activation"), "did you mean sigmoid"),
        ({"activation": "softmax"}, ("mlp", "activation"), "unknown activation"),
        ({"loss": "hinge"}, ("mlp", "loss"), "unknown loss"),
        ({"loss": "bce", "output_activation": "tanh"}, ("mlp", "output_activation"), "sigmoid"),
        ({"output_activation": "softmax"}, ("mlp", "output_activation"), "cross_entropy"),
        ({"weight_init": "xavier"}, ("mlp", "weight_init"), "did you mean xavier"),
        ({"batch_size": 5}, ("mlp", "batch_size"), "4 samples"),
        ({"batch_size": 0}, ("mlp", "batch_size"), "greater"),
        ({"seed": -1}, ("mlp", "seed"), "greater"),
        ({"momentum": 1}, ("mlp", "momentum"), "Extra"),
        ({"dataset": "xnor"}, ("mlp", "dataset"), "did you mean xor"),
        ({"dataset": 3}, ("mlp", "dataset"), "give one of"),
        ({"dataset": {"name": "moon"}}, ("mlp", "dataset", "name"), "did you mean moons"),
        ({"dataset": {"name": "moons", "classes": 3}}, ("mlp", "dataset", "classes"), "2 classes"),
        ({"dataset": {"name": "moons", "noise": float("nan")}}, ("mlp", "dataset", "noise"), "finite"),
        ({"dataset": {"name": "moons", "n": 1}}, ("mlp", "dataset", "n"), "greater"),
        ({"dataset": {"name": "moons", "size": 1}}, ("mlp", "dataset", "size"), "Extra"),
        ({"dataset": {"x": [[0, 1]]}}, ("mlp", "dataset", "y"), "required"),
        ({"dataset": {"x": [[0, 1], [1]], "y": [0, 1]}}, ("mlp", "dataset", "x", 1), "1 numbers"),
        ({"dataset": {"x": [[0, 1], [1, 0]], "y": [0]}}, ("mlp", "dataset", "y"), "2 inputs but 1"),
        ({"dataset": {"x": [[0, 1], [1, 0]], "y": [0, "a"]}}, ("mlp", "dataset", "y", 1), "number"),
        ({"dataset": {"x": [[0, float("inf")]], "y": [0]}}, ("mlp", "dataset", "x", 0, 1), "finite"),
        ({"dataset": {"x": [[0, 1], []], "y": [0, 1]}}, ("mlp", "dataset", "x", 1), "0 numbers"),
        ({"dataset": {"x": [[]], "y": [0]}}, ("mlp", "dataset", "x"), "at least one"),
        ({"dataset": {"x": [], "y": []}}, ("mlp", "dataset", "x"), "at least one"),
        ({"dataset": {"x": [[0, 1]], "y": [[0, 1]]}}, ("mlp", "dataset", "y"), "2 outputs"),
        ({"dataset": {"x": [[0, 1]], "y": [2]}, "loss": "bce"}, ("mlp", "dataset", "y", 0), "from 0 to 1"),
        (
            {"dataset": {"x": [[0, 1]] * 2, "y": [0, 2]}, "loss": "cross_entropy", "layers": [2, 2]},
            ("mlp", "dataset", "y", 1),
            "from 0 to 1",
        ),
        (
            {"dataset": {"x": [[0, 1]], "y": [[0.5, 0.5]]}, "loss": "cross_entropy", "layers": [2, 2]},
            ("mlp", "dataset", "y", 0),
            "a one-hot list",
        ),
        (
            {"dataset": {"x": [[0, 1]], "y": [0.5]}, "loss": "cross_entropy", "layers": [2, 2]},
            ("mlp", "dataset", "y", 0),
            "a class",
        ),
    ],
)
def test_mismatches_are_rejected_with_their_path(
    fields: dict[str, Any], place: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        network(**fields)
    (issue,) = caught.value.errors()
    cause = issue.get("ctx", {}).get("error")
    path = (*issue["loc"], *(cause.path if isinstance(cause, InvalidInput) else ()))
    assert path == place
    assert words in issue["msg"]


def test_accuracy_counts_the_right_classes() -> None:
    of = objective(layers=[2, 1], activation="identity", dataset={"x": [[0, 0], [1, 0], [2, 0]], "y": [0, 1, 1]})
    points = torch.tensor([[1.0, 0, 0.0], [1.0, 0, -0.6], [0.0, 0, 0], [-1.0, 0, 0.6], [torch.nan, 0, 0]])
    assert of.accuracy(points).tolist() == pytest.approx([1, 2 / 3, 1 / 3, 0, 0])  # type: ignore[union-attr]
    assert of.accuracy(points[0]).item() == 1  # type: ignore[union-attr]
    three = objective(layers=[2, 3], dataset="blobs", loss="cross_entropy", activation="identity")
    centers = [[np.cos(angle), np.sin(angle)] for angle in 2 * np.pi * np.arange(3) / 3]
    best = torch.tensor([*np.array(centers).T.ravel(), 0, 0, 0])
    accuracy = three.accuracy(torch.stack([best, torch.zeros(9).double()]))
    assert accuracy is not None
    assert accuracy[0] > 0.98
    assert accuracy[1] == pytest.approx(1 / 3)
    assert objective(layers=[1, 2, 1], dataset="sine").accuracy(torch.zeros(7)) is None


def test_predictions_are_the_outputs() -> None:
    of = objective(layers=[2, 4, 3], dataset="blobs", loss="cross_entropy")
    points, (x, _) = torch.from_numpy(of.starts(3, 0)), samples_of(of)
    got = of.predict(points, x)
    for point, outputs in zip(points, got, strict=True):
        torch.testing.assert_close(outputs, torch_nets(of.architecture, point, x).softmax(dim=-1))


def test_xor_is_learned_from_nearly_every_start() -> None:
    of = objective(layers=[2, 4, 1], activation="silu", loss="bce")
    points = torch.from_numpy(of.starts(100, 0)).requires_grad_()
    optimizer = torch.optim.Adam([points], lr=0.1)
    for step in range(500):
        optimizer.zero_grad()
        of(points, step, np.arange(100)).sum().backward()  # type: ignore[no-untyped-call]  # torch ships no type
        optimizer.step()
    accuracy = of.accuracy(points)
    assert accuracy is not None
    assert (accuracy == 1).double().mean() >= 0.95
