"""Native LBFGS beside torch's own class, on a thousand random jobs in each dtype. Takes half an hour."""

import pytest

from tests.unit.lbfgs_jobs import check
from tests.unit.test_fused import DTYPES

N_JOBS = 1000
N_TOGETHER = 20


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("first", range(0, N_JOBS, N_TOGETHER))
def test_random_jobs_have_torchs_digits(first: int, dtype: str) -> None:
    for seed in range(first, first + N_TOGETHER):
        check(seed, dtype)
