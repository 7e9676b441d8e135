"""Functions of the distance from the origin, which is a root: cones, circular waves, a circular groove."""

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
    """Return the cone's values; its tip at 0 has no gradient, and autograd takes 0 for it."""
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
    """Return the values of waves on a cone; autograd takes the cone's slope for 0 at its tip, the origin."""
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
    """Return HappyCat's values; on the groove's bottom, a circle, its slope is infinite, and 0 is taken for it."""
    x, y = points.unbind(-1)
    height = (x**2 + y**2 - 2).abs()
    # the root's argument is kept off 0: where() would let the infinite slope through
    groove = torch.where(height > 0, torch.sqrt(torch.sqrt(torch.where(height > 0, height, 1.0))), 0.0)
    # the formula's other terms, as squares: they do not cancel near the minimum
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
    # the formula over one denominator: a sum of what is never negative
    return (_sine_squared(square) + thousandth * (1 + 0.5 * thousandth)) / (1 + thousandth) ** 2


def _sine_squared(square: torch.Tensor) -> torch.Tensor:
    """Return the squared sine of the root of `square`, with both derivatives also at 0, where the root has none."""
    near = square < 1e-3
    series = square * (1 - square * (1 / 3 - square * (2 / 45 - square / 315)))
    far = torch.sin(torch.sqrt(torch.where(near, 1.0, square))) ** 2
    return torch.where(near, series, far)
