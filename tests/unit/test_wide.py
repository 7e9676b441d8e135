"""Points of many coordinates on the fused engine: loops over coordinates, with the digits of torch's own loop."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import Recording, assert_equal, assert_same, drive, job, name_of, native
from tests.unit.test_fused import DTYPES, FUSED, drawn, fusable_dims
from tests.unit.test_operations import EQUAL
from thalweg.engine import gradients
from thalweg.engine.fused.codegen import lowering
from thalweg.engine.fused.codegen.wide import emitter, reductions
from thalweg.engine.fused.codegen.wide.routine import Routine
from thalweg.engine.fused.frontend.buffers import CALLED
from thalweg.engine.fused.frontend.program import Untraceable, type_of
from thalweg.engine.fused.frontend.wide_trace import trace_objective
from thalweg.engine.fused.runtime import libraries
from thalweg.engine.fused.runtime.run import FusedRun
from thalweg.engine.outcome import Outcome
from thalweg.engine.run import Interrupted
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueFunction, constants, function, row_max, row_norm, row_product, row_sum
from thalweg.functions.expressions import ExpressionReference
from thalweg.functions.minima import Minimum
from thalweg.native import machine
from thalweg.spec.engine_choice import MAX_FUSED_DIM
from thalweg.spec.job import JobSpec

Evaluate = Callable[[torch.Tensor], torch.Tensor]

# around the lengths at which torch's kernels change: vectors, four of them, 64 rows of them
SIZES = (17, 31, 32, 33, 63, 64, 65, 255, 256, 257, 258, 511, 512, 513, 1000, 4096)

ARRAYS: dict[str, Evaluate] = {
    "halves": row_product,
    "largest": row_max,
    "pairs": lambda points: row_sum(row_norm(torch.stack((points[..., :-1], points[..., 1:]), -1))),
    "strides": lambda points: row_sum(points[..., ::3] ** 2) - row_sum(torch.cos(points[..., 1::2])),
    "ends": lambda points: row_sum(
        torch.cat([points[..., :1] ** 2, points[..., 1:] * points[..., :-1], points[..., -1:]], -1)
    ),
    "columns": lambda points: row_sum(
        torch.stack([points, points**2], -1).transpose(-1, -2).reshape(*points.shape[:-1], -1)
    ),
    "weighted": lambda points: row_sum(
        points**2 * constants(np.linspace(0.1, 3, points.shape[-1]).tolist(), points)
    ),
    "ratio": lambda points: row_sum((points / (1 + row_norm(points).unsqueeze(-1))) ** 2),
    "nothing": lambda points: points[..., 0].sign() * 0.0,
}
CASES = {**{name: evaluate for name, evaluate in EQUAL.items() if name != "matrices"}, **ARRAYS}


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """Keep torch from splitting its sums, as workers do."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def compiled(routine: Routine, dtype: torch.dtype) -> Any:
    """Return `evaluate(x, gradient, scratch, f)` of an objective in native code."""
    real = type_of(dtype)
    lines, declarations = [*routine.lines], set(routine.declarations)
    for op, of_type in sorted(routine.routines):
        text, needed = reductions.text(op, of_type)
        lines.append(text)
        declarations |= needed
    lines += [
        "define void @evaluate(ptr %x, ptr %gradient, ptr %scratch, ptr %to) {",
        f"  %f = call {real} @objective(ptr %x, ptr %gradient, ptr %scratch, i64 0, i64 0)",
        f"  store {real} %f, ptr %to",
        "  ret void",
        "}",
    ]
    linked = machine.Linked(machine.compiled("\n".join([*sorted(declarations), *lines])), ("evaluate",))
    return linked.function("evaluate", *[ctypes.c_void_p] * 4)


def entry_of(name: str, evaluate: Evaluate, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a function an entry of the catalogue, for one test; return its name."""
    evaluate.__name__ = f"only_here_{name}"
    minima = (Minimum((0.0,), 0.0),)
    entry = function(title=name, domain=((-2.0, 2.0),), minima=minima, formula="", source="this file")(evaluate)
    monkeypatch.setitem(catalogue._BY_NAME, entry.name, entry)  # noqa: SLF001 - for this test alone
    return entry.name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_operations_on_arrays(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Value and gradient at three points have torch's digits, for two of the sizes."""
    place = list(CASES).index(name) + DTYPES.index(dtype)
    for dim in (SIZES[place % len(SIZES)], SIZES[(3 * place + 5) % len(SIZES)]):
        spec = job(function=entry_of(name, CASES[name], monkeypatch), init=[0.5] * dim, dtype=dtype)
        numbers = getattr(torch, dtype)
        routine = emitter.objective_of(trace_objective(spec), numbers, libraries.library(numbers))
        evaluate = compiled(routine, numbers)
        scratch = np.zeros(routine.scratch_bytes + 64, np.uint8)
        random = np.random.default_rng(dim)
        for spread in (0.5, 1.5, 0.0):
            x = torch.from_numpy(random.uniform(-spread, spread, (1, dim)).astype(dtype)).requires_grad_()
            f = CASES[name](x)
            (gradient,) = torch.autograd.grad(f.sum(), x)
            got_f, got = np.empty(1, dtype), np.full(dim + 2, 7.0, dtype)
            aligned = scratch.ctypes.data + -scratch.ctypes.data % 64
            evaluate(x.data_ptr(), got[1:].ctypes.data, aligned, got_f.ctypes.data)
            assert_same(got_f, f.detach().numpy(), f"{name} of {dim}")
            assert_same(got[1:-1], gradient[0].numpy(), f"gradient of {name} of {dim}")
            assert got[0] == got[-1] == 7.0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("op", ["sum", "norm"])
def test_reductions(op: str, dtype: str) -> None:
    of_type = type_of(getattr(torch, dtype))
    text, declarations = reductions.text(op, of_type)
    call = f"%r = call {of_type} @{reductions.name_of(op, of_type)}(ptr %x, i64 %n)"
    reduce = f"define void @reduce(ptr %x, i64 %n, ptr %to) {{\n{call}\nstore {of_type} %r, ptr %to\nret void\n}}"
    linked = machine.Linked(machine.compiled("\n".join([*sorted(declarations), text, reduce])), ("reduce",))
    native = linked.function("reduce", ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    random = np.random.default_rng(5)
    for n in (*range(8, 40), *SIZES, 1023, 1025, 4095, 8191, 10_000, 65_537, 200_003):
        numbers = torch.from_numpy((random.normal(size=(1, n)) * 10 ** random.uniform(-3, 3, n)).astype(dtype))
        got = np.empty(1, dtype)
        native(numbers.data_ptr(), n, got.ctypes.data)
        assert_same(got, (row_sum if op == "sum" else row_norm)(numbers).numpy(), f"{op} of {n}")


WIDE = [
    (entry, fusable_dims(entry, range(dim, dim + 4))[0])
    for place, entry in enumerate(each for each in catalogue.functions() if each.dim is None)
    for dim in ((17, 100, 40, 257, 64, 1000)[place % 6],)
    if fusable_dims(entry, range(dim, dim + 4))
]


@pytest.mark.parametrize(
    ("entry", "dim", "place"),
    [pytest.param(entry, dim, place, id=f"{entry.name}-{dim}") for place, (entry, dim) in enumerate(WIDE)],
)
def test_functions_and_optimizers(entry: CatalogueFunction, dim: int, place: int) -> None:
    """Each function once; `make sweep` tries more."""
    fields = {**drawn(entry, dim, 2), "optimizer": FUSED[place % len(FUSED)], "dtype": DTYPES[place // 2 % 2]}
    assert_agree(**fields, steps=12)


def assert_agree(**fields: Any) -> Recording:
    spec = job(**fields)
    assert spec.wide
    assert spec.obstacle is None
    fused = drive(spec, engine=native)
    assert_equal(drive(spec), fused)
    return fused


@pytest.mark.parametrize("dtype", DTYPES)
def test_as_many_coordinates_as_there_can_be(dtype: str) -> None:
    for name in ("rosenbrock", "griewank"):
        function = {"name": name, "dim": MAX_FUSED_DIM}
        assert_agree(function=function, init={"random": 2, "seed": 1}, dtype=dtype, steps=6, clip_grad_norm=1e3)


ROSENBROCK = {"function": {"name": "rosenbrock", "dim": 40}, "init": {"random": 3, "seed": 2}, "lr": 0.02}


@pytest.mark.parametrize(
    "fields",
    [
        {"gradient_noise": {"std": 0.5, "seed": 3}, "clip_grad_norm": 1.0, "optimizer": "sgd", "dtype": "float32"},
        {"clip_grad_norm": 50.0, "record_every": 7},
        {"gradient_noise": {"std": 0.5, "seed": 3}, "record_every": 1000},
        {"stop": {"f": 2e4}, "lr": 0.1, "dtype": "float32"},
        {"stop": {"f": 1e2, "grad_norm": 5e3}, "lr": 0.1, "optimizer": "nadam"},
        {"optimizer": "sgd", "lr": 0.02},
        {"optimizer": "asgd", "lr": 1e-6, "scheduler": {"name": "multi_step_lr", "milestones": [100, 200]}},
        {"optimizer": "radam", "scheduler": {"name": "exponential_lr", "gamma": 0.9}},
    ],
    ids=name_of,
)
def test_options_of_a_job(fields: dict[str, Any]) -> None:
    fields = {**ROSENBROCK, **fields, "steps": 300}
    fused = assert_agree(**fields)
    assert_equal(fused, drive(job(**fields), cuts=[1, 12, 7, 100], engine=native))


def test_formulas() -> None:
    chains = "sum(100*(x[i+1] - x[i]**2)**2 + (1 - x[i])**2 for i in range(n - 1)) + norm(x)"
    nested = "sum(where(x[i] > 0, sqrt(x[i]), sum(x[j]*x[i] for j in range(i)))**2 for i in range(n)) + max(x)"
    ring = "sum(x[i]*x[(i + 1) % n]*(i + 1)/n for i in range(n)) + mean(sinh(x/9)) + sum(x**2)"
    for text, dim, dtype in ((chains, 70, "float64"), (nested, 33, "float32"), (ring, 300, "float64")):
        start = [((k * 37) % 19) / 10 - 0.9 for k in range(dim)]
        assert_agree(
            function={"expression": text, "variables": ["x"]}, init=[start, start[::-1]], dtype=dtype, steps=15
        )


def test_a_formula_of_few_coordinates_and_many_values() -> None:
    text = "sum(sin(i*x)/i + (y - 1/i)**2 for i in range(1, 900))"
    spec = job(function={"expression": text, "variables": ["x", "y"]}, init=[0.3, 0.1], steps=15)
    assert spec.wide
    assert_equal(drive(spec), drive(spec, engine=native))


def test_runs_at_rest_and_denormals() -> None:
    starts = [[1.0] * 20, [0.0] * 20, [1e-5, 1e-160] * 10]
    for optimizer in ({"name": "sgd", "lr": 0.3}, {"name": "adam", "lr": 0.1, "betas": [0.5, 0.6]}):
        for every in (1, 500):
            schedule = {"name": "multi_step_lr", "milestones": [1500, 2000]}
            fields = {"function": "sphere", "init": starts, "optimizer": optimizer, "scheduler": schedule}
            assert_agree(**fields, steps=2500, record_every=every)


def test_where_nothing_is_finite() -> None:
    fields = {"function": "sphere", "optimizer": "sgd", "lr": 3.0, "steps": 1200}
    fused = assert_agree(**fields, init=[[1e200] * 17, [1.0] * 17, [float(k) for k in range(17)]])
    assert fused.results.outcome.tolist() == [Outcome.diverged] * 3
    assert (fused.results.finite_f[1:] < np.inf).all()


@pytest.mark.parametrize(("dim", "dtype"), [(1, "float64"), (2, "float32"), (19, "float32"), (300, "float64")])
def test_an_optimizer_that_couples_coordinates(dim: int, dtype: str) -> None:
    other = {"weight_decay": 0.1, "d": 1.3, "beta2_decay": -0.5, "eps": [1e-3, 1e-2], "maximize": True}
    fields = {"function": {"name": "levy", "dim": dim}, "init": {"random": 3, "seed": dim}, "dtype": dtype}
    for optimizer in ({"name": "adafactor"}, {"name": "adafactor", "lr": 0.3, **other}):
        assert_agree(**fields, optimizer=optimizer, steps=60, clip_grad_norm=30.0, stop={"f": 0.5})


@pytest.mark.parametrize(
    ("dim", "optimizer", "dtype"),
    [(30, "adam", "float64"), (100, {"name": "asgd", "lr": 1e-4}, "float32"), (3, "adafactor", "float64")],
    ids=str,
)
def test_a_schedule_that_sees_each_run(dim: int, optimizer: Any, dtype: str) -> None:
    plateau = {"name": "reduce_lr_on_plateau", "patience": 3, "factor": 0.5, "cooldown": 2}
    fields = {"function": {"name": "rastrigin", "dim": dim}, "init": {"random": 3, "seed": dim}, "dtype": dtype}
    fields = {**fields, "optimizer": optimizer, "scheduler": plateau, "steps": 120, "record_every": 4}
    fused = assert_agree(**fields)
    assert_equal(fused, drive(job(**fields), cuts=[3, 50, 1], engine=FusedRun))


def test_neither_threads_nor_company_matter() -> None:
    fields = {"function": {"name": "levy", "dim": 60}, "optimizer": "adam", "lr": 0.05, "steps": 400}
    spec = job(init={"random": 9, "seed": 4}, **fields)
    many = drive(spec, engine=lambda spec, at: FusedRun(spec, at, threads=1))
    assert_equal(many, drive(spec, engine=lambda spec, at: FusedRun(spec, at, threads=3)))
    alone = drive(job(init=spec.starts()[4].tolist(), **fields), engine=native)
    assert_same(alone.x[0], many.x[4])
    assert_same(alone.f[0], many.f[4])


def test_a_job_can_be_interrupted() -> None:
    spec = job(**ROSENBROCK, steps=10**9, record_every=10**6)
    asked = iter([True, True, False])
    with pytest.raises(Interrupted):
        FusedRun(spec).advance(10**9, lambda: next(asked))


def test_clipping_has_torch_digits_for_every_size() -> None:
    """The norm with which a gradient is clipped is a reduction within an update."""
    for dim in (31, 258):
        x = torch.linspace(-3, 2, dim, dtype=torch.float64)
        clipped = gradients.effective(2 * x, None, 0.7)
        spec = job(function="sphere", init=x.tolist(), optimizer="sgd", lr=1.0, steps=1, clip_grad_norm=0.7)
        assert_same(drive(spec, engine=native).x[0][1], (x - clipped).numpy())


def test_a_product_of_matrices_is_not_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    name = entry_of("matrices", EQUAL["matrices"], monkeypatch)
    with pytest.raises(Untraceable, match="product of matrices"):
        FusedRun(JobSpec.model_validate({"function": name, "optimizer": "adam", "init": [0.5] * 20, "steps": 3}))


def test_functions_of_the_vector_library_are_called_for_whole_arrays() -> None:
    assert set(lowering._VML) == CALLED  # noqa: SLF001 - the one list is of names, the other of names in the library


def test_code_does_not_grow_with_the_dimension() -> None:
    sizes = []
    for dim in (100, 10_000):
        spec = job(function={"name": "rosenbrock", "dim": dim}, init={"random": 1, "seed": 1})
        routine = emitter.objective_of(trace_objective(spec), torch.float64, libraries.library(torch.float64))
        sizes.append(sum(map(len, routine.lines)))
    assert sizes[1] < 1.05 * sizes[0]


def test_a_formula_knows_that_it_is_wide() -> None:
    few = ExpressionReference(expression="x[0] + x[1]", variables=("x",)).objective(2)
    assert few.n_values < 1000
    assert not job(function={"expression": "x + y", "variables": ["x", "y"]}, init=[1, 1]).wide
