"""Sums of exponentials: Hartmann's wells, and a fit of decaying curves."""

# ruff: noqa: D103 - the facts above each function are its documentation

import math
from collections.abc import Sequence

import torch

from thalweg.functions.base import constants, function, row_sum
from thalweg.functions.minima import Minimum

DEPTHS = (1.0, 1.2, 3.0, 3.2)
WIDTHS_3 = ((3.0, 10.0, 30.0), (0.1, 10.0, 35.0)) * 2
CENTERS_3 = (
    (0.3689, 0.1170, 0.2673),
    (0.4699, 0.4387, 0.7470),
    (0.1091, 0.8732, 0.5547),
    (0.0381, 0.5743, 0.8828),
)
CENTERS_3_03815 = (*CENTERS_3[:3], (0.03815, 0.5743, 0.8828))
WIDTHS_6 = (
    (10.0, 3.0, 17.0, 3.5, 1.7, 8.0),
    (0.05, 10.0, 17.0, 0.1, 8.0, 14.0),
    (3.0, 3.5, 1.7, 10.0, 17.0, 8.0),
    (17.0, 8.0, 0.05, 10.0, 0.1, 14.0),
)
CENTERS_6 = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)

WELLS = (
    r"\sum_{i=1}^{4} \alpha_i \exp\left(-\sum_{j=1}^{%d} A_{ij} (x_j - P_{ij})^2\right), "
    r"\quad \alpha = (1, 1.2, 3, 3.2)"
)
TABLE_3 = (
    r", \quad A = \begin{pmatrix} 3 & 10 & 30 \\ 0.1 & 10 & 35 \\ 3 & 10 & 30 \\ 0.1 & 10 & 35 \end{pmatrix}, "
    r"\quad P = \begin{pmatrix} 0.3689 & 0.1170 & 0.2673 \\ 0.4699 & 0.4387 & 0.7470 \\ "
    r"0.1091 & 0.8732 & 0.5547 \\ %s & 0.5743 & 0.8828 \end{pmatrix}"
)
TABLE_6 = (
    r", \quad A = \begin{pmatrix} 10 & 3 & 17 & 3.5 & 1.7 & 8 \\ 0.05 & 10 & 17 & 0.1 & 8 & 14 \\ "
    r"3 & 3.5 & 1.7 & 10 & 17 & 8 \\ 17 & 8 & 0.05 & 10 & 0.1 & 14 \end{pmatrix}, "
    r"\quad P = \begin{pmatrix} 0.1312 & 0.1696 & 0.5569 & 0.0124 & 0.8283 & 0.5886 \\ "
    r"0.2329 & 0.4135 & 0.8307 & 0.3736 & 0.1004 & 0.9991 \\ "
    r"0.2348 & 0.1451 & 0.3522 & 0.2883 & 0.3047 & 0.6650 \\ "
    r"0.4047 & 0.8828 & 0.8732 & 0.5743 & 0.1091 & 0.0381 \end{pmatrix}"
)
ORIGIN = (
    "J. K. Hartman, Some experiments in global optimization, Naval Research Logistics Quarterly 20 (3), 1973, "
    "pp. 569-576; coefficients by L. C. W. Dixon and G. P. Szego, Towards Global Optimisation 2, "
    "North-Holland, 1978"
)


def wells(
    points: torch.Tensor, widths: Sequence[Sequence[float]], centers: Sequence[Sequence[float]]
) -> torch.Tensor:
    """Return Hartmann's sum of four wells, ignoring surplus columns of the tables."""
    dim = points.shape[-1]
    fallen = [
        depth
        * torch.exp(-row_sum(constants(width[:dim], points) * (points - constants(center[:dim], points)) ** 2))
        for depth, width, center in zip(DEPTHS, widths, centers, strict=True)
    ]
    return row_sum(torch.stack(fallen, -1))


@function(
    title="Hartmann 3",
    dim=3,
    domain=((0.0, 1.0),) * 3,
    minima=(Minimum((0.11458887665506896, 0.55564889461693, 0.8525469846866774), -3.8627797873326624),),
    formula=r"f(x) = -" + WELLS % 3 + TABLE_3 % "0.0381",
    source=f"{ORIGIN}; with P41 = 0.0381 as https://www.sfu.ca/~ssurjano/hart3.html",
)
def hartmann3(points: torch.Tensor) -> torch.Tensor:
    return -wells(points, WIDTHS_3, CENTERS_3)


@function(
    title="Hartmann 3, literature table",
    dim=3,
    domain=((0.0, 1.0),) * 3,
    minima=(Minimum((0.11461433858967197, 0.5556488499718569, 0.8525469535208657), -3.8627821478207554),),
    formula=r"f(x) = -" + WELLS % 3 + TABLE_3 % "0.03815",
    source=f"{ORIGIN}; with P41 = 0.03815 as there",
)
def hartmann3_03815(points: torch.Tensor) -> torch.Tensor:
    return -wells(points, WIDTHS_3, CENTERS_3_03815)


@function(
    title="Hartmann 4",
    dim=4,
    domain=((0.0, 1.0),) * 4,
    minima=(
        Minimum(
            (0.1873952729734667, 0.19415152930244073, 0.557917780062569, 0.26477962417039713),
            -3.134494141222399,
        ),
    ),
    formula=r"f(x) = \frac{1}{0.839} \left[1.1 - s\right], \quad s = " + WELLS % 4 + TABLE_6,
    source=(
        f"{ORIGIN}; four columns of the six, scaled, by V. Picheny, T. Wagner and D. Ginsbourger, A benchmark of "
        "kriging-based infill criteria for noisy optimization, Structural and Multidisciplinary Optimization 48, "
        "2013, pp. 607-626; https://www.sfu.ca/~ssurjano/hart4.html"
    ),
)
def hartmann4(points: torch.Tensor) -> torch.Tensor:
    return (1.1 - wells(points, WIDTHS_6, CENTERS_6)) / 0.839


@function(
    title="Hartmann 6",
    dim=6,
    domain=((0.0, 1.0),) * 6,
    minima=(
        Minimum(
            (
                *(0.20168951100670543, 0.15001069182345797, 0.476873974221897),
                *(0.2753324304940561, 0.31165161660011326, 0.6573005340656203),
            ),
            -3.3223680114155147,
        ),
    ),
    formula=r"f(x) = -" + WELLS % 6 + TABLE_6,
    source=f"{ORIGIN}; https://www.sfu.ca/~ssurjano/hart6.html",
)
def hartmann6(points: torch.Tensor) -> torch.Tensor:
    return -wells(points, WIDTHS_6, CENTERS_6)


@function(
    title="Box-Betts",
    dim=3,
    domain=((0.9, 1.2), (9.0, 11.2), (0.9, 1.2)),
    minima=(Minimum((1.0, 10.0, 1.0), 0.0),),
    formula=(
        r"f(x) = \sum_{i=1}^{10} \left[e^{-0.1 i x_1} - e^{-0.1 i x_2} "
        r"- \left(e^{-0.1 i} - e^{-i}\right) x_3\right]^2"
    ),
    source=(
        "M. J. Box, A comparison of several current optimization methods, and the use of transformations in "
        "constrained problems, The Computer Journal 9 (1), 1966, pp. 67-77; the domain as M. Jamil and X.-S. Yang, "
        "A literature survey of benchmark functions for global optimisation problems, 2013, "
        "https://arxiv.org/abs/1308.4008"
    ),
)
def box_betts(points: torch.Tensor) -> torch.Tensor:
    times = [i / 10 for i in range(1, 11)]
    at = constants(times, points)
    drop = constants([math.exp(-time) - math.exp(-10 * time) for time in times], points)
    curves = torch.exp(-at * points[..., :1]) - torch.exp(-at * points[..., 1:2]) - drop * points[..., 2:]
    return row_sum(curves**2)
