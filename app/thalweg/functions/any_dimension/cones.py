"""Functions of any dimension built from distances: cones without a gradient at the tip."""

import math
from decimal import Decimal, localcontext
from functools import cache
from itertools import pairwise

import torch

from thalweg.functions.base import everywhere, function, row_norm, row_sum
from thalweg.functions.minima import Minimum

# end coordinates of Ackley N. 4's minimum to solve for; the ends do not affect those between, to 20 digits
SETTLED = 24


@function(
    title="Salomon",
    smooth=False,
    domain=((-100.0, 100.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = 1 - \cos(2 \pi r) + 0.1 r, \quad r = \sqrt{\sum_{i=1}^{n} x_i^2}",
    source=(
        "R. Salomon, Re-evaluating genetic algorithm performance under coordinate rotation of benchmark functions, "
        "BioSystems 39 (3), 1996, pp. 263-278; M. Jamil and X.-S. Yang, A literature survey of benchmark functions "
        "for global optimisation problems, 2013, https://arxiv.org/abs/1308.4008"
    ),
)
def salomon(points: torch.Tensor) -> torch.Tensor:
    """Return Salomon's values; autograd takes 0 for the gradient at the cone's tip, 0, which has none."""
    radius = row_norm(points)
    return 2 * torch.sin(math.pi * radius) ** 2 + 0.1 * radius


@cache
def _ackley_n4_minima(dim: int) -> tuple[Minimum, ...]:
    """Return the two minima, which differ in the sign of the first coordinate.

    All cosines and sines have period pi, and the cones favor small coordinates, so each lies between -pi/2 and 0,
    the first one up to its sign; and there, where its wave is below 0, which outweighs the cones, f is convex.
    So there is one minimum, found coordinate by coordinate.
    """
    with localcontext(prec=40):
        slope = Decimal("-0.2").exp()
        solved = _solved_chain(min(dim, SETTLED), slope)
        middle = solved[len(solved) // 2]
        n_more = dim - len(solved)
        cosine, sine = _cosine_and_sine(2 * middle)
        f = _chain_value(solved, slope) + n_more * (slope * Decimal(2).sqrt() * abs(middle) + 3 * (cosine + sine))
        half = len(solved) // 2
        x = [float(t) for t in (*solved[:half], *[middle] * n_more, *solved[half:])]
    return tuple(Minimum((sign * x[0], *x[1:]), float(f)) for sign in (1, -1))


def _chain_value(x: list[Decimal], slope: Decimal) -> Decimal:
    total = Decimal(0)
    for one, after in pairwise(x):
        total += slope * (one * one + after * after).sqrt()
        total += 3 * (_cosine_and_sine(2 * one)[0] + _cosine_and_sine(2 * after)[1])
    return total


def _solved_chain(n: int, slope: Decimal) -> list[Decimal]:
    """Return the minimum of the chain by cyclic coordinate descent with Newton steps."""
    x = [Decimal("-1.5"), *[Decimal("-1.1")] * (n - 2), Decimal("-0.75")]
    for _ in range(20):
        for i, t in enumerate(x):
            cosine, sine = _cosine_and_sine(2 * t)
            pull, curvature = Decimal(0), Decimal(0)
            if i < n - 1:
                pull, curvature = pull - 6 * sine, curvature - 12 * cosine
            if i > 0:
                pull, curvature = pull + 6 * cosine, curvature - 12 * sine
            for beside in x[max(i - 1, 0) : i] + x[i + 1 : i + 2]:
                radius = (t * t + beside * beside).sqrt()
                pull += slope * t / radius
                curvature += slope * beside * beside / radius**3
            x[i] = t - pull / curvature
    return x


def _cosine_and_sine(angle: Decimal) -> tuple[Decimal, Decimal]:
    """Return sine and cosine by their power series, for angles between -pi and pi."""
    sums, term = [Decimal(1), angle], angle
    for k in range(2, 60):
        term *= angle / k
        sums[k % 2] += -term if k % 4 in {2, 3} else term
    return sums[0], sums[1]


@function(
    title="Ackley N. 4",
    smooth=False,
    min_dim=2,
    domain=((-35.0, 35.0),),
    minima=_ackley_n4_minima,
    formula=(
        r"f(x) = \sum_{i=1}^{n-1} \left[e^{-0.2} \sqrt{x_i^2 + x_{i+1}^2} "
        r"+ 3 \left(\cos(2 x_i) + \sin(2 x_{i+1})\right)\right]"
    ),
    source=(
        "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, "
        "2013, https://arxiv.org/abs/1308.4008, number 4, Modified Ackley; the minimum printed there belongs to "
        "the factor e^0.2"
    ),
)
def ackley_n4(points: torch.Tensor) -> torch.Tensor:
    """Return the values; autograd takes 0 for the gradient of a cone where both neighbors are 0."""
    x, after = points[..., :-1], points[..., 1:]
    cones = math.exp(-0.2) * row_norm(torch.stack((x, after), -1))
    return row_sum(cones + 3 * (torch.cos(2 * x) + torch.sin(2 * after)))
