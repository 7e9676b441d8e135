"""Which of a function's known minima a run has arrived at."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.functions.base import Objective

NEAR = 1e-3  # of the domain's widest side


@dataclass(frozen=True, slots=True)
class ReachedMinimum:
    """A known minimum and the point's distance from it."""

    index: int
    x: tuple[float, ...]
    distance: float


def reached_minimum(objective: Objective, x: np.ndarray) -> ReachedMinimum | None:
    """Return the known minimum nearest to `x`, `(dim,)`; None if it is further than `minimum_radius`."""
    if objective.domain is None or not objective.minima.count or not np.isfinite(x).all():
        return None
    index = objective.minima.nearest(x.astype(np.float64))
    minimum = objective.minima[index]
    with np.errstate(over="ignore"):  # an infinite distance is fine
        distance = float(np.linalg.norm(np.array(minimum.x) - x.astype(np.float64)))
    near = distance <= minimum_radius(objective.domain)
    return ReachedMinimum(index, minimum.x, distance) if near else None


def minimum_radius(domain: Sequence[tuple[float, float]]) -> float:
    """Return the largest distance from a known minimum at which a point counts as arrived."""
    return NEAR * max(high - low for low, high in domain)
