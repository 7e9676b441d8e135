"""Sums of two squared residuals, with curved valleys that lead to the minima."""

# ruff: noqa: D103 - the facts above each function are its documentation

import torch

from thalweg.functions.base import function
from thalweg.functions.literature import SURVEY
from thalweg.functions.minima import Minimum, listed


@function(
    title="Cube",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((1.0, 1.0), 0.0),),
    formula=r"f(x, y) = 100 (y - x^3)^2 + (1 - x)^2",
    source=(
        "A. Leon, A comparison among eight known optimizing procedures, in A. Lavi and T. P. Vogl (eds.), "
        f"Recent Advances in Optimization Techniques, Wiley, 1966, pp. 23-46; {SURVEY}"
    ),
)
def cube(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return 100 * (y - x**3) ** 2 + (1 - x) ** 2


@function(
    title="Leon",
    dim=2,
    domain=((-1.2, 1.2), (-1.2, 1.2)),
    minima=(Minimum((1.0, 1.0), 0.0),),
    formula=r"f(x, y) = 100 (y - x^2)^2 + (1 - x)^2",
    source=(
        "A. Leon, A comparison among eight known optimizing procedures, in A. Lavi and T. P. Vogl (eds.), "
        f"Recent Advances in Optimization Techniques, Wiley, 1966, pp. 23-46; {SURVEY}; "
        "some print x^3 for x^2, which is the entry cube"
    ),
)
def leon(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return 100 * (y - x**2) ** 2 + (1 - x) ** 2


@function(
    title="Freudenstein-Roth",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((5.0, 4.0), 0.0),),
    formula=(r"f(x, y) = \left(x - 13 + ((5 - y) y - 2) y\right)^2 + \left(x - 29 + ((y + 1) y - 14) y\right)^2"),
    source=(
        "F. Freudenstein and B. Roth, Numerical solution of systems of nonlinear equations, Journal of the ACM "
        "10 (4), 1963, pp. 550-556; J. J. More, B. S. Garbow and K. E. Hillstrom, Testing unconstrained "
        "optimization software, ACM Transactions on Mathematical Software 7 (1), 1981, pp. 17-41, problem 2"
    ),
)
def freudenstein_roth(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return (x - 13 + ((5 - y) * y - 2) * y) ** 2 + (x - 29 + ((y + 1) * y - 14) * y) ** 2


@function(
    title="Price N. 4",
    dim=2,
    domain=((-50.0, 50.0), (-50.0, 50.0)),
    minima=listed([(0.0, 0.0), (2.0, 4.0), (1.4643521196636984, -2.5060127607816622)], 0.0),
    formula=r"f(x, y) = (2 x^3 y - y^3)^2 + (6x - y^2 + y)^2",
    source=(
        "W. L. Price, A controlled random search procedure for global optimisation, The Computer Journal "
        f"20 (4), 1977, pp. 367-370; {SURVEY}"
    ),
)
def price_n4(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return (2 * x**3 * y - y**3) ** 2 + (6 * x - y**2 + y) ** 2
