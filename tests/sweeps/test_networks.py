"""Networks on both engines: hundreds of random trainings. Takes some minutes."""

import pytest

from tests.unit.random_networks import check
from tests.unit.test_fused_networks import N_HERE

N_MORE = 400


@pytest.mark.parametrize("seed", range(N_HERE, N_HERE + N_MORE))
def test_a_random_training_has_the_same_digits_everywhere(seed: int) -> None:
    check(seed)
