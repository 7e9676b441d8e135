"""Targets of a network, from classes or numbers, as its loss requires."""

from typing import Any

import numpy as np

from thalweg.errors import InvalidInput
from thalweg.functions.networks.architecture import Architecture
from thalweg.functions.networks.datasets import Samples


def check_classes(architecture: Architecture, classes: int) -> None:
    """Check that the number of outputs fits the number of classes.

    Raises:
        InvalidInput: It does not.
    """
    n_outputs = architecture.layers[-1]
    if n_outputs == classes or (classes == 2 and n_outputs == 1 and architecture.loss != "cross_entropy"):
        return
    one = ", or 1" if classes == 2 and architecture.loss != "cross_entropy" else ""
    raise InvalidInput(
        f"the data set has {classes} classes, but the last layer has {n_outputs} nodes: use {classes}{one}",
        "layers",
        len(architecture.layers) - 1,
    )


def targets(architecture: Architecture, samples: Samples) -> np.ndarray:
    """Return the targets of samples that fit the network, float64, `(n, n_outputs)`.

    Classes become 0 and 1 for a single output, and one-hot rows for several.
    """
    if samples.classes is None:
        return samples.y.astype(np.float64)
    n_outputs = architecture.layers[-1]
    if n_outputs == 1:
        return samples.y[:, None].astype(np.float64)
    one_hot = np.zeros((len(samples.y), n_outputs))
    one_hot[np.arange(len(samples.y)), samples.y] = 1.0
    return one_hot


def given_samples(architecture: Architecture, x: np.ndarray, y: np.ndarray) -> Samples:
    """Return samples given by a client, with classes if y can be interpreted so.

    Args:
        architecture: The network.
        x: Inputs, `(n, n_inputs)`.
        y: Outputs, `(n, k)`; for cross_entropy also class indices, `(n, 1)`.

    Raises:
        InvalidInput: y does not fit the loss; the path starts at y.
    """
    n_outputs = architecture.layers[-1]
    if architecture.loss == "cross_entropy":
        classes = y[:, 0] if y.shape[1] == 1 else _of_one_hot(y, n_outputs)
        _check_each(
            (classes >= 0) & (classes < n_outputs) & (classes == np.floor(classes)),
            f"cross_entropy takes a class from 0 to {n_outputs - 1}, or a one-hot list of {n_outputs} numbers",
        )
        return Samples(x, classes.astype(np.int64), n_outputs)
    if y.shape[1] != n_outputs:
        raise InvalidInput(
            f"each sample has {y.shape[1]} outputs, but the last layer has {n_outputs} nodes: give one per node",
            "y",
        )
    if architecture.loss == "bce":
        _check_each(np.all((y >= 0) & (y <= 1), axis=1), "bce takes numbers from 0 to 1")
    if n_outputs == 1 and np.isin(y, (0, 1)).all():
        return Samples(x, y[:, 0].astype(np.int64), 2)
    if n_outputs > 1 and (_of_one_hot(y, n_outputs) >= 0).all():
        return Samples(x, y.argmax(axis=1), n_outputs)
    return Samples(x, y, None)


def _of_one_hot(y: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the class of each row, -1 if it is not one-hot."""
    if y.shape[1] != n_classes:
        return np.full(len(y), -1)
    is_one_hot = np.isin(y, (0, 1)).all(axis=1) & (y.sum(axis=1) == 1)
    return np.where(is_one_hot, y.argmax(axis=1), -1)


def _check_each(right: Any, wanted: str) -> None:
    if not right.all():
        raise InvalidInput(wanted, "y", int(np.flatnonzero(~right)[0]))
