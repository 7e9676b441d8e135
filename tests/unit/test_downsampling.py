import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from thalweg.analysis.thinning import MIN_POINTS, downsample

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


@st.composite
def trajectories(draw: st.DrawFn, elements: st.SearchStrategy[float] = FINITE) -> tuple[np.ndarray, np.ndarray]:
    """Points and values of either dtype, the last entry like that of a diverged run."""
    m, dim = draw(st.integers(1, 60)), draw(st.integers(1, 4))
    x: np.ndarray = draw(st_np.arrays(np.float64, (m, dim), elements=elements))
    f: np.ndarray = draw(st_np.arrays(np.float64, m, elements=elements))
    if draw(st.booleans()):
        f[-1] = draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    if draw(st.booleans()):
        x[-1, 0] = np.nan
    if draw(st.booleans()):
        with np.errstate(over="ignore"):
            return x.astype(np.float32), f.astype(np.float32)
    return x, f


@given(trajectories(), st.integers(MIN_POINTS, 70))
@settings(deadline=None, max_examples=100)
def test_downsampling_is_bounded_ascending_and_deterministic(
    trajectory: tuple[np.ndarray, np.ndarray], max_points: int
) -> None:
    x, f = trajectory
    kept = downsample(x, f, max_points)
    assert len(kept) <= max_points
    assert (np.diff(kept) > 0).all()
    assert kept[0] == 0
    assert kept[-1] == len(f) - 1
    np.testing.assert_array_equal(kept, downsample(x.copy(), f.copy(), max_points))
    if len(f) <= max_points:
        np.testing.assert_array_equal(kept, np.arange(len(f)))


@given(trajectories(), st.integers(MIN_POINTS, 70))
@settings(deadline=None, max_examples=100)
def test_extremes_of_value_and_coordinates_are_kept(
    trajectory: tuple[np.ndarray, np.ndarray], max_points: int
) -> None:
    x, f = trajectory
    kept = downsample(x, f, max_points)
    finite = np.isfinite(f) & np.isfinite(x).all(axis=1)
    if not finite.any():
        return
    kept_and_finite = kept[finite[kept]]
    assert f[kept_and_finite].min() == f[finite].min()
    assert f[kept_and_finite].max() == f[finite].max()
    n_coordinates = min(x.shape[1], (max_points - MIN_POINTS) // 2)
    for coordinate in x.T[:n_coordinates]:
        assert coordinate[kept_and_finite].min() == coordinate[finite].min()
        assert coordinate[kept_and_finite].max() == coordinate[finite].max()


@pytest.mark.parametrize("max_points", [4, 5, 10, 100, 999])
def test_a_long_trajectory_is_thinned_to_about_max_points(max_points: int) -> None:
    t = np.linspace(0, 1, 1000)
    x, f = np.stack([t, 1 - t], axis=1), np.exp(-t) * np.cos(40 * t)
    kept = downsample(x, f, max_points)
    # entries kept as extremes and entries picked for the shape may coincide
    assert max_points // 2 <= len(kept) <= max_points
    assert {0, 999, int(f.argmin()), int(f.argmax())} <= set(kept.tolist())


def test_a_spike_is_not_lost() -> None:
    f = np.ones(10_000)
    f[[1234, 7777]] = [-5.0, 9.0]
    assert {1234, 7777} <= set(downsample(np.zeros((10_000, 2)), f, 20).tolist())


def test_without_finite_entries_both_ends_are_kept() -> None:
    np.testing.assert_array_equal(downsample(np.zeros((50, 2)), np.full(50, np.nan), 10), [0, 49])


def test_downsampling_does_not_change_its_input() -> None:
    x, f = np.random.default_rng(0).normal(size=(500, 2)), np.random.default_rng(1).normal(size=500)
    x.setflags(write=False)
    f.setflags(write=False)
    downsample(x, f, 50)
