"""Functions of the distance from the origin: cones, circular waves, a circular groove."""

import torch

from thalweg.functions.base import function, row_norm
from thalweg.functions.literature import SURVEY
from thalweg.functions.minima import Minimum, listed


@function(
    title="Ackley N. 2",
    smooth=False,
    dim=2,
    domain=((-32.0, 32.0), (-32.0, 32.0)),
    minima=(Minimum((0.0, 0.0), -200.0),),
    formula=r"f(x, y) = -200 \exp\left(-0.02 \sqrt{x^2 + y^2}\right)",
    source=f"D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing, Kluwer, 1987; {SURVEY}",
)
def ackley_n2(points: torch.Tensor) -> torch.Tensor:
    """Return the cone's values; autograd takes 0 for the gradient at its tip, 0, which has none."""
    return -200 * torch.exp(-0.02 * row_norm(points))


@function(
    title="Ackley N. 3",
    smooth=False,
    dim=2,
    domain=((-32.0, 32.0), (-32.0, 32.0)),
    minima=listed(
        [(-0.6825771831515794, -0.36070186306103735), (0.6825771831515794, -0.36070186306103735)],
        -195.62902826227935,
    ),
    formula=r"f(x, y) = -200 \exp\left(-0.02 \sqrt{x^2 + y^2}\right) + 5 \exp\left(\cos 3x + \sin 3y\right)",
    source=(
        f"D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing, Kluwer, 1987; {SURVEY}; "
        "the minimisers that are often printed are off by up to 5e-5"
    ),
)
def ackley_n3(points: torch.Tensor) -> torch.Tensor:
    """Return the values of waves on a cone; autograd takes 0 for the gradient at the tip, the origin."""
    x, y = points.unbind(-1)
    return -200 * torch.exp(-0.02 * row_norm(points)) + 5 * torch.exp(torch.cos(3 * x) + torch.sin(3 * y))


@function(
    title="HappyCat",
    smooth=False,
    dim=2,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    minima=(Minimum((-1.0, -1.0), 0.0),),
    formula=(
        r"f(x, y) = \left[(x^2 + y^2 - 2)^2\right]^{1/8} + "
        r"\frac{1}{2} \left(\frac{x^2 + y^2}{2} + x + y\right) + \frac{1}{2}"
    ),
    source=(
        "H.-G. Beyer and S. Finck, HappyCat: a simple function class where well-known direct search algorithms "
        "do fail, in Parallel Problem Solving from Nature XII, LNCS 7491, Springer, 2012, pp. 367-376, "
        "with n = 2 and alpha = 1/8"
    ),
)
def happy_cat(points: torch.Tensor) -> torch.Tensor:
    """Return HappyCat's values; the derivative is infinite at the bottom, a circle, and taken as 0 there."""
    x, y = points.unbind(-1)
    height = (x**2 + y**2 - 2).abs()
    # keep the argument of the root off 0: where() alone would turn the infinite derivative into NaN
    groove = torch.where(height > 0, torch.sqrt(torch.sqrt(torch.where(height > 0, height, 1.0))), 0.0)
    # the other terms as squares, without cancellation near the minimum
    return groove + 0.25 * ((x + 1) ** 2 + (y + 1) ** 2)


@function(
    title="Sine envelope",
    dim=2,
    domain=((-100.0, 100.0), (-100.0, 100.0)),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=(
        r"f(x, y) = 0.5 + \frac{\sin^2\left(\sqrt{x^2 + y^2}\right) - 0.5}"
        r"{\left(1 + 0.001 (x^2 + y^2)\right)^2}"
    ),
    source=(
        "J. D. Schaffer, R. A. Caruana, L. J. Eshelman and R. Das, A study of control parameters affecting "
        "online performance of genetic algorithms for function optimization, in Proceedings of the Third "
        "International Conference on Genetic Algorithms, 1989, pp. 51-60, function f6"
    ),
)
def sine_envelope(points: torch.Tensor) -> torch.Tensor:
    """Return the values of circular waves under an envelope."""
    x, y = points.unbind(-1)
    square = x**2 + y**2
    thousandth = 0.001 * square
    # over a common denominator: a sum of nonnegative terms
    return (_sine_squared(square) + thousandth * (1 + 0.5 * thousandth)) / (1 + thousandth) ** 2


def _sine_squared(square: torch.Tensor) -> torch.Tensor:
    """Return sin^2(sqrt(square)), with first and second derivative at 0, too."""
    near = square < 1e-3
    series = square * (1 - square * (1 / 3 - square * (2 / 45 - square / 315)))
    far = torch.sin(torch.sqrt(torch.where(near, 1.0, square))) ** 2
    return torch.where(near, series, far)
