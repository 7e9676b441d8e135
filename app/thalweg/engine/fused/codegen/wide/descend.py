"""Emitting the loop over steps for points of many coordinates: one run at a time, with loops over its coordinates.

A run's point and state lie in one of two places; an update reads one and fills the other.
"""

from collections.abc import Sequence
from typing import Final

from thalweg.engine.fused.codegen.layout import MARKS, Layout
from thalweg.engine.fused.codegen.wide import reductions
from thalweg.engine.fused.frontend.program import Value
from thalweg.engine.outcome import Outcome
from thalweg.native.builder import BYTES, Builder, Type

_ENTRIES_BETWEEN_TESTS: Final = 256  # how often to test whether a run is at rest; a power of two


PARAMETERS: Final = ("now", "own", "f", "gradient", "fixed", "row", "noise", "next", "next_own", "scratch")
"""Of an update: addresses of what it reads and fills."""

FINITE: Final = """\
define internal i1 @finite(ptr readonly %numbers, i64 %n) {{
entry:
  %whole = and i64 %n, -{lanes}
  br label %header
header:
  %index = phi i64 [0, %entry], [%after, %next]
  %sums = phi <{lanes} x {real}> [zeroinitializer, %entry], [%sum, %next]
  %more = icmp ult i64 %index, %whole
  br i1 %more, label %next, label %rest
next:
  %place = getelementptr {real}, ptr %numbers, i64 %index
  %wide = load <{lanes} x {real}>, ptr %place, align {align}
  %zero = fmul <{lanes} x {real}> %wide, zeroinitializer
  %sum = fadd <{lanes} x {real}> %sums, %zero
  %after = add nuw nsw i64 %index, {lanes}
  br label %header
rest:
  %is_zero = fcmp oeq <{lanes} x {real}> %sums, zeroinitializer
  %all = call i1 @llvm.vector.reduce.and.v{lanes}i1(<{lanes} x i1> %is_zero)
  br label %one
one:
  %k = phi i64 [%whole, %rest], [%k_after, %each]
  %so_far = phi i1 [%all, %rest], [%now, %each]
  %k_more = icmp ult i64 %k, %n
  br i1 %k_more, label %each, label %done
each:
  %k_place = getelementptr {real}, ptr %numbers, i64 %k
  %number = load {real}, ptr %k_place, align {align}
  %k_zero = fmul {real} %number, 0.0
  %k_finite = fcmp oeq {real} %k_zero, 0.0
  %now = and i1 %so_far, %k_finite
  %k_after = add nuw nsw i64 %k, 1
  br label %one
done:
  ret i1 %so_far
}}"""
"""Whether all numbers are finite: 0 times a number is 0 unless it is infinite or NaN."""


class WideDescendFunction(Builder):
    """The native function `descend` for points of many coordinates.

    `descend(begin, end, first, last, fixed, table, noise, reals, own, marks, n_columns, record, record_block,
    record_step, losses, losses_block, every, due, stop_f, stop_grad, scratch)` takes the runs `begin` to `end - 1`
    from entry `first` to entry `last`. Judging entry `first` a second time changes nothing. `fixed` and `table` are
    as `schedule` fills them. `reals` holds one run after the other, with the rows of `Layout`; `own` and `marks`
    have `n_columns` columns; `noise` is indexed by (update, run, coordinate). Entry `due` and every `every`-th
    after it is written to `record`: coordinates, f and details of the layout; `record_block` and `record_step` are
    its strides, in numbers. Unless `losses` is null, f of every entry from `first` on is written there,
    `losses_block` numbers apart for each run.
    """

    def __init__(
        self,
        layout: Layout,
        columns: Sequence[Sequence[Value]],
        real: Type,
        *,
        grad_stop: bool,
        noisy: bool,
        rests: bool,
    ) -> None:
        super().__init__(1)
        self._layout = layout
        self._columns = columns
        self._real = real
        self._grad_stop = grad_stop
        self._noisy = noisy
        self._rests = rests and not noisy
        self._variables: dict[str, tuple[str, str]] = {}

    def text(self) -> str:
        """Return the function."""
        integers = ("block", "entry", "due", "record", "table", "noise", "losses", "best_step")
        pointers, reals = ("now", "other", "own", "other_own"), ("best_f", "previous_f")
        for of_type, names in (("i64", integers), ("ptr", pointers), (self._real, reals), ("i1", ("resting",))):
            for name in names:
                self._variables[name] = of_type, self.alloca(of_type)
        self._own_places = [self.alloca(f"[{len(self._layout.own) + 1} x double]") for _ in range(2)]
        self._f_place = self.alloca(self._real)
        self._blocks()
        self._look()
        self._record()
        self._settle()
        self._update()
        self._exit()
        return self.whole(
            "@descend(i64 %begin, i64 %end, i64 %first, i64 %last, ptr noalias %fixed, ptr noalias %table, "
            "ptr noalias %noise, ptr noalias %reals, ptr noalias %own, ptr noalias %marks, i64 %n_columns, "
            "ptr noalias %record, i64 %record_block, i64 %record_step, ptr noalias %losses, i64 %losses_block, "
            "i64 %every, i64 %due, double %stop_f, double %stop_grad, ptr noalias %scratch)"
        )

    def _get(self, name: str) -> str:
        of_type, variable = self._variables[name]
        return self.new(f"load {of_type}, ptr {variable}")

    def _set(self, name: str, value: str) -> None:
        of_type, variable = self._variables[name]
        self.put(f"store {of_type} {value}, ptr {variable}")

    def _advance(self, name: str, by: str) -> None:
        self._set(name, self.new(f"add i64 {self._get(name)}, {by}"))

    def _at(self, start: str, index: str | int, of_type: str | None = None) -> str:
        return self.new(f"getelementptr {of_type or self._real}, ptr {start}, i64 {index}")

    def _row(self, name: str) -> str:
        return self._at("%run_reals", self._layout.rows[name].start)

    def _mark(self, name: str) -> str:
        row = self.new(f"mul i64 %n_columns, {MARKS.index(name)}")
        return self._at("%marks", self.new(f"add i64 {row}, {self._get('block')}"), "i64")

    def _own_columns(self) -> list[str]:
        """Return the addresses of the numbers of the run's own."""
        rows = [self.new(f"mul i64 %n_columns, {k}") for k in range(len(self._layout.own))]
        return [self._at("%own", self.new(f"add i64 {row}, {self._get('block')}"), "double") for row in rows]

    def _copy(self, to: str, source: str, n: int) -> None:
        self.declare("void", "llvm.memcpy.p0.p0.i64", "ptr", "ptr", "i64", "i1")
        n_bytes = n * BYTES[self._real]
        self.put(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {source}, i64 {n_bytes}, i1 false)")

    def _store(self, value: str, place: str) -> None:
        self.put(f"store {self._real} {value}, ptr {place}")

    def _blocks(self) -> None:
        """Begin with the next run, or return."""
        self._set("block", "%begin")
        self._stops = ["%stop_f", "%stop_grad"]
        if self._real == "float":
            self._stops = [self.new(f"fptrunc double {name} to float") for name in self._stops]
        self.put("br label %next_block")
        self.label("next_block")
        block = self._get("block")
        self.put(f"%in_range = icmp slt i64 {block}, %end", "br i1 %in_range, label %load, label %done")
        self.label("done")
        self.put("ret void")
        self.label("load")
        self.put(f"%run_begin = mul i64 {block}, {self._layout.row_length}")
        self.put(f"%run_reals = getelementptr {self._real}, ptr %reals, i64 %run_begin")
        self.put(
            f"%gradient = getelementptr {self._real}, ptr %run_reals, i64 {self._layout.rows['gradient'].start}"
        )
        self.put(f"%working = getelementptr {self._real}, ptr %scratch, i64 {self._layout.n_moved}")
        self.put(f"%evaluating = getelementptr i8, ptr %scratch, i64 {self._layout.objective_at}")
        self.put(f"%run = load i64, ptr {self._mark('run')}")
        self._set("now", "%run_reals")
        self._set("other", "%scratch")
        for name, place in (("own", self._own_places[0]), ("other_own", self._own_places[1])):
            self._set(name, place)
        for k, place in enumerate(self._own_columns()):
            number = self.new(f"load double, ptr {place}")
            self.put(f"store double {number}, ptr {self._at(self._get('own'), k, 'double')}")
        self.put(f"call void @llvm.memset.p0.i64(ptr %scratch, i8 0, i64 {self._moved_bytes}, i1 false)")
        self.declare("void", "llvm.memset.p0.i64", "ptr", "i8", "i64", "i1")
        self._set("best_f", self.new(f"load {self._real}, ptr {self._row('best_f')}"))
        self._set("best_step", self.new(f"load i64, ptr {self._mark('best_step')}"))
        self._set("previous_f", "0.0")
        self._set("entry", "%first")
        self._set("due", "%due")
        self._set("resting", "false")
        self._set("table", "0")
        self._set("noise", self.new(f"mul i64 {block}, {self._layout.dim}"))
        self._set("record", self.new(f"mul i64 {block}, %record_block"))
        self._set("losses", self.new(f"mul i64 {block}, %losses_block"))
        outcome = self.new(f"load i64, ptr {self._mark('outcome')}")
        runs = self.new(f"icmp eq i64 {outcome}, {int(Outcome.running)}")
        self.put(f"br i1 {runs}, label %step, label %exit")

    @property
    def _moved_bytes(self) -> int:
        return self._layout.n_moved * BYTES[self._real]

    def _look(self) -> None:
        """Evaluate and judge an entry, and branch on whether it has to be recorded or settled."""
        real, dim = self._real, self._layout.dim
        self.label("step")
        self.put(f"%entry_now = load i64, ptr {self._variables['entry'][1]}")
        x = self._get("now")
        self.put(f"%f = call {real} @objective(ptr {x}, ptr %gradient, ptr %evaluating, i64 %entry_now, i64 %run)")
        self._judge(x)
        finite = self.new(f"call i1 @finite(ptr {x}, i64 {dim})")
        zero = self.new(f"fmul {real} %f, 0.0")
        finite = self.mask("and", finite, self.compare("oeq", real, zero, self.literal(0.0, real)))
        self.put(f"%is_finite = and i1 {finite}, true")
        goes_on = self.mask("and", finite, self.compare("ogt", real, "%f", self._stops[0]))
        if self._grad_stop:
            norm = self.new(f"call {real} @{reductions.name_of('norm', real)}(ptr %gradient, i64 {dim})")
            goes_on = self.mask("and", goes_on, self.compare("ugt", real, norm, self._stops[1]))
        self.put(f"%goes_on = and i1 {goes_on}, true")
        self.put(
            f"%is_due = icmp eq i64 %entry_now, {self._get('due')}", "%at_last = icmp eq i64 %entry_now, %last"
        )
        self.put("%leaves = xor i1 %goes_on, true", "%settles = or i1 %leaves, %at_last")
        self._keep_loss("%f")
        something = self.new("or i1 %settles, %is_due")
        self.branch(self.inverse(something), "update", "event")

    def _judge(self, x: str) -> None:
        """Update the best entry."""
        best, (is_best, judged) = self._get("best_f"), self.labels("best", "judged")
        better = self.compare("olt", self._real, "%f", best)
        # minus infinity is not a best value: the run has diverged
        better = self.mask(
            "and", better, self.compare("ogt", self._real, "%f", self.literal(float("-inf"), self._real))
        )
        self.put(f"br i1 {better}, label %{is_best}, label %{judged}")
        self.label(is_best)
        self._copy(self._row("best_x"), x, self._layout.dim)
        self._set("best_f", "%f")
        self._set("best_step", "%entry_now")
        self.put(f"br label %{judged}")
        self.label(judged)

    def _keep_loss(self, f: str) -> None:
        wanted = self.new("icmp ne ptr %losses, null")
        keep, kept = self.labels("keep", "kept")
        self.put(f"br i1 {wanted}, label %{keep}, label %{kept}")
        self.label(keep)
        self._store(f, self._at("%losses", self._get("losses")))
        self._advance("losses", "1")
        self.put(f"br label %{kept}")
        self.label(kept)

    def _record(self) -> None:
        """Record an entry if it is due."""
        self.label("event")
        self.put("br i1 %is_due, label %write, label %written")
        self.label("write")
        place = self._at("%record", self._get("record"))
        self._copy(place, self._get("now"), self._layout.dim)
        self._store("%f", self._at(place, self._layout.dim))
        for k, name in enumerate(self._layout.details):
            self._copy(self._at(place, self._layout.dim * (k + 1) + 1), self._detail(name), self._layout.dim)
        self._advance("record", "%record_step")
        self._advance("due", "%every")
        self.put("br label %written")
        self.label("written")
        self.put("br i1 %settles, label %settle, label %update")

    def _detail(self, name: str) -> str:
        if name == "gradient":
            return "%gradient"
        if name == "previous_x":
            return self._get("other")
        return self._at(self._get("now"), self._layout.rows[name].start)

    def _settle(self) -> None:
        """Store the entry with which the run ends, or the last one."""
        self.label("settle")
        x, dim = self._get("now"), self._layout.dim
        self._store("%f", self._row("f"))
        started = self.new("icmp sgt i64 %entry_now, 0")
        back = self.mask("and", self.inverse("%is_finite"), started)
        finite_x = self.new(f"select i1 {back}, ptr {self._get('other')}, ptr {x}")
        self._copy(self._row("finite_x"), finite_x, dim)
        self._store(self.select(back, self._real, self._get("previous_f"), "%f"), self._row("finite_f"))
        self.put(f"store i64 %entry_now, ptr {self._mark('n_steps')}")
        outcomes = [str(int(outcome)) for outcome in (Outcome.converged, Outcome.diverged, Outcome.running)]
        ended = self.select("%is_finite", "i64", outcomes[0], outcomes[1])
        self.put(f"store i64 {self.select('%leaves', 'i64', ended, outcomes[2])}, ptr {self._mark('outcome')}")
        self.put("br label %exit")

    def _update(self) -> None:
        """Move the run."""
        self.label("update")
        self._set("previous_f", "%f")
        row = self._at("%table", self._get("table"), "i64")
        self._store("%f", self._f_place)
        places = {
            "now": self._get("now"),
            "own": self._get("own"),
            "f": self._f_place,
            "gradient": "%gradient",
            "fixed": "%fixed",
            "row": row,
            "noise": self._at("%noise", self._get("noise")),
            "next": self._get("other"),
            "next_own": self._get("other_own"),
            "scratch": "%working",
        }
        arguments = ", ".join(f"ptr {places[name]}" for name in PARAMETERS)
        self.put("%at_start = icmp eq i64 %entry_now, 0", "br i1 %at_start, label %first_one, label %later_one")
        for label, name in (("first_one", "first_update"), ("later_one", "later_update")):
            self.label(label)
            self.put(f"%{label}.code = call double @{name}({arguments})", "br label %done_one")
        self.label("done_one")
        codes = ", ".join(f"[%{label}.code, %{label}]" for label in ("first_one", "later_one"))
        self.put(f"%raised = phi double {codes}", "%is_done = fcmp oeq double %raised, 0.0")
        self.branch("%is_done", "moved", "raises")
        self._raise()
        self.label("moved")
        for one, another in (("now", "other"), ("own", "other_own")):
            before, after = self._get(one), self._get(another)
            self._set(one, after)
            self._set(another, before)
        if self._rests:
            self._rest()
        self.put("br label %latch")
        self.label("latch")
        self._next_entry()
        self.put("br label %step")

    def _raise(self) -> None:
        """End a run that torch's update does not move on from."""
        self.label("raises")
        self.put(f"store i64 {self.cast_one('fptosi', '%raised', 'double', 'i64')}, ptr {self._mark('raised')}")
        x = self._get("now")
        self._copy(self._row("finite_x"), x, self._layout.dim)
        for row in ("f", "finite_f"):
            self._store("%f", self._row(row))
        self.put(f"store i64 %entry_now, ptr {self._mark('n_steps')}")
        self.put(f"store i64 {int(Outcome.diverged)}, ptr {self._mark('outcome')}", "br label %exit")

    def _next_entry(self) -> None:
        self._advance("entry", "1")
        self._advance("table", str(self._layout.n_columns))
        self._advance("noise", self.new(f"mul i64 %n_columns, {self._layout.dim}"))

    def _rest(self) -> None:
        """Skip updates that change nothing: those with the same shared numbers as one that changed nothing.

        Without this a run at rest would be slow, as its optimizer state is then often denormal.
        """
        often = self.new(f"and i64 %entry_now, {_ENTRIES_BETWEEN_TESTS - 1}")
        is_time = self.new(f"or i1 {self.new(f'icmp eq i64 {often}, 0')}, {self._get('resting')}")
        is_time = self.new(f"and i1 {is_time}, {self.inverse('%at_start')}")
        self.put(f"br i1 {is_time}, label %test, label %latch")
        self.label("test")
        self.declare("i32", "memcmp", "ptr", "ptr", "i64")
        unlike = self.new(
            f"call i32 @memcmp(ptr {self._get('now')}, ptr {self._get('other')}, i64 {self._moved_bytes})"
        )
        at_rest = self.new(f"icmp eq i32 {unlike}, 0")
        if self._layout.own:
            places = f"ptr {self._get('own')}, ptr {self._get('other_own')}"
            unlike = self.new(f"call i32 @memcmp({places}, i64 {8 * len(self._layout.own)})")
            at_rest = self.new(f"and i1 {at_rest}, {self.new(f'icmp eq i32 {unlike}, 0')}")
        self._set("resting", at_rest)
        self.put(f"br i1 {at_rest}, label %rest, label %latch")
        self.label("rest")
        last_row = self._get("table")
        self._next_entry()
        entry = self._get("entry")
        wanted = self.new(f"icmp eq i64 {entry}, {self._get('due')}")
        wanted = self.new(f"or i1 {wanted}, {self.new(f'icmp eq i64 {entry}, %last')}")
        self.put(f"br i1 {wanted}, label %step, label %compare")
        self.label("compare")
        rows = [self._at("%table", row, "i64") for row in (last_row, self._get("table"))]
        same = "true"
        for k, value in enumerate(self._columns[1]):
            of_type = {"double": "i64", "float": "i32", "i1": "i8"}[value.type]
            numbers = [self.new(f"load {of_type}, ptr {self._at(row, k, 'i64')}") for row in rows]
            same = self.new(f"and i1 {same}, {self.new(f'icmp eq {of_type} {numbers[0]}, {numbers[1]}')}")
        self.put(f"br i1 {same}, label %skip, label %step")
        self.label("skip")
        self._keep_loss(self._get("previous_f"))
        self.put("br label %rest")

    def _exit(self) -> None:
        """Store the run and continue with the next one."""
        self.label("exit")
        now = self._get("now")
        moved, home = self.labels("away", "home")
        is_home = self.new(f"icmp eq ptr {now}, %run_reals")
        self.put(f"br i1 {is_home}, label %{home}, label %{moved}")
        self.label(moved)
        self._copy("%run_reals", now, self._layout.n_moved)
        self.put(f"br label %{home}")
        self.label(home)
        for k, place in enumerate(self._own_columns()):
            number = self.new(f"load double, ptr {self._at(self._get('own'), k, 'double')}")
            self.put(f"store double {number}, ptr {place}")
        self._store(self._get("best_f"), self._row("best_f"))
        self.put(f"store i64 {self._get('best_step')}, ptr {self._mark('best_step')}")
        self._advance("block", "1")
        self.put("br label %next_block")
