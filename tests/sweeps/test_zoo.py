"""The zoo: every record measured anew, and both engines beside each other wherever an optimizer fuses."""

import pytest

from tests.unit.driving import assert_equal, drive, job, native
from tests.unit.test_zoo import FUNCTIONS
from tests.unit.zoo import BY_NAME, FUSED, by_hand
from thalweg.analysis import probe

WIDE = {"function": {"name": "rosenbrock", "dim": 300}, "init": {"random": 3, "seed": 1}}
DTYPES = ("float64", "float32")


@pytest.mark.parametrize("name", BY_NAME)
def test_the_record_is_what_is_measured(name: str) -> None:
    assert probe.probed(BY_NAME[name]) == BY_NAME[name].record


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUSED)
def test_both_engines_agree(name: str, dtype: str) -> None:
    others = {"clip_grad_norm": 5.0, "gradient_noise": {"std": 0.1}, "stop": {"f": 1e-3}}
    for function in (*FUNCTIONS, WIDE):
        for fields in ({}, others):
            spec = job(**function, **fields, optimizer=name, steps=300, dtype=dtype)
            eager = drive(spec.model_copy(update={"engine": "eager"}))
            assert_equal(eager, drive(spec, [7, 100], engine=native))


@pytest.mark.parametrize("name", BY_NAME)
def test_every_value_of_a_parameter_has_the_digits_of_its_own_loop(name: str) -> None:
    for params in probe.variants(BY_NAME[name]):
        for dtype in DTYPES:
            spec = job(**FUNCTIONS[0], optimizer=params, dtype=dtype, steps=40, engine="eager")
            recorded = drive(spec, [13])
            for run in range(spec.n_runs):
                x, f = by_hand(spec, run)
                assert recorded.x[run].tobytes() == x.tobytes()
                assert recorded.f[run].tobytes() == f.tobytes()
