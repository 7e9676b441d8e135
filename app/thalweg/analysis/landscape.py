"""The surface around the path of a run, over a plane through the space of its points.

Source: H. Li, Z. Xu, G. Taylor, C. Studer and T. Goldstein, Visualizing the loss landscape of neural nets,
NeurIPS 2018, https://arxiv.org/abs/1712.09913 (filter-normalised directions, and the principal plane of a path).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from thalweg.analysis.derivatives import points_together
from thalweg.cancellation import check_wanted
from thalweg.errors import InvalidInput
from thalweg.functions.base import Objective

Method = Literal["random", "pca"]

MOST_PATH_VALUES = 4_000_000
LARGEST = 1e150  # size of a path's coordinate: the square of a larger one overflows

_MARGIN = 0.25  # of the path's extent in the plane, on either side
_LEAST_EXTENT = 0.05  # of the larger extent


@dataclass(frozen=True, slots=True)
class Landscape:
    """Values over a part of a plane, float64, and the path projected onto it.

    Attributes:
        x: `(n,)` positions along the first direction, in units of its length.
        y: `(n,)` positions along the second; (0, 0) is `center`.
        z: `(n, n)` values, `z[j, i]` at `x[i]`, `y[j]`.
        center: `(dim,)` a point of the plane.
        directions: `(2, dim)` vectors that span it.
        path: `(k, 2)` points of the path, projected orthogonally onto the plane.
        path_f: `(k,)` values at these points, not at their projections.
        explained_variance: Share of the path's variance within the plane, 0 to 1.
        max_distance: The largest distance of a point of the path from the plane.
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    center: np.ndarray
    directions: np.ndarray
    path: np.ndarray
    path_f: np.ndarray
    explained_variance: float
    max_distance: float


def landscape(
    objective: Objective, path: np.ndarray, shown: np.ndarray, method: Method, n_points: int, seed: int = 0
) -> Landscape:
    """Return the surface over the plane chosen by `method`.

    Args:
        objective: What is minimised, of at least two dimensions. Called without a step: a network uses all its
            data.
        path: `(m, dim)` the points of a run, no coordinate beyond `LARGEST`, the result last.
        shown: `(k,)` indices of the points to return.
        method: `random` spans a plane through the result by two random directions; for a network each node's part
            has the norm of the node's own weights. `pca` takes the plane that holds most of the path's variance.
        n_points: Positions along each axis.
        seed: Chooses the random directions.

    Raises:
        InvalidInput: `pca` of a run that has not moved.
    """
    points = path.astype(np.float64)
    if method == "pca":
        center, directions = _principal_plane(points)
    else:
        center, directions = points[-1], _random_directions(objective, points[-1], seed)
    offsets = points - center
    projected = offsets @ np.linalg.pinv(directions)
    x, y = _axes(projected, n_points, least=1.0 if method == "random" else 0.0)
    distances = np.linalg.norm(offsets - projected @ directions, axis=1)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return Landscape(
        x=x,
        y=y,
        z=_values(objective, grid, lambda places: center + places @ directions).reshape(n_points, n_points),
        center=center,
        directions=directions,
        path=projected[shown],
        path_f=_values(objective, points[shown]),
        explained_variance=_explained_variance(points, directions),
        max_distance=float(distances.max()),
    )


def _principal_plane(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    center = points.mean(axis=0)
    _, sizes, directions = np.linalg.svd(points - center, full_matrices=False)
    if not sizes[0] > 0:
        raise InvalidInput("the run has not moved, so its path has no principal plane: take random", "method")
    if len(directions) < 2 or not sizes[1] > 1e-14 * sizes[0]:
        directions = np.stack([directions[0], _perpendicular(directions[0])])
    return center, _turned_to(points[-1] - points[0], directions[:2])


def _perpendicular(direction: np.ndarray) -> np.ndarray:
    # the axis furthest from the direction, minus its component along it
    axis = np.zeros_like(direction)
    axis[np.abs(direction).argmin()] = 1.0
    rest = axis - (axis @ direction) * direction
    unit: np.ndarray = rest / np.linalg.norm(rest)
    return unit


def _turned_to(way: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the directions, signed so that the path goes forward along them on every machine."""
    turned: np.ndarray = np.where(directions @ way < 0, -1.0, 1.0)[:, None] * directions
    return turned


def _random_directions(objective: Objective, at: np.ndarray, seed: int) -> np.ndarray:
    drawn = np.random.Generator(np.random.Philox(seed)).standard_normal((2, objective.dim))
    if not objective.matrix_shapes:
        unit: np.ndarray = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
        return unit
    begin = 0
    for n_rows, n_columns in objective.matrix_shapes:
        part = slice(begin, begin + n_rows * n_columns)
        filters = drawn[:, part].reshape(2, n_rows, n_columns)
        own = at[part].reshape(n_rows, n_columns)
        filters *= np.linalg.norm(own, axis=0) / np.linalg.norm(filters, axis=1, keepdims=True)
        begin = part.stop
    return drawn


def _axes(projected: np.ndarray, n_points: int, least: float) -> tuple[np.ndarray, np.ndarray]:
    low, high = projected.min(axis=0), projected.max(axis=0)
    extent = np.maximum(high - low, max(_LEAST_EXTENT * (high - low).max(), 1e-12))
    middle = (low + high) / 2
    bottom = np.minimum(middle - (0.5 + _MARGIN) * extent, -least)
    top = np.maximum(middle + (0.5 + _MARGIN) * extent, least)
    return np.linspace(bottom[0], top[0], n_points), np.linspace(bottom[1], top[1], n_points)


def _values(
    objective: Objective, places: np.ndarray, point_at: Callable[[np.ndarray], np.ndarray] = lambda places: places
) -> np.ndarray:
    n = points_together(objective)
    found = []
    for begin in range(0, len(places), n):
        check_wanted()
        with torch.no_grad():
            found.append(objective(torch.from_numpy(point_at(places[begin : begin + n]))).numpy())
    return np.concatenate(found)


def _explained_variance(points: np.ndarray, directions: np.ndarray) -> float:
    centered = points - points.mean(axis=0)
    basis, _ = np.linalg.qr(directions.T)
    total = np.square(centered).sum()
    return float(np.square(centered @ basis).sum() / total) if total > 0 else 1.0
