"""Functions of two coordinates with exponentials."""

# ruff: noqa: D103 - the facts above each function are its documentation

import math

import torch

from thalweg.functions.base import function
from thalweg.functions.minima import Minimum, listed

_JAMIL_YANG = (
    "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, "
    "2013, https://arxiv.org/abs/1308.4008"
)
# centers and heights of Langermann's waves
_CENTERS = ((3, 5), (5, 2), (2, 1), (1, 4), (7, 9))
_HEIGHTS = (1, 2, 5, 2, 3)
_LANGERMANN_FORMULA = (
    r"\sum_{i=1}^{5} c_i \exp\left(-\frac{s_i}{\pi}\right) \cos(\pi s_i), "
    r"\quad s_i = (x - a_i)^2 + (y - b_i)^2, \quad c = (1, 2, 5, 2, 3), "
    r"\quad (a_i, b_i) = (3, 5), (5, 2), (2, 1), (1, 4), (7, 9)"
)
_LANGERMANN_SOURCE = (
    "S. Langerman, in H. Bersini, M. Dorigo, S. Langerman, G. Seront and L. Gambardella, Results of the first "
    "international contest on evolutionary optimisation, IEEE International Conference on Evolutionary "
    "Computation, 1996, pp. 611-615; constants by M. Molga and C. Smutnicki, Test functions for optimization "
    "needs, 2005; "
)


@function(
    title="Easom",
    dim=2,
    domain=((-100.0, 100.0), (-100.0, 100.0)),
    minima=(Minimum((math.pi, math.pi), -1.0),),
    formula=r"f(x, y) = -\cos x \cos y \exp\left[-(x - \pi)^2 - (y - \pi)^2\right]",
    source=(
        "E. E. Easom, A survey of global optimization techniques, M.Eng. thesis, University of Louisville, "
        "1990; https://www.sfu.ca/~ssurjano/easom.html"
    ),
)
def easom(points: torch.Tensor) -> torch.Tensor:
    """Return the values; far from the minimum, they and their gradient underflow to 0."""
    x, y = points.unbind(-1)
    return -torch.cos(x) * torch.cos(y) * torch.exp(-((x - math.pi) ** 2) - (y - math.pi) ** 2)


def _waves(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    total = torch.zeros_like(x)
    for (a, b), height in zip(_CENTERS, _HEIGHTS, strict=True):
        square = (x - a) ** 2 + (y - b) ** 2
        total = total + height * torch.exp(-square / math.pi) * torch.cos(math.pi * square)
    return total


@function(
    title="Langermann",
    dim=2,
    domain=((0.0, 10.0), (0.0, 10.0)),
    minima=(Minimum((2.7934022086450367, 1.5972325013283601), -4.155809291847785),),
    formula=rf"f(x, y) = {_LANGERMANN_FORMULA}",
    source=f"{_LANGERMANN_SOURCE}sign as https://www.sfu.ca/~ssurjano/langer.html",
)
def langermann(points: torch.Tensor) -> torch.Tensor:
    return _waves(points)


@function(
    title="Langermann, negated",
    dim=2,
    domain=((0.0, 10.0), (0.0, 10.0)),
    minima=(Minimum((2.0029921199344654, 1.0060959402921885), -5.162126159963982),),
    formula=rf"f(x, y) = -{_LANGERMANN_FORMULA}",
    source=f"{_LANGERMANN_SOURCE}sign as {_JAMIL_YANG}",
)
def langermann_neg(points: torch.Tensor) -> torch.Tensor:
    return -_waves(points)


@function(
    title="Bird",
    dim=2,
    domain=((-6.28319, 6.28319), (-6.28319, 6.28319)),
    minima=listed(
        [(4.701043130249553, 3.15293850372493), (-1.5821421769300335, -3.1302468034546562)],
        -106.76453674926468,
    ),
    formula=r"f(x, y) = \sin x \, e^{(1 - \cos y)^2} + \cos y \, e^{(1 - \sin x)^2} + (x - y)^2",
    source=(
        "S. K. Mishra, Global optimization by differential evolution and particle swarm methods: evaluation on "
        f"some benchmark functions, 2006, https://mpra.ub.uni-muenchen.de/1005/; {_JAMIL_YANG}"
    ),
)
def bird(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    sine, cosine = torch.sin(x), torch.cos(y)
    return sine * torch.exp((1 - cosine) ** 2) + cosine * torch.exp((1 - sine) ** 2) + (x - y) ** 2


@function(
    title="Brent",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((-10.0, -10.0), 1.3838965267367376e-87),),
    formula=r"f(x, y) = (x + 10)^2 + (y + 10)^2 + e^{-x^2 - y^2}",
    source=_JAMIL_YANG,
)
def brent(points: torch.Tensor) -> torch.Tensor:
    """Return the values; the minimum is at a corner of the domain, where the exponential is smallest."""
    x, y = points.unbind(-1)
    return (x + 10) ** 2 + (y + 10) ** 2 + torch.exp(-(x**2) - y**2)


@function(
    title="Chichinadze",
    dim=2,
    domain=((-30.0, 30.0), (-30.0, 30.0)),
    minima=(Minimum((6.18986658698431, 0.5), -42.94438701899097),),
    formula=(
        r"f(x, y) = x^2 - 12x + 11 + 10 \cos\left(\frac{\pi x}{2}\right) + 8 \sin\left(\frac{5 \pi x}{2}\right) "
        r"- \frac{1}{\sqrt{5}} \exp\left[-\frac{(y - 0.5)^2}{2}\right]"
    ),
    source=(
        "V. K. Chichinadze, The psi-transform for solving linear and non-linear programming problems, Automatica "
        f"5 (3), 1969, pp. 347-355; as {_JAMIL_YANG}"
    ),
)
def chichinadze(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    waves = 10 * torch.cos(0.5 * math.pi * x) + 8 * torch.sin(2.5 * math.pi * x)
    return x**2 - 12 * x + 11 + waves - math.sqrt(0.2) * torch.exp(-0.5 * (y - 0.5) ** 2)
