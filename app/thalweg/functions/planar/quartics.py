"""Quartic polynomials. Fourth powers are squares of squares, the same in any batch."""

# ruff: noqa: D103 - the facts above each function are its documentation

import torch

from thalweg.functions.base import function
from thalweg.functions.literature import SURVEY
from thalweg.functions.minima import Minimum, listed


@function(
    title="Zettl",
    dim=2,
    domain=((-5.0, 10.0), (-5.0, 10.0)),
    minima=(Minimum((-0.029895985050660382, 0.0), -0.003791237220468898),),
    formula=r"f(x, y) = (x^2 + y^2 - 2x)^2 + \frac{x}{4}",
    source=f"H.-P. Schwefel, Evolution and Optimum Seeking, Wiley, 1995; {SURVEY}",
)
def zettl(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return (x**2 + y**2 - 2 * x) ** 2 + 0.25 * x


@function(
    title="Treccani",
    dim=2,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    minima=listed([(-2.0, 0.0), (0.0, 0.0)], 0.0),
    formula=r"f(x, y) = x^4 + 4x^3 + 4x^2 + y^2",
    source=(f"L. C. W. Dixon and G. P. Szego (eds.), Towards Global Optimisation 2, North-Holland, 1978; {SURVEY}"),
)
def treccani(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    # the sum of powers without cancellation near x = -2
    return (x * (x + 2)) ** 2 + y**2


@function(
    title="Zirilli",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((-1.0466805318046022, 0.0), -0.35238607380003645),),
    formula=r"f(x, y) = 0.25 x^4 - 0.5 x^2 + 0.1 x + 0.5 y^2",
    source=(
        "F. Aluffi-Pentini, V. Parisi and F. Zirilli, Global optimization and stochastic differential "
        f"equations, Journal of Optimization Theory and Applications 47 (1), 1985, pp. 1-16; {SURVEY}; "
        "also called Aluffi-Pentini"
    ),
)
def zirilli(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    square = x**2
    return 0.25 * square**2 - 0.5 * square + 0.1 * x + 0.5 * y**2


@function(
    title="Deckkers-Aarts",
    dim=2,
    domain=((-20.0, 20.0), (-20.0, 20.0)),
    minima=listed([(0.0, -14.945112151891959), (0.0, 14.945112151891959)], -24776.51834231769),
    formula=r"f(x, y) = 10^5 x^2 + y^2 - (x^2 + y^2)^2 + 10^{-5} (x^2 + y^2)^4",
    source=(
        "A. Dekkers and E. Aarts, Global optimization and simulated annealing, Mathematical Programming 50, "
        "1991, pp. 367-393; M. M. Ali, C. Khompatraporn and Z. B. Zabinsky, A numerical evaluation of several "
        "stochastic algorithms on selected continuous global optimization test problems, Journal of Global "
        "Optimization 31, 2005, pp. 635-672; some round the minimisers to (0, -15) and (0, 15)"
    ),
)
def deckkers_aarts(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    xx, yy = x**2, y**2
    fourth = (xx + yy) ** 2
    return 1e5 * xx + yy - fourth + 1e-5 * fourth**2
