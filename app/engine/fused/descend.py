"""Writing down the loop over steps, for runs side by side in the lanes of vectors.

Each entry is recorded if it is due, looked at (has the run converged, diverged, found its best?), and then
updated. What changes from step to step are stack slots here; LLVM keeps them in registers.
"""

from collections.abc import Sequence

from app.engine.fused.builder import BYTES
from app.engine.fused.function import Function, Library
from app.engine.fused.layout import MARKS, Layout
from app.engine.fused.program import Type, Value, inputs, needed
from app.engine.fused.trace import Step, Update
from app.engine.outcome import Outcome


class Descend(Function):
    """Blocks of runs through many steps.

    `descend(begin, end, first, last, looked, table, noise, reals, marks, n_columns, record, record_block,
    record_step, record_row, every, due, stop_f, stop_grad)` takes the blocks `begin` to `end - 1` from entry
    `first` to entry `last`. Entry `first` was `looked` at before, or not. `reals` and `marks` are laid out as
    `Layout` says, with `n_columns` columns; `noise` as (update, coordinate, run). Entry `due`, and every so many
    from there on, is recorded at the distances given.
    """

    def __init__(
        self,
        step: Step,
        columns: Sequence[Sequence[Value]],
        layout: Layout,
        real: Type,
        width: int,
        library: Library,
        *,
        grad_stop: bool,
    ) -> None:
        super().__init__(width, library)
        self._step = step
        self._columns = columns
        self._layout = layout
        self._real = real
        self._grad_stop = grad_stop
        self._types: dict[str, str] = {}
        self._variables: dict[str, str] = {}

    def text(self) -> str:
        """Return the function."""
        dim = self._layout.dim
        wide_state = [row for row in self._layout.rows if row.startswith("state.")]
        kept = ["x", *wide_state, "best_x", "best_f"]
        for name in kept:
            rows = self._layout.rows[name]
            for k in range(rows.stop - rows.start):
                self._variable(f"{name}.{k}", self.wide(self._real))
        for k in range(dim):
            self._variable(f"previous_x.{k}", self.wide(self._real))
        self._variable("previous_f.0", self.wide(self._real))
        self._variable("best_step", self.wide("i64"))
        self._variable("alive", self.wide("i1"))
        for name in ("block", "entry", "due", "record", "table", "noise"):
            self._variable(name, "i64")
        self._blocks(kept)
        self._look()
        self._settle()
        self._update()
        self._exit(kept)
        return self.whole(
            "@descend(i64 %begin, i64 %end, i64 %first, i64 %last, i64 %looked, ptr noalias %table, "
            "ptr noalias %noise, ptr noalias %reals, ptr noalias %marks, i64 %n_columns, ptr noalias %record, "
            "i64 %record_block, i64 %record_step, i64 %record_row, i64 %every, i64 %due, "
            "double %stop_f, double %stop_grad)"
        )

    # variables that change from step to step

    def _variable(self, name: str, of_type: str) -> None:
        self._types[name] = of_type
        self._variables[name] = self.alloca(of_type)

    def _get(self, name: str) -> str:
        return self.new(f"load {self._types[name]}, ptr {self._variables[name]}")

    def _set(self, name: str, value: str) -> None:
        self.put(f"store {self._types[name]} {value}, ptr {self._variables[name]}")

    def _advance(self, name: str, by: str) -> None:
        self._set(name, self.new(f"add i64 {self._get(name)}, {by}"))

    # rows of the arrays of all runs

    def _place(self, row: str, k: int = 0) -> str:
        index = self._layout.rows[row].start + k
        start = self.new(f"mul i64 %n_columns, {index}")
        return self.new(f"getelementptr {self._real}, ptr %block_reals, i64 {start}")

    def _mark(self, row: str) -> str:
        start = self.new(f"mul i64 %n_columns, {MARKS.index(row)}")
        return self.new(f"getelementptr i64, ptr %block_marks, i64 {start}")

    def _load(self, place: str, of_type: str) -> str:
        return self.new(f"load {self.wide(of_type)}, ptr {place}, align {BYTES[of_type]}")

    def _store(self, place: str, of_type: str, value: str) -> None:
        self.put(f"store {self.wide(of_type)} {value}, ptr {place}, align {BYTES[of_type]}")

    def _store_where(self, mask: str, place: str, of_type: str, value: str) -> None:
        self._store(place, of_type, self.select(mask, of_type, value, self._load(place, of_type)))

    def ignored_lanes(self) -> str:
        """Return the mask of runs that have ended."""
        return self.inverse(self._get("alive"))

    # the blocks of the control flow

    def _blocks(self, kept: Sequence[str]) -> None:
        """Go through the blocks of runs; load what is known of the runs of one."""
        self._set("block", "%begin")
        stops = ["%stop_f", "%stop_grad"]
        if self._real == "float":
            stops = [self.new(f"fptrunc double {name} to float") for name in stops]
        self._stop_f, self._stop_grad = (self.splat(name, self._real) for name in stops)
        self.put("br label %next_block")
        self.label("next_block")
        block = self._get("block")
        self.put(f"%in_range = icmp slt i64 {block}, %end", "br i1 %in_range, label %load, label %done")
        self.label("done")
        self.put("ret void")
        self.label("load")
        self.put(f"%column = mul i64 {block}, {self.width}")
        self.put(f"%block_reals = getelementptr {self._real}, ptr %reals, i64 %column")
        self.put("%block_marks = getelementptr i64, ptr %marks, i64 %column")
        for name in kept:
            rows = self._layout.rows[name]
            for k in range(rows.stop - rows.start):
                self._set(f"{name}.{k}", self._load(self._place(name, k), self._real))
        for k in range(self._layout.dim):
            self._set(f"previous_x.{k}", f"{'zeroinitializer' if self.width > 1 else '0.0'}")
        self._set("previous_f.0", f"{'zeroinitializer' if self.width > 1 else '0.0'}")
        self._set("best_step", self._load(self._mark("best_step"), "i64"))
        outcome = self._load(self._mark("outcome"), "i64")
        running = self.literal(str(int(Outcome.running)), "i64")
        self._set("alive", self.new(f"icmp eq {self.wide('i64')} {outcome}, {running}"))
        self._set("entry", "%first")
        self._set("due", "%due")
        self._set("table", "0")
        self._set("noise", "%column")
        self._set("record", self.new(f"mul i64 {block}, %record_block"))
        self.put("br label %step")

    def _look(self) -> None:
        """Evaluate an entry, record it, and see whether runs end with it."""
        self.label("step")
        self.put(f"%entry_now = load i64, ptr {self._variables['entry']}")
        self._x = [self._get(f"x.{k}") for k in range(self._layout.dim)]
        entry = self._step.entry
        wanted = [entry.f, *entry.gradient, *([entry.grad_norm] if self._grad_stop else [])]
        self.names = {value: self._x[value.source[1]] for value in inputs(wanted)}
        self.compute(needed(wanted))
        self._f = self.operand(entry.f)
        self._gradient = [self.operand(value) for value in entry.gradient]
        self.put("%is_known = icmp eq i64 %entry_now, %first", "%was_looked = icmp ne i64 %looked, 0")
        self.put("%skip = and i1 %is_known, %was_looked", "br i1 %skip, label %update, label %look")
        self.label("look")
        due = self._get("due")
        self.put(f"%is_due = icmp eq i64 %entry_now, {due}", "br i1 %is_due, label %write, label %judge")
        self.label("write")
        record = self._get("record")
        for row, value in enumerate([*self._x, self._f]):
            offset = self.new(f"mul i64 %record_row, {row}")
            index = self.new(f"add i64 {record}, {offset}")
            self._store(self.new(f"getelementptr {self._real}, ptr %record, i64 {index}"), self._real, value)
        self._advance("record", "%record_step")
        self._advance("due", "%every")
        self.put("br label %judge")
        self.label("judge")
        self._judge()

    def _judge(self) -> None:
        real = self.wide(self._real)
        infinity = self.literal(float("inf"), self._real)
        finite = ""
        for value in [self._f, *self._x]:
            size = self.intrinsic("fabs", self._real, [value])
            is_finite = self.new(f"fcmp olt {real} {size}, {infinity}")
            finite = self.mask("and", finite, is_finite) if finite else is_finite
        self._finite = finite
        alive = self._get("alive")
        better = self.new(f"fcmp olt {real} {self._f}, {self._get('best_f.0')}")
        better = self.mask("and", self.mask("and", better, self._is_finite_f()), alive)
        self._set("best_f.0", self.select(better, self._real, self._f, self._get("best_f.0")))
        for k, x in enumerate(self._x):
            self._set(f"best_x.{k}", self.select(better, self._real, x, self._get(f"best_x.{k}")))
        now = self.splat("%entry_now", "i64")
        self._set("best_step", self.select(better, "i64", now, self._get("best_step")))
        over = self.new(f"fcmp ole {real} {self._f}, {self._stop_f}")
        if self._grad_stop:
            norm = self.operand(self._step.entry.grad_norm)
            over = self.mask("or", over, self.new(f"fcmp ole {real} {norm}, {self._stop_grad}"))
        diverged = self.inverse(finite)
        self._ended = self.mask("and", self.mask("or", over, diverged), alive)
        self.put("%at_last = icmp eq i64 %entry_now, %last")
        something = self.new(f"or i1 {self.any(self._ended)}, %at_last")
        self.put(f"br i1 {something}, label %settle, label %update")

    def _is_finite_f(self) -> str:
        # minus infinity would be the lowest value of all
        real = self.wide(self._real)
        return self.new(f"fcmp ogt {real} {self._f}, {self.literal(float('-inf'), self._real)}")

    def _settle(self) -> None:
        """Write down the runs that end with this entry, or, at the last entry, all that still go on."""
        self.label("settle")
        alive = self._get("alive")
        last = self.splat("%at_last", "i1")
        leaving = self.mask("or", self._ended, self.mask("and", last, alive))
        now = self.splat("%entry_now", "i64")
        started = self.splat(self.new("icmp sgt i64 %entry_now, 0"), "i1")
        diverged = self.inverse(self._finite)
        back = self.mask("and", diverged, started)
        for row, k, value in [
            *(("x", k, x) for k, x in enumerate(self._x)),
            ("f", 0, self._f),
            *(("gradient", k, g) for k, g in enumerate(self._gradient)),
        ]:
            self._store_where(leaving, self._place(row, k), self._real, value)
        for row, k, value, previous in [
            *(("finite_x", k, x, f"previous_x.{k}") for k, x in enumerate(self._x)),
            ("finite_f", 0, self._f, "previous_f.0"),
        ]:
            chosen = self.select(back, self._real, self._get(previous), value)
            self._store_where(leaving, self._place(row, k), self._real, chosen)
        self._store_where(leaving, self._mark("n_steps"), "i64", now)
        outcomes = [self.literal(str(int(outcome)), "i64") for outcome in (Outcome.diverged, Outcome.converged)]
        self._store_where(self._ended, self._mark("outcome"), "i64", self.select(diverged, "i64", *outcomes))
        going = self.mask("and", alive, self.inverse(self._ended))
        self._set("alive", going)
        self.put("%at_last_or_none = icmp eq i64 %entry_now, %last")
        none = self.new(f"xor i1 {self.any(going)}, true")
        over = self.new(f"or i1 %at_last_or_none, {none}")
        self.put(f"br i1 {over}, label %exit, label %update")

    def _update(self) -> None:
        """Move the points of a block."""
        self.label("update")
        for k, x in enumerate(self._x):
            self._set(f"previous_x.{k}", x)
        self._set("previous_f.0", self._f)
        self.put(f"%row_offset = load i64, ptr {self._variables['table']}")
        self.put("%row = getelementptr i64, ptr %table, i64 %row_offset")
        self.put(f"%noise_offset = load i64, ptr {self._variables['noise']}")
        self.put("%noise_place = getelementptr " + f"{self._real}, ptr %noise, i64 %noise_offset")
        self.put(
            "%at_start = icmp eq i64 %entry_now, 0", "br i1 %at_start, label %first_update, label %later_update"
        )
        known = self.names
        for name, update, columns in zip(
            ("first_update", "later_update"), (self._step.first, self._step.later), self._columns, strict=True
        ):
            self.names = dict(known)
            self.label(name)
            self._move(update, columns)
            self.put("br label %latch")
        self.label("latch")
        self._advance("entry", "1")
        self._advance("table", str(self._layout.n_shared))
        self._advance("noise", self.new(f"mul i64 %n_columns, {self._layout.dim}"))
        self.put("br label %step")

    def _move(self, update: Update, columns: Sequence[Value]) -> None:
        wanted = {f"x.{k}": value for k, value in enumerate(update.x)}
        for slot, values in zip(self._layout.slots, update.state, strict=True):
            if not slot.shared:
                wanted |= {f"state.{slot.name}.{k}": value for k, value in enumerate(values)}
        for k, value in enumerate(columns):
            place = self.new(f"getelementptr i64, ptr %row, i64 {k}")
            self.names[value] = self.splat(self.new(f"load {value.type}, ptr {place}"), value.type)
        for value in inputs(wanted.values()):
            if value.varying and value not in self.names:
                self.names[value] = self._input(value)
        self.compute(value for value in needed(wanted.values(), known=self.names) if value.varying)
        for name, value in wanted.items():
            self._set(name, self.operand(value))

    def _input(self, value: Value) -> str:
        name, k = value.source
        if name == "noise":
            start = self.new(f"mul i64 %n_columns, {k}")
            return self._load(self.new(f"getelementptr {self._real}, ptr %noise_place, i64 {start}"), self._real)
        return self._x[k] if name == "x" else self._get(f"{name}.{k}")

    def _exit(self, kept: Sequence[str]) -> None:
        """Write down where the runs of a block are, and go on to the next block."""
        self.label("exit")
        for name in kept:
            rows = self._layout.rows[name]
            for k in range(rows.stop - rows.start):
                if name != "x":
                    self._store(self._place(name, k), self._real, self._get(f"{name}.{k}"))
        self._store(self._mark("best_step"), "i64", self._get("best_step"))
        self._advance("block", "1")
        self.put("br label %next_block")
