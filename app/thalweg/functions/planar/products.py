"""Products of functions of different kinds."""

import torch

from thalweg.functions.base import function
from thalweg.functions.literature import SURVEY
from thalweg.functions.minima import Minimum, listed


@function(
    title="Hosaki",
    dim=2,
    domain=((0.0, 5.0), (0.0, 6.0)),
    minima=(Minimum((4.0, 2.0), -2.3458115761012865),),
    formula=(r"f(x, y) = \left(1 - 8x + 7x^2 - \frac{7}{3} x^3 + \frac{1}{4} x^4\right) y^2 e^{-y}"),
    source=(
        "G. A. Bekey and M. T. Ung, A comparative evaluation of two global search algorithms, IEEE Transactions "
        f"on Systems, Man, and Cybernetics 4 (1), 1974, pp. 112-116; {SURVEY}; some print e^{{-x}}"
    ),
)
def hosaki(points: torch.Tensor) -> torch.Tensor:
    """Return Hosaki's values, with the quartic by Horner's rule."""
    x, y = points.unbind(-1)
    quartic = 1 + x * (-8 + x * (7 + x * (-7 / 3 + 0.25 * x)))
    return quartic * y**2 * torch.exp(-y)


@function(
    title="Keane",
    dim=2,
    domain=((0.0, 10.0), (0.0, 10.0)),
    minima=listed([(0.0, 1.3932490753255886), (1.3932490753255886, 0.0)], -0.6736675211468547),
    formula=r"f(x, y) = -\frac{\sin^2(x - y) \sin^2(x + y)}{\sqrt{x^2 + y^2}}",
    source=(
        "A. J. Keane, Experiences with optimizers in structural design, in Proceedings of the Conference on "
        f"Adaptive Computing in Engineering Design and Control 94, Plymouth, 1994, pp. 14-27; {SURVEY}, "
        "where the sign is left out"
    ),
)
def keane(points: torch.Tensor) -> torch.Tensor:
    """Return Keane's values; with the limit 0 at the origin, where the formula is 0/0."""
    x, y = points.unbind(-1)
    square = x**2 + y**2
    # the branch avoids a division by the root of 0 and its infinite derivative
    distance = torch.sqrt(torch.where(square > 0, square, 1.0))
    return -((torch.sin(x - y) * torch.sin(x + y)) ** 2) / distance
