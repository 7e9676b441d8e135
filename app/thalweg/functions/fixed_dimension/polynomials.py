"""Polynomials of four coordinates. Fourth powers are squares of squares, the same in any batch."""

# ruff: noqa: D103 - the facts above each function are its documentation

from itertools import permutations

import torch

from thalweg.functions.base import function, row_sum
from thalweg.functions.minima import Minimum, listed


@function(
    title="Colville",
    dim=4,
    domain=((-10.0, 10.0),) * 4,
    minima=(Minimum((1.0, 1.0, 1.0, 1.0), 0.0),),
    formula=(
        r"f(x) = 100 (x_1^2 - x_2)^2 + (x_1 - 1)^2 + (x_3 - 1)^2 + 90 (x_3^2 - x_4)^2 "
        r"+ 10.1 \left[(x_2 - 1)^2 + (x_4 - 1)^2\right] + 19.8 (x_2 - 1)(x_4 - 1)"
    ),
    source=(
        "A. R. Colville, A comparative study on nonlinear programming codes, Report 320-2949, IBM New York "
        "Scientific Center, 1968; with the squares of x1 and x3 as https://www.sfu.ca/~ssurjano/colville.html"
    ),
)
def colville(points: torch.Tensor) -> torch.Tensor:
    x, y, z, w = points.unbind(-1)
    valleys = 100 * (x**2 - y) ** 2 + (x - 1) ** 2 + (z - 1) ** 2 + 90 * (z**2 - w) ** 2
    return valleys + 10.1 * ((y - 1) ** 2 + (w - 1) ** 2) + 19.8 * (y - 1) * (w - 1)


@function(
    title="Power sum",
    dim=4,
    domain=((0.0, 4.0),) * 4,
    minima=listed(sorted(set(permutations((1.0, 2.0, 2.0, 3.0)))), 0.0),
    formula=(
        r"f(x) = \sum_{k=1}^{4} \left[\left(\sum_{i=1}^{4} x_i^k\right) - b_k\right]^2, \quad b = (8, 18, 44, 114)"
    ),
    source=(
        "A. Neumaier, collection of global optimization test problems, University of Vienna; "
        "M. Molga and C. Smutnicki, Test functions for optimization needs, 2005; "
        "https://www.sfu.ca/~ssurjano/powersum.html"
    ),
)
def power_sum(points: torch.Tensor) -> torch.Tensor:
    square = points**2
    powers = (points, square, square * points, square**2)
    first, second, third, fourth = (row_sum(power) for power in powers)
    return (first - 8) ** 2 + (second - 18) ** 2 + (third - 44) ** 2 + (fourth - 114) ** 2
