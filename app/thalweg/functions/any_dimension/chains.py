"""Functions of any dimension that couple neighboring coordinates."""

import torch

from thalweg.functions.base import constants, everywhere, function, row_sum
from thalweg.functions.minima import Minimum, listed


def _dixon_price_minima(dim: int) -> tuple[Minimum, ...]:
    *before, last = (2.0 ** (2.0 ** (1 - i) - 1) for i in range(1, dim + 1))
    return listed([(*before, last), (*before, -last)] if before else [(last,)], 0.0)


@function(
    title="Dixon-Price",
    domain=((-10.0, 10.0),),
    minima=_dixon_price_minima,
    formula=r"f(x) = (x_1 - 1)^2 + \sum_{i=2}^{n} i (2x_i^2 - x_{i-1})^2",
    source=(
        "L. C. W. Dixon and R. C. Price, The truncated Newton method for sparse unconstrained optimisation using "
        "automatic differentiation, Journal of Optimization Theory and Applications 60 (2), 1989, pp. 261-275; "
        "https://www.sfu.ca/~ssurjano/dixonpr.html"
    ),
)
def dixon_price(points: torch.Tensor) -> torch.Tensor:
    """Return Dixon and Price's values; the sign of the last coordinate does not matter."""
    n = points.shape[-1]
    weights = constants([float(i) for i in range(2, n + 1)], points)
    chain = weights * (2 * points[..., 1:] ** 2 - points[..., :-1]) ** 2
    return row_sum(torch.cat([(points[..., :1] - 1) ** 2, chain], dim=-1))


@function(
    title="Powell",
    min_dim=4,
    dim_multiple=4,
    domain=((-4.0, 5.0),),
    minima=everywhere(0.0),
    formula=(
        r"f(x) = \sum_{i=1}^{n/4} \left[(x_{4i-3} + 10x_{4i-2})^2 + 5(x_{4i-1} - x_{4i})^2 "
        r"+ (x_{4i-2} - 2x_{4i-1})^4 + 10(x_{4i-3} - x_{4i})^4\right]"
    ),
    source=(
        "M. J. D. Powell, An iterative method for finding stationary values of a function of several variables, "
        "The Computer Journal 5 (2), 1962, pp. 147-151; n dimensions by J. J. More, B. S. Garbow and "
        "K. E. Hillstrom, Testing unconstrained optimization software, ACM Transactions on Mathematical Software "
        "7 (1), 1981, pp. 17-41; https://www.sfu.ca/~ssurjano/powell.html"
    ),
)
def powell(points: torch.Tensor) -> torch.Tensor:
    """Return Powell's singular function; the Hessian at its minimum has rank n/2."""
    a, b, c, d = (points[..., place::4] for place in range(4))
    squares = (a + 10 * b) ** 2 + 5 * (c - d) ** 2
    return row_sum(squares + ((b - 2 * c) ** 2) ** 2 + 10 * ((a - d) ** 2) ** 2)


@function(
    title="Brown",
    min_dim=2,
    domain=((-1.0, 4.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n-1} \left[(x_i^2)^{x_{i+1}^2 + 1} + (x_{i+1}^2)^{x_i^2 + 1}\right]",
    source=(
        "O. Begambre and J. E. Laier, A hybrid particle swarm optimization - simplex algorithm (PSOS) for "
        "structural damage identification, Advances in Engineering Software 40 (9), 2009, pp. 883-891; "
        "as M. Jamil and X.-S. Yang, 2013, https://arxiv.org/abs/1308.4008"
    ),
)
def brown(points: torch.Tensor) -> torch.Tensor:
    """Return Brown's values, each power computed as a square times an exponential that is safe for a base of 0."""
    squares = points**2
    logs = torch.log(squares.clamp(min=torch.finfo(points.dtype).tiny))
    before, after = squares[..., :-1], squares[..., 1:]
    log_before, log_after = logs[..., :-1], logs[..., 1:]
    return row_sum(before * torch.exp(after * log_before) + after * torch.exp(before * log_after))
