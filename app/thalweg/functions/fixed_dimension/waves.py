"""Waves of one coordinate."""

# ruff: noqa: D103 - the facts above each function are its documentation

import math

import torch

from thalweg.functions.base import function
from thalweg.functions.minima import Minimum


@function(
    title="Gramacy-Lee",
    dim=1,
    domain=((0.5, 2.5),),
    minima=(Minimum((0.5485634445276052,), -0.8690111349894998),),
    formula=r"f(x) = \frac{\sin(10 \pi x)}{2x} + (x - 1)^4",
    source=(
        "R. B. Gramacy and H. K. H. Lee, Cases for the nugget in modeling computer experiments, Statistics and "
        "Computing 22 (3), 2012, pp. 713-722; https://www.sfu.ca/~ssurjano/grlee12.html"
    ),
)
def gramacy_lee(points: torch.Tensor) -> torch.Tensor:
    x = points[..., 0]
    bowl = (x - 1) ** 2
    return torch.sin(10 * math.pi * x) / (2 * x) + bowl**2


@function(
    title="Forrester",
    dim=1,
    domain=((0.0, 1.0),),
    minima=(Minimum((0.7572487578418559,), -6.0207400557670825),),
    formula=r"f(x) = (6x - 2)^2 \sin(12x - 4)",
    source=(
        "A. I. J. Forrester, A. Sobester and A. J. Keane, Engineering Design via Surrogate Modelling: A Practical "
        "Guide, Wiley, 2008; https://www.sfu.ca/~ssurjano/forretal08.html"
    ),
)
def forrester(points: torch.Tensor) -> torch.Tensor:
    x = points[..., 0]
    return (6 * x - 2) ** 2 * torch.sin(12 * x - 4)
