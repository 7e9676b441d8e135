"""Schaffer's functions of the plane: a wave in [0, 1], and the further out, the weaker it is and the nearer to 1/2.

All are added up from terms that are not negative, so that small values have all their digits.
"""

# ruff: noqa: D103 - the facts above each function are its documentation

import torch

from thalweg.functions.base import function
from thalweg.functions.minima import Minimum, listed

_DOMAIN = ((-100.0, 100.0), (-100.0, 100.0))
_FORMULA = r"f(x, y) = \frac{1}{2} + \frac{%s - \frac{1}{2}}{\left[1 + 0.001 (x^2 + y^2)\right]^2}"
_SOURCE = (
    "J. D. Schaffer, R. A. Caruana, L. J. Eshelman and R. Das, A study of control parameters affecting online "
    "performance of genetic algorithms for function optimization, Third International Conference on Genetic "
    "Algorithms, 1989, pp. 51-60; "
)
_JAMIL_YANG = (
    "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, "
    "2013, https://arxiv.org/abs/1308.4008"
)
_MISHRA = (
    "S. K. Mishra, Some new test functions for global optimization and performance of repulsive particle swarm "
    "method, 2006, https://mpra.ub.uni-muenchen.de/2718/"
)


def _fading(wave: torch.Tensor, square: torch.Tensor) -> torch.Tensor:
    """Return 1/2 + (wave - 1/2) / (1 + square / 1000)^2, without cancellation."""
    growth = square / 1000
    strength = 1 / (1 + growth)
    return wave * strength**2 + 0.5 * (growth * strength) * (1 + strength)


@function(
    title="Schaffer N. 1",
    dim=2,
    domain=_DOMAIN,
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=_FORMULA % r"\sin^2\left[(x^2 + y^2)^2\right]",
    source=f"{_SOURCE}this one as {_JAMIL_YANG}",
)
def schaffer_n1(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    square = x**2 + y**2
    return _fading(torch.sin(square**2) ** 2, square)


@function(
    title="Schaffer N. 1, as in SciPy",
    dim=2,
    domain=_DOMAIN,
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=_FORMULA % r"\sin^2(x^2 + y^2)",
    source=(
        f"{_SOURCE}this one as Schaffer01 of go_benchmark_functions, the global optimization benchmarks in the "
        "source of SciPy, after A. Gavana, 2013"
    ),
)
def schaffer_n1_scipy(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    square = x**2 + y**2
    return _fading(torch.sin(square) ** 2, square)


@function(
    title="Schaffer N. 2",
    dim=2,
    domain=_DOMAIN,
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=_FORMULA % r"\sin^2(x^2 - y^2)",
    source=f"{_SOURCE}this one as {_MISHRA}; https://www.sfu.ca/~ssurjano/schaffer2.html",
)
def schaffer_n2(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    xx, yy = x**2, y**2
    return _fading(torch.sin(xx - yy) ** 2, xx + yy)


@function(
    title="Schaffer N. 3",
    dim=2,
    domain=_DOMAIN,
    minima=listed(
        [
            (0.0, 1.2531149631200684),
            (0.0, -1.2531149631200684),
            (1.2531149631200684, 0.0),
            (-1.2531149631200684, 0.0),
        ],
        0.0015668545260041698,
    ),
    formula=_FORMULA % r"\sin^2\left(\cos\left|x^2 - y^2\right|\right)",
    source=f"{_SOURCE}this one as {_MISHRA}; {_JAMIL_YANG}",
)
def schaffer_n3(points: torch.Tensor) -> torch.Tensor:
    """Return the values; the cosine is even, so |x^2 - y^2| leaves no kink."""
    x, y = points.unbind(-1)
    xx, yy = x**2, y**2
    return _fading(torch.sin(torch.cos(xx - yy)) ** 2, xx + yy)


@function(
    title="Schaffer N. 4",
    dim=2,
    domain=_DOMAIN,
    minima=listed(
        [
            (0.0, 1.2531318314637332),
            (0.0, -1.2531318314637332),
            (1.2531318314637332, 0.0),
            (-1.2531318314637332, 0.0),
        ],
        0.29257863203598056,
    ),
    formula=_FORMULA % r"\cos^2\left(\sin\left|x^2 - y^2\right|\right)",
    source=f"{_SOURCE}this one as {_MISHRA}; {_JAMIL_YANG}",
)
def schaffer_n4(points: torch.Tensor) -> torch.Tensor:
    """Return the values; the outer cosine is even, so |x^2 - y^2| leaves no kink."""
    x, y = points.unbind(-1)
    xx, yy = x**2, y**2
    return _fading(torch.cos(torch.sin(xx - yy)) ** 2, xx + yy)
