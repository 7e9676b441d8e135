"""Functions of three coordinates, two of which enter as polar coordinates."""

import math

import torch

from thalweg.functions.base import function, row_norm
from thalweg.functions.minima import Minimum


@function(
    title="Wolfe",
    dim=3,
    domain=((0.0, 2.0),) * 3,
    minima=(Minimum((0.0, 0.0, 0.0), 0.0),),
    formula=r"f(x) = \frac{4}{3} (x_1^2 + x_2^2 - x_1 x_2)^{3/4} + x_3",
    source=(
        "P. Wolfe, On the convergence of gradient methods under constraint, IBM Journal of Research and "
        "Development 16 (4), 1972, pp. 407-411; M. Jamil and X.-S. Yang, A literature survey of benchmark "
        "functions for global optimisation problems, 2013, https://arxiv.org/abs/1308.4008"
    ),
)
def wolfe(points: torch.Tensor) -> torch.Tensor:
    """Return Wolfe's values; where the first two coordinates are 0, the curvature is infinite."""
    x, y, z = points.unbind(-1)
    radius = row_norm(torch.stack((x - y / 2, math.sqrt(0.75) * y), -1))
    root = torch.sqrt(torch.clamp(radius, min=torch.finfo(points.dtype).tiny))
    return 4 / 3 * (radius * root) + z


@function(
    title="Helical valley",
    smooth=False,
    dim=3,
    domain=((-10.0, 10.0),) * 3,
    minima=(Minimum((1.0, 0.0, 0.0), 0.0),),
    formula=(
        r"f(x) = 100 \left[(x_3 - 10 \theta)^2 + \left(\sqrt{x_1^2 + x_2^2} - 1\right)^2\right] + x_3^2, "
        r"\quad 2 \pi \theta = \operatorname{atan2}(x_2, x_1)"
    ),
    source=(
        "R. Fletcher and M. J. D. Powell, A rapidly convergent descent method for minimization, The Computer "
        "Journal 6 (2), 1963, pp. 163-168, https://doi.org/10.1093/comjnl/6.2.163; the angle from -pi to pi as in "
        "M. Jamil and X.-S. Yang, 2013, https://arxiv.org/abs/1308.4008, not from -pi/2 to 3 pi/2 as there"
    ),
)
def helical_valley(points: torch.Tensor) -> torch.Tensor:
    """Return the values; they jump with the angle at x_2 = 0, x_1 < 0, where it is pi.

    The tip of the radius at 0 has no gradient, and autograd takes 0 for it.
    """
    x, y, z = points.unbind(-1)
    radius = row_norm(points[..., :2])
    return 100 * ((z - 5 / math.pi * _angle(x, y)) ** 2 + (radius - 1) ** 2) + z**2


def _angle(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return atan2(y, x) by arc tangents of at most 1: torch's own rounds differently alone and in a batch."""
    steep = torch.abs(y) > torch.abs(x)
    upright = torch.where(y < 0, -1.0, torch.ones_like(y)) * (math.pi / 2)
    flat = torch.where(x < 0, 2 * upright, 0.0)
    run = torch.where(steep, y, x)
    rise = torch.where(steep, -x, y)
    return torch.where(steep, upright, flat) + torch.atan(rise / torch.where(run == 0, 1.0, run))
