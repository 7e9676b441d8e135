"""Sums of higher powers, of any dimension. Integer powers are computed by squaring, the same in any batch."""

# ruff: noqa: D103 - the facts above each function are its documentation

import math
from collections.abc import Sequence

import torch

from thalweg.functions.base import counted, everywhere, function, row_sum
from thalweg.functions.minima import MinimaGrid


@function(
    title="Sum of Different Powers",
    domain=((-1.0, 1.0),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} \left|x_i\right|^{i+1}",
    source=(
        "M. Molga and C. Smutnicki, Test functions for optimization needs, 2005; "
        "https://www.sfu.ca/~ssurjano/sumpow.html"
    ),
)
def sum_of_different_powers(points: torch.Tensor) -> torch.Tensor:
    # the square is split off so that the second derivative is right at 0, where |x| has none
    return row_sum(points**2 * _whole_powers(points.abs(), range(points.shape[-1])))


def _whole_powers(bases: torch.Tensor, exponents: Sequence[int]) -> torch.Tensor:
    """Raise each base of the last axis to its own exponent by repeated squaring.

    A base is squared only as often as its exponent needs, so that unused powers do not overflow.
    """
    powers, squared = torch.ones_like(bases), bases
    for bit in range(max(exponents).bit_length()):
        powers = powers * torch.where(_mask([exponent >> bit & 1 for exponent in exponents]), squared, 1.0)
        squared = torch.where(_mask([exponent >> bit > 1 for exponent in exponents]), squared, 1.0) ** 2
    return powers


def _mask(flags: Sequence[int]) -> torch.Tensor:
    return torch.tensor(flags, dtype=torch.bool)


@function(
    title="Quartic",
    domain=((-1.28, 1.28),),
    minima=everywhere(0.0),
    formula=r"f(x) = \sum_{i=1}^{n} i x_i^4",
    source=(
        "K. A. De Jong, An analysis of the behavior of a class of genetic adaptive systems, PhD thesis, "
        "University of Michigan, 1975 (F4, without its noise)"
    ),
)
def quartic(points: torch.Tensor) -> torch.Tensor:
    return row_sum(counted(points) * (points**2) ** 2)


def _qing_minima(dim: int) -> MinimaGrid:
    # a root beyond 500 is outside the domain, whose bound is then the minimum
    roots = [min(math.sqrt(i), 500.0) for i in range(1, dim + 1)]
    return MinimaGrid(
        tuple((root, -root) for root in roots), math.fsum((i - 500**2) ** 2 for i in range(500**2, dim + 1))
    )


@function(
    title="Qing",
    domain=((-500.0, 500.0),),
    minima=_qing_minima,
    formula=r"f(x) = \sum_{i=1}^{n} (x_i^2 - i)^2",
    source=(
        "A. Qing, Dynamic differential evolution strategy and applications in electromagnetic inverse scattering "
        "problems, IEEE Transactions on Geoscience and Remote Sensing 44 (1), 2006, pp. 116-125; "
        "as M. Jamil and X.-S. Yang, 2013, https://arxiv.org/abs/1308.4008"
    ),
)
def qing(points: torch.Tensor) -> torch.Tensor:
    return row_sum((points**2 - counted(points)) ** 2)


@function(
    title="Zakharov",
    domain=((-5.0, 10.0),),
    minima=everywhere(0.0),
    formula=(
        r"f(x) = \sum_{i=1}^{n} x_i^2 + \left(\sum_{i=1}^{n} \frac{i x_i}{2}\right)^2 "
        r"+ \left(\sum_{i=1}^{n} \frac{i x_i}{2}\right)^4"
    ),
    source=(
        "M. Jamil and X.-S. Yang, A literature survey of benchmark functions for global optimisation problems, "
        "2013, https://arxiv.org/abs/1308.4008; https://www.sfu.ca/~ssurjano/zakharov.html"
    ),
)
def zakharov(points: torch.Tensor) -> torch.Tensor:
    square = row_sum(0.5 * counted(points) * points) ** 2
    return row_sum(points**2) + square + square**2
