"""Emitting the computation of what all runs share, step by step."""

from collections.abc import Iterator, Sequence

from thalweg.engine.fused.codegen.layout import Layout
from thalweg.engine.fused.codegen.powers import PowersFunction, without_hidden
from thalweg.engine.fused.frontend.program import Value, inputs, needed
from thalweg.engine.fused.frontend.trace import Slot, Step, Update
from thalweg.engine.fused.frontend.wide_trace import WideStep, WideUpdate


class ScheduleFunction(PowersFunction):
    """The native function `schedule(first, n, hyper, hyper_stride, state, fixed, table, end)`.

    It writes what is the same in all updates into `fixed`. For the updates `first` to `first + n - 1` it fills `n`
    rows of `table`: the numbers that the update uses, then the shared state after it. The state after the last one
    is also left in `state`. Before an update in which torch raises it stops, and sets `end` to the number of rows
    and the code of the refusal. `hyper` holds the optimizer's hyperparameters, a row per update, `hyper_stride`
    numbers apart; a stride of 0 means that they stay the same.
    """

    def __init__(
        self, step: Step | WideStep, columns: Sequence[Sequence[Value]], fixed: Sequence[Value], layout: Layout
    ) -> None:
        super().__init__()
        self._step = step
        self._columns = columns
        self._fixed = fixed
        self._layout = layout

    def text(self) -> str:
        """Return the function."""
        u, i = self.alloca("i64"), self.alloca("i64")
        self._settle()
        self.put(f"store i64 %first, ptr {u}", f"store i64 0, ptr {i}", "br label %header")
        self.label("header")
        self.put(f"%update = load i64, ptr {u}", f"%index = load i64, ptr {i}")
        self.put("%hyper_index = mul i64 %index, %hyper_stride")
        self.put("%hyper_row = getelementptr double, ptr %hyper, i64 %hyper_index")
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
            "@schedule(i64 %first, i64 %n, ptr noalias %hyper, i64 %hyper_stride, ptr noalias %state, "
            "ptr noalias %fixed, ptr noalias %table, ptr noalias %end)"
        )

    def _settle(self) -> None:
        """Write what is the same in all updates."""
        self.names = {value: self._hyperparameter(value, "%hyper") for value in inputs(self._fixed)}
        self.compute(needed(self._fixed))
        for k, value in enumerate(self._fixed):
            self._store(value, self.new(f"getelementptr i64, ptr %fixed, i64 {k}"))

    def _row(self, name: str, update: Update | WideUpdate, columns: Sequence[Value]) -> None:
        places = {
            slot.name: self.new(f"getelementptr i64, ptr %state, i64 {k}") for k, slot in self._shared_slots()
        }
        new = {
            slot.name: values[0]
            for slot, values in zip(self._layout.slots, update.state, strict=True)
            if slot.shared
        }
        raised = [] if update.raised.varying else [update.raised]
        wanted = [*columns, *new.values(), *raised]
        self.names = {value: self._input(value, places) for value in inputs(wanted)}
        self.compute(without_hidden(needed(wanted), wanted))
        if raised and update.raised.constant != 0.0:
            self._end_where_raised(name, update)
        for k, value in enumerate(columns):
            self._store(value, self.new(f"getelementptr i64, ptr %row, i64 {k}"))
        for k, slot in self._shared_slots():
            self._store(new[slot.name], places[slot.name])
            self._store(new[slot.name], self.new(f"getelementptr i64, ptr %row, i64 {self._layout.n_shared + k}"))

    def _end_where_raised(self, name: str, update: Update | WideUpdate) -> None:
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

    def _shared_slots(self) -> Iterator[tuple[int, Slot]]:
        return enumerate(self._layout.shared)

    def _input(self, value: Value, places: dict[str, str]) -> str:
        name = value.source[0]
        if name in self._step.hyperparameters:
            return self._hyperparameter(value, "%hyper_row")
        return self.new(f"load {value.type}, ptr {places[name.removeprefix('state.')]}")

    def _hyperparameter(self, value: Value, row: str) -> str:
        index = self._step.hyperparameters.index(value.source[0])
        place = self.new(f"getelementptr double, ptr {row}, i64 {index}")
        return self.new(f"load double, ptr {place}")
