"""Emitting a step for points of many coordinates: `schedule` as ever, and a `descend` of loops over coordinates."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from thalweg.engine.fused.codegen.emitter import divided
from thalweg.engine.fused.codegen.layout import Layout
from thalweg.engine.fused.codegen.lowering import Library
from thalweg.engine.fused.codegen.schedule import ScheduleFunction
from thalweg.engine.fused.codegen.wide import reductions
from thalweg.engine.fused.codegen.wide.descend import FINITE, PARAMETERS, WideDescendFunction
from thalweg.engine.fused.codegen.wide.function import VECTOR_BYTES, TasksFunction
from thalweg.engine.fused.codegen.wide.routine import Routine
from thalweg.engine.fused.frontend.buffers import Tasks
from thalweg.engine.fused.frontend.program import Value, type_of
from thalweg.engine.fused.frontend.wide_trace import WideStep, WideUpdate
from thalweg.native.builder import BYTES, Type
from thalweg.native.memory import padded


def objective_of(tasks: Tasks, dtype: torch.dtype, library: Library) -> Routine:
    """Return a traced objective as the native function `objective`, see `Routine`."""
    real = type_of(dtype)
    function = TasksFunction(tasks, {"x": "%x", "gradient": "%gradient", "f": "%f"}, real, library, "objective.")
    function.put(f"%f = alloca {real}")
    function.do({})
    function.put(f"%result = load {real}, ptr %f", f"ret {real} %result")
    return _routine(
        function,
        "@objective(ptr noalias %x, ptr noalias %gradient, ptr noalias %scratch, i64 %step, i64 %run)",
        real,
    )


def emit_wide(
    step: WideStep,
    objective: Routine,
    dim: int,
    dtype: torch.dtype,
    library: Library,
    *,
    grad_stop: bool,
    detailed: bool = False,
) -> tuple[str, Layout]:
    """Return a module of LLVM assembly and the layout of its data.

    Args:
        step: The traced updates.
        objective: The native function that evaluates a point.
        dim: Coordinates of a point.
        dtype: That of the points.
        library: Where elementary functions come from.
        grad_stop: Whether a run can converge by its gradient's norm.
        detailed: Whether details of entries are recorded.
    """
    real = type_of(dtype)
    fixed, columns = divided([step.first.shared, step.later.shared], step)
    n_shared = max(1, *map(len, columns))
    layout = Layout(dim, step.slots, n_shared, len(fixed), step.own, wide=True, detailed=detailed)
    updates = [
        _update(update, fixed, shared, layout, real, library, name)
        for update, shared, name in zip(
            (step.first, step.later), columns, ("first_update", "later_update"), strict=True
        )
    ]
    # apart from that of updates, because an objective may keep something in its own
    objective_at = layout.n_moved * BYTES[real] + padded(max(update.scratch_bytes for update in updates))
    layout = replace(layout, scratch_bytes=objective_at + objective.scratch_bytes, objective_at=objective_at)
    nanoseconds = objective.nanoseconds + max(update.nanoseconds for update in updates)
    layout = replace(layout, nanoseconds=nanoseconds)
    noisy = "noise" in step.later.inputs
    schedule = ScheduleFunction(step, columns, fixed, layout)
    descend = WideDescendFunction(
        layout, columns, real, grad_stop=grad_stop, noisy=noisy, rests=not objective.changes
    )
    texts = [schedule.text(), descend.text()]
    lanes = VECTOR_BYTES // BYTES[real]
    declarations = {f"declare i1 @llvm.vector.reduce.and.v{lanes}i1(<{lanes} x i1>)"}
    declarations |= schedule.declarations | descend.declarations
    functions = [objective, *updates]
    for function in functions:
        declarations |= function.declarations
    routines = {routine for function in functions for routine in function.routines}
    if grad_stop:
        routines.add(("norm", real))
    for op, of_type in sorted(routines):
        text, needed = reductions.text(op, of_type)
        texts.append(text)
        declarations |= needed
    texts.append(FINITE.format(real=real, lanes=lanes, align=BYTES[real]))
    lines = [line for function in functions for line in function.lines]
    return "\n".join([*sorted(declarations), *lines, *texts]), layout


def _update(
    update: WideUpdate,
    fixed: Sequence[Value],
    shared: Sequence[Value],
    layout: Layout,
    real: Type,
    library: Library,
    name: str,
) -> Routine:
    rows = layout.rows
    arguments = {"gradient": "%gradient", "noise": "%noise", "raised": "%raised", "f": "%f"}
    arguments |= {row: f"%from.{row}" for row in layout.moved} | {
        f"next.{row}": f"%to.{row}" for row in layout.moved
    }
    arguments |= {row: f"%own.{k}" for k, row in enumerate(layout.own)}
    arguments |= {f"next.{row}": f"%next_own.{k}" for k, row in enumerate(layout.own)}
    function = TasksFunction(update.tasks, arguments, real, library, f"{name}.")
    for k in range(len(layout.own)):
        for place in ("own", "next_own"):
            function.put(f"%{place}.{k} = getelementptr double, ptr %{place}, i64 {k}")
    for row in layout.moved:
        for place, start in (("from", "%now"), ("to", "%next")):
            function.put(f"%{place}.{row} = getelementptr {real}, ptr {start}, i64 {rows[row].start}")
    given = {}
    for row, values in (("%fixed", fixed), ("%row", shared)):
        for k, value in enumerate(values):
            place = function.new(f"getelementptr i64, ptr {row}, i64 {k}")
            given[value] = function.new(f"load {value.type}, ptr {place}")
    function.put("%raised = alloca double", "store double 0.0, ptr %raised")
    function.do(given)
    function.put("%code = load double, ptr %raised", "ret double %code")
    parameters = ", ".join(f"ptr noalias %{each}" for each in PARAMETERS)
    return _routine(function, f"@{name}({parameters})", "double")


def _routine(function: TasksFunction, signature: str, result: str) -> Routine:
    text = function.whole(signature, result, internal=True)
    return Routine(
        lines=(*function.constants, text),
        declarations=frozenset(function.declarations),
        scratch_bytes=function.scratch_bytes,
        routines=frozenset(function.routines),
        nanoseconds=function.nanoseconds,
    )
