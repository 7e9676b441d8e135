"""Native LBFGS has the digits, counts and exceptions of torch's own class. `make sweep` tries a thousand jobs."""

import ctypes
import math
from typing import Any

import numpy as np
import pytest
import torch

from tests.unit.driving import assert_equal, drive, job, native
from tests.unit.lbfgs_jobs import check
from tests.unit.test_fused import DTYPES
from tests.unit.test_raised import BARRIER, OUT_OF_BRACKET, OVERFLOW, WITHIN, assert_as_by_hand, barrier, by_hand
from thalweg.engine.fused.codegen.lbfgs.vectors import vector_functions
from thalweg.engine.fused.frontend.program import type_of
from thalweg.engine.fused.runtime import libraries
from thalweg.engine.fused.runtime.kernels import Kernels
from thalweg.engine.fused.runtime.lbfgs import LbfgsRun
from thalweg.engine.outcome import Outcome
from thalweg.engine.run import Interrupted
from thalweg.native import machine

WOLFE: dict[str, Any] = {"name": "lbfgs", "line_search_fn": "strong_wolfe"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(12))
def test_a_random_job_has_torchs_digits(seed: int, dtype: str) -> None:
    check(seed, dtype)


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("max_iter", [20, 3])
def test_starts_inside_a_barrier_end_as_the_loop_by_hand(max_iter: int, search: str | None) -> None:
    options: dict[str, Any] = {"max_iter": max_iter, "line_search_fn": search}
    spec = job(function=BARRIER, optimizer={"name": "lbfgs", **options}, init=WITHIN, steps=8)
    recorded = drive(spec, engine=native)
    loops = [by_hand(barrier, start, 8, lambda at: torch.optim.LBFGS(at, **options)) for start in WITHIN]
    assert (OUT_OF_BRACKET in {loop.raised for loop in loops}) == (search is not None)
    for run, loop in enumerate(loops):
        assert_as_by_hand(recorded, run, loop)


# an interval that has shrunk to a point, whose ends are Python's floats
FLAT = {"expression": "x + 1e30", "variables": ["x"]}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "fields",
    [
        {"function": FLAT, "init": [[1.0], [1e20]], "optimizer": WOLFE | {"tolerance_change": 0.0}},
        {"function": "sphere", "init": [[1e-30, 1e-30], [1.0, 2.0]], "lr": 1e38, "optimizer": WOLFE},
        {"function": "sphere", "init": [[3.0, 4.0]], "lr": 1e-3, "optimizer": {"name": "lbfgs", "max_iter": 2}},
        {
            "function": {"expression": "-x - y/2", "variables": ["x", "y"]},
            "init": [[0.0, 0.0], [1.0, 1.0]],
            "optimizer": WOLFE | {"max_eval": 90, "max_iter": 80},
        },
    ],
    ids=["flat", "large", "short", "unbounded"],
)
def test_engines_agree_at_the_ends_of_a_line_search(fields: dict[str, Any], dtype: str) -> None:
    spec = job(**fields, dtype=dtype, steps=6)
    assert_equal(drive(spec), drive(spec, engine=native))


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_step_length_too_large_for_float32_raises(search: str | None) -> None:
    spec = job(
        function="rosenbrock",
        init=[[-1.2, 1.0], [3.0, 2.0]],
        optimizer={"name": "lbfgs", "max_iter": 1, "line_search_fn": search},
        lr=1.0,
        scheduler={"name": "exponential_lr", "gamma": 1e39},
        dtype="float32",
        steps=3,
    )
    found = drive(spec, engine=native)
    assert_equal(found, drive(spec))
    assert found.results.n_steps.tolist() == [1, 1]
    assert found.results.sentence(1) == OVERFLOW


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_scheduler_that_raises_ends_all_runs_behind_the_step(dtype: str) -> None:
    scheduler = {"name": "exponential_lr", "gamma": 1e308}
    spec = job(
        function="rosenbrock",
        init=[[-1.2, 1.0], [3.0, 2.0]],
        optimizer={"name": "lbfgs", "max_iter": 2},
        lr=1e-3,
        scheduler=scheduler,
        dtype=dtype,
        steps=9,
    )
    assert_equal(drive(spec), drive(spec, engine=native))


def test_many_runs_over_threads_are_single_runs() -> None:
    fields: dict[str, Any] = {"function": {"name": "rosenbrock", "dim": 2}, "optimizer": WOLFE, "steps": 20}
    spec = job(**fields, init={"random": 301, "seed": 3})
    alone = drive(spec, engine=lambda each, at: LbfgsRun(each, at, threads=1))
    assert_equal(alone, drive(spec, engine=lambda each, at: LbfgsRun(each, at, threads=3)))
    for run in (0, 7, 300):
        single = drive(job(**fields, init=[spec.starts()[run].tolist()]), engine=native)
        np.testing.assert_array_equal(single.x[0], alone.x[run])
        assert single.results.n_evaluations[0] == alone.results.n_evaluations[run]


def test_a_full_history_is_continued_from_its_checkpoint() -> None:
    optimizer = {**WOLFE, "history_size": 3, "max_iter": 2}
    spec = job(function={"name": "rosenbrock", "dim": 5}, init=[[-1.0, 2.0, 0.5, 1.5, -0.3]] * 2, steps=30)
    spec = job(**{**spec.dumped, "optimizer": optimizer})
    whole = drive(spec)
    assert_equal(whole, drive(spec, [1] * 30, engine=native))
    assert Outcome(whole.results.outcome[0]) is Outcome.max_steps


def test_one_long_step_can_be_interrupted() -> None:
    endless: dict[str, Any] = {"name": "lbfgs", "lr": 1e-9, "max_iter": 1000, "tolerance_change": 0.0}
    spec = job(optimizer=endless, init={"random": 20_000, "seed": 1}, steps=1)
    run, asked = LbfgsRun(spec), 0

    def keep_going() -> bool:
        nonlocal asked
        asked += 1
        return asked < 3

    with pytest.raises(Interrupted):
        run.advance(1, keep_going)
    n_evaluations = run._blocks["n_evaluations"]  # noqa: SLF001 - how far it got is what is asked
    # runs are done one after the other, each with a thousand iterations
    assert 0 < np.count_nonzero(n_evaluations) < 20_000
    assert n_evaluations.max() <= 1002


def test_the_loop_is_compiled_once_for_all_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled, compile_text = [], machine.compiled

    def noted(text: str) -> bytes:
        compiled.append(text)
        return compile_text(text)

    monkeypatch.setattr(machine, "compiled", noted)
    kernels = Kernels()
    for function in ("himmelblau", "booth", "himmelblau"):
        kernels.lbfgs(job(function=function, optimizer="lbfgs"))
    assert [text.count("@descend(") for text in compiled] == [1, 0, 0]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_sums_norms_and_products_of_any_length_are_torchs(dtype: torch.dtype) -> None:
    real = type_of(dtype)
    texts, declarations = zip(*vector_functions(real, blas=True), strict=True)
    parameters = {f"norm_{real}": "ptr %v", "sum": "ptr %v", "dot": "ptr %v, ptr %w", "largest": "ptr %v"}
    exported = [
        f"define void @{name}_at(ptr %v, ptr %w, i64 %n, ptr %to) {{\n"
        f"  %r = call {real} @{name}({given}, i64 %n)\n"
        f"  store {real} %r, ptr %to\n  ret void\n}}"
        for name, given in parameters.items()
    ]
    text = "\n".join([*sorted(set().union(*declarations)), *texts, *exported])
    linked = machine.Linked(machine.compiled(text), [f"{name}_at" for name in parameters])
    pointer = ctypes.c_void_p

    def native_of(name: str, v: torch.Tensor, w: torch.Tensor) -> float:
        to = torch.zeros(1, dtype=dtype)
        function = linked.function(f"{name}_at", pointer, pointer, ctypes.c_int64, pointer)
        function(v.data_ptr(), w.data_ptr(), len(v), to.data_ptr())
        return to.item()

    numbers = torch.Generator().manual_seed(5)
    for n in (*range(1, 70), 127, 128, 129, 255, 256, 260, 511, 1000, 1024, 1027, 4095, 4096, 10_000):
        v, w = (torch.randn(n, dtype=dtype, generator=numbers) for _ in range(2))
        assert native_of("sum", v, w) == v.sum().item()
        assert native_of(f"norm_{real}", v, w) == torch.linalg.vector_norm(v).item()
        assert native_of("dot", v, w) == torch.dot(v, w).item()
        assert native_of("largest", v, w) == v.abs().max().item()
    v = torch.tensor([1.0, math.nan, 3.0], dtype=dtype)
    assert math.isnan(native_of("largest", v, v))


def test_a_machine_without_torchs_dot_product_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_exports", lambda name: name not in {"ddot_", "sdot_"})
    assert not libraries.has_blas.__wrapped__(torch.float64)
    monkeypatch.setattr(libraries, "has_blas", lambda _dtype: False)
    assert "lbfgs" in str(libraries.unlike_torch.__wrapped__())
    library = libraries.library.__wrapped__(torch.float64)
    monkeypatch.setattr(libraries, "library", lambda _dtype: library)
    spec = job(function="booth", optimizer=WOLFE, steps=5)
    found = drive(spec, engine=lambda each, at: LbfgsRun(each, at, kernels=Kernels())).results
    np.testing.assert_allclose(found.x, drive(spec).results.x, rtol=1e-9)
