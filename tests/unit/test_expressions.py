"""Values and gradients of formulas, to the bit those of the same catalogue functions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from thalweg.analysis.derivatives import all_derivatives, value_and_gradient
from thalweg.analysis.gradient_check import check_gradient
from thalweg.functions import catalogue
from thalweg.functions.base import Objective
from thalweg.functions.expressions import ExpressionObjective, ExpressionReference
from thalweg.functions.expressions.operations import FUNCTIONS

HIMMELBLAU = "(x**2 + y - 11)**2 + (x + y**2 - 7)**2"
ROSENBROCK = "sum(100*(x[i+1] - x[i]**2)**2 + (1 - x[i])**2 for i in range(len(x) - 1))"


def formula(expression: str, *variables: str, dim: int | None = None, **constants: float) -> ExpressionObjective:
    names = variables or ("x", "y")
    return ExpressionReference(expression=expression, variables=names, constants=constants).objective(dim)


def value(expression: str, *point: float, names: str = "xyz", dtype: torch.dtype = torch.float64) -> float:
    objective = formula(expression, *names[: len(point)])
    return objective(torch.tensor(point, dtype=dtype)).item()


def vector_value(expression: str, *point: float) -> float:
    return formula(expression, "x", dim=len(point))(torch.tensor(point, dtype=torch.float64)).item()


def slope(expression: str, *point: float) -> list[float]:
    gradient = value_and_gradient(formula(expression, *"xyz"[: len(point)]), torch.tensor([point]).double())[1]
    return gradient[0].tolist()


def sign(x: float) -> float:
    return (x > 0) - (x < 0)


# each function with its Python equivalent and inputs
PYTHON: dict[str, tuple[Callable[..., float], tuple[float, float]]] = {
    **{name: (getattr(math, name), (-3, 3)) for name in ("sin", "cos", "tan", "atan", "tanh", "asinh", "exp")},
    **{name: (getattr(math, name), (-3, 3)) for name in ("expm1", "erf", "erfc", "sinh", "cosh", "exp2", "fabs")},
    **{name: (getattr(math, name), (-0.95, 0.95)) for name in ("asin", "acos", "atanh", "log1p")},
    **{name: (getattr(math, name), (0.1, 9)) for name in ("log", "log2", "log10", "sqrt", "lgamma")},
    **{name: (getattr(math, name), (-3, 3)) for name in ("floor", "ceil", "trunc", "atan2", "hypot", "cbrt")},
    "acosh": (math.acosh, (1.1, 9)),
    "abs": (abs, (-3, 3)),
    "sign": (sign, (-3, 3)),
    "round": (round, (-3, 3)),
    "relu": (lambda x: max(x, 0.0), (-3, 3)),
    "sigmoid": (lambda x: 1 / (1 + math.exp(-x)), (-30, 30)),
    "softplus": (lambda x: math.log1p(math.exp(x)), (-30, 30)),
    "pow": (math.pow, (0.1, 4)),
    "fmod": (math.fmod, (-3, 3)),
    "minimum": (min, (-3, 3)),
    "maximum": (max, (-3, 3)),
    "clamp": (lambda x, low, high: min(max(x, low), high), (-3, 3)),
}


def test_every_function_is_tried() -> None:
    assert PYTHON.keys() == FUNCTIONS.keys()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_equal_pythons(name: str) -> None:
    function, (low, high) = PYTHON[name]
    n = FUNCTIONS[name].least
    objective = formula(f"{name}({', '.join('xyz'[:n])})", *"xyz"[:n])
    points = np.random.default_rng(1).uniform(low, high, (200, n))
    found = objective(torch.from_numpy(points)).tolist()
    for point, f in zip(points.tolist(), found, strict=True):
        assert f == pytest.approx(float(function(*point)), rel=1e-12, abs=1e-14), point


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_of_functions(name: str) -> None:
    _, (low, high) = PYTHON[name]
    n = FUNCTIONS[name].least
    objective = formula(f"{name}({', '.join('xyz'[:n])})", *"xyz"[:n])
    starts = np.random.default_rng(2).uniform(low, high, (16, n))
    assert check_gradient(objective, starts).agrees


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_point_has_the_same_bits_alone_and_in_a_batch(name: str) -> None:
    _, (low, high) = PYTHON[name]
    n = FUNCTIONS[name].least
    objective = formula(f"{name}({', '.join('xyz'[:n])}) * x", *"xyz"[:n])
    for dtype in (torch.float64, torch.float32):
        points = torch.from_numpy(np.random.default_rng(3).uniform(low, high, (101, n))).to(dtype)
        assert_rows_alone(objective, points)


def assert_rows_alone(objective: Objective, points: torch.Tensor) -> None:
    f, gradient = value_and_gradient(objective, points)
    for row in range(len(points)):
        alone, gradient_alone = value_and_gradient(objective, points[row : row + 1])
        assert torch.equal(alone[0], f[row])
        assert torch.equal(gradient_alone[0], gradient[row])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2*x - y/4", 6.5),
        ("-x**2 + (-x)**2", 0.0),
        ("2**-1 + 2**3**2/512", 1.5),
        ("x % 2 + -x % 2 + x // 2 + -x // 2", 1.0),
        ("7.5 % 2 + -7.5 // 2", -2.5),
        ("fmod(-7.5, 2)", -1.5),
        ("x % y + -x % y + x // y", 1 + 2 + 1.0 - 1.0),
        ("min(x, y, 2.5) + max(x, y, 4)", 6.0),
        ("where(x < y, 1, 2) + (10 if x != y else 20)", 12.0),
        ("where(1 < x < 4 and not y == 3 or x > 99, 5, 6)", 5.0),
        ("where(not (x > 0 and y > 9), 1, 0)", 1.0),
        ("pi + e - tau/2", math.e),
        ("log(x, 3) + log(8, 2)", 4.0),
        ("cbrt(-27)", -3.0),
        ("0*x + 3", 3.0),
        ("round(2.5) + round(x/2)", 4.0),
        (" ( x\n+\ty ) ", 5.0),
        ("n", 2.0),
        (".5e1 + 1. + 1E-0", 7.0),
    ],
)
def test_arithmetic_is_pythons(expression: str, expected: float) -> None:
    assert value(expression, 3.0, 2.0) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("exponent", [-7, -3, -2, -1, -0.5, 0, 0.5, 1, 1.7, 2, 3, 4, 5, 6, 7, 10, 16, 17, 40])
def test_powers(exponent: float) -> None:
    objective = formula(f"x**{exponent} + y*0")
    points = torch.from_numpy(np.random.default_rng(4).uniform(0.2, 2, (60, 2)))
    expected = points[:, 0].numpy() ** float(exponent)
    np.testing.assert_allclose(objective(points).numpy(), expected, rtol=16 * 2**-53)
    assert check_gradient(objective, points[:8].numpy()).agrees
    assert_rows_alone(objective, points)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("sum(x[i] for i in range(n))", 10.0),
        ("sum(i*x[i] for i in range(1, n))", 20.0),
        ("sum(x[i] for i in range(n - 1, -1, -2))", 6.0),
        ("sum(x[-i] for i in range(1, 3))", 7.0),
        ("x[0] + x[-1] + len(x)", 9.0),
        ("prod(x[i] for i in range(len(x)))", 24.0),
        ("min(x[i]*i for i in range(n)) + max(x[i] - i for i in range(n))", 1.0),
        ("mean(x)", 2.5),
        ("norm(x)**2", 30.0),
        ("sum(x**2)", 30.0),
        ("sum((x - 1)**2 * x[0])", 14.0),
        ("max(abs(x - 2.5))", 1.5),
        ("sum(v**2 for v in x)", 30.0),
        ("sum(v*x[i] for v in x for i in range(2))", 30.0),
        ("sum(sum(x[j] for j in range(i + 1))**2 for i in range(n))", 1 + 9 + 36 + 100.0),
        ("sum(sum(x[j] for j in range(i))**2 for i in range(n))", 1 + 9 + 36.0),
        ("sum(x[i]*x[j] for i in range(n) for j in range(i))", 35.0),
        ("sum(prod(x[j] for j in range(i)) for i in range(n))", 1 + 1 + 2 + 6.0),
        ("sum(x[i]*x[(i + 1) % n] for i in range(n))", 24.0),
        ("sum(x[2*i] - x[2*i + 1] for i in range(n//2))", -2.0),
        ("sum(max(x[j] - i for j in range(i, n)) for i in range(n))", 10.0),
        ("sum(mean(x[j] for j in range(i + 1)) for i in range(n))", 1 + 1.5 + 2 + 2.5),
        ("sum(norm(x[j] for j in range(i)) for i in range(2))", 1.0),
        ("sum(x[i]/sum(x) for i in range(n))", 1.0),
        ("sum(x[i]*sum(j for j in range(i)) for i in range(n))", 3 + 12.0),
        ("sum(where(i % 2 == 0, x[i], 0) for i in range(n))", 4.0),
        ("sum((-1)**i * x[i] for i in range(n))", -2.0),
        ("sum(1/i for i in range(1, 3)) + x[0]", 2.5),
        ("sum(where(i == 0, 0, 1/i) for i in range(3)) + x[0]", 2.5),
        ("sum(7 for i in range(n)) + sum(x[0] for i in range(3))", 31.0),
        ("sum(x[i] for i in range(3, 3)) + prod(x[i] for i in range(0))", 1.0),
        ("sum(x[0]**2 + x[1] for i in range(1))", 3.0),
    ],
)
def test_loops_are_pythons(expression: str, expected: float) -> None:
    assert vector_value(expression, 1.0, 2.0, 3.0, 4.0) == pytest.approx(expected, rel=1e-14)
    objective = formula(expression, "x", dim=4)
    points = torch.from_numpy(np.random.default_rng(5).uniform(0.5, 2, (12, 4)))
    assert check_gradient(objective, points.numpy()).agrees
    assert_rows_alone(objective, points)
    assert objective(points.reshape(3, 4, 4)).shape == (3, 4)


def test_a_vector_between_single_coordinates() -> None:
    objective = formula("1000*a + 100*b + sum((i + 1)*x[i] for i in range(n))", "a", "x", "b", dim=5)
    assert objective(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])).item() == 1000 + 500 + 2 + 6 + 12


def test_constants_have_their_values() -> None:
    objective = formula("a*x + b*y + sum(x for i in range(m))", a=1.5, b=-2, m=3)
    assert objective(torch.tensor([2.0, 1.0])).item() == 7.0


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_himmelblau_has_the_catalogues_bits(dtype: torch.dtype) -> None:
    points = torch.from_numpy(np.random.default_rng(6).uniform(-6, 6, (1000, 2))).to(dtype)
    assert_equal_objectives(formula(HIMMELBLAU), catalogue.get("himmelblau").at(), points)


@pytest.mark.parametrize("dim", [2, 3, 5, 16, 1000])
def test_rosenbrock_has_the_catalogues_bits(dim: int) -> None:
    points = torch.from_numpy(np.random.default_rng(dim).uniform(-5, 10, (20, dim)))
    assert_equal_objectives(formula(ROSENBROCK, "x", dim=dim), catalogue.get("rosenbrock").at(dim), points)


def assert_equal_objectives(one: Objective, other: Objective, points: torch.Tensor) -> None:
    for a, b in zip(value_and_gradient(one, points), value_and_gradient(other, points), strict=True):
        assert torch.equal(a, b)


def test_himmelblau_has_the_catalogues_curvature() -> None:
    points = torch.tensor([[1.0, 2.0], [-3.0, 0.5]], dtype=torch.float64)
    found = all_derivatives(formula(HIMMELBLAU), points)
    expected = all_derivatives(catalogue.get("himmelblau").at(), points)
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("expression", "point", "expected"),
    [
        ("where(x > 0, sqrt(x), x**2)", (-1.0,), [-2.0]),
        ("where(x > 0, sqrt(x), 0)", (0.0,), [0.0]),
        ("x*log(x) if x > 0 else 0", (0.0,), [0.0]),
        ("where(y > 0, where(x > 0, sqrt(x)*y, 3*x), 1/x)", (0.0, 1.0), [3.0, 0.0]),
        ("where(x == 0, 1, sin(x)/x)", (0.0,), [0.0]),
        ("sum(where(x > 0, log(x), y) for i in range(3))", (0.0, 5.0), [0.0, 3.0]),
        ("where(x > 0, sum(sqrt(x)*i for i in range(3)), 2*x)", (0.0,), [2.0]),
        ("where(x > 1, sqrt(x - 1), 0) + (y if x < 1 else 1/(x - 0.5))", (0.5, 1.0), [0.0, 1.0]),
    ],
)
def test_a_branch_not_taken_has_no_effect(expression: str, point: tuple[float, ...], expected: list[float]) -> None:
    assert slope(expression, *point) == expected
    objective = formula(expression, *"xyz"[: len(point)])
    _, _, curvature = all_derivatives(objective, torch.tensor([point], dtype=torch.float64))
    assert torch.isfinite(curvature).all()


def test_branches_are_per_coordinate() -> None:
    objective = formula(
        "sum(where(x[i] > 0, sqrt(x[i]), -sum(x[j] for j in range(i))) for i in range(n))", "x", dim=3
    )
    gradient = value_and_gradient(objective, torch.tensor([[4.0, 0.0, 1.0]], dtype=torch.float64))[1]
    assert gradient.tolist() == [[0.25 - 1.0, 0.0, 0.5]]


@pytest.mark.parametrize(
    ("expression", "f", "gradient"),
    [
        ("5", 5.0, [0.0, 0.0]),
        ("y", 2.0, [0.0, 1.0]),
        ("floor(x)", 1.0, [0.0, 0.0]),
        ("where(x > 0, 1, 0)", 1.0, [0, 0]),
    ],
)
def test_unused_coordinates_have_gradient_zero(expression: str, f: float, gradient: list[float]) -> None:
    for at in (1.5, math.inf):
        points = torch.tensor([[at, 2.0]] * 3, dtype=torch.float64)
        found, slopes, curvature = all_derivatives(formula(expression), points)
        expected = math.inf if expression == "floor(x)" and at == math.inf else f
        assert found.tolist() == [expected] * 3
        assert slopes.tolist() == [gradient] * 3
        assert curvature.abs().max() == 0.0


def test_functions_far_out() -> None:
    assert value("sigmoid(x)", -800.0) == 0.0
    assert slope("sigmoid(x)", -800.0) == [0.0]
    assert slope("sigmoid(x)", 0.0) == [0.25]
    assert slope("softplus(x)", 0.0) == [0.5]
    assert value("softplus(x)", 800.0) == 800.0
    assert slope("norm(x - i for i in range(1))", 0.0) == [0.0]


def test_float32_stays_float32() -> None:
    objective: Any = formula("sum(x[i]*i/3 for i in range(n)) + where(x[0] > 0, 1, 2) + 0.1", "x", dim=3)
    assert objective(torch.ones(2, 3)).dtype == torch.float32
