"""Test functions of any dimension. Fourth powers are squares of squares, for equal bits."""

# ruff: noqa: D103 - the facts above each function are its documentation

import math

import torch

from app.functions.base import everywhere, function, row_norm, row_sum


@function(
    title="Sphere",
    domain=((-5.12, 5.12),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} x_i^2",
    source=(
        "K. A. De Jong, An analysis of the behavior of a class of genetic adaptive systems, PhD thesis, "
        "University of Michigan, 1975; https://www.sfu.ca/~ssurjano/spheref.html"
    ),
)
def sphere(points: torch.Tensor) -> torch.Tensor:
    return row_sum(points**2)


@function(
    title="Rosenbrock",
    min_dim=2,
    domain=((-5.0, 10.0),),
    minima=everywhere(1.0),
    formula=r"f(x) = \sum_{i=1}^{n-1} \left[100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2\right]",
    source=(
        "H. H. Rosenbrock, An automatic method for finding the greatest or least value of a function, "
        "The Computer Journal 3 (3), 1960, pp. 175-184, https://doi.org/10.1093/comjnl/3.3.175; "
        "n dimensions as https://www.sfu.ca/~ssurjano/rosen.html"
    ),
)
def rosenbrock(points: torch.Tensor) -> torch.Tensor:
    x, after = points[..., :-1], points[..., 1:]
    return row_sum(100 * (after - x**2) ** 2 + (1 - x) ** 2)


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


@function(
    title="Ackley",
    smooth=False,
    domain=((-32.768, 32.768),),
    minima=everywhere(0.0),
    formula=(
        r"f(x) = -20 \exp\left(-0.2 \sqrt{\frac{1}{n} \sum_{i=1}^{n} x_i^2}\right) "
        r"- \exp\left(\frac{1}{n} \sum_{i=1}^{n} \cos(2 \pi x_i)\right) + 20 + e"
    ),
    source=(
        "D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing, Kluwer, 1987; n dimensions by "
        "T. Back, Evolutionary Algorithms in Theory and Practice, Oxford University Press, 1996; "
        "https://www.sfu.ca/~ssurjano/ackley.html"
    ),
)
def ackley(points: torch.Tensor) -> torch.Tensor:
    """Return Ackley's values; the cone's tip at 0 has no gradient, and autograd takes 0 for it."""
    n = points.shape[-1]
    cone = -20 * torch.exp(-0.2 * (row_norm(points) / math.sqrt(n)))
    ripples = -torch.exp(row_sum(torch.cos(2 * math.pi * points)) / n)
    return cone + ripples + 20 + math.e


@function(
    title="Styblinski-Tang",
    domain=((-5.0, 5.0),),
    minima=everywhere(-2.903534027771177, -39.16616570377141),
    formula=r"f(x) = \frac{1}{2} \sum_{i=1}^{n} \left(x_i^4 - 16x_i^2 + 5x_i\right)",
    source=(
        "M. A. Styblinski and T.-S. Tang, Experiments in nonconvex optimization: stochastic approximation "
        "with function smoothing and simulated annealing, Neural Networks 3 (4), 1990, pp. 467-483; "
        "https://www.sfu.ca/~ssurjano/stybtang.html"
    ),
)
def styblinski_tang(points: torch.Tensor) -> torch.Tensor:
    square = points**2
    return 0.5 * row_sum(square**2 - 16 * square + 5 * points)
