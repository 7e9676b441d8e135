"""Polynomials of two coordinates. Higher powers are products of squares, the same in any batch."""

# ruff: noqa: D103 - the facts above each function are its documentation

import torch

from thalweg.functions.base import function
from thalweg.functions.minima import Minimum


@function(
    title="Himmelblau",
    dim=2,
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    minima=(
        Minimum((3.0, 2.0), 0.0),
        Minimum((-2.805118086952745, 3.131312518250573), 0.0),
        Minimum((-3.779310253377747, -3.2831859912861696), 0.0),
        Minimum((3.5844283403304917, -1.8481265269644036), 0.0),
    ),
    formula=r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    source=(
        "D. M. Himmelblau, Applied Nonlinear Programming, McGraw-Hill, 1972; "
        "https://en.wikipedia.org/wiki/Himmelblau%27s_function"
    ),
)
def himmelblau(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


@function(
    title="Beale",
    dim=2,
    domain=((-4.5, 4.5), (-4.5, 4.5)),
    minima=(Minimum((3.0, 0.5), 0.0),),
    formula=r"f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
    source=(
        "E. M. L. Beale, On an iterative method for finding a local minimum of a function of more than one "
        "variable, Technical Report 25, Statistical Techniques Research Group, Princeton, 1958; "
        "https://www.sfu.ca/~ssurjano/beale.html"
    ),
)
def beale(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


@function(
    title="Booth",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((1.0, 3.0), 0.0),),
    formula=r"f(x, y) = (x + 2y - 7)^2 + (2x + y - 5)^2",
    source=(
        "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation "
        "problems, 2013, https://arxiv.org/abs/1308.4008; https://www.sfu.ca/~ssurjano/booth.html"
    ),
)
def booth(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


@function(
    title="Matyas",
    dim=2,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=r"f(x, y) = 0.26 (x^2 + y^2) - 0.48 xy",
    source=(
        "J. Matyas, Random optimization, Automation and Remote Control 26, 1965, pp. 246-253; "
        "https://www.sfu.ca/~ssurjano/matya.html"
    ),
)
def matyas(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    return 0.26 * (x**2 + y**2) - 0.48 * x * y


@function(
    title="Goldstein-Price",
    dim=2,
    domain=((-2.0, 2.0), (-2.0, 2.0)),
    minima=(Minimum((0.0, -1.0), 3.0),),
    formula=(
        r"f(x, y) = \left[1 + (x + y + 1)^2 (19 - 14x + 3x^2 - 14y + 6xy + 3y^2)\right] "
        r"\left[30 + (2x - 3y)^2 (18 - 32x + 12x^2 + 48y - 36xy + 27y^2)\right]"
    ),
    source=(
        "A. A. Goldstein and J. F. Price, On descent from local minima, Mathematics of Computation 25 (115), "
        "1971, pp. 569-574; https://www.sfu.ca/~ssurjano/goldpr.html"
    ),
)
def goldstein_price(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    ridge = 19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2
    valley = 18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2
    return (1 + (x + y + 1) ** 2 * ridge) * (30 + (2 * x - 3 * y) ** 2 * valley)


@function(
    title="Three-hump camel",
    dim=2,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    minima=(Minimum((0.0, 0.0), 0.0),),
    formula=r"f(x, y) = 2x^2 - 1.05x^4 + \frac{x^6}{6} + xy + y^2",
    source=(
        "F. H. Branin, Widely convergent method for finding multiple solutions of simultaneous nonlinear "
        "equations, IBM Journal of Research and Development 16 (5), 1972, pp. 504-522; "
        "https://www.sfu.ca/~ssurjano/camel3.html"
    ),
)
def three_hump_camel(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    square = x**2
    return 2 * square - 1.05 * square**2 + square**3 / 6 + x * y + y**2


@function(
    title="Six-hump camel",
    dim=2,
    domain=((-3.0, 3.0), (-2.0, 2.0)),
    minima=(
        Minimum((0.08984201310031806, -0.7126564030207396), -1.0316284534898774),
        Minimum((-0.08984201310031806, 0.7126564030207396), -1.0316284534898774),
    ),
    formula=r"f(x, y) = \left(4 - 2.1x^2 + \frac{x^4}{3}\right) x^2 + xy + (-4 + 4y^2) y^2",
    source=(
        "L. C. W. Dixon and G. P. Szego, The global optimization problem: an introduction, in Towards Global "
        "Optimisation 2, North-Holland, 1978, pp. 1-15; https://www.sfu.ca/~ssurjano/camel6.html"
    ),
)
def six_hump_camel(points: torch.Tensor) -> torch.Tensor:
    x, y = points.unbind(-1)
    xx, yy = x**2, y**2
    return (4 - 2.1 * xx + xx**2 / 3) * xx + x * y + (-4 + 4 * yy) * yy
