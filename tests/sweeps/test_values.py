"""One value everywhere: every function of formulas, and a thousand random jobs, in half an hour."""

import pytest

from tests.unit.test_one_value import DTYPES, EVERY, check_batches, check_engines
from tests.unit.test_random_jobs import N_HERE, check

N_JOBS = 1000
JOBS_PER_PART = 25


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", EVERY)
def test_every_function(text: str, dtype: str) -> None:
    if "lgamma" not in text:  # which is torch's alone
        check_engines(text, dtype)
    check_batches(text, dtype)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(N_HERE, N_HERE + N_JOBS, JOBS_PER_PART))
def test_random_jobs(first: int) -> None:
    for seed in range(first, first + JOBS_PER_PART):
        check(seed)
