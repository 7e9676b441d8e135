"""Emitting the computation of what all runs share, step by step."""

import math
from collections.abc import Iterator, Sequence

from thalweg.engine.fused.codegen.layout import Layout
from thalweg.engine.fused.codegen.lowering import Library, LoweredFunction
from thalweg.engine.fused.codegen.powers import (
    DECLARATIONS,
    ONE_MINUS_POWER,
    ROOT_POWER,
    is_one_minus_power,
    is_root_power,
    vanishing_beyond,
    without_hidden,
)
from thalweg.engine.fused.frontend.program import Value, inputs, needed
from thalweg.engine.fused.frontend.trace import Slot, Step, Update


class ScheduleFunction(LoweredFunction):
    """The native function `schedule(first, n, lr, lr_stride, state, table, end)`.

    For the updates `first` to `first + n - 1` it fills `n` rows of `table`: the numbers that the update uses, then
    the shared state after it. The state after the last one is also left in `state`. Before an update in which torch
    raises it stops, and sets `end` to the number of rows and the code of the refusal. `lr` holds a learning rate
    per update, `lr_stride` numbers apart; a stride of 0 means a constant rate.
    """

    def __init__(self, step: Step, columns: Sequence[Sequence[Value]], layout: Layout) -> None:
        super().__init__(1, Library(vml=False))
        self._step = step
        self._columns = columns
        self._layout = layout

    def text(self) -> str:
        """Return the function."""
        u, i = self.alloca("i64"), self.alloca("i64")
        self.put(f"store i64 %first, ptr {u}", f"store i64 0, ptr {i}", "br label %header")
        self.label("header")
        self.put(f"%update = load i64, ptr {u}", f"%index = load i64, ptr {i}")
        self.put("%lr_index = mul i64 %index, %lr_stride")
        self.put("%lr_place = getelementptr double, ptr %lr, i64 %lr_index", "%rate = load double, ptr %lr_place")
        self.put(f"%row_index = mul i64 %index, {self._layout.n_columns}")
        self.put("%row = getelementptr i64, ptr %table, i64 %row_index")
        self.put("%is_first = icmp eq i64 %update, 0", "br i1 %is_first, label %first_update, label %later_update")
        for name, update, columns in zip(
            ("first_update", "later_update"), (self._step.first, self._step.later), self._columns, strict=True
        ):
            self.label(name)
            self._row(name, update, columns)
            self.put("br label %latch")
        self.label("latch")
        self.put("%after = add i64 %update, 1", f"store i64 %after, ptr {u}")
        self.put("%next_index = add i64 %index, 1", f"store i64 %next_index, ptr {i}")
        self.put("%more = icmp ult i64 %next_index, %n", "br i1 %more, label %header, label %exit")
        self.label("exit")
        self.put("ret void")
        return self.whole(
            "@schedule(i64 %first, i64 %n, ptr noalias %lr, i64 %lr_stride, ptr noalias %state, "
            "ptr noalias %table, ptr noalias %end)"
        )

    def _row(self, name: str, update: Update, columns: Sequence[Value]) -> None:
        places = {
            slot.name: self.new(f"getelementptr i64, ptr %state, i64 {k}") for k, slot in self._shared_slots()
        }
        new = {
            slot.name: values[0]
            for slot, values in zip(self._layout.slots, update.state, strict=True)
            if slot.shared
        }
        wanted = [*columns, *new.values(), update.raised]
        self.names = {value: self._input(value, places) for value in inputs(wanted)}
        self.compute(without_hidden(needed(wanted), wanted))
        if update.raised.constant != 0.0:
            self._end_where_raised(name, update)
        for k, value in enumerate(columns):
            self._store(value, self.new(f"getelementptr i64, ptr %row, i64 {k}"))
        for k, slot in self._shared_slots():
            self._store(new[slot.name], places[slot.name])
            self._store(new[slot.name], self.new(f"getelementptr i64, ptr %row, i64 {self._layout.n_shared + k}"))

    def _end_where_raised(self, name: str, update: Update) -> None:
        code = self.operand(update.raised)
        is_done = self.compare("oeq", "double", code, self.literal(0.0, "double"))
        self.branch(is_done, f"{name}_goes_on", f"{name}_raises")
        self.label(f"{name}_raises")
        code_place = self.new("getelementptr i64, ptr %end, i64 1")
        whole_code = self.cast_one("fptosi", code, "double", "i64")
        self.put("store i64 %index, ptr %end", f"store i64 {whole_code}, ptr {code_place}", "br label %exit")
        self.label(f"{name}_goes_on")

    def _store(self, value: Value, place: str) -> None:
        self.put(f"store {value.type} {self.operand(value)}, ptr {place}")

    def expression(self, value: Value) -> str:
        """Lower a value; powers call libm only where the result is not known in advance."""
        if is_one_minus_power(value):
            base, exponent = value.operands[1].operands
            beyond = self.literal(vanishing_beyond(base.constant or 0.0) or math.inf, "double")
            given = f"double {self.operand(base)}, double {self.operand(exponent)}, double {beyond}"
            self.declarations |= {*DECLARATIONS, ONE_MINUS_POWER}
            return self.new(f"call double @one_minus_power({given})")
        if is_root_power(value):
            self.declarations |= {*DECLARATIONS, ROOT_POWER}
            return self.new(f"call double @root_power(double {self.operand(value.operands[0])})")
        return super().expression(value)

    def _shared_slots(self) -> Iterator[tuple[int, Slot]]:
        return enumerate(self._layout.shared)

    def _input(self, value: Value, places: dict[str, str]) -> str:
        name = value.source[0]
        if name == "lr":
            return "%rate"
        return self.new(f"load {value.type}, ptr {places[name.removeprefix('state.')]}")
