"""Functions of any dimension dominated by an exponential."""

# ruff: noqa: D103 - where nothing is said, the facts above the function are its documentation

import torch

from thalweg.functions.base import everywhere, function, row_product, row_sum
from thalweg.functions.minima import Minimum

SURVEY = (
    "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, 2013, "
    "https://arxiv.org/abs/1308.4008"
)
YANG = "X.-S. Yang, Test problems in optimization, 2010, https://arxiv.org/abs/1008.0549"


@function(
    title="Exponential",
    domain=((-1.0, 1.0),),
    minima=lambda dim: (Minimum((0.0,) * dim, -1.0),),
    formula=r"f(x) = -\exp\left(-\frac{1}{2} \sum_{i=1}^{n} x_i^2\right)",
    source=(
        "L. Breiman and A. Cutler, A deterministic algorithm for global optimization, Mathematical Programming 58, "
        f"1993, pp. 179-199; {SURVEY}"
    ),
)
def exponential(points: torch.Tensor) -> torch.Tensor:
    return -torch.exp(-0.5 * row_sum(points**2))


@function(
    title="Wavy",
    domain=((-3.14159, 3.14159),),
    minima=everywhere(0.0),
    formula=r"f(x) = 1 - \frac{1}{n} \sum_{i=1}^{n} \cos(10 x_i) e^{-x_i^2 / 2}",
    source=(
        "P. Courrieu, The Hyperbell algorithm for global optimization: a random walk using Cauchy densities, "
        f"Journal of Global Optimization 10 (1), 1997, pp. 37-55; {SURVEY}, with k = 10"
    ),
)
def wavy(points: torch.Tensor) -> torch.Tensor:
    return row_sum(1 - torch.cos(10 * points) * torch.exp(-0.5 * points**2)) / points.shape[-1]


@function(
    title="Xin-She Yang N. 2",
    smooth=False,
    max_dim=701,
    domain=((-6.28319, 6.28319),),
    minima=everywhere(0.0),
    formula=r"f(x) = \left(\sum_{i=1}^{n} |x_i|\right) \exp\left(-\sum_{i=1}^{n} \sin(x_i^2)\right)",
    source=f"{YANG}; {SURVEY}",
)
def xin_she_yang_n2(points: torch.Tensor) -> torch.Tensor:
    """Return the values; autograd takes 0 for the derivative of the absolute value at its kink."""
    return row_sum(torch.abs(points)) * torch.exp(-row_sum(torch.sin(points**2)))


@function(
    title="Xin-She Yang N. 3",
    domain=((-6.28319, 6.28319),),
    minima=lambda dim: (Minimum((0.0,) * dim, -1.0),),
    formula=(
        r"f(x) = \exp\left(-\sum_{i=1}^{n} (x_i / \beta)^{2m}\right) "
        r"- 2 \exp\left(-\sum_{i=1}^{n} x_i^2\right) \prod_{i=1}^{n} \cos^2 x_i, \quad \beta = 15, \quad m = 5"
    ),
    source=f"{YANG}; {SURVEY}, with m = 5",
)
def xin_she_yang_n3(points: torch.Tensor) -> torch.Tensor:
    square = points**2
    part = square / 225
    plain = torch.exp(-row_sum((part**2) ** 2 * part))
    return plain - 2 * torch.exp(-row_sum(square)) * row_product(torch.cos(points)) ** 2


@function(
    title="Xin-She Yang N. 4",
    smooth=False,
    domain=((-10.0, 10.0),),
    minima=lambda dim: (Minimum((0.0,) * dim, -1.0),),
    formula=(
        r"f(x) = \left[\sum_{i=1}^{n} \sin^2 x_i - \exp\left(-\sum_{i=1}^{n} x_i^2\right)\right] "
        r"\exp\left(-\sum_{i=1}^{n} \sin^2 \sqrt{|x_i|}\right)"
    ),
    source=f"{YANG}; {SURVEY}",
)
def xin_she_yang_n4(points: torch.Tensor) -> torch.Tensor:
    """Return the values; autograd takes 0 for the derivative at a kink, where a coordinate is 0."""
    roots = torch.sqrt(torch.clamp(torch.abs(points), min=torch.finfo(points.dtype).tiny))
    wells = row_sum(torch.sin(points) ** 2) - torch.exp(-row_sum(points**2))
    return wells * torch.exp(-row_sum(torch.sin(roots) ** 2))
