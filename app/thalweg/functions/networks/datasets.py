"""Generated data sets by name, with seed, size and noise. Adding one is one entry."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

Generator = np.random.Generator


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples to train on.

    Attributes:
        x: Inputs, float64, `(n, n_inputs)`.
        y: Class indices from 0, `(n,)`, or outputs, float64, `(n, n_outputs)`.
        classes: Number of classes; None for regression.
    """

    x: np.ndarray
    y: np.ndarray
    classes: int | None


@dataclass(frozen=True, slots=True)
class GeneratedDataset:
    """A generator of samples and its defaults.

    Attributes:
        title: A description.
        n_inputs: Dimension of an input.
        n: Default number of samples.
        noise: Default standard deviation of the normal noise, which is added to the inputs of classes, or to the
            output for regression.
        classes: Default number of classes; None for regression.
        any_classes: Whether the number of classes can be chosen.
        generate: Maps number of samples, number of classes and a random generator to inputs without noise, and y.
    """

    title: str
    n_inputs: int
    n: int
    noise: float
    classes: int | None
    generate: Callable[[int, int, Generator], tuple[np.ndarray, np.ndarray]]
    any_classes: bool = False

    @property
    def output_activation(self) -> str | None:
        """The default output activation; None for that of the hidden layers."""
        return output_activation_for(self.classes)


def output_activation_for(classes: int | None) -> str | None:
    """Return the default output activation; None for that of the hidden layers."""
    return "identity" if classes is None else None


def generated(name: str, n: int, noise: float, classes: int | None, seed: int) -> Samples:
    """Return `n` samples of a data set; sizes of classes differ by at most one.

    Args:
        name: A name in `DATASETS`.
        n: Number of samples.
        noise: The standard deviation of the noise.
        classes: Number of classes; None for regression.
        seed: From 0 to 2^64 - 1.
    """
    entry = DATASETS[name]
    generator = np.random.Generator(np.random.Philox(key=seed))
    x, y = entry.generate(n, classes or 0, generator)
    if classes is None:
        return Samples(x, y + noise * generator.standard_normal(y.shape), None)
    return Samples(x + noise * generator.standard_normal(x.shape), y, classes)


def _along(n: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n alternating labels, and each sample's relative position within its class, from 0 to 1."""
    label = np.arange(n) % classes
    of_class = np.bincount(label, minlength=classes)
    return label, np.arange(n) // classes / np.maximum(of_class[label] - 1, 1)


def _on_circle(angle: np.ndarray, radius: np.ndarray | float) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def _xor(n: int, _classes: int, _generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    corner = np.arange(n) % 4
    a, b = corner // 2, corner % 2
    return np.stack([a, b], axis=-1).astype(np.float64), a ^ b


def _moons(n: int, classes: int, _generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    label, along = _along(n, classes)
    upper = _on_circle(np.pi * along, 1.0)
    return np.where(label[:, None] == 0, upper, np.array([1.0, 0.5]) - upper), label


def _circles(n: int, classes: int, _generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    label, _ = _along(n, classes)
    of_class = np.bincount(label, minlength=classes)
    angle = 2 * np.pi * (np.arange(n) // classes) / of_class[label]
    return _on_circle(angle, np.where(label == 0, 1.0, 0.5)), label


def _spiral(n: int, classes: int, _generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    label, along = _along(n, classes)
    return _on_circle(2 * np.pi * label / classes + 1.5 * np.pi * along, 0.05 + 0.95 * along), label


def _blobs(n: int, classes: int, _generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    label = np.arange(n) % classes
    return _on_circle(2 * np.pi * label / classes, 1.0), label


def _sine(n: int, _classes: int, generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    x = np.sort(generator.uniform(-1.0, 1.0, (n, 1)), axis=0)
    return x, np.sin(math.pi * x)


DATASETS: Final[Mapping[str, GeneratedDataset]] = {
    "xor": GeneratedDataset("the corners of a square, opposite corners alike", 2, 4, 0.0, 2, _xor),
    "moons": GeneratedDataset("two interleaving half circles", 2, 200, 0.1, 2, _moons),
    "circles": GeneratedDataset("two concentric circles, one of half the radius", 2, 200, 0.05, 2, _circles),
    "spiral": GeneratedDataset(
        "spiral arms of three quarters of a turn", 2, 200, 0.02, 2, _spiral, any_classes=True
    ),
    "blobs": GeneratedDataset("normal clouds around points on a circle", 2, 150, 0.25, 3, _blobs, any_classes=True),
    "sine": GeneratedDataset("sin(pi x) for x between -1 and 1", 1, 100, 0.0, None, _sine),
}
