"""The surface around a path: its plane, its values, and how much of the path it shows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from thalweg.analysis.landscape import LARGEST, Landscape, Method, landscape
from thalweg.errors import InvalidInput
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueObjective, Objective

DIM = 7
RNG = np.random.default_rng(3)


@dataclass(frozen=True)
class Matrices:
    """Any function, of points that are the rows of two matrices."""

    bare: CatalogueObjective
    matrix_shapes: tuple[tuple[int, int], ...]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)

    def __call__(self, points: torch.Tensor, step: int = 0, runs: np.ndarray | None = None) -> torch.Tensor:
        return self.bare(points, step, runs)


def rosenbrock(dim: int = DIM) -> CatalogueObjective:
    return catalogue.get("rosenbrock").at(dim)


def wandering(n: int, dim: int = DIM) -> np.ndarray:
    return np.cumsum(RNG.normal(size=(n, dim)), axis=0)


def in_a_plane(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a path that lies in a plane, and an orthonormal basis of it."""
    basis, _ = np.linalg.qr(RNG.normal(size=(DIM, 2)))
    return RNG.normal(size=DIM) + wandering(n, 2) @ basis.T, basis.T


def of(path: np.ndarray, method: Method, objective: Objective | None = None, seed: int = 0) -> Landscape:
    shown = np.arange(0, len(path), 3)
    return landscape(objective or rosenbrock(path.shape[1]), path, shown, method, 11, seed)


def value(objective: Objective, point: np.ndarray) -> float:
    return float(objective(torch.from_numpy(point)))


@pytest.mark.parametrize("method", ["pca", "random"])
def test_z_holds_the_values_of_the_plane(method: Method) -> None:
    objective = rosenbrock()
    found = of(wandering(40), method)
    assert found.z.shape == (11, 11)
    for j in (0, 4, 10):
        for i in (0, 7, 10):
            point = found.center + found.x[i] * found.directions[0] + found.y[j] * found.directions[1]
            assert found.z[j, i] == pytest.approx(value(objective, point), rel=1e-12)


@pytest.mark.parametrize("method", ["pca", "random"])
def test_the_path_lies_within_the_surface_and_keeps_its_values(method: Method) -> None:
    path = wandering(40)
    found = of(path, method)
    for axis, places in enumerate((found.x, found.y)):
        assert places[0] < found.path[:, axis].min()
        assert found.path[:, axis].max() < places[-1]
        assert (np.diff(places) > 0).all()
    assert found.path_f == pytest.approx([value(rosenbrock(), point) for point in path[::3]], rel=1e-12)


def test_the_projection_is_orthogonal() -> None:
    path = wandering(40)
    for method in ("pca", "random"):
        found = of(path, method)
        off = path[::3] - (found.center + found.path @ found.directions)
        assert np.abs(off @ found.directions.T).max() < 1e-10 * np.abs(path).max()


def test_a_planar_path_is_explained_fully() -> None:
    path, basis = in_a_plane(60)
    found = of(path, "pca")
    assert found.explained_variance == pytest.approx(1, abs=1e-12)
    assert found.max_distance < 1e-12 * np.abs(path).max()
    assert found.center + found.path @ found.directions == pytest.approx(path[::3], abs=1e-10)
    # the same plane: each direction lies in it
    assert np.linalg.norm(found.directions @ basis.T, axis=1) == pytest.approx([1, 1])


def test_the_principal_plane_is_that_of_the_covariance() -> None:
    path = wandering(200)
    found = of(path, "pca")
    sizes = np.linalg.eigvalsh(np.cov(path.T))
    assert found.explained_variance == pytest.approx(sizes[-2:].sum() / sizes.sum())
    assert found.directions @ found.directions.T == pytest.approx(np.eye(2), abs=1e-12)
    offsets = path - path.mean(axis=0)
    distances = np.linalg.norm(offsets - offsets @ found.directions.T @ found.directions, axis=1)
    assert found.max_distance == pytest.approx(distances.max())
    assert (found.directions @ (path[-1] - path[0]) >= 0).all()


def test_a_straight_path_gets_a_second_direction() -> None:
    way = RNG.normal(size=DIM)
    path = np.linspace(0, 1, 20)[:, None] * way
    found = of(path, "pca")
    assert found.directions @ found.directions.T == pytest.approx(np.eye(2), abs=1e-12)
    assert found.explained_variance == pytest.approx(1)
    assert found.max_distance < 1e-12


def test_a_run_that_has_not_moved_has_no_principal_plane() -> None:
    still = np.ones((5, DIM))
    with pytest.raises(InvalidInput, match="random"):
        of(still, "pca")
    found = of(still, "random")
    assert found.path == pytest.approx(np.zeros((2, 2)))
    assert found.explained_variance == 1


def test_random_directions_go_through_the_result() -> None:
    path = wandering(30)
    found = of(path, "random")
    assert (found.center == path[-1]).all()
    assert np.linalg.norm(found.directions, axis=1) == pytest.approx([1, 1])
    assert found.x[0] <= -1
    assert found.x[-1] >= 1
    assert 0 < found.explained_variance < 1
    again, other = of(path, "random"), of(path, "random", seed=1)
    assert (again.directions == found.directions).all()
    assert not np.isclose(other.directions, found.directions).any()


def test_random_filters_have_the_norms_of_the_networks() -> None:
    shapes = ((3, 4), (5, 2))
    path = wandering(30, 22)
    found = of(path, "random", Matrices(rosenbrock(22), shapes))
    begin = 0
    for n_rows, n_columns in shapes:
        own, *drawn = (
            row[begin : begin + n_rows * n_columns].reshape(n_rows, n_columns)
            for row in (path[-1], *found.directions)
        )
        for direction in drawn:
            assert np.linalg.norm(direction, axis=0) == pytest.approx(np.linalg.norm(own, axis=0))
        begin += n_rows * n_columns


@pytest.mark.parametrize("method", ["pca", "random"])
def test_a_path_to_the_largest_coordinates_is_shown(method: Method) -> None:
    path = np.concatenate([wandering(5), np.geomspace(1, LARGEST, 30)[:, None] * np.ones(DIM)])
    found = of(path, method)
    assert 0 < found.explained_variance <= 1 + 1e-12
    assert np.isfinite([*found.path.ravel(), found.max_distance, *found.x, *found.y]).all()
    assert not np.isfinite(found.z).all()
