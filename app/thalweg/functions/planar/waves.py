"""Differentiable functions of two coordinates with sines and cosines."""

# ruff: noqa: D103 - the facts above each function are its documentation

import math

import torch

from thalweg.functions.base import function
from thalweg.functions.minima import Minimum, listed

_BOHACHEVSKY = (
    "I. O. Bohachevsky, M. E. Johnson and M. L. Stein, Generalized simulated annealing for function optimization, "
    "Technometrics 28 (3), 1986, pp. 209-217; https://www.sfu.ca/~ssurjano/boha.html"
)
# maxima and minima of Shubert's sum of cosines
_SHUBERT_HIGHS = (-7.0835064076515595, -0.8003211004719731, 5.482864206707613)
_SHUBERT_LOWS = (-7.708313735499347, -1.425128428319761, 4.858056878859825)


@function(
    title="Levy N. 13",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((1.0, 1.0), 0.0),),
    formula=(
        r"f(x, y) = \sin^2(3 \pi x) + (x - 1)^2 \left[1 + \sin^2(3 \pi y)\right] "
        r"+ (y - 1)^2 \left[1 + \sin^2(2 \pi y)\right]"
    ),
    source=(
        "A. V. Levy and A. Montalvo, The tunneling algorithm for the global minimization of functions, SIAM "
        "Journal on Scientific and Statistical Computing 6 (1), 1985, pp. 15-29; "
        "https://www.sfu.ca/~ssurjano/levy13.html"
    ),
)
def levy_n13(points: torch.Tensor) -> torch.Tensor:
    """Return the values; the squared sines are computed relative to the minimum, which keeps their digits."""
    x, y = (points - 1).unbind(-1)
    steep, slow = torch.sin(3 * math.pi * y) ** 2, torch.sin(2 * math.pi * y) ** 2
    return torch.sin(3 * math.pi * x) ** 2 + x**2 * (1 + steep) + y**2 * (1 + slow)


@function(
    title="McCormick",
    dim=2,
    domain=((-1.5, 4.0), (-3.0, 4.0)),
    minima=(Minimum((-0.5471975511965977, -1.5471975511965979), -1.9132229549810364),),
    formula=r"f(x, y) = \sin(x + y) + (x - y)^2 - 1.5x + 2.5y + 1",
    source=(
        "G. P. McCormick, in F. A. Lootsma (ed.), Numerical Methods for Non-linear Optimization, Academic "
        "Press, 1972; https://www.sfu.ca/~ssurjano/mccorm.html"
    ),
)
def mccormick(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return torch.sin(x + y) + (x - y) ** 2 - 1.5 * x + 2.5 * y + 1


@function(
    title="Branin",
    dim=2,
    domain=((-5.0, 10.0), (0.0, 15.0)),
    minima=listed([(-math.pi, 12.275), (math.pi, 2.275), (3 * math.pi, 2.475)], 0.3978873577297383),
    formula=(
        r"f(x, y) = \left(y - \frac{5.1}{4 \pi^2} x^2 + \frac{5}{\pi} x - 6\right)^2 "
        r"+ 10 \left(1 - \frac{1}{8 \pi}\right) \cos x + 10"
    ),
    source=(
        "F. H. Branin, Widely convergent method for finding multiple solutions of simultaneous nonlinear "
        "equations, IBM Journal of Research and Development 16 (5), 1972, pp. 504-522; as L. C. W. Dixon and "
        "G. P. Szego, Towards Global Optimisation 2, North-Holland, 1978; https://www.sfu.ca/~ssurjano/branin.html"
    ),
)
def branin(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    valley = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * torch.cos(x) + 10


def _cosine_of_root(square: torch.Tensor) -> torch.Tensor:
    """Return the cosine of the root, smooth also at 0, where autograd has no derivative of the root."""
    near = square < 0.01
    small = torch.where(near, square, 0.0)
    series = 1 - small / 2 * (1 - small / 12 * (1 - small / 30 * (1 - small / 56)))
    return torch.where(near, series, torch.cos(torch.sqrt(torch.where(near, 1.0, square))))


@function(
    title="Drop-wave",
    dim=2,
    domain=((-5.12, 5.12), (-5.12, 5.12)),
    minima=(Minimum((0.0, 0.0), -1.0),),
    formula=r"f(x, y) = -\frac{1 + \cos\left(12 \sqrt{x^2 + y^2}\right)}{0.5 (x^2 + y^2) + 2}",
    source=(
        "M. Molga and C. Smutnicki, Test functions for optimization needs, 2005; "
        "https://www.sfu.ca/~ssurjano/drop.html"
    ),
)
def drop_wave(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    square = x**2 + y**2
    return -(1 + _cosine_of_root(144 * square)) / (0.5 * square + 2)


# 1 - cos a as 2 sin^2(a / 2), which does not cancel near the minimum
@function(
    title="Bohachevsky N. 1",
    dim=2,
    domain=((-100.0, 100.0), (-100.0, 100.0)),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=r"f(x, y) = x^2 + 2y^2 - 0.3 \cos(3 \pi x) - 0.4 \cos(4 \pi y) + 0.7",
    source=_BOHACHEVSKY,
)
def bohachevsky_n1(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    waves = 0.6 * torch.sin(1.5 * math.pi * x) ** 2 + 0.8 * torch.sin(2 * math.pi * y) ** 2
    return x**2 + 2 * y**2 + waves


@function(
    title="Bohachevsky N. 2",
    dim=2,
    domain=((-100.0, 100.0), (-100.0, 100.0)),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=r"f(x, y) = x^2 + 2y^2 - 0.3 \cos(3 \pi x) \cos(4 \pi y) + 0.3",
    source=_BOHACHEVSKY,
)
def bohachevsky_n2(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    across, up = torch.sin(1.5 * math.pi * x) ** 2, torch.sin(2 * math.pi * y) ** 2
    return x**2 + 2 * y**2 + 0.6 * (across + up - 2 * across * up)


@function(
    title="Bohachevsky N. 3",
    dim=2,
    domain=((-100.0, 100.0), (-100.0, 100.0)),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=r"f(x, y) = x^2 + 2y^2 - 0.3 \cos(3 \pi x + 4 \pi y) + 0.3",
    source=_BOHACHEVSKY,
)
def bohachevsky_n3(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return x**2 + 2 * y**2 + 0.6 * torch.sin(1.5 * math.pi * x + 2 * math.pi * y) ** 2


@function(
    title="Shubert",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=listed(
        [
            *((x, y) for x in _SHUBERT_HIGHS for y in _SHUBERT_LOWS),
            *((x, y) for x in _SHUBERT_LOWS for y in _SHUBERT_HIGHS),
        ],
        -186.73090883102384,
    ),
    formula=(
        r"f(x, y) = \left(\sum_{i=1}^{5} i \cos\left[(i + 1) x + i\right]\right) "
        r"\left(\sum_{i=1}^{5} i \cos\left[(i + 1) y + i\right]\right)"
    ),
    source=(
        "B. O. Shubert, A sequential method seeking the global maximum of a function, SIAM Journal on Numerical "
        "Analysis 9 (3), 1972, pp. 379-388; https://www.sfu.ca/~ssurjano/shubert.html"
    ),
)
def shubert(points: torch.Tensor) -> torch.Tensor:
    waves = torch.cos(2 * points + 1)
    for i in range(2, 6):
        waves = waves + i * torch.cos((i + 1) * points + i)
    x, y = waves.unbind(-1)
    return x * y


@function(
    title="Adjiman",
    dim=2,
    domain=((-1.0, 2.0), (-1.0, 1.0)),
    minima=(Minimum((2.0, 0.1057834694517169), -2.021806783359787),),
    formula=r"f(x, y) = \cos x \sin y - \frac{x}{y^2 + 1}",
    source=(
        "C. S. Adjiman, S. Dallwig, C. A. Floudas and A. Neumaier, A global optimization method, alpha-BB, for "
        "general twice-differentiable constrained NLPs, I. Theoretical advances, Computers and Chemical "
        "Engineering 22 (9), 1998, pp. 1137-1158"
    ),
)
def adjiman(points: torch.Tensor) -> torch.Tensor:
    """Return the values; the minimum is on the border x = 2; beyond it the function decreases further."""
    x, y = points.unbind(-1)
    return torch.cos(x) * torch.sin(y) - x / (y**2 + 1)
