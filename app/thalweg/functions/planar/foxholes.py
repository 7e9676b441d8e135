"""Functions of two coordinates: a plain with narrow holes."""

# ruff: noqa: D103 - the facts above each function are its documentation

import torch

from thalweg.functions.base import constants, function, row_sum
from thalweg.functions.minima import Minimum

_PLACES = (-32.0, -16.0, 0.0, 16.0, 32.0)


@function(
    title="De Jong N. 5",
    dim=2,
    domain=((-65.536, 65.536), (-65.536, 65.536)),
    minima=(Minimum((-31.97833483565697, -31.978334837300796), 0.9980038377944502),),
    formula=(
        r"f(x, y) = \left[0.002 + \sum_{i=1}^{25} \frac{1}{i + (x - a_i)^6 + (y - b_i)^6}\right]^{-1}, "
        r"\quad a_i = 16 \left((i - 1) \bmod 5\right) - 32, "
        r"\quad b_i = 16 \left\lfloor \frac{i - 1}{5} \right\rfloor - 32"
    ),
    source=(
        "K. A. De Jong, An analysis of the behavior of a class of genetic adaptive systems, PhD thesis, "
        "University of Michigan, 1975, after J. Shekel, Test functions for multimodal search techniques, Fifth "
        "Annual Princeton Conference on Information Science and Systems, 1971; "
        "https://www.sfu.ca/~ssurjano/dejong5.html"
    ),
)
def de_jong_n5(points: torch.Tensor) -> torch.Tensor:
    across, up = constants(_PLACES * 5, points), constants([b for b in _PLACES for _ in _PLACES], points)
    depths = constants([float(i) for i in range(1, 26)], points)
    beside = (points[..., 0:1] - across) ** 2
    above = (points[..., 1:2] - up) ** 2
    return 1 / (0.002 + row_sum(1 / (depths + beside**3 + above**3)))
