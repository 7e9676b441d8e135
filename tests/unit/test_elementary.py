"""The elementary functions that networks are made of: accurate, and the same on every processor."""

import ctypes
import math
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest

from tests.unit.processors import compiled_for, other_processors
from thalweg.functions.networks.activations import ACTIVATIONS
from thalweg.native import elementary, logistic, machine
from thalweg.native.lanes import LANES, Lanes
from thalweg.native.structured import Code, Whole
from thalweg.native.trigonometry import reduce_large, sine_and_cosine

Function = Callable[[Lanes], tuple[Lanes, Lanes]]


def text(function: Function) -> str:
    """Return a module that applies a function to n vectors of doubles."""
    code = Code()
    with code.each(0, Whole(code, "%n")) as k:
        index = (k * LANES).name
        places = [code.new(f"getelementptr double, ptr %{name}, i64 {index}") for name in ("x", "value", "slope")]
        found = function(Lanes(code, code.new(f"load <8 x double>, ptr {places[0]}, align 8")))
        for place, numbers in zip(places[1:], found, strict=True):
            code.put(f"store {numbers.wide} {numbers.name}, ptr {place}, align 8")
    code.put("ret void")
    whole = code.whole("@apply(ptr noalias %x, ptr noalias %value, ptr noalias %slope, i64 %n)")
    reduction = reduce_large(code)
    return "\n".join([*sorted(code.declarations), reduction, whole])


def applied(code: bytes, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pointer = ctypes.c_void_p
    function = machine.Linked(code, ("apply",)).function("apply", pointer, pointer, pointer, ctypes.c_int64)
    n_vectors = -(-len(x) // LANES)
    given, value, slope = (np.zeros(n_vectors * LANES) for _ in range(3))
    given[: len(x)] = x
    function(given.ctypes.data, value.ctypes.data, slope.ctypes.data, n_vectors)
    return value[: len(x)], slope[: len(x)]


def apply(function: Function, x: Sequence[float] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return applied(machine.compiled(text(function)), np.array(x))


def share(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


def normal(x: Any) -> Any:
    """Return the normal distribution; mpmath's series do not reach arbitrarily far."""
    return mpmath.mpf(x > 0) if abs(x) > 60 else mpmath.erfc(-x / mpmath.sqrt(2)) / 2


EXACT: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "sigmoid": lambda x: (share(x), mpmath.exp(-x) * share(x) ** 2),
    "tanh": lambda x: (mpmath.tanh(x), 1 - mpmath.tanh(x) ** 2),
    "relu": lambda x: (max(x, mpmath.mpf(0)), mpmath.mpf(x > 0)),
    "leaky_relu": lambda x: (x, mpmath.mpf(1)) if x > 0 else (mpmath.mpf(0.01) * x, mpmath.mpf(0.01)),
    "elu": lambda x: (x, mpmath.mpf(1)) if x > 0 else (mpmath.expm1(x), mpmath.exp(x)),
    "softplus": lambda x: (x, mpmath.mpf(1)) if x > 20 else (mpmath.log1p(mpmath.exp(x)), share(x)),
    "gelu": lambda x: (x * normal(x), normal(x) + x * mpmath.npdf(x)),
    "silu": lambda x: (x * share(x), share(x) * (1 + x * (1 - share(x)))),
    "sin": lambda x: (mpmath.sin(x), mpmath.cos(x)),
    "identity": lambda x: (x, mpmath.mpf(1)),
}


def arguments() -> np.ndarray:
    """Return numbers of the whole range, most of them where activations bend."""
    generator = np.random.default_rng(4)
    sign = generator.choice([-1.0, 1.0], 600)
    edges = [0.0, 5e-324, 2.3e-308, 1e-300, 1e-17, 0.3465, 0.347, 18.9, 20.0, 20.1, 37.5, 38.6, 40.0, 708.5, 745.13]
    return np.concatenate(
        [
            generator.normal(0, 2, 2500),
            generator.uniform(-45, 45, 800),
            generator.uniform(-760, 720, 400),
            np.exp(generator.uniform(-744, 709, 600)) * sign,
            edges,
            np.negative(edges),
            [1.7e308, -1.7e308],
        ]
    )


def ulps(found: float, wanted: Any) -> float:
    """Return the error in units of the last place of the exact value, where that is not an overflow."""
    rounded = float(wanted)
    if math.isinf(rounded):
        return 0.0 if found == rounded else math.inf
    return abs(float((mpmath.mpf(found) - wanted) / mpmath.mpf(math.ulp(rounded))))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_within_an_ulp_over_the_whole_range(name: str) -> None:
    x = arguments()
    value, slope = apply(ACTIVATIONS[name].native, x)
    with mpmath.workprec(1200 if name == "sin" else 250):
        for given, found, derived in zip(x.tolist(), value.tolist(), slope.tolist(), strict=True):
            wanted, wanted_slope = EXACT[name](mpmath.mpf(given))
            assert ulps(found, wanted) < 1, given
            assert abs(derived - wanted_slope) <= 5e-15 * (1 + abs(wanted_slope)), given


def test_exp_and_logarithms_are_within_an_ulp() -> None:
    x = np.concatenate([np.random.default_rng(1).uniform(-746, 710, 3000), np.linspace(-1, 1, 500)])
    value, _ = apply(lambda lanes: (elementary.exp(lanes), lanes), x)
    w = np.concatenate([1 + np.random.default_rng(2).exponential(1, 2000), 2.0 ** np.arange(0, 1024, 7), [1.0]])
    logs, _ = apply(lambda lanes: (elementary.log(lanes), lanes), w)
    falling, _ = apply(lambda lanes: (logistic.log_of_falling(lanes), lanes), x)
    with mpmath.workprec(200):
        assert max(ulps(f, mpmath.exp(mpmath.mpf(g))) for g, f in zip(x.tolist(), value.tolist(), strict=True)) < 1
        assert max(ulps(f, mpmath.log(mpmath.mpf(g))) for g, f in zip(w.tolist(), logs.tolist(), strict=True)) < 1
        exact_falling = [mpmath.log1p(mpmath.exp(-abs(mpmath.mpf(g)))) for g in x.tolist()]
        assert max(map(ulps, falling.tolist(), exact_falling)) < 1


def test_arguments_next_to_multiples_of_half_pi_keep_all_digits() -> None:
    with mpmath.workprec(1300):
        multiples = [float(k * mpmath.pi / 2) for k in [*range(1, 400), *(3**k for k in range(6, 200))]]
        x = [y for m in multiples for y in (m, np.nextafter(m, 0), -m)]
        # the double that is closest to a multiple of half pi, relative to its size (Muller, chapter 11)
        x.append(6381956970095103.0 * 2.0**797)
        sine, cosine = apply(sine_and_cosine, x)
        for given, s, c in zip(x, sine.tolist(), cosine.tolist(), strict=True):
            exactly = mpmath.mpf(given)
            assert ulps(s, mpmath.sin(exactly)) < 1, given
            assert ulps(c, mpmath.cos(exactly)) < 1, given


@pytest.mark.parametrize(
    ("name", "at_infinity", "at_minus_infinity"),
    [
        ("sigmoid", 1.0, 0.0),
        ("tanh", 1.0, -1.0),
        ("relu", math.inf, 0.0),
        ("leaky_relu", math.inf, -math.inf),
        ("elu", math.inf, -1.0),
        ("softplus", math.inf, 0.0),
        ("gelu", math.inf, 0.0),
        ("silu", math.inf, 0.0),
        ("sin", math.nan, math.nan),
        ("identity", math.inf, -math.inf),
    ],
)
def test_limits(name: str, at_infinity: float, at_minus_infinity: float) -> None:
    value, _ = apply(ACTIVATIONS[name].native, [math.inf, -math.inf, math.nan, 0.0])
    np.testing.assert_array_equal(value[:3], [at_infinity, at_minus_infinity, math.nan])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_no_digit_depends_on_the_processor(name: str) -> None:
    x = arguments()
    here = apply(ACTIVATIONS[name].native, x)
    for processor in other_processors():
        there = applied(compiled_for(processor, text(ACTIVATIONS[name].native)), x)
        assert [a.tobytes() for a in there] == [a.tobytes() for a in here], processor
