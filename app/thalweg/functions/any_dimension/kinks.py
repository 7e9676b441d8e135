"""Functions of any dimension that are not differentiable everywhere."""

import math

import torch

from thalweg.functions.base import everywhere, function, row_norm, row_sum


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
    """Return Ackley's values; autograd takes 0 for the gradient at the cone's tip, 0, which has none."""
    n = points.shape[-1]
    cone = -20 * torch.exp(-0.2 * (row_norm(points) / math.sqrt(n)))
    ripples = -torch.exp(row_sum(torch.cos(2 * math.pi * points)) / n)
    return cone + ripples + 20 + math.e
