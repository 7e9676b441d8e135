"""Functions of two coordinates with kinks, at which autograd takes 0 for the derivative."""

import math

import torch

from thalweg.functions.base import function, row_norm
from thalweg.functions.minima import Minimum, listed


def _root(numbers: torch.Tensor) -> torch.Tensor:
    """Return the roots of absolute values, with derivative 0 at 0, where the one-sided derivatives are infinite."""
    sizes = numbers.abs()
    zero = sizes == 0
    return torch.where(zero, sizes, torch.sqrt(sizes.masked_fill(zero, 1.0)))


@function(
    title="Bukin N. 6",
    smooth=False,
    dim=2,
    domain=((-15.0, -5.0), (-3.0, 3.0)),
    minima=(Minimum((-10.0, 1.0), 0.0),),
    formula=r"f(x, y) = 100 \sqrt{\left|y - 0.01 x^2\right|} + 0.01 \left|x + 10\right|",
    source=(
        "A. D. Bukin, New minimization strategy for non-smooth functions, preprint INP 97-79, Budker Institute "
        "of Nuclear Physics, Novosibirsk, 1997; https://www.sfu.ca/~ssurjano/bukin6.html"
    ),
)
def bukin_n6(points: torch.Tensor) -> torch.Tensor:
    """Return the values; the derivative is infinite at the parabola y = x^2 / 100, and taken as 0 there."""
    x, y = points.unbind(-1)
    return 100 * _root(y - x**2 / 100) + 0.01 * (x + 10).abs()


@function(
    title="Cross-in-tray",
    smooth=False,
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=listed(
        [
            (1.3494066171539107, 1.3494066171539107),
            (1.3494066171539107, -1.3494066171539107),
            (-1.3494066171539107, 1.3494066171539107),
            (-1.3494066171539107, -1.3494066171539107),
        ],
        -2.062611870822737,
    ),
    formula=(
        r"f(x, y) = -0.0001 \left(\left|\sin x \sin y \exp\left|100 - \frac{\sqrt{x^2 + y^2}}{\pi}\right|"
        r"\right| + 1\right)^{0.1}"
    ),
    source=(
        "S. K. Mishra, Global optimization by differential evolution and particle swarm methods: evaluation on "
        "some benchmark functions, 2006, https://mpra.ub.uni-muenchen.de/1005/; "
        "https://www.sfu.ca/~ssurjano/crossit.html"
    ),
)
def cross_in_tray(points: torch.Tensor) -> torch.Tensor:
    """Return the values; autograd takes 0 for the gradient where a sine is 0, and at the origin.

    With the exponential e^h, (s e^h + 1)^0.1 is written as [e^(h/2) (s e^(h/2) + e^(-h/2))]^0.1 by logarithms:
    e^100 is more than a float32 can hold.
    """
    x, y = points.unbind(-1)
    half = 0.5 * (100 - row_norm(points) / math.pi).abs()
    waves = (torch.sin(x) * torch.sin(y)).abs()
    return -0.0001 * torch.exp(0.1 * (half + torch.log(waves * torch.exp(half) + torch.exp(-half))))


@function(
    title="Eggholder",
    smooth=False,
    dim=2,
    domain=((-512.0, 512.0), (-512.0, 512.0)),
    minima=(Minimum((512.0, 404.2318051137578), -959.6406627208509),),
    formula=(
        r"f(x, y) = -(y + 47) \sin\sqrt{\left|\frac{x}{2} + y + 47\right|} "
        r"- x \sin\sqrt{\left|x - (y + 47)\right|}"
    ),
    source=(
        "E. P. Adorio, MVF: multivariate test functions library in C for unconstrained global optimization, "
        "University of the Philippines Diliman, 2005; https://www.sfu.ca/~ssurjano/egg.html"
    ),
)
def eggholder(points: torch.Tensor) -> torch.Tensor:
    """Return the values; autograd takes 0 for the derivative of a root at 0, where it is infinite.

    The minimum is at the border x = 512: a descent that is free to leave the domain goes on beyond it.
    """
    x, y = points.unbind(-1)
    above = y + 47
    return -above * torch.sin(_root(x / 2 + above)) - x * torch.sin(_root(x - above))


@function(
    title="Holder table",
    smooth=False,
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=listed(
        [
            (8.055023475736563, 9.664590019241272),
            (8.055023475736563, -9.664590019241272),
            (-8.055023475736563, 9.664590019241272),
            (-8.055023475736563, -9.664590019241272),
        ],
        -19.208502567886732,
    ),
    formula=r"f(x, y) = -\left|\sin x \cos y \exp\left|1 - \frac{\sqrt{x^2 + y^2}}{\pi}\right|\right|",
    source=(
        "S. K. Mishra, Global optimization by differential evolution and particle swarm methods: evaluation on "
        "some benchmark functions, 2006, https://mpra.ub.uni-muenchen.de/1005/; "
        "https://www.sfu.ca/~ssurjano/holder.html"
    ),
)
def holder_table(points: torch.Tensor) -> torch.Tensor:
    """Return the values; there is no gradient where the sine or the cosine is 0, nor on the circle of radius pi."""
    x, y = points.unbind(-1)
    return -(torch.sin(x) * torch.cos(y)).abs() * torch.exp((1 - row_norm(points) / math.pi).abs())


@function(
    title="Bartels-Conn",
    smooth=False,
    dim=2,
    domain=((-500.0, 500.0), (-500.0, 500.0)),
    minima=(Minimum((0.0, 0.0), 1.0),),
    formula=r"f(x, y) = \left|x^2 + y^2 + xy\right| + \left|\sin x\right| + \left|\cos y\right|",
    source=(
        "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, "
        "2013, https://arxiv.org/abs/1308.4008"
    ),
)
def bartels_conn(points: torch.Tensor) -> torch.Tensor:
    """Return the values; there is no gradient where the sine or the cosine is 0, as at the minimum."""
    x, y = points.unbind(-1)
    return (x**2 + y**2 + x * y).abs() + torch.sin(x).abs() + torch.cos(y).abs()
