"""Emitting the loop over steps, for runs side by side in the lanes of vectors.

Each entry is judged (best so far? converged? diverged?), recorded if it is due, and then updated. Variables of the
loop are stack slots here; LLVM keeps them in registers where it can.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from thalweg.engine.fused.codegen.classes import Tabulated
from thalweg.engine.fused.codegen.layout import MARKS, Layout
from thalweg.engine.fused.codegen.lowering import Library, LoweredFunction
from thalweg.engine.fused.frontend.program import Value, inputs, needed
from thalweg.engine.fused.frontend.trace import Step, Update
from thalweg.engine.outcome import Outcome
from thalweg.native.builder import BITS, BYTES, Type


@dataclass(frozen=True, slots=True)
class Given:
    """What is computed before the loop, as values of both updates.

    Attributes:
        columns: The columns of the table of what all runs share, for the first and for a later update.
        fixed: What is the same in all updates.
        tabulated: What is in the tables of classes, for the first and for a later update.
    """

    columns: Sequence[Sequence[Value]]
    fixed: Sequence[Value]
    tabulated: Sequence[Tabulated]


@dataclass(frozen=True, slots=True)
class _Class:
    """Where the tabulated numbers of a block's runs are: names of LLVM values.

    Attributes:
        base: The group's table.
        n_columns: Numbers in a row.
        first: Where the rows of the class of a part's first run begin.
        uniform: Whether all runs of a part are of that class.
        begins: Where the rows of each run's class begin, part by part.
    """

    base: str
    n_columns: int
    first: list[str]
    uniform: list[str]
    begins: list[str]


VECTOR_BYTES = 64
"""The size of a vector; where the processor has smaller ones, LLVM uses two."""

_ENTRIES_BETWEEN_TESTS = 256  # how often to test whether a run is at rest; a power of two


class DescendFunction(LoweredFunction):
    """The native function `descend`, which takes blocks of runs through many steps.

    `descend(begin, end, first, last, fixed, table, noise, reals, own, tables, classes, marks, n_columns, record,
    record_block, record_step, record_row, every, due, stop_f, stop_grad)` takes the blocks `begin` to `end - 1`
    from entry `first` to entry `last`. Judging entry `first` a second time changes nothing. `fixed` and `table` are
    as `schedule` fills them, `table` from update `first` on. `reals`, `own` and `marks` have the rows of `Layout`
    and `n_columns` columns; `tables` has the address of each group's table, as `tabulate` fills it, and `classes`
    where the rows of a run's class begin in it; `noise` is indexed by (update, coordinate, run). Entry `due` and
    every `every`-th after it is written to `record`, with the details of the layout; `record_block`, `record_step`
    and `record_row` are its strides, in numbers.
    """

    def __init__(
        self,
        step: Step,
        given: "Given",
        layout: Layout,
        real: Type,
        width: int,
        library: Library,
        *,
        grad_stop: bool,
    ) -> None:
        lanes = min(width, VECTOR_BYTES // BYTES[real])
        super().__init__(lanes, library, width // lanes)
        self._step = step
        self._columns = given.columns
        self._fixed = given.fixed
        self._tabulated = dict(zip((id(step.first), id(step.later)), given.tabulated, strict=True))
        self._classes: list[_Class] = []
        self._settled: dict[Value, str] = {}
        self._layout = layout
        self._real = real
        self._block_width = width
        self._grad_stop = grad_stop
        self._types: dict[str, str] = {}
        self._variables: dict[str, list[str]] = {}
        self._event = "false"
        moved = ["x", *(row for row in layout.rows if row.startswith("state."))]
        self._moved = [f"{name}.{k}" for name, k in self._numbers(moved)] + [f"{name}.0" for name in layout.own]
        self._before: list[dict[str, str]] = []

    def text(self) -> str:
        """Return the function."""
        dim = self._layout.dim
        wide_state = [row for row in self._layout.rows if row.startswith("state.")]
        kept = ["x", *wide_state, "best_x", "best_f"]
        for name, k in self._numbers(kept):
            self._variable(f"{name}.{k}", self._real)
        for name in self._layout.own:
            self._variable(f"{name}.0", "double")
        for k in range(dim):
            self._variable(f"previous_x.{k}", self._real)
        self._variable("previous_f.0", self._real)
        self._variable("best_step", "i64")
        self._variable("alive", "i1")
        for name in ("block", "entry", "due", "record", "table", "noise", "resting"):
            of_type = "i1" if name == "resting" else "i64"
            self._types[name] = of_type
            self._variables[name] = [self.alloca(of_type)] * self.n_parts
        self._blocks(kept)
        self._look()
        self._record()
        self._settle()
        self._update()
        self._exit(kept)
        return self.whole(
            "@descend(i64 %begin, i64 %end, i64 %first, i64 %last, ptr noalias %fixed, ptr noalias %table, "
            "ptr noalias %noise, ptr noalias %reals, ptr noalias %own, ptr noalias %tables, ptr noalias %classes, "
            "ptr noalias %marks, i64 %n_columns, ptr noalias %record, i64 %record_block, i64 %record_step, "
            "i64 %record_row, i64 %every, i64 %due, double %stop_f, double %stop_grad)"
        )

    def _variable(self, name: str, of_type: str) -> None:
        self._types[name] = self.wide(of_type)
        self._variables[name] = [self.alloca(self.wide(of_type)) for _ in range(self.n_parts)]

    def _get(self, name: str) -> str:
        return self.new(f"load {self._types[name]}, ptr {self._variables[name][self.part]}")

    def _set(self, name: str, value: str) -> None:
        self.put(f"store {self._types[name]} {value}, ptr {self._variables[name][self.part]}")

    def _advance(self, name: str, by: str) -> None:
        self._set(name, self.new(f"add i64 {self._get(name)}, {by}"))

    def _place(self, row: str, k: int = 0) -> str:
        index = self._layout.rows[row].start + k
        return self._in_row(self._real, "%block_reals", "%n_columns", index)

    def _mark(self, row: str) -> str:
        return self._in_row("i64", "%block_marks", "%n_columns", MARKS.index(row))

    def _in_row(self, of_type: str, start: str, row_length: str, row: int) -> str:
        row_start = self.new(f"mul i64 {row_length}, {row}")
        index = self.new(f"add i64 {row_start}, {self.part * self.width}")
        return self.new(f"getelementptr {of_type}, ptr {start}, i64 {index}")

    def _load(self, place: str, of_type: str) -> str:
        return self.new(f"load {self.wide(of_type)}, ptr {place}, align {BYTES[of_type]}")

    def _store(self, place: str, of_type: str, value: str) -> None:
        self.put(f"store {self.wide(of_type)} {value}, ptr {place}, align {BYTES[of_type]}")

    def _store_where(self, mask: str, place: str, of_type: str, value: str) -> None:
        self._store(place, of_type, self.select(mask, of_type, value, self._load(place, of_type)))

    def ignored_lanes(self) -> str:
        """Return the mask of runs that have ended."""
        return self.inverse(self._get("alive"))

    def _blocks(self, kept: Sequence[str]) -> None:
        """Load the next block of runs, or return."""
        self._set("block", "%begin")
        stops = ["%stop_f", "%stop_grad"]
        if self._real == "float":
            stops = [self.new(f"fptrunc double {name} to float") for name in stops]
        self._stop_f, self._stop_grad = (self.splat(name, self._real) for name in stops)
        for k, value in enumerate(self._fixed):
            self._settled[value] = self._broadcast(value, "%fixed", k)
        self.put("br label %next_block")
        self.label("next_block")
        block = self._get("block")
        self.put(f"%in_range = icmp slt i64 {block}, %end", "br i1 %in_range, label %load, label %done")
        self.label("done")
        self.put("ret void")
        self.label("load")
        self.put(f"%column = mul i64 {block}, {self._block_width}")
        self.put(f"%block_reals = getelementptr {self._real}, ptr %reals, i64 %column")
        self.put("%block_own = getelementptr double, ptr %own, i64 %column")
        self.put("%block_marks = getelementptr i64, ptr %marks, i64 %column")
        nothing = "zeroinitializer" if self.width > 1 else "0.0"
        for _ in self.each_part():
            for name, k in self._numbers(kept):
                self._set(f"{name}.{k}", self._load(self._place(name, k), self._real))
            for row, name in enumerate(self._layout.own):
                place = self._in_row("double", "%block_own", "%n_columns", row)
                self._set(f"{name}.0", self._load(place, "double"))
            for k in range(self._layout.dim):
                self._set(f"previous_x.{k}", nothing)
            self._set("previous_f.0", nothing)
            self._set("best_step", self._load(self._mark("best_step"), "i64"))
            outcome = self._load(self._mark("outcome"), "i64")
            running = self.literal(str(int(Outcome.running)), "i64")
            self._set("alive", self.compare("eq", "i64", outcome, running))
        self._classify()
        self._set("entry", "%first")
        self._set("due", "%due")
        self._set("resting", "false")
        self._set("table", "0")
        self._set("noise", "%column")
        self._set("record", self.new(f"mul i64 {block}, %record_block"))
        self.put("br label %step")

    def _classify(self) -> None:
        """Find where the rows of the runs' classes begin, and whether all runs of a part are of one class."""
        self._classes = []
        for k in range(len(self._layout.groups)):
            base = self.new(f"load ptr, ptr {self.new(f'getelementptr ptr, ptr %tables, i64 {k}')}")
            row = self.new(f"getelementptr i64, ptr %classes, i64 {self.new(f'mul i64 %n_columns, {k}')}")
            row = self.new(f"getelementptr i64, ptr {row}, i64 %column")
            begins, first, uniform = [], [], []
            for part in self.each_part():
                begins.append(self._load(self._in_row("i64", row, "0", 0), "i64"))
                place = self.new(f"getelementptr i64, ptr {row}, i64 {part * self.width}")
                first.append(self.new(f"load i64, ptr {place}"))
                same = self.compare("eq", "i64", begins[-1], self.splat(first[-1], "i64"))
                uniform.append(self.all(same))
            self._classes.append(_Class(base, self._layout.groups[k].n_columns, first, uniform, begins))

    def _numbers(self, rows: Sequence[str]) -> Iterator[tuple[str, int]]:
        for name in rows:
            where = self._layout.rows[name]
            for k in range(where.stop - where.start):
                yield name, k

    def _look(self) -> None:
        """Evaluate and judge an entry, and branch on whether it has to be recorded or settled."""
        self.label("step")
        self.put(f"%entry_now = load i64, ptr {self._variables['entry'][0]}")
        entry = self._step.entry
        wanted = [entry.f, *entry.gradient, *([entry.grad_norm] if self._grad_stop else [])]
        for _ in self.each_part():
            self.names = {value: self._get(f"x.{value.source[1]}") for value in inputs(wanted)}
        self.compute(needed(wanted), self._judge)
        due = self._get("due")
        self.put(f"%is_due = icmp eq i64 %entry_now, {due}", "%at_last = icmp eq i64 %entry_now, %last")
        something = self.new(f"or i1 {self._event}, %is_due")
        something = self.new(f"or i1 {something}, %at_last")
        self.put(f"br i1 {something}, label %event, label %update")

    def _judge(self) -> None:
        """Update the best entry, and note whether a run ends here."""
        real, f = self._real, self.operand(self._step.entry.f)
        best = self._get("best_f.0")
        better = self.compare("olt", real, f, best)
        # minus infinity is not a best value: the run has diverged
        better = self.mask("and", better, self.compare("ogt", real, f, self.literal(float("-inf"), real)))
        better = self.mask("and", better, self._get("alive"))
        self._set("best_f.0", self.select(better, real, f, best))
        for k in range(self._layout.dim):
            self._set(f"best_x.{k}", self.select(better, real, self._get(f"x.{k}"), self._get(f"best_x.{k}")))
        now = self.splat("%entry_now", "i64")
        self._set("best_step", self.select(better, "i64", now, self._get("best_step")))
        ended = self.mask("and", self.inverse(self._goes_on()[0]), self._get("alive"))
        self._event = self.new(f"or i1 {self._event}, {self.any(ended)}")

    def _goes_on(self) -> tuple[str, str]:
        """Return the mask of runs that do not end with this entry, and the mask of those that are finite."""
        real, f = self._real, self.operand(self._step.entry.f)
        zero = self.literal(0.0, real)
        # 0 times a number is 0 unless the number is infinite or NaN
        zeros = self.binary("fmul", real, f, zero)
        for k in range(self._layout.dim):
            zeros = self.fma(real, self._get(f"x.{k}"), zero, zeros)
        finite = self.compare("oeq", real, zeros, zero)
        goes_on = self.mask("and", finite, self.compare("ogt", real, f, self._stop_f))
        if self._grad_stop:
            norm = self.operand(self._step.entry.grad_norm)
            goes_on = self.mask("and", goes_on, self.compare("ugt", real, norm, self._stop_grad))
        return goes_on, finite

    def _record(self) -> None:
        """Record an entry if it is due."""
        self.label("event")
        self.put("br i1 %is_due, label %write, label %written")
        self.label("write")
        record = self._get("record")
        block_record = self.new(f"getelementptr {self._real}, ptr %record, i64 {record}")
        for _ in self.each_part():
            entry = [*(self._get(f"x.{k}") for k in range(self._layout.dim)), self.operand(self._step.entry.f)]
            entry += [self._detail(name, k) for name in self._layout.details for k in range(self._layout.dim)]
            for row, value in enumerate(entry):
                self._store(self._in_row(self._real, block_record, "%record_row", row), self._real, value)
        self._advance("record", "%record_step")
        self._advance("due", "%every")
        self.put("br label %written")
        self.label("written")
        something = self.new(f"or i1 {self._event}, %at_last")
        self.put(f"br i1 {something}, label %settle, label %update")

    def _detail(self, name: str, k: int) -> str:
        return self.operand(self._step.entry.gradient[k]) if name == "gradient" else self._get(f"{name}.{k}")

    def _settle(self) -> None:
        """Store the runs that end with this entry; at the last entry, all running ones."""
        self.label("settle")
        some_go_on = "false"
        for _ in self.each_part():
            going = self._settle_part()
            some_go_on = self.new(f"or i1 {some_go_on}, {self.any(going)}")
        none = self.new(f"xor i1 {some_go_on}, true")
        over = self.new(f"or i1 %at_last, {none}")
        self.put(f"br i1 {over}, label %exit, label %update")

    def _settle_part(self) -> str:
        """Settle a part; return the mask of runs that continue."""
        entry = self._step.entry
        f = self.operand(entry.f)
        xs = [self._get(f"x.{k}") for k in range(self._layout.dim)]
        alive = self._get("alive")
        goes_on, finite = self._goes_on()
        ended = self.mask("and", self.inverse(goes_on), alive)
        diverged = self.inverse(finite)
        leaving = self.mask("or", ended, self.mask("and", self.splat("%at_last", "i1"), alive))
        now = self.splat("%entry_now", "i64")
        started = self.splat(self.new("icmp sgt i64 %entry_now, 0"), "i1")
        back = self.mask("and", diverged, started)
        for row, k, value in [
            *(("x", k, x) for k, x in enumerate(xs)),
            ("f", 0, f),
            *(("gradient", k, self.operand(g)) for k, g in enumerate(entry.gradient)),
        ]:
            self._store_where(leaving, self._place(row, k), self._real, value)
        for row, k, value, previous in [
            *(("finite_x", k, x, f"previous_x.{k}") for k, x in enumerate(xs)),
            ("finite_f", 0, f, "previous_f.0"),
        ]:
            chosen = self.select(back, self._real, self._get(previous), value)
            self._store_where(leaving, self._place(row, k), self._real, chosen)
        self._store_where(leaving, self._mark("n_steps"), "i64", now)
        outcomes = [self.literal(str(int(outcome)), "i64") for outcome in (Outcome.diverged, Outcome.converged)]
        self._store_where(ended, self._mark("outcome"), "i64", self.select(diverged, "i64", *outcomes))
        going = self.mask("and", alive, goes_on)
        self._set("alive", going)
        return going

    def _update(self) -> None:
        """Move the points of a block."""
        self.label("update")
        for _ in self.each_part():
            for k in range(self._layout.dim):
                self._set(f"previous_x.{k}", self._get(f"x.{k}"))
            self._set("previous_f.0", self.operand(self._step.entry.f))
        self.put(f"%row_offset = load i64, ptr {self._variables['table'][0]}")
        self.put("%row = getelementptr i64, ptr %table, i64 %row_offset")
        self.put(f"%noise_offset = load i64, ptr {self._variables['noise'][0]}")
        self.put(f"%noise_place = getelementptr {self._real}, ptr %noise, i64 %noise_offset")
        self.put("%at_start = icmp eq i64 %entry_now, 0")
        self.put("br i1 %at_start, label %first_update, label %later_update")
        known = [self.names for _ in self.each_part()]
        for name, update, columns in zip(
            ("first_update", "later_update"), (self._step.first, self._step.later), self._columns, strict=True
        ):
            for part in self.each_part():
                self.names = dict(known[part])
            self.label(name)
            self._give(update, columns)
            if update.raised.varying:
                self._end_raising(name, update)
            can_rest = update is self._step.later and not self._is_noisy()
            if can_rest:
                self._remember()
            self._move(update)
            if can_rest:
                self._rest(columns)
            else:
                self.put("br label %latch")
        self.label("latch")
        self._next_entry()
        self.put("br label %step")

    def _next_entry(self) -> None:
        self._advance("entry", "1")
        self._advance("table", str(self._layout.n_columns))
        self._advance("noise", self.new(f"mul i64 %n_columns, {self._layout.dim}"))

    def _is_noisy(self) -> bool:
        return any(value.source[0] == "noise" for value in inputs(self._step.later.x))

    def _remember(self) -> None:
        """Now and then, save what an update is about to change, to see whether it does."""
        often = self.new(f"and i64 %entry_now, {_ENTRIES_BETWEEN_TESTS - 1}")
        is_time = self.new(f"icmp eq i64 {often}, 0")
        self.put(f"%is_time = or i1 {is_time}, {self._get('resting')}")
        self.put("br i1 %is_time, label %remember, label %move")
        self.label("remember")
        self._before = []
        for _ in self.each_part():
            places = {name: self.alloca(self._types[name]) for name in self._moved}
            for name, place in places.items():
                # volatile: keeps it in memory; otherwise it would occupy a register in every step
                self.put(f"store volatile {self._types[name]} {self._get(name)}, ptr {place}")
            self._before.append(places)
        self.put("br label %move")
        self.label("move")

    def _rest(self, columns: Sequence[Value]) -> None:
        """Skip updates that change nothing: those with the same shared numbers as one that changed nothing.

        Without this a run at rest would be slow, as its optimizer state is then often denormal.
        """
        self.put("br i1 %is_time, label %test, label %latch")
        self.label("test")
        at_rest = "true"
        for part in self.each_part():
            same = self.ignored_lanes()
            equal = self.literal("true", "i1")
            for name, place in self._before[part].items():
                real: Type = "double" if name.startswith("own.") else self._real
                whole = BITS[real]
                old = self.new(f"load volatile {self._types[name]}, ptr {place}")
                bits = [self.cast("bitcast", value, real, whole) for value in (old, self._get(name))]
                equal = self.mask("and", equal, self.compare("eq", whole, *bits))
            at_rest = self.new(f"and i1 {at_rest}, {self.all(self.mask('or', same, equal))}")
        self._set("resting", at_rest)
        self.put(f"br i1 {at_rest}, label %rest, label %latch")
        self.label("rest")
        last_row = self.new(f"load i64, ptr {self._variables['table'][0]}")
        self._next_entry()
        entry = self._get("entry")
        wanted = self.new(f"icmp eq i64 {entry}, {self._get('due')}")
        wanted = self.new(f"or i1 {wanted}, {self.new(f'icmp eq i64 {entry}, %last')}")
        self.put(f"br i1 {wanted}, label %step, label %compare")
        self.label("compare")
        rows = [self.new(f"getelementptr i64, ptr %table, i64 {row}") for row in (last_row, self._get("table"))]
        same = "true"
        for k, value in enumerate(columns):
            of_type = {"double": "i64", "float": "i32", "i1": "i8"}[value.type]
            places = [self.new(f"getelementptr i64, ptr {row}, i64 {k}") for row in rows]
            numbers = [self.new(f"load {of_type}, ptr {place}") for place in places]
            same = self.new(f"and i1 {same}, {self.new(f'icmp eq {of_type} {numbers[0]}, {numbers[1]}')}")
        self.put(f"br i1 {same}, label %rest, label %step")

    def _give(self, update: Update, columns: Sequence[Value]) -> None:
        """Name what an update starts from: shared numbers, the optimizer's state, the run's own numbers."""
        shared = {value: self._broadcast(value, "%row", k) for k, value in enumerate(columns)} | self._settled
        state = [value for values in update.state for value in values]
        for _ in self.each_part():
            self.names |= shared
        for each, values in zip(self._classes, self._tabulated[id(update)].columns, strict=True):
            self._look_up(each, values)
        for _ in self.each_part():
            for value in inputs([*update.x, *state, *update.own, update.raised]):
                if value.varying and value not in self.names:
                    self.names[value] = self._input(value)

    def _look_up(self, runs: "_Class", values: Sequence[Value]) -> None:
        """Read tabulated values of the runs' classes: at once where a part is of one class, else run by run."""
        if not values:
            return
        row = self.new(f"mul i64 {self.new('sub i64 %entry_now, %first')}, {runs.n_columns}")
        for part in self.each_part():
            one, many, found = self.labels("one_class", "many_classes", "found")
            self.branch(runs.uniform[part], one, many)
            self.label(one)
            index = self.new(f"add i64 {runs.first[part]}, {row}")
            begin = self.new(f"getelementptr i64, ptr {runs.base}, i64 {index}")
            alike = [self._broadcast(value, begin, k) for k, value in enumerate(values)]
            self.put(f"br label %{found}")
            self.label(many)
            unlike = [self._gathered(value, runs, part, row, k) for k, value in enumerate(values)]
            self.put(f"br label %{found}")
            self.label(found)
            for k, value in enumerate(values):
                sources = f"[{alike[k]}, %{one}], [{unlike[k]}, %{many}]"
                self.names[value] = self.new(f"phi {self.wide(value.type)} {sources}")

    def _gathered(self, value: Value, runs: "_Class", part: int, row: str, k: int) -> str:
        place = self.new(f"add i64 {row}, {k}")
        result = "poison"
        for lane in range(self.width):
            begin = runs.begins[part]
            if self.width > 1:
                begin = self.new(f"extractelement {self.wide('i64')} {begin}, i64 {lane}")
            at = self.new(f"getelementptr i64, ptr {runs.base}, i64 {self.new(f'add i64 {begin}, {place}')}")
            number = self.new(f"load {value.type}, ptr {at}")
            if self.width == 1:
                return number
            result = self.new(f"insertelement {self.wide(value.type)} {result}, {value.type} {number}, i64 {lane}")
        return result

    def _end_raising(self, name: str, update: Update) -> None:
        """End the runs for which torch raises in the update: they stay at the entry before it."""
        self.compute(value for value in needed([update.raised], known=self.names) if value.varying)
        none, some_raise = self.literal(0.0, "double"), "false"
        raising = []
        for _ in self.each_part():
            raises = self.compare("une", "double", self.operand(update.raised), none)
            raising.append(self.mask("and", raises, self._get("alive")))
            some_raise = self.new(f"or i1 {some_raise}, {self.any(raising[-1])}")
        no_raise = self.new(f"xor i1 {some_raise}, true")
        self.branch(no_raise, f"{name}_goes_on", f"{name}_raises")
        self.label(f"{name}_raises")
        some_go_on = "false"
        for part in self.each_part():
            self._keep_entry(raising[part])
            diverged = self.literal(str(int(Outcome.diverged)), "i64")
            self._store_where(raising[part], self._mark("outcome"), "i64", diverged)
            code = self.cast("fptosi", self.operand(update.raised), "double", "i64")
            self._store_where(raising[part], self._mark("raised"), "i64", code)
            going = self.mask("and", self._get("alive"), self.inverse(raising[part]))
            self._set("alive", going)
            some_go_on = self.new(f"or i1 {some_go_on}, {self.any(going)}")
        self.put(f"br i1 {some_go_on}, label %{name}_goes_on, label %exit")
        self.label(f"{name}_goes_on")

    def _keep_entry(self, leaving: str) -> None:
        """Store the present entry of the runs that end with it, a finite one."""
        xs = [self._get(f"x.{k}") for k in range(self._layout.dim)]
        f = self.operand(self._step.entry.f)
        gradient = map(self.operand, self._step.entry.gradient)
        rows = [("x", xs), ("f", [f]), ("gradient", gradient), ("finite_x", xs), ("finite_f", [f])]
        for row, values in rows:
            for k, value in enumerate(values):
                self._store_where(leaving, self._place(row, k), self._real, value)
        self._store_where(leaving, self._mark("n_steps"), "i64", self.splat("%entry_now", "i64"))

    def _move(self, update: Update) -> None:
        wanted = {f"x.{k}": value for k, value in enumerate(update.x)}
        for slot, values in zip(self._layout.slots, update.state, strict=True):
            if slot.per_coordinate:
                wanted |= {f"state.{slot.name}.{k}": value for k, value in enumerate(values)}
        wanted |= {f"{name}.0": value for name, value in zip(self._layout.own, update.own, strict=True)}

        def keep() -> None:
            for name, value in wanted.items():
                self._set(name, self.operand(value))

        self.compute((value for value in needed(wanted.values(), known=self.names) if value.varying), keep)

    def _broadcast(self, value: Value, row: str, k: int) -> str:
        place = self.new(f"getelementptr i64, ptr {row}, i64 {k}")
        return self.splat(self.new(f"load {value.type}, ptr {place}"), value.type)

    def _input(self, value: Value) -> str:
        name, k = value.source
        if name == "noise":
            return self._load(self._in_row(self._real, "%noise_place", "%n_columns", k), self._real)
        return self._get(f"{name}.{k}")

    def _exit(self, kept: Sequence[str]) -> None:
        """Store the runs of a block and continue with the next block."""
        self.label("exit")
        for _ in self.each_part():
            for name, k in self._numbers(kept):
                if name != "x":
                    self._store(self._place(name, k), self._real, self._get(f"{name}.{k}"))
            for row, name in enumerate(self._layout.own):
                place = self._in_row("double", "%block_own", "%n_columns", row)
                self._store(place, "double", self._get(f"{name}.0"))
            self._store(self._mark("best_step"), "i64", self._get("best_step"))
        self._advance("block", "1")
        self.put("br label %next_block")
