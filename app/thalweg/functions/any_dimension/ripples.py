"""Functions of any dimension that are sums or products of oscillations of each coordinate."""

# ruff: noqa: D103 - where nothing is said, the facts above the function are its documentation

import math
from decimal import Decimal, localcontext

import torch

from thalweg.functions.base import function, row_product, row_sum
from thalweg.functions.minima import MinimaGrid, Minimum, listed

SURVEY = (
    "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, 2013, "
    "https://arxiv.org/abs/1308.4008"
)

# the solutions of sin x = -0.1, and 0
ALPINE_N1_ZEROS = (
    *(-9.32461053960782, -6.383352728341146, -3.0414252324282334, -0.1001674211615598),
    *(0.0, 3.241760074751353, 6.1830178860180265, 9.524945381930939),
)

# minimum and maximum of the factor of Alpine N. 2, with their values
LOWEST, DEPTH = 4.815842317845935, Decimal("-2.18276978467772197606700865417123979036")
HIGHEST, HEIGHT = 7.917052684666207, Decimal("2.80813118000700489938002836912271847023")


@function(
    title="Alpine N. 1",
    smooth=False,
    domain=((-10.0, 10.0),),
    minima=lambda dim: MinimaGrid((ALPINE_N1_ZEROS,) * dim, 0.0),
    formula=r"f(x) = \sum_{i=1}^{n} |x_i \sin x_i + 0.1 x_i|",
    source=(
        f"{SURVEY}; after M. Clerc, The swarm and the queen: towards a deterministic and adaptive particle swarm "
        "optimization, Proceedings of the Congress on Evolutionary Computation, 1999, pp. 1951-1957"
    ),
)
def alpine_n1(points: torch.Tensor) -> torch.Tensor:
    """Return the values; autograd takes 0 for the derivative of a coordinate's term at its kinks, where it is 0."""
    return row_sum(torch.abs(points * torch.sin(points) + 0.1 * points))


def _alpine_n2_minima(dim: int) -> tuple[Minimum, ...]:
    """Return a minimum for each position of the one coordinate with a negative factor."""
    with localcontext(prec=50):
        f = float(DEPTH * HEIGHT ** (dim - 1))
    return listed([[LOWEST if i == low else HIGHEST for i in range(dim)] for low in range(dim)], f)


@function(
    title="Alpine N. 2",
    max_dim=687,
    domain=((0.0, 10.0),),
    minima=_alpine_n2_minima,
    formula=r"f(x) = \prod_{i=1}^{n} \sqrt{x_i} \sin x_i",
    source=(
        "M. Clerc, The swarm and the queen: towards a deterministic and adaptive particle swarm optimization, "
        f"Proceedings of the Congress on Evolutionary Computation, 1999, pp. 1951-1957; minimized as in {SURVEY}"
    ),
)
def alpine_n2(points: torch.Tensor) -> torch.Tensor:
    """Return the values; the derivative of a factor at 0 is its limit, 0; below 0 the values are NaN."""
    inside = torch.where(points == 0, torch.finfo(points.dtype).tiny, points)
    return row_product(torch.sqrt(inside) * torch.sin(inside))


@function(
    title="Cosine mixture",
    domain=((-1.0, 1.0),),
    minima=lambda dim: (Minimum((0.0,) * dim, -dim / 10),),
    formula=r"f(x) = \sum_{i=1}^{n} x_i^2 - 0.1 \sum_{i=1}^{n} \cos(5 \pi x_i)",
    source=(
        "L. Breiman and A. Cutler, A deterministic algorithm for global optimization, Mathematical Programming 58, "
        "1993, pp. 179-199, there maximized; M. M. Ali, C. Khompatraporn and Z. B. Zabinsky, A numerical "
        "evaluation of several stochastic algorithms on selected continuous global optimization test problems, "
        "Journal of Global Optimization 31, 2005, pp. 635-672"
    ),
)
def cosine_mixture(points: torch.Tensor) -> torch.Tensor:
    return row_sum(points**2) - row_sum(torch.cos(5 * math.pi * points)) / 10
