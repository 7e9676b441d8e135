"""Data sets, mini-batches and initial weights of networks."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.unit.nets import network, objective, samples_of
from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.datasets import DATASETS, Samples
from thalweg.functions.networks.minibatches import Minibatches
from thalweg.functions.networks.network import GeneratedData
from thalweg.functions.networks.targets import targets
from thalweg.functions.networks.weights import WEIGHT_INITS


def samples(name: str, **fields: Any) -> Samples:
    layers = {"sine": [1, 2, 1], "blobs": [2, 2, 3]}.get(name, [2, 2, 1])
    if "classes" in fields:
        layers[-1] = fields["classes"]
    mlp = network(layers=layers, dataset={"name": name, **fields}).mlp
    return mlp.dataset.samples(mlp)


def test_targets_of_many_outputs_take_no_extra_memory() -> None:
    y = np.array([7, 0, 99_999])
    found = targets(Architecture(layers=(1, 100_000), loss="cross_entropy"), Samples(np.zeros((3, 1)), y, 100_000))
    np.testing.assert_array_equal(found.argmax(axis=1), y)
    assert found.sum() == 3


def test_too_many_targets_are_rejected() -> None:
    dataset = {"x": [[0.0]] * 1000, "y": [0] * 1000}
    with pytest.raises(ValidationError, match="1000 samples of 10001 outputs are 10001000 targets"):
        network(layers=(1, 10_001), loss="cross_entropy", dataset=dataset)


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_has_the_requested_size_and_classes(name: str) -> None:
    entry = DATASETS[name]
    for n in (2, 7, 100):
        got = samples(name, n=n, noise=0.2)
        assert got.x.shape == (n, entry.n_inputs)
        assert len(got.y) == n
        assert np.isfinite(got.x).all()
        assert got.classes == entry.classes
    assert len(samples(name).x) == entry.n
    if entry.classes is not None:
        counts = np.bincount(samples(name, n=101).y, minlength=entry.classes)
        assert counts.sum() == 101
        assert counts.max() - counts.min() <= (1 if name != "xor" else 2)


@pytest.mark.parametrize("name", DATASETS)
def test_a_seed_is_a_data_set(name: str) -> None:
    one, same, other = (samples(name, n=40, noise=0.1, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.x, same.x)
    assert np.array_equal(one.y, same.y)
    assert not (np.array_equal(one.x, other.x) and np.array_equal(one.y, other.y))


@pytest.mark.parametrize("name", DATASETS)
def test_noise_has_its_standard_deviation(name: str) -> None:
    still, noisy = (samples(name, n=20_000, noise=noise, seed=1) for noise in (0.0, 0.3))
    if DATASETS[name].classes is None:
        assert np.array_equal(still.x, noisy.x)
        moved = noisy.y - still.y
    else:
        assert np.array_equal(still.y, noisy.y)
        moved = noisy.x - still.x
    assert moved.std() == pytest.approx(0.3, rel=0.03)
    assert np.abs(moved.mean(axis=0)).max() < 0.01


def test_shapes_without_noise() -> None:
    xor = samples("xor")
    assert (xor.x.tolist(), xor.y.tolist()) == ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    circles = samples("circles", noise=0.0)
    np.testing.assert_allclose(np.hypot(*circles.x.T), np.where(circles.y == 0, 1.0, 0.5))
    moons = samples("moons", noise=0.0)
    np.testing.assert_allclose(np.hypot(*moons.x[moons.y == 0].T), 1)
    np.testing.assert_allclose(np.hypot(*(moons.x[moons.y == 1] - [1, 0.5]).T), 1)
    assert moons.x[moons.y == 0][:, 1].min() > -1e-9
    assert moons.x[moons.y == 1][:, 1].max() < 0.5 + 1e-9
    blobs = samples("blobs", noise=0.0, classes=5)
    assert len(np.unique(blobs.x.round(9), axis=0)) == 5
    sine = samples("sine")
    np.testing.assert_allclose(sine.y, np.sin(np.pi * sine.x))
    assert np.abs(sine.x).max() <= 1
    arms = samples("spiral", noise=0.0, classes=3)
    ends = [arms.x[arms.y == label][-1] for label in range(3)]
    np.testing.assert_allclose(np.linalg.norm(ends, axis=1), 1)


def test_classes_become_targets() -> None:
    one = samples_of(objective(layers=[2, 2, 1]))[1]
    assert one.tolist() == [[0], [1], [1], [0]]
    two = samples_of(objective(layers=[2, 2, 2]))[1]
    assert two.tolist() == [[1, 0], [0, 1], [0, 1], [1, 0]]
    numbers = {"x": [[0], [1], [2]], "y": [2, 0, 1]}
    rows = {"x": [[0], [1], [2]], "y": [[0, 0, 1], [1, 0, 0], [0, 1, 0]]}
    for dataset in (numbers, rows):
        of = objective(layers=[1, 3], loss="cross_entropy", dataset=dataset)
        assert samples_of(of)[1].tolist() == rows["y"]
        assert of.classes == 3
    assert objective(layers=[1, 3], dataset=rows).classes == 3
    assert objective(layers=[1, 1], dataset={"x": [[0], [1]], "y": [[0], [0.5]]}).classes is None
    assert objective(layers=[1, 2], dataset={"x": [[0], [1]], "y": [[1, 1], [0, 1]]}).classes is None


@pytest.mark.parametrize(("n", "size"), [(10, 3), (12, 4), (7, 7), (5, 1), (1000, 33)])
def test_every_epoch_sees_each_sample_once(n: int, size: int) -> None:
    batches, runs = Minibatches(n, size, 9), np.array([0, 1, 2, 50])
    per_epoch = -(-n // size)
    orders = []
    for epoch in range(3):
        drawn = [batches.at(epoch * per_epoch + k, runs) for k in range(per_epoch)]
        assert all(batch.shape[1] == size for batch in drawn[:-1])
        order = np.concatenate(drawn, axis=1)
        assert np.array_equal(np.sort(order, axis=1), np.tile(np.arange(n), (4, 1)))
        orders.extend(order.tolist())
    if n > 5:
        assert len({tuple(order) for order in orders}) == len(orders)


def test_a_batch_depends_on_seed_run_and_step_only() -> None:
    runs = np.arange(40)
    whole = {step: Minibatches(30, 4, 5).at(step, runs) for step in (0, 1, 8, 1000)}
    one = Minibatches(30, 4, 5)
    for some in ([0], [39], [3, 4, 20, 21, 22]):
        for step in (1000, 0, 8, 1):
            assert np.array_equal(one.at(step, np.array(some)), whole[step][some])
    assert not np.array_equal(Minibatches(30, 4, 6).at(0, runs), whole[0])
    # every sample is as likely as any other to be in the first batch
    first = Minibatches(30, 3, 0).at(0, np.arange(20_000))
    counts = np.bincount(first.ravel(), minlength=30)
    assert np.abs(counts / 2000 - 1).max() < 0.1


def test_a_step_uses_its_mini_batch() -> None:
    of = objective(layers=[2, 3, 1], dataset={"name": "moons", "n": 20}, batch_size=6)
    points = torch.from_numpy(of.starts(3, 0))
    runs = np.array([0, 2, 7])
    x, y = samples_of(of)
    for step in (0, 3, 4, 50):
        drawn = Minibatches(20, 6, 0).at(step, runs)
        for point, value, rows in zip(points, of(points, step, runs), drawn, strict=True):
            expected = ((of.predict(point[None], x[rows])[0] - y[rows]) ** 2).mean()
            torch.testing.assert_close(value, expected)
    assert torch.equal(of(points, 0), of(points, 3))
    torch.testing.assert_close(of(points), ((of.predict(points, x) - y) ** 2).mean(dim=(1, 2)))
    whole = objective(layers=[2, 3, 1], dataset={"name": "moons", "n": 20}, batch_size=20)
    assert torch.equal(whole(points, 3, runs), of(points))


@pytest.mark.parametrize("name", WEIGHT_INITS)
def test_starts_have_their_distribution(name: str) -> None:
    of = objective(layers=[2, 30, 20, 1], weight_init=name)
    drawn = of.starts(400, 7)
    assert np.array_equal(of.starts(3, 7), drawn[:3])
    assert not np.array_equal(of.starts(3, 8), drawn[:3])
    entry = WEIGHT_INITS[name]
    cuts = np.cumsum([rows * columns for rows, columns in of.matrix_shapes])[:-1]
    for part, (rows, columns) in zip(np.split(drawn, cuts, axis=1), of.matrix_shapes, strict=True):
        matrices = part.reshape(-1, rows, columns)
        weights, biases = matrices[:, :-1], matrices[:, -1]
        scale = entry.scale(rows - 1, columns)
        std = scale / np.sqrt(3) if entry.kind == "uniform" else scale
        assert weights.std() == pytest.approx(std, rel=0.05)
        assert abs(weights.mean()) < 0.1 * std
        assert np.abs(weights).max() <= scale or entry.kind == "normal"
        if entry.biases:
            assert biases.std() == pytest.approx(std, rel=0.15)
        else:
            assert not biases.any()


@pytest.mark.parametrize(
    ("name", "fill"),
    [
        ("xavier_uniform", torch.nn.init.xavier_uniform_),
        ("xavier_normal", torch.nn.init.xavier_normal_),
        ("he_uniform", lambda weight: torch.nn.init.kaiming_uniform_(weight, nonlinearity="relu")),
        ("he_normal", lambda weight: torch.nn.init.kaiming_normal_(weight, nonlinearity="relu")),
        ("torch", lambda weight: weight),
    ],
)
def test_distributions_are_as_wide_as_torchs(name: str, fill: Any) -> None:
    torch.manual_seed(0)
    theirs = torch.nn.Linear(300, 200)
    with torch.no_grad():
        fill(theirs.weight)
    scale = WEIGHT_INITS[name].scale(300, 200)
    if WEIGHT_INITS[name].kind == "uniform":
        assert theirs.weight.abs().max().item() == pytest.approx(scale, rel=1e-3)
    else:
        assert theirs.weight.std().item() == pytest.approx(scale, rel=0.02)


def test_defaults_of_generated_data() -> None:
    filled = GeneratedData(name="blobs", n=9)
    assert (filled.n, filled.noise, filled.classes, filled.seed) == (9, DATASETS["blobs"].noise, 3, 0)
    assert GeneratedData.model_validate(filled.model_dump()) == filled
