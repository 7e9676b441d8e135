"""Distributions of initial weights by name. Adding one is one entry."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np


@dataclass(frozen=True, slots=True)
class WeightInit:
    """A distribution of the weights between two layers, centered at 0.

    Attributes:
        kind: Uniform or normal.
        scale: Maps the numbers of nodes before and after to the bound of a uniform distribution, or the standard
            deviation of a normal one.
        biases: Whether biases are drawn from it, too; otherwise they are 0.
        source: The publication.
    """

    kind: Literal["uniform", "normal"]
    scale: Callable[[int, int], float]
    source: str
    biases: bool = False


_GLOROT = "Glorot, Bengio: Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010"
_HE = "He, Zhang, Ren, Sun: Delving deep into rectifiers, ICCV 2015"
_LECUN = "LeCun, Bottou, Orr, Müller: Efficient BackProp, 1998"

WEIGHT_INITS: Final[Mapping[str, WeightInit]] = {
    "torch": WeightInit("uniform", lambda n_in, _: 1 / math.sqrt(n_in), "torch.nn.Linear", biases=True),
    "xavier_uniform": WeightInit("uniform", lambda n_in, n_out: math.sqrt(6 / (n_in + n_out)), _GLOROT),
    "xavier_normal": WeightInit("normal", lambda n_in, n_out: math.sqrt(2 / (n_in + n_out)), _GLOROT),
    "he_uniform": WeightInit("uniform", lambda n_in, _: math.sqrt(6 / n_in), _HE),
    "he_normal": WeightInit("normal", lambda n_in, _: math.sqrt(2 / n_in), _HE),
    "lecun_uniform": WeightInit("uniform", lambda n_in, _: math.sqrt(3 / n_in), _LECUN),
    "lecun_normal": WeightInit("normal", lambda n_in, _: 1 / math.sqrt(n_in), _LECUN),
    "uniform": WeightInit("uniform", lambda _n_in, _n_out: 1.0, "between -1 and 1", biases=True),
    "normal": WeightInit("normal", lambda _n_in, _n_out: 1.0, "the standard normal distribution", biases=True),
}


def draw(weight_init: str, shapes: tuple[tuple[int, int], ...], n: int, seed: int) -> np.ndarray:
    """Return parameters of `n` networks, float64, `(n, dim)`; row k does not depend on `n`.

    Args:
        weight_init: A name in `WEIGHT_INITS`.
        shapes: Shapes of the matrices of each layer's weights, with biases in the last row.
        n: Number of networks.
        seed: From 0 to 2^64 - 1.
    """
    entry = WEIGHT_INITS[weight_init]
    scales = []
    for n_rows, n_out in shapes:
        matrix = np.full((n_rows, n_out), entry.scale(n_rows - 1, n_out))
        if not entry.biases:
            matrix[-1] = 0.0
        scales.append(matrix.ravel())
    scale = np.concatenate(scales)
    generator = np.random.Generator(np.random.Philox(key=seed))
    size = (n, len(scale))
    unit = generator.uniform(-1.0, 1.0, size) if entry.kind == "uniform" else generator.standard_normal(size)
    drawn: np.ndarray = unit * scale
    return drawn
