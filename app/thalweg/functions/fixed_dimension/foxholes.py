"""Shekel's foxholes: sums of reciprocals of paraboloids."""

# ruff: noqa: D103 - the facts above each function are its documentation

from collections.abc import Sequence

import torch

from thalweg.functions.base import constants, function, row_sum
from thalweg.functions.minima import Minimum

CENTERS = (
    (4.0, 4.0, 4.0, 4.0),
    (1.0, 1.0, 1.0, 1.0),
    (8.0, 8.0, 8.0, 8.0),
    (6.0, 6.0, 6.0, 6.0),
    (3.0, 7.0, 3.0, 7.0),
    (2.0, 9.0, 2.0, 9.0),
    (5.0, 3.0, 5.0, 3.0),
    (8.0, 1.0, 8.0, 1.0),
    (6.0, 2.0, 6.0, 2.0),
    (7.0, 3.6, 7.0, 3.6),
)
CENTERS_OF_DIXON_AND_SZEGO = (*CENTERS[:6], (5.0, 5.0, 3.0, 3.0), *CENTERS[7:])
FLOORS = (0.1, 0.2, 0.2, 0.4, 0.4, 0.6, 0.3, 0.7, 0.5, 0.5)

DOMAIN = ((0.0, 10.0),) * 4
FORMULA = (
    r"f(x) = -\sum_{i=1}^{%d} \frac{1}{\beta_i + \sum_{j=1}^{4} (x_j - C_{ij})^2}, "
    r"\quad \beta = (%s), \quad C = \begin{pmatrix} %s \end{pmatrix}"
)
ORIGIN = (
    "J. Shekel, Test functions for multimodal search techniques, Fifth Annual Princeton Conference on Information "
    "Science and Systems, 1971; coefficients by L. C. W. Dixon and G. P. Szego, Towards Global Optimisation 2, "
    "North-Holland, 1978"
)
SOURCE = f"{ORIGIN}, centers as https://www.sfu.ca/~ssurjano/shekel.html"
DIXON_SZEGO = f"{ORIGIN}, center 7 as there, (5, 5, 3, 3)"


def formula(centers: Sequence[Sequence[float]]) -> str:
    """Return the formula in LaTeX for these centers."""
    floors = ", ".join(f"{floor:g}" for floor in FLOORS[: len(centers)])
    rows = r" \\ ".join(" & ".join(f"{coordinate:g}" for coordinate in center) for center in centers)
    return FORMULA % (len(centers), floors, rows)


def foxholes(points: torch.Tensor, centers: Sequence[Sequence[float]]) -> torch.Tensor:
    """Return the values with a hole at each of these centers."""
    holes = [
        1 / (row_sum((points - constants(center, points)) ** 2) + floor)
        for center, floor in zip(centers, FLOORS, strict=False)
    ]
    return -row_sum(torch.stack(holes, -1))


@function(
    title="Shekel, 5 centers",
    dim=4,
    domain=DOMAIN,
    minima=(
        Minimum(
            (4.000037152819676, 4.00013327659156, 4.000037152819676, 4.00013327659156),
            -10.153199679058227,
        ),
    ),
    formula=formula(CENTERS[:5]),
    source=SOURCE,
)
def shekel_m5(points: torch.Tensor) -> torch.Tensor:
    return foxholes(points, CENTERS[:5])


@function(
    title="Shekel, 7 centers",
    dim=4,
    domain=DOMAIN,
    minima=(
        Minimum(
            (4.000572819251117, 3.9996062096096887, 4.000572819251117, 3.9996062096096887),
            -10.402915336777744,
        ),
    ),
    formula=formula(CENTERS[:7]),
    source=SOURCE,
)
def shekel_m7(points: torch.Tensor) -> torch.Tensor:
    return foxholes(points, CENTERS[:7])


@function(
    title="Shekel, 7 centers of Dixon and Szego",
    dim=4,
    domain=DOMAIN,
    minima=(
        Minimum(
            (4.000572916185823, 4.000689366185305, 3.9994897088591506, 3.9996061588586316),
            -10.40294056681866,
        ),
    ),
    formula=formula(CENTERS_OF_DIXON_AND_SZEGO[:7]),
    source=DIXON_SZEGO,
)
def shekel_m7_dixon_szego(points: torch.Tensor) -> torch.Tensor:
    return foxholes(points, CENTERS_OF_DIXON_AND_SZEGO[:7])


@function(
    title="Shekel, 10 centers",
    dim=4,
    domain=DOMAIN,
    minima=(
        Minimum(
            (4.000746868270634, 3.9995094800857736, 4.000746868270634, 3.9995094800857736),
            -10.536443153483528,
        ),
    ),
    formula=formula(CENTERS),
    source=SOURCE,
)
def shekel_m10(points: torch.Tensor) -> torch.Tensor:
    return foxholes(points, CENTERS)


@function(
    title="Shekel, 10 centers of Dixon and Szego",
    dim=4,
    domain=DOMAIN,
    minima=(
        Minimum(
            (4.000746531592046, 4.000592934138532, 3.9996633980403224, 3.9995098005868077),
            -10.536409816692043,
        ),
    ),
    formula=formula(CENTERS_OF_DIXON_AND_SZEGO),
    source=DIXON_SZEGO,
)
def shekel_m10_dixon_szego(points: torch.Tensor) -> torch.Tensor:
    return foxholes(points, CENTERS_OF_DIXON_AND_SZEGO)
