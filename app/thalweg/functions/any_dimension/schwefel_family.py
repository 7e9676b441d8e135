"""The problems of any dimension in Schwefel's book, named by his numbers."""

# ruff: noqa: D103 - where nothing is said, the facts above the function are its documentation

import torch

from thalweg.functions.base import everywhere, function, row_max, row_product, row_sum

BOOK = "H.-P. Schwefel, Numerical Optimization of Computer Models, Wiley, 1981, problem"
SURVEY = (
    "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, 2013, "
    "https://arxiv.org/abs/1308.4008"
)


@function(
    title="Schwefel 1.2",
    domain=((-100.0, 100.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} \left(\sum_{j=1}^{i} x_j\right)^2",
    source=f"{BOOK} 1.2; {SURVEY}",
)
def schwefel_1_2(points: torch.Tensor) -> torch.Tensor:
    return row_sum(_partial_sums(points) ** 2)


def _partial_sums(points: torch.Tensor) -> torch.Tensor:
    """Return the sums of the first 1, 2, ..., n coordinates, by doubling the number of terms."""
    reach = 1
    while reach < points.shape[-1]:
        longer = points[..., reach:] + points[..., :-reach]
        points = torch.cat([points[..., :reach], longer], dim=-1)
        reach *= 2
    return points


@function(
    title="Schwefel 2.20",
    smooth=False,
    domain=((-100.0, 100.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} |x_i|",
    source=f"{BOOK} 2.20; {SURVEY}, where a minus sign is too many",
)
def schwefel_2_20(points: torch.Tensor) -> torch.Tensor:
    """Return the sums of absolute values; autograd takes 0 for the derivative at the kink of a coordinate."""
    return row_sum(torch.abs(points))


@function(
    title="Schwefel 2.21",
    smooth=False,
    domain=((-100.0, 100.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \max_{1 \le i \le n} |x_i|",
    source=f"{BOOK} 2.21; {SURVEY}",
)
def schwefel_2_21(points: torch.Tensor) -> torch.Tensor:
    """Return the largest absolute values; tied coordinates share the gradient, which is 0 at 0."""
    return row_max(torch.abs(points))


@function(
    title="Schwefel 2.22",
    smooth=False,
    max_dim=154,
    domain=((-100.0, 100.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} |x_i| + \prod_{i=1}^{n} |x_i|",
    source=f"{BOOK} 2.22; {SURVEY}",
)
def schwefel_2_22(points: torch.Tensor) -> torch.Tensor:
    """Return sum plus product of absolute values; autograd takes 0 for the derivative at a kink."""
    sizes = torch.abs(points)
    return row_sum(sizes) + row_product(sizes)


@function(
    title="Schwefel 2.23",
    domain=((-10.0, 10.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} x_i^{10}",
    source=f"{BOOK} 2.23; {SURVEY}",
)
def schwefel_2_23(points: torch.Tensor) -> torch.Tensor:
    square = points**2
    fourth = square**2
    return row_sum(fourth**2 * square)
