"""Differentiable functions of any dimension with waves of varying amplitude or frequency."""

import math
from fractions import Fraction
from functools import cache

import torch

from thalweg.functions.base import counted, everywhere, function, row_product, row_sum
from thalweg.functions.minima import MinimaGrid, Minimum


@function(
    title="Levy",
    domain=((-10.0, 10.0),),
    minima=everywhere(1.0),
    formula=(
        r"f(x) = \sin^2(\pi w_1) + \sum_{i=1}^{n-1} (w_i - 1)^2 \left[1 + 10 \sin^2(\pi w_i + 1)\right] "
        r"+ (w_n - 1)^2 \left[1 + \sin^2(2 \pi w_n)\right], \quad w_i = 1 + \frac{x_i - 1}{4}"
    ),
    source=(
        "A. V. Levy and A. Montalvo, The tunneling algorithm for the global minimization of functions, "
        "SIAM Journal on Scientific and Statistical Computing 6 (1), 1985, pp. 15-29; this variant as "
        "https://www.sfu.ca/~ssurjano/levy.html"
    ),
)
def levy(points: torch.Tensor) -> torch.Tensor:
    """Return Levy's values in terms of v = w - 1, which is 0 at the minimum and has the same squared sines."""
    v = (points - 1) / 4
    first, inner, last = v[..., :1], v[..., :-1], v[..., -1:]
    terms = [
        torch.sin(math.pi * first) ** 2,
        inner**2 * (1 + 10 * torch.sin(math.pi * inner + 1) ** 2),
        last**2 * (1 + torch.sin(2 * math.pi * last) ** 2),
    ]
    return row_sum(torch.cat(terms, dim=-1))


@function(
    title="Griewank",
    domain=((-600.0, 600.0),),
    minima=everywhere(0.0),
    formula=(
        r"f(x) = 1 + \frac{1}{4000} \sum_{i=1}^{n} x_i^2 - \prod_{i=1}^{n} \cos\left(\frac{x_i}{\sqrt{i}}\right)"
    ),
    source=(
        "A. O. Griewank, Generalized descent for global optimization, Journal of Optimization Theory and "
        "Applications 34 (1), 1981, pp. 11-39; https://www.sfu.ca/~ssurjano/griewank.html"
    ),
)
def griewank(points: torch.Tensor) -> torch.Tensor:
    """Return Griewank's values: a shallow bowl with a product of cosines on it."""
    waves = row_product(torch.cos(points / torch.sqrt(counted(points))))
    return row_sum(points**2) / 4000 + (1 - waves)


@function(
    title="Schwefel",
    domain=((-500.0, 500.0),),
    minima=everywhere(420.96874635998205),
    formula=r"f(x) = 418.9828872724337\,n - \sum_{i=1}^{n} x_i \sin\left(\sqrt{\left|x_i\right|}\right)",
    source=(
        "H.-P. Schwefel, Numerical Optimization of Computer Models, Wiley, 1981; "
        "https://www.sfu.ca/~ssurjano/schwef.html, whose constant 418.9829 is this one rounded, "
        "and leaves 1.3e-5 for each coordinate at the minimum"
    ),
)
def schwefel(points: torch.Tensor) -> torch.Tensor:
    """Return Schwefel's values; at 0, where |x| has no gradient, the root is kept off 0 and autograd takes 0."""
    roots = torch.sqrt(points.abs().clamp(min=torch.finfo(points.dtype).tiny))
    return row_sum(418.9828872724337 - points * torch.sin(roots))


_MICHALEWICZ_POWER = 20  # 2m, with the usual m = 10
_PI = Fraction("3.1415926535897932384626433832795028841971693993751")


@cache
def _michalewicz_minimum(i: int) -> tuple[float, float]:
    """Return where sin(x) sin^20(i x^2 / pi) is largest in [0, pi], and its value there.

    The second factor's peaks are at i x^2 / pi = (k + 1/2) pi. The first one moves them a little and is largest
    for one of those on the two sides of pi / 2.
    """
    k = max(0, (i - 2) // 4)
    return max((_michalewicz_peak(i, k), _michalewicz_peak(i, k + 1)), key=lambda peak: peak[1])


def _michalewicz_peak(i: int, k: int) -> tuple[float, float]:
    """Return the location of peak `k` of the product, to the nearest double, and its value."""
    x = math.sqrt((k + 0.5) / i) * math.pi
    for _ in range(10):  # Newton steps on the derivative of the logarithm, which converge in less than half as many
        beyond = _beyond_peak(i, k, x)
        slope = math.cos(x) / math.sin(x) - 2 * _MICHALEWICZ_POWER * i * x / math.pi * math.tan(beyond)
        bend = (2 * i * x / math.pi) ** 2 * _MICHALEWICZ_POWER / math.cos(beyond) ** 2 + 1 / math.sin(x) ** 2
        before, x = x, x + slope / bend
        if x == before:
            break
    beyond = _beyond_peak(i, k, x)
    return x, math.sin(x) * math.exp(_MICHALEWICZ_POWER / 2 * math.log1p(-(math.sin(beyond) ** 2)))


def _beyond_peak(i: int, k: int, x: float) -> float:
    """Return i x^2 / pi - (k + 1/2) pi without cancellation."""
    return float(i * Fraction(x) ** 2 / _PI - (k + Fraction(1, 2)) * _PI)


def _michalewicz_minima(dim: int) -> tuple[Minimum, ...]:
    places, heights = zip(*(_michalewicz_minimum(i) for i in range(1, dim + 1)), strict=True)
    return (Minimum(places, -math.fsum(heights)),)


@function(
    title="Michalewicz",
    domain=((0.0, math.pi),),
    minima=_michalewicz_minima,
    formula=r"f(x) = -\sum_{i=1}^{n} \sin(x_i) \sin^{20}\left(\frac{i x_i^2}{\pi}\right)",
    source=(
        "Z. Michalewicz, Genetic Algorithms + Data Structures = Evolution Programs, Springer, 1992; with the usual "
        "steepness m = 10, as https://www.sfu.ca/~ssurjano/michal.html"
    ),
)
def michalewicz(points: torch.Tensor) -> torch.Tensor:
    """Return Michalewicz's values: a plain with narrow valleys, about i of them along coordinate i."""
    square = torch.sin(counted(points) * points**2 / math.pi) ** 2
    fourth = square**2
    return -row_sum(torch.sin(points) * (fourth * (fourth**2) ** 2))


def _vincent_minima(dim: int) -> MinimaGrid:
    places = (
        0.33301843547196486,
        0.6242284336485697,
        1.1700887874964219,
        2.1932800507380152,
        4.111207142885353,
        7.706277256305776,
    )
    return MinimaGrid((places,) * dim, -float(dim))


@function(
    title="Vincent",
    domain=((0.25, 10.0),),
    minima=_vincent_minima,
    formula=r"f(x) = -\sum_{i=1}^{n} \sin(10 \ln x_i)",
    source=(
        "X. Li, A. Engelbrecht and M. G. Epitropakis, Benchmark functions for CEC'2013 special session and "
        "competition on niching methods for multimodal function optimization, RMIT University, 2013, where the "
        "mean of these sines is maximised; as http://infinity77.net/go_2021/scipy_test_functions_nd_V.html"
    ),
)
def vincent(points: torch.Tensor) -> torch.Tensor:
    """Return Vincent's values: six equally deep valleys along each axis; NaN for a coordinate <= 0."""
    return -row_sum(torch.sin(10 * torch.log(points)))
