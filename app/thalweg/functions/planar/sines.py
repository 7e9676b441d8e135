"""Differentiable sums of sines and cosines of the coordinates, some with a quadratic term."""

import math

import torch

from thalweg.functions.base import function, row_sum
from thalweg.functions.literature import SURVEY
from thalweg.functions.minima import Minimum, listed


@function(
    title="Egg crate",
    dim=2,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=r"f(x, y) = x^2 + y^2 + 25 (\sin^2 x + \sin^2 y)",
    source=SURVEY,
)
def egg_crate(points: torch.Tensor) -> torch.Tensor:
    """Return the values of a bowl with equal dents."""
    return row_sum(points**2 + 25 * torch.sin(points) ** 2)


@function(
    title="Giunta",
    dim=2,
    domain=((-1.0, 1.0), (-1.0, 1.0)),
    minima=(Minimum((0.4673200253979606, 0.4673200253979606), 0.06447042053690565),),
    formula=(
        r"f(x) = 0.6 + \sum_{i=1}^{2} \left[\sin u_i + \sin^2 u_i + \frac{1}{50} \sin 4u_i\right], "
        r"\quad u_i = \frac{16}{15} x_i - 1"
    ),
    source=(
        "S. K. Mishra, Global optimization by differential evolution and particle swarm methods: evaluation on "
        "some benchmark functions, MPRA paper 1005, Munich, 2006, https://mpra.ub.uni-muenchen.de/1005/; "
        f"{SURVEY}; some print the minimum as 0.060447 at 0.45834, which is not one"
    ),
)
def giunta(points: torch.Tensor) -> torch.Tensor:
    """Return Giunta's values, the coordinates one by one."""
    u = 16 * points / 15 - 1
    sine = torch.sin(u)
    return 0.6 + row_sum(sine + sine**2 + torch.sin(4 * u) / 50)


@function(
    title="Price N. 2",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((0.0, 0.0), 0.9),),
    formula=r"f(x, y) = 1 + \sin^2 x + \sin^2 y - 0.1 e^{-x^2 - y^2}",
    source=(
        "W. L. Price, A controlled random search procedure for global optimisation, The Computer Journal "
        f"20 (4), 1977, pp. 367-370; {SURVEY}; also called Periodic"
    ),
)
def price_n2(points: torch.Tensor) -> torch.Tensor:
    """Return the values of equal dents, the one at the origin a little deeper."""
    x, y = points.unbind(-1)
    return 1 + torch.sin(x) ** 2 + torch.sin(y) ** 2 - 0.1 * torch.exp(-(x**2) - y**2)


@function(
    title="Trefethen",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((-0.024403079694375173, 0.21061242715535577), -3.306868647475237),),
    formula=(
        r"f(x, y) = e^{\sin 50x} + \sin(60 e^y) + \sin(70 \sin x) + \sin(\sin 80y) "
        r"- \sin(10(x + y)) + \frac{1}{4} (x^2 + y^2)"
    ),
    source=(
        "L. N. Trefethen, A hundred-dollar, hundred-digit challenge, SIAM News 35 (1), 2002, problem 4; "
        "F. Bornemann, D. Laurie, S. Wagon and J. Waldvogel, The SIAM 100-Digit Challenge, SIAM, 2004"
    ),
)
def trefethen(points: torch.Tensor) -> torch.Tensor:
    """Return the values of five nested sines in a bowl."""
    x, y = points.unbind(-1)
    nested = torch.exp(torch.sin(50 * x)) + torch.sin(70 * torch.sin(x)) + torch.sin(torch.sin(80 * y))
    return nested + torch.sin(60 * torch.exp(y)) - torch.sin(10 * (x + y)) + 0.25 * (x**2 + y**2)


@function(
    title="Parsopoulos",
    dim=2,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    minima=listed(
        [
            (x, y)
            for x in (-3 * math.pi / 2, -math.pi / 2, math.pi / 2, 3 * math.pi / 2)
            for y in (-math.pi, 0.0, math.pi)
        ],
        0.0,
    ),
    formula=r"f(x, y) = \cos^2 x + \sin^2 y",
    source=(
        "K. E. Parsopoulos and M. N. Vrahatis, On the computation of all global minimizers through particle "
        "swarm optimization, IEEE Transactions on Evolutionary Computation 8 (3), 2004, pp. 211-224; "
        f"{SURVEY}"
    ),
)
def parsopoulos(points: torch.Tensor) -> torch.Tensor:
    """Return the values of equal dents, twelve of which have their minimum in the domain."""
    x, y = points.unbind(-1)
    return torch.cos(x) ** 2 + torch.sin(y) ** 2


@function(
    title="Whitley",
    dim=2,
    domain=((-10.24, 10.24), (-10.24, 10.24)),
    minima=(Minimum((1.0, 1.0), 0.0),),
    formula=(
        r"f(x) = \sum_{i=1}^{2} \sum_{j=1}^{2} \left[\frac{u_{ij}^2}{4000} - \cos u_{ij} + 1\right], "
        r"\quad u_{ij} = 100 (x_i^2 - x_j)^2 + (1 - x_j)^2"
    ),
    source=(
        "D. Whitley, S. Rana, J. Dzubera and K. E. Mathias, Evaluating evolutionary algorithms, Artificial "
        f"Intelligence 85, 1996, pp. 245-276; {SURVEY}; some leave out the square of x_i^2 - x_j"
    ),
)
def whitley(points: torch.Tensor) -> torch.Tensor:
    """Return Whitley's values: a one-dimensional Griewank function of Rosenbrock's function of each pair."""
    u = torch.stack(
        [100 * (a**2 - b) ** 2 + (1 - b) ** 2 for a in points.unbind(-1) for b in points.unbind(-1)], -1
    )
    # 1 - cos(u) without cancellation near the minimum
    return row_sum(u**2 / 4000 + 2 * torch.sin(0.5 * u) ** 2)


@function(
    title="Ursem N. 1",
    dim=2,
    domain=((-2.5, 3.0), (-2.0, 2.0)),
    minima=(Minimum((1.697136454365936, 0.0), -4.816814063734822),),
    formula=r"f(x, y) = -\sin\left(2x - \frac{\pi}{2}\right) - 3 \cos y - \frac{x}{2}",
    source=(
        "R. K. Ursem, Multinational evolutionary algorithms, in Proceedings of the Congress on Evolutionary "
        "Computation, IEEE, 1999, pp. 1633-1640, where the example of section 1, to be maximised, has "
        f"1 + 2 cos y; with 3 cos y {SURVEY}"
    ),
)
def ursem_n1(points: torch.Tensor) -> torch.Tensor:
    """Return Ursem's values; the shifted sine is a cosine."""
    x, y = points.unbind(-1)
    return torch.cos(2 * x) - 3 * torch.cos(y) - 0.5 * x
