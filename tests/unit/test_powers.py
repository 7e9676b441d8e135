import ctypes
import math
from collections.abc import Iterable

import numpy as np
import pytest

from thalweg.engine.fused.codegen.powers import DECLARATIONS, ONE_MINUS_POWER, ROOT_POWER, vanishing_beyond
from thalweg.native import machine

CALLS = {
    "one_minus_power": "define void @at(double %x, double %y, double %z, ptr %got) {\n"
    "%r = call double @one_minus_power(double %x, double %y, double %z)\n",
    "root_power": "define void @at(double %x, double %y, double %z, ptr %got) {\n"
    "%r = call double @root_power(double %x)\n",
}
END = "store double %r, ptr %got\nret void\n}"


def computed(name: str, arguments: Iterable[tuple[float, float, float]]) -> list[float]:
    code = machine.compiled("\n".join([*DECLARATIONS, ONE_MINUS_POWER, ROOT_POWER, CALLS[name] + END]))
    at = machine.Linked(code, ("at",)).function("at", *[ctypes.c_double] * 3, ctypes.c_void_p)
    got = np.empty(1)
    results = []
    for each in arguments:
        at(*each, got.ctypes.data)
        results.append(float(got[0]))
    return results


@pytest.mark.parametrize("base", [0.9, 0.999, 0.5, 0.9999, 1e-3, 0.96])
def test_one_minus_a_power_equals_python(base: float) -> None:
    beyond = vanishing_beyond(base)
    assert beyond is not None
    exponents = [*np.linspace(0.0, 1.2 * beyond, 20_000).round().tolist(), 1e9, math.inf, math.nan]
    got = computed("one_minus_power", ((base, exponent, beyond) for exponent in exponents))
    np.testing.assert_array_equal(got, [1.0 - base**exponent for exponent in exponents])


@pytest.mark.parametrize("base", [0.0, 1.0, 1.5, -0.5])
def test_other_powers_do_not_vanish(base: float) -> None:
    assert vanishing_beyond(base) is None


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
    got = computed("root_power", ((base, 0.0, 0.0) for base in bases))
    np.testing.assert_array_equal(got, [base**0.5 for base in bases])
