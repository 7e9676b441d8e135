"""A point has one value to the last bit: alone, in a batch, on both engines, in an evaluation, in a surface."""

import io
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import assert_same, drive, job
from thalweg.analysis.derivatives import all_derivatives
from thalweg.analysis.evaluation import Evaluation, evaluate
from thalweg.analysis.surface import Slice, surface
from thalweg.engine.columns import unpack
from thalweg.engine.eager.run import EagerRun
from thalweg.engine.fused.runtime import libraries
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Checkpoint
from thalweg.functions.expressions import ExpressionReference
from thalweg.functions.expressions.operations import FUNCTIONS
from thalweg.settings import Limits

DTYPES = ["float64", "float32"]
NUMBERS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 1e-40, -1e-20, 1e10, -1e30, 88.0, 700.0, -700.0, 0.3, -0.6)
POWERS = ("-3", "-2", "-1", "-0.5", "0.25", "0.5", "1.7", "2", "3", "4", "10", "19", "20.5")


def called(name: str, n_operands: int) -> str:
    return f"{name}({', '.join('xy1'[:n_operands])})"


EVERY = [
    *(called(name, function.least) for name, function in FUNCTIONS.items()),
    *(f"x {sign} y" for sign in ("+", "-", "*", "/", "//", "%", "**")),
    *(f"x {sign} 0.3 + 2.5 {sign} y" for sign in ("//", "%")),
    *(f"x**{exponent}" for exponent in POWERS),
    *(
        "1.7**x + 2**y",
        "log(x, y)",
        "log(x, 3)",
        "atan2(x, 2)",
        "hypot(2, y)",
        "fmod(x, 0.3)",
        "min(x, y)",
        "max(x, y)",
    ),
]
"""Every function and operator of formulas."""

OFTEN_WRONG = [
    "expm1(x)",
    "log1p(x)",
    "softplus(x)",
    "cbrt(x)",
    "x // y",
    "x % y",
    "x**1.7",
    "x**-0.5",
    "log(x, 3)",
]


def points(dtype: str) -> np.ndarray:
    """Return points of all magnitudes, (n, 2), special values of functions among them."""
    rng = np.random.default_rng(7)
    ordinary = [rng.normal(size=(100, 2)), rng.uniform(-20, 20, (100, 2)), rng.uniform(0.05, 3, (100, 2))]
    scaled = rng.normal(size=(100, 2)) * 10 ** rng.uniform(-6, 6, (100, 2))
    special = [[x, y] for x in NUMBERS for y in NUMBERS]
    return np.concatenate([*ordinary, scaled, special]).astype(dtype)


def check_engines(text: str, dtype: str) -> None:
    """Compare values and gradients of both engines at all points, and of a few of them alone."""
    at = points(dtype)
    for chosen in (at, at[:1], at[250:252]):
        spec = job(
            function={"expression": text, "variables": ["x", "y"]},
            optimizer={"name": "sgd", "momentum": 0.9},
            lr=1e-30,
            init=chosen.tolist(),
            dtype=dtype,
            steps=1,
        )
        eager, fused = drive(spec), drive(spec, engine=FusedRun)
        for one, other in zip(eager.f, fused.f, strict=True):
            assert_same(one, other, text)
        for one, other in zip(gradients(eager.checkpoint, dtype), fused_gradients(fused.checkpoint), strict=True):
            assert_same(one, other, f"gradient of {text}")


def gradients(checkpoint: Checkpoint, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the running runs and the gradients at their starts, from the momentum after one step."""
    parts = torch.load(io.BytesIO(checkpoint.state), weights_only=True)
    if not parts:
        return np.empty(0, np.int64), np.empty((0, 2), dtype)
    return parts[0]["runs"].numpy(), parts[0]["optimizer"][0]["momentum_buffer"].numpy()


def fused_gradients(checkpoint: Checkpoint) -> tuple[np.ndarray, np.ndarray]:
    saved = unpack(checkpoint.state)
    return saved["runs"], np.ascontiguousarray(saved["state.momentum_buffer"].T)


def check_batches(text: str, dtype: str) -> None:
    """Compare values, gradients and Hessians of one batch of points with those of smaller batches."""
    at = torch.from_numpy(points(dtype)[::3].copy())
    objective = ExpressionReference(expression=text, variables=("x", "y")).objective(2)
    together = all_derivatives(objective, at)
    for size in (1, 3, 17):
        apart = [all_derivatives(objective, part) for part in torch.split(at, size)]
        for one, other in zip(together, map(torch.cat, zip(*apart, strict=True)), strict=True):
            assert_same(one.numpy(), other.numpy(), f"{text} in batches of {size}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("text", OFTEN_WRONG)
def test_engines_agree(text: str, dtype: str) -> None:
    """`make sweep` has every function."""
    check_engines(text, dtype)


@pytest.mark.parametrize(
    "text", [*OFTEN_WRONG, "x**-3", "(x*1)**0.5", "sinh(x*1)", "hypot(x*1, y)", "max(x*1, y*1)"]
)
def test_batches_agree(text: str) -> None:
    check_batches(text, "float64")


@pytest.mark.parametrize("name", ["expm1", "log1p", "sinh", "cosh", "atanh", "exp2"])
def test_a_value_is_torchs_everywhere(name: str) -> None:
    """`expm1` of 1 is one number: both 1.718281828459045 and 1.7182818284590453 are near e - 1."""
    function: dict[str, Any] = {"expression": f"{name}(x) + 0*y", "variables": ["x", "y"]}
    at = np.concatenate([[1.0], np.random.default_rng(3).uniform(-0.9, 0.9, 70)])[:70] / (
        1 if name != "atanh" else 2
    )
    alone = np.array([getattr(torch, name)(torch.tensor(x, dtype=torch.float64)).item() for x in at])
    given = [[x, 0.5] for x in at.tolist()]
    for engine in (EagerRun, FusedRun):
        for init in (given, given[:1], given[3:12]):
            begin = given.index(init[0])
            recorded = drive(job(function=function, init=init, steps=1, optimizer="sgd"), engine=engine)
            assert_same(np.array([f[0] for f in recorded.f]), alone[begin : begin + len(init)], name)
    assert_same(evaluate(Evaluation.model_validate({"function": function, "points": given})).f, alone, name)
    for point, value in zip(given[:3], alone, strict=False):
        assert evaluate(Evaluation.model_validate({"function": function, "points": [point]})).f == [value]
    window = {"x_min": at[0], "x_max": at[0] + 0.5, "y_min": 0, "y_max": 1, "points": 9}
    assert surface(Slice.model_validate({"function": function, **window}), Limits()).z[4, 0] == alone[0]


def test_the_gradient_of_a_remainder_is_torchs_quotient() -> None:
    """-1e10 // 700 in float32, as torch has it: (a - fmod(a, b)) / b, then -1, each rounded."""
    a, b = np.float32(1e10), np.float32(-700)
    rest = np.fmod(a, b)
    quotient = np.floor((a - rest) / b - np.float32(1))
    spec = job(
        function={"expression": "x % y", "variables": ["x", "y"]},
        optimizer={"name": "sgd", "momentum": 0.9},
        lr=1e-30,
        init=[[float(a), float(b)]],
        dtype="float32",
        steps=1,
    )
    _, gradient = fused_gradients(drive(spec, engine=FusedRun).checkpoint)
    assert gradient.tolist() == [[1.0, -float(quotient)]]


def test_a_machine_without_torchs_libraries_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "has_sleef", lambda _dtype: False)
    assert "log1p" in str(libraries.unlike_torch.__wrapped__())
    monkeypatch.setattr(libraries, "has_vml", lambda: False)
    assert "exp" in str(libraries.unlike_torch.__wrapped__())
