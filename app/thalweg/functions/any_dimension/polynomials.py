"""Polynomials of any dimension. Fourth powers are squares of squares, the same in any batch."""

# ruff: noqa: D103 - the facts above each function are its documentation

import torch

from thalweg.functions.base import everywhere, function, row_sum


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
