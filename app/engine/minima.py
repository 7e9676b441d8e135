"""Which of a function's known minima a point lies at."""

from dataclasses import dataclass

import numpy as np

from app.functions.base import CatalogueObjective

NEAR = 1e-3  # of the width of the domain, along its widest side


@dataclass(frozen=True, slots=True)
class ReachedMinimum:
    """A known minimum and how far from it the point is."""

    index: int
    x: tuple[float, ...]
    distance: float


def reached_minimum(objective: CatalogueObjective, x: np.ndarray) -> ReachedMinimum | None:
    """Return the known minimum nearest to `x`, `(dim,)`, if it is within `NEAR` of the domain's width."""
    if not objective.minima or not np.isfinite(x).all():
        return None
    minima = np.array([minimum.x for minimum in objective.minima])
    with np.errstate(over="ignore"):  # infinitely far is far
        distances = np.linalg.norm(minima - x.astype(np.float64), axis=1)
    index = int(distances.argmin())
    width = max(high - low for low, high in objective.domain)
    if distances[index] > NEAR * width:
        return None
    return ReachedMinimum(index, objective.minima[index].x, float(distances[index]))
