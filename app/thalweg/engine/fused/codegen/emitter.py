"""Writing a traced step down as LLVM's assembly: two functions, `schedule` and `descend`.

`schedule` computes, step after step, what all runs share, and leaves it in a table with a row for each step.
`descend` takes blocks of runs, some side by side in the lanes of vectors, through many steps.
"""

from collections.abc import Sequence

import torch

from thalweg.engine.fused.codegen.layout import Layout
from thalweg.engine.fused.codegen.loop import DescendFunction
from thalweg.engine.fused.codegen.lowering import Library
from thalweg.engine.fused.codegen.schedule import ScheduleFunction
from thalweg.engine.fused.frontend.aten import type_of
from thalweg.engine.fused.frontend.program import Value, needed
from thalweg.engine.fused.frontend.trace import Slot, Step, Update


def emit(step: Step, dtype: torch.dtype, width: int, library: Library, *, grad_stop: bool) -> tuple[str, Layout]:
    """Return a module of LLVM assembly, and how its data lie.

    Args:
        step: What to do.
        dtype: The points'.
        width: Runs in a block: one, or whole vectors full.
        library: Where elementary functions come from.
        grad_stop: Whether a run can converge by the norm of its gradient.
    """
    columns = [_shared(update, step.slots) for update in (step.first, step.later)]
    layout = Layout(len(step.first.x), step.slots, max(1, *map(len, columns)))
    schedule = ScheduleFunction(step, columns, layout)
    descend = DescendFunction(step, columns, layout, type_of(dtype), width, library, grad_stop=grad_stop)
    functions = [schedule.text(), descend.text()]
    declarations = sorted(schedule.declarations | descend.declarations)
    return "\n".join([*declarations, *functions]), layout


def _shared(update: Update, slots: Sequence[Slot]) -> list[Value]:
    """Return what all runs share and an update of one run makes use of."""
    varying = [*update.x, *(v for slot, vs in zip(slots, update.state, strict=True) if not slot.shared for v in vs)]
    used = [*varying, *(operand for value in needed(varying) if value.varying for operand in value.operands)]
    found = {value for value in used if not value.varying and value.constant is None}
    return sorted(found, key=lambda value: value.number)
