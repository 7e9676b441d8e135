import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thalweg.engine.noise import standard_normal, standard_normal_block

SEED = st.integers(0, 2**64 - 1)
STEP = st.integers(0, 2**53)
DIM = st.integers(1, 5)
RUNS = st.lists(st.integers(0, 3000), min_size=1, max_size=12, unique=True).map(sorted)


def from_the_start(seed: int, step: int, runs: np.ndarray, dim: int) -> np.ndarray:
    """Draw every word up to the last run's, by the definition."""
    words = np.random.Philox(key=seed, counter=[0, 0, step, 0]).random_raw(2 * dim * (int(runs[-1]) + 1))
    uniform = (words.reshape(-1, dim, 2)[runs] >> np.uint64(11)).astype(np.float64) * 2.0**-53
    drawn: np.ndarray = np.sqrt(-2.0 * np.log1p(-uniform[..., 0])) * np.cos(2 * np.pi * uniform[..., 1])
    return drawn


def assert_same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.view(np.uint64), expected.view(np.uint64))


@given(SEED, STEP, RUNS, DIM)
@example(2**64 - 1, 2**53, [0, 3000], 5)
def test_any_runs_equal_the_stream_drawn_from_its_start(seed: int, step: int, runs: list[int], dim: int) -> None:
    chosen = np.array(runs)
    assert_same_bits(standard_normal(seed, step, chosen, dim), from_the_start(seed, step, chosen, dim))


@given(SEED, STEP, st.integers(0, 20), RUNS, DIM)
@example(2**64 - 1, 2**53 - 20, 20, [0, 1, 2, 2999, 3000], 5)
@example(0, 0, 0, [7], 1)
def test_a_block_of_steps_equals_single_steps(
    seed: int, first: int, n_steps: int, runs: list[int], dim: int
) -> None:
    chosen = np.array(runs)
    block = standard_normal_block(seed, first, first + n_steps, chosen, dim)
    assert block.shape == (n_steps, len(runs), dim)
    for drawn, step in zip(block, range(first, first + n_steps), strict=True):
        assert_same_bits(drawn, from_the_start(seed, step, chosen, dim))


@pytest.mark.parametrize(("n_steps", "n_runs", "dim"), [(20_000, 1, 2), (9001, 3, 3), (3, 5000, 2)])
def test_a_large_block_of_steps_equals_single_steps(n_steps: int, n_runs: int, dim: int) -> None:
    runs = np.arange(n_runs) + 17
    block = standard_normal_block(5, 1000, 1000 + n_steps, runs, dim)
    for index in {0, 1, n_steps // 2, n_steps - 1}:
        assert_same_bits(block[index], from_the_start(5, 1000 + index, runs, dim))


def test_noise_of_a_run_with_a_large_number() -> None:
    # drawn from the start this would be 32 GiB of words
    far = standard_normal(3, 10, np.array([2**30]), 2)
    assert_same_bits(standard_normal_block(3, 9, 12, np.array([2**30]), 2)[1], far)
    assert_same_bits(standard_normal(3, 10, np.arange(2**30 - 5, 2**30 + 1), 2)[-1:], far)
