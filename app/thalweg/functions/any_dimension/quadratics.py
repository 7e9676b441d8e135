"""Quadratic forms of any dimension."""

# ruff: noqa: D103 - the facts above each function are its documentation

import torch

from thalweg.functions.base import Box, constants, counted, everywhere, function, row_sum
from thalweg.functions.minima import Minimum


@function(
    title="Sum Squares",
    domain=((-10.0, 10.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} i x_i^2",
    source=(
        "M. Molga and C. Smutnicki, Test functions for optimization needs, 2005 (as the axis parallel "
        "hyper-ellipsoid); https://www.sfu.ca/~ssurjano/sumsqu.html"
    ),
)
def sum_squares(points: torch.Tensor) -> torch.Tensor:
    return row_sum(counted(points) * points**2)


@function(
    title="Rotated Hyper-Ellipsoid",
    domain=((-65.536, 65.536),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} \sum_{j=1}^{i} x_j^2",
    source=(
        "M. Molga and C. Smutnicki, Test functions for optimization needs, 2005; as "
        "https://www.sfu.ca/~ssurjano/rothyp.html, which adds up squares (Schwefel's problem 1.2 squares sums)"
    ),
)
def rotated_hyper_ellipsoid(points: torch.Tensor) -> torch.Tensor:
    n = points.shape[-1]
    return row_sum((n + 1 - counted(points)) * points**2)


@function(
    title="Bent Cigar",
    domain=((-100.0, 100.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = x_1^2 + 10^6 \sum_{i=2}^{n} x_i^2",
    source=(
        "N. Hansen, S. Finck, R. Ros and A. Auger, Real-parameter black-box optimization benchmarking 2009: "
        "noiseless functions definitions, INRIA Research Report 6829, 2009 (f12, there rotated and bent; "
        "here as it is without)"
    ),
)
def bent_cigar(points: torch.Tensor) -> torch.Tensor:
    weights = [1.0] + [1e6] * (points.shape[-1] - 1)
    return row_sum(constants(weights, points) * points**2)


def _trid_domain(dim: int) -> Box:
    return ((-float(dim**2), float(dim**2)),) * dim


def _trid_minimum(dim: int) -> tuple[Minimum, ...]:
    x = tuple(float(i * (dim + 1 - i)) for i in range(1, dim + 1))
    return (Minimum(x, -float(dim * (dim + 4) * (dim - 1) // 6)),)


@function(
    title="Trid",
    domain=_trid_domain,
    minima=_trid_minimum,
    formula=r"f(x) = \sum_{i=1}^{n} (x_i - 1)^2 - \sum_{i=2}^{n} x_i x_{i-1}",
    source=(
        "A. Neumaier, Some hard global optimization test problems, 1996, "
        "https://www.mat.univie.ac.at/~neum/glopt/my_problems.html; https://www.sfu.ca/~ssurjano/trid.html"
    ),
)
def trid(points: torch.Tensor) -> torch.Tensor:
    coupled = points[..., 1:] * points[..., :-1]
    return row_sum(torch.cat([(points - 1) ** 2, -coupled], dim=-1))
