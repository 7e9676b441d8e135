import ctypes
import math
from collections.abc import Iterable

import numpy as np
import pytest

from thalweg.engine.fused.codegen.powers import DECLARATIONS, ONE_MINUS_POWER, ROOT_POWER
from thalweg.native import machine

CALLS = {
    "one_minus_power": "define void @at(double %x, double %y, ptr %kept, ptr %got) {\n"
    "%r = call double @one_minus_power(double %x, double %y, ptr %kept)\n",
    "root_power": "define void @at(double %x, double %y, ptr %kept, ptr %got) {\n"
    "%r = call double @root_power(double %x)\n",
}
END = "store double %r, ptr %got\nret void\n}"


def computed(name: str, arguments: Iterable[tuple[float, float]], kept: np.ndarray | None = None) -> list[float]:
    """Return results for arguments in their order; `kept` is what is known of powers that vanish."""
    code = machine.compiled("\n".join([*DECLARATIONS, ONE_MINUS_POWER, ROOT_POWER, CALLS[name] + END]))
    at = machine.Linked(code, ("at",)).function("at", *[ctypes.c_double] * 2, *[ctypes.c_void_p] * 2)
    kept = np.array([-1.0, 0.0]) if kept is None else kept
    got = np.empty(1)
    results = []
    for each in arguments:
        at(*each, kept.ctypes.data, got.ctypes.data)
        results.append(float(got[0]))
    return results


@pytest.mark.parametrize("base", [0.9, 0.999, 0.5, 0.9999, 1e-3, 0.96, 0.0, 1.0, 1.5, -0.5])
def test_one_minus_a_power_equals_python(base: float) -> None:
    vanishes = 60.0 / -math.log2(base) if 0.0 < base < 1.0 else 300.0
    exponents = [*np.linspace(0.0, 1.2 * vanishes, 20_000).round().tolist(), math.nan]
    kept = np.array([-1.0, 0.0])
    got = computed("one_minus_power", ((base, exponent) for exponent in exponents), kept)
    np.testing.assert_array_equal(got, [1.0 - base**exponent for exponent in exponents])
    if 0.0 <= base < 1.0:
        assert kept[0] == base
        assert kept[1] <= exponents[-2]
    else:
        assert kept.tolist() == [-1.0, 0.0]


def test_one_minus_a_power_equals_python_for_bases_and_exponents_in_any_order() -> None:
    rng = np.random.default_rng(6)
    bases = np.concatenate(
        [rng.uniform(-0.1, 1.1, 20_000), 1 - 10 ** rng.uniform(-5, -1, 20_000), [0.0, 1.0, 1e-320]]
    )
    exponents = np.floor(10 ** rng.uniform(0, 4.5, len(bases)))
    got = computed("one_minus_power", zip(bases.tolist(), exponents.tolist(), strict=True))
    np.testing.assert_array_equal(got, 1.0 - np.array(list(map(power, bases.tolist(), exponents.tolist()))))


def power(base: float, exponent: float) -> float:
    """Return what C's pow returns, infinity where Python raises."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf


def test_the_power_of_one_half_equals_python() -> None:
    rng = np.random.default_rng(5)
    bases = [
        *(1.0 - 0.999 ** np.arange(1.0, 45_000.0)).tolist(),
        *rng.uniform(0.0, 4.0, 50_000).tolist(),
        *np.exp2(rng.uniform(-1070.0, 1020.0, 20_000)).tolist(),
        *np.nextafter(4.0 ** np.arange(-5.0, 5.0), 0.0).tolist(),
        *np.nextafter(4.0 ** np.arange(-5.0, 5.0), 9.0).tolist(),
        *(0.0, 1.0, 4.0, 5e-324, math.inf, math.nan),
    ]
    got = computed("root_power", ((base, 0.0) for base in bases))
    np.testing.assert_array_equal(got, [base**0.5 for base in bases])
