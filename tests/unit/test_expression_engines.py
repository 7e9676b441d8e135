"""Formulas on the fused engine beside torch's own loop: the same digits, or a reason why there is none."""

import pytest
import torch

from tests.unit.driving import assert_equal
from tests.unit.test_operations import both
from thalweg.functions.expressions import ExpressionReference
from thalweg.optimizers.families.torch_optim import SGD
from thalweg.spec.engine_choice import obstacle

SCALAR = {
    "himmelblau": "(x**2 + y - 11)**2 + (x + y**2 - 7)**2",
    "powers": "x**4 + abs(y)**2.5 - x**-3 / 50 + 2**y + abs(x)**abs(y)",
    "waves": "sin(x)*cos(y) + exp(-x**2) + tanh(x*y) + atan2(x, y) + hypot(x, 2) + sinh(x/9) + sigmoid(9*x)",
    "branches": "where(x > 0.5 and not y < 0, log(x - 0.4) + x*y, x**2) if -1 < x < 1 or y == 2 else 3",
    "bounds": "min(x, y, 0.4) + max(x, y**2) + clamp(x, -y**2, 1) + abs(x - y)",
    "wholes": "x % 0.3 + y % -0.2 + x*(y // 0.1) + floor(x)*y + round(9*y)*x + ceil(x)",
    "constant": "pi",
}
VECTOR = {
    "rosenbrock": "sum(100*(x[i+1] - x[i]**2)**2 + (1 - x[i])**2 for i in range(n - 1))",
    "whole": "sum(x**2) * prod(cos(x/3)) + max(abs(x)) + min(x) + mean(x) + norm(x)",
    "schwefel": "sum(sum(x[j] for j in range(i + 1))**2 for i in range(n))",
    "neighbors": "sum(x[i]*x[(i + 1) % n]*(i + 1)/n for i in range(n)) + x[-1]**2",
    "ragged": "sum(x[i]/(2 + norm(x)) * max(x[j] for j in range(i, n)) for i in range(n))",
    "alternating": "sum(where(i % 2 == 0, x[i]**2, -x[i]) + abs(x[i])**(i + 2) for i in range(n))",
    "guarded": "sum(where(x[i] > 0, sqrt(x[i]), sum(x[j]*x[i] for j in range(i))) for i in range(n))",
    "means": "sum(mean(x[j] for j in range(i + 1))**2 for i in range(n))",
}
CASES = [
    *((name, text, ("x", "y"), 2) for name, text in SCALAR.items()),
    *((name, text, ("x",), dim) for name, text in VECTOR.items() for dim in (2, 5)),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("name", "text", "variables", "dim"), CASES, ids=[f"{case[0]}-{case[3]}" for case in CASES]
)
def test_torchs_digits(
    name: str, text: str, variables: tuple[str, ...], dim: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    objective = ExpressionReference(expression=text, variables=variables).objective(dim)
    assert objective.untraceable is None
    start = [0.7, -0.6, 0.2, 0.9, -0.3][:dim]
    starts = [start, *([(x * k) % 1.9 - 0.8 for x in start] for k in range(1, 7))]

    def evaluate(points: torch.Tensor) -> torch.Tensor:
        return objective(points)

    for init in (start, starts):
        assert_equal(*both(f"{name}_{dim}", evaluate, monkeypatch, dtype=dtype, init=init))


@pytest.mark.parametrize(
    ("text", "reason"),
    [("lgamma(x[0]) + 1", "lgamma")],
)
def test_what_is_not_compiled_says_why(text: str, reason: str) -> None:
    objective = ExpressionReference(expression=text, variables=("x",)).objective(2)
    assert reason in str(objective.untraceable)
    assert obstacle(SGD.model_validate({}), None, objective) == objective.untraceable
