"""Emitting a traced step as LLVM assembly: two functions, `schedule` and `descend`.

`schedule` computes what all runs share and writes it into a table with a row per step. `descend` takes blocks of
runs through many steps; the runs of a block lie side by side in the lanes of vectors.
"""

from collections.abc import Sequence

import torch

from thalweg.engine.fused.codegen.classes import Tabulated, TabulateFunction, grouped, operands_of, results_of
from thalweg.engine.fused.codegen.layout import Group, Layout
from thalweg.engine.fused.codegen.loop import DescendFunction, Given
from thalweg.engine.fused.codegen.lowering import Library
from thalweg.engine.fused.codegen.schedule import ScheduleFunction
from thalweg.engine.fused.frontend.program import Value, inputs, needed, type_of
from thalweg.engine.fused.frontend.trace import Step
from thalweg.engine.fused.frontend.wide_trace import WideStep


def emit(
    step: Step, dtype: torch.dtype, width: int, library: Library, *, grad_stop: bool, detailed: bool = False
) -> tuple[str, Layout]:
    """Return a module of LLVM assembly and the layout of its data.

    Args:
        step: The traced step.
        dtype: That of the points.
        width: Runs per block: 1, or a multiple of a vector's lanes.
        library: Where elementary functions come from.
        grad_stop: Whether a run can converge by its gradient's norm.
        detailed: Whether details of entries are recorded.
    """
    names, tabulated = grouped(step)
    shared = [
        _shared(results_of(update, step.slots), each)
        for update, each in zip((step.first, step.later), tabulated, strict=True)
    ]
    fixed, columns = divided(shared, step)
    groups = tuple(Group(own, max(len(each.columns[k]) for each in tabulated)) for k, own in enumerate(names))
    sizes = (len(step.first.x), step.slots, max(1, *map(len, columns)), len(fixed))
    layout = Layout(*sizes, step.own, groups, detailed=detailed)
    schedule = ScheduleFunction(step, columns, fixed, layout)
    tabulate = TabulateFunction(groups, tabulated, columns, fixed, layout.n_columns)
    given = Given(columns, fixed, tabulated)
    descend = DescendFunction(step, given, layout, type_of(dtype), width, library, grad_stop=grad_stop)
    texts = [schedule.text(), descend.text(), *([tabulate.text()] if groups else [])]
    declarations = sorted(schedule.declarations | descend.declarations | tabulate.declarations)
    return "\n".join([*declarations, *texts]), layout


def _shared(results: Sequence[Value], tabulated: Tabulated) -> list[Value]:
    """Return the values that all runs share and the results of an update use, or what is tabulated for it."""
    computed = (value for value in needed(results, known=tabulated.values) if value.varying)
    used = [*results, *(operand for value in computed for operand in value.operands)]
    used += operands_of(tabulated)
    found = {value for value in used if not value.varying and value.constant is None}
    return sorted(found, key=_number)


def divided(shared: Sequence[Sequence[Value]], step: Step | WideStep) -> tuple[list[Value], list[list[Value]]]:
    """Return which values that all runs share are the same in all steps, and what is left of each update's."""
    fixed = sorted({value for values in shared for value in values if _is_fixed(value, step)}, key=_number)
    return fixed, [[value for value in values if value not in fixed] for values in shared]


def _is_fixed(value: Value, step: Step | WideStep) -> bool:
    """Return whether a value that all runs share is the same in all steps: it is made of what nothing moves."""
    fixed = set(step.hyperparameters) - step.moving
    return all(given.source[0] in fixed for given in inputs([value]))


def _number(value: Value) -> int:
    return value.number
