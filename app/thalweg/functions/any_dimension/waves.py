"""Differentiable functions of any dimension with sines and cosines."""

# ruff: noqa: D103 - the facts above each function are its documentation

import math

import torch

from thalweg.functions.base import everywhere, function, row_sum


@function(
    title="Rastrigin",
    domain=((-5.12, 5.12),),
    minima=everywhere(0.0),
    formula=r"f(x) = 10n + \sum_{i=1}^{n} \left[x_i^2 - 10 \cos(2 \pi x_i)\right]",
    source=(
        "L. A. Rastrigin, Systems of Extremal Control, Nauka, 1974; n dimensions by H. Muhlenbein, "
        "M. Schomisch and J. Born, The parallel genetic algorithm as function optimizer, Parallel Computing "
        "17, 1991, pp. 619-632; https://www.sfu.ca/~ssurjano/rastr.html"
    ),
)
def rastrigin(points: torch.Tensor) -> torch.Tensor:
    return 10 * points.shape[-1] + row_sum(points**2 - 10 * torch.cos(2 * math.pi * points))
