"""Emitting an objective as a function of one point, which everything that handles one run at a time calls."""

from typing import Final

from thalweg.engine.fused.codegen.lowering import Library, LoweredFunction
from thalweg.engine.fused.codegen.wide import reductions
from thalweg.engine.fused.codegen.wide.routine import Routine
from thalweg.engine.fused.frontend.program import inputs, needed
from thalweg.engine.fused.frontend.trace import Entry
from thalweg.native.builder import BYTES, Type

PARAMETERS: Final = "ptr noalias %x, ptr noalias %gradient, ptr noalias %scratch, i64 %step, i64 %run"
"""Of `objective`: the point, where its gradient goes, and what mini-batches are drawn by."""


class ObjectiveFunction(LoweredFunction):
    """The native function `objective`, which returns f at a point and writes the gradient; one number at a time."""

    def __init__(self, entry: Entry, real: Type, library: Library) -> None:
        super().__init__(1, library)
        self._entry = entry
        self._real = real

    def text(self) -> str:
        """Return the function."""
        real, wanted = self._real, [self._entry.f, *self._entry.gradient]
        for value in inputs(wanted):
            place = self.new(f"getelementptr {real}, ptr %x, i64 {value.source[1]}")
            self.names[value] = self.new(f"load {real}, ptr {place}, align {BYTES[real]}")
        self.compute(needed(wanted))
        for k, value in enumerate(self._entry.gradient):
            place = self.new(f"getelementptr {real}, ptr %gradient, i64 {k}")
            self.put(f"store {real} {self.operand(value)}, ptr {place}, align {BYTES[real]}")
        self.put(f"ret {real} {self.operand(self._entry.f)}")
        return self.whole(f"@objective({PARAMETERS})", real, internal=True)


def unrolled(entry: Entry, real: Type, library: Library) -> Routine:
    """Return the objective of few coordinates, without loops."""
    function = ObjectiveFunction(entry, real, library)
    return Routine((function.text(),), frozenset(function.declarations), scratch_bytes=0)


def evaluate_module(objective: Routine, real: Type) -> str:
    """Return a module that exports an objective as `evaluate`."""
    declarations, texts = set(objective.declarations), list(objective.lines)
    for op, of_type in sorted(objective.routines):
        text, needed = reductions.text(op, of_type)
        texts.append(text)
        declarations |= needed
    given = "ptr %x, ptr %gradient, ptr %scratch, i64 %step, i64 %run"
    exported = (
        f"define {real} @evaluate({PARAMETERS}) {{\n  %f = call {real} @objective({given})\n  ret {real} %f\n}}"
    )
    return "\n".join([*sorted(declarations), *texts, exported])
