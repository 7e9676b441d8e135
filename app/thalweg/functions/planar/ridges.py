"""Functions with absolute values: linear pieces that meet in straight creases."""

import torch

from thalweg.functions.base import function
from thalweg.functions.literature import SURVEY
from thalweg.functions.minima import Minimum, listed


@function(
    title="Schwefel 2.6",
    smooth=False,
    dim=2,
    domain=((-100.0, 100.0), (-100.0, 100.0)),
    minima=(Minimum((1.0, 3.0), 0.0),),
    formula=r"f(x, y) = \max\left(|x + 2y - 7|, |2x + y - 5|\right)",
    source=f"H.-P. Schwefel, Numerical Optimization of Computer Models, Wiley, 1981, problem 2.6; {SURVEY}",
)
def schwefel_2_6(points: torch.Tensor) -> torch.Tensor:
    """Return the values of Schwefel's problem 2.6; autograd takes the gradient 0 at the tip, (1, 3)."""
    x, y = points.unbind(-1)
    return torch.maximum((x + 2 * y - 7).abs(), (2 * x + y - 5).abs())


@function(
    title="Price N. 1",
    smooth=False,
    dim=2,
    domain=((-500.0, 500.0), (-500.0, 500.0)),
    minima=listed([(-5.0, -5.0), (-5.0, 5.0), (5.0, -5.0), (5.0, 5.0)], 0.0),
    formula=r"f(x, y) = (|x| - 5)^2 + (|y| - 5)^2",
    source=(
        "W. L. Price, A controlled random search procedure for global optimisation, The Computer Journal "
        f"20 (4), 1977, pp. 367-370; {SURVEY}; also called Becker-Lago"
    ),
)
def price_n1(points: torch.Tensor) -> torch.Tensor:
    """Return Price's values; autograd takes 0 for the derivative across an axis, where there is a crease."""
    x, y = points.unbind(-1)
    return (x.abs() - 5) ** 2 + (y.abs() - 5) ** 2
