"""Emitting native LBFGS: each run through many steps, by whatever objective the caller gives."""

from thalweg.engine.fused.codegen.lbfgs.layout import DETAILS
from thalweg.engine.fused.codegen.lbfgs.numbers import Number
from thalweg.engine.fused.codegen.lbfgs.step import RunCode, Step
from thalweg.engine.fused.codegen.lbfgs.vectors import vector_functions
from thalweg.engine.fused.codegen.lowering import Library
from thalweg.engine.fused.frontend.refusals import SCHEDULER
from thalweg.engine.outcome import Outcome
from thalweg.native.builder import Type
from thalweg.native.structured import Truth, Whole, WholeVariable


def emit(real: Type, library: Library) -> str:
    """Return a module of LLVM assembly with the function `descend`.

    Args:
        real: The type of the points.
        library: Where square roots and dot products come from.
    """
    descend, effective = (of(real, vml=library.vml) for of in (DescendFunction, EffectiveFunction))
    written = [(each.text(), each.declarations) for each in (effective, descend)]
    written += vector_functions(real, blas=library.blas)
    texts, declarations = zip(*written, strict=True)
    return "\n".join([*sorted(set().union(*declarations)), *texts])


class EffectiveFunction(RunCode):
    """The native function `effective(settings, gradient, noise)`: the gradient as the optimizer gets it, in place.

    `noise` is the run's, or 0. See `thalweg.engine.gradients.effective`.
    """

    def text(self) -> str:
        """Return the function."""
        self.n = self.whole_setting("dim")
        is_noisy = Truth(self, self.new("icmp ne ptr %noise, null"))
        with self.when(is_noisy):
            self.add("%gradient", "%noise")
        with self.when(self.whole_setting("clips").equals(1)):
            norm = self.norm("%gradient")
            factor = self.number_setting("clip_norm") / (norm + 1e-6)
            one = Number(self, self.literal(1.0, "double"), tensor=True)
            self.scale("%gradient", "%gradient", self.pick(factor > one, one, factor))
        self.put("ret void")
        return self.whole("@effective(ptr %settings, ptr %gradient, ptr %noise)", internal=True)


class DescendFunction(RunCode):
    """The native function `descend(begin, end, settings, scratch)`: takes the runs `begin` to `end - 1`.

    Each goes from entry `first` to entry `last`. Judging entry `first` a second time changes nothing.
    """

    def text(self) -> str:
        """Return the function."""
        (self.stopped,) = self.labels("stopped")
        self.begin()
        blocks, block_bytes = self.setting("blocks"), self.whole_setting("block_bytes")
        with self.each(Whole(self, "%begin"), Whole(self, "%end")) as run:
            self._run = run
            self.enter(self.beyond(blocks, block_bytes * run))
            with self.when(self.cells["outcome"].equals(Outcome.running)):
                self._descend()
        self.put(f"br label %{self.stopped}")
        self.label(self.stopped)
        self.put("ret void")
        return self.whole("@descend(i64 %begin, i64 %end, ptr %settings, ptr noalias %scratch)")

    def _descend(self) -> None:
        run, cells = self._run, self.cells
        number = self._element("i64", self.setting("runs"), run)
        self._number = Whole(self, self.new(f"load i64, ptr {number}"))
        self._entry = self.whole_number(self.whole_setting("first"))
        self._due = self.whole_number(self.whole_setting("due"))
        self._n_recorded = self.whole_number(self.whole_setting("n_recorded"))
        with self.when(cells["n_evaluations"].equals(0)):
            cells["n_evaluations"].set(1)
        (over,) = self.labels("over")
        with self.loop(lambda: self.true) as entries:
            self._look()
            ended = ~cells["outcome"].equals(Outcome.running)
            with self.when(ended | (self._entry >= self.whole_setting("last"))):
                entries.leave()
            self._update(over)
        self.put(f"br label %{over}")
        self.label(over)

    def _look(self) -> None:
        """Evaluate, judge and record an entry."""
        cells, vectors, numbers = self.cells, self.vectors, self.numbers
        self._heed_interruption()
        f = self._objective(vectors["x"], vectors["gradient"])
        finite = self._is_finite(f)
        cells["n_steps"].set(self._entry)
        numbers["f"].set(f)
        with self.when(finite | self._entry.equals(0)):
            numbers["finite_f"].set(f)
            self.copy(vectors["finite_x"], vectors["x"])
        finite_value = abs(f) < float("inf")
        with self.when(finite_value & (f < numbers["best_f"])):
            numbers["best_f"].set(f)
            self.copy(vectors["best_x"], vectors["x"])
            cells["best_step"].set(self._entry)
        norm = self.norm(vectors["gradient"])
        stop_f, stop_grad = (self.number_setting(name) for name in ("stop_f", "stop_grad"))
        at_f = Number(self, f.value, tensor=True) <= stop_f
        with self.when(at_f | (norm <= stop_grad)):
            cells["outcome"].set(Outcome.converged)
        with self.when(~finite):
            cells["outcome"].set(Outcome.diverged)
        with self.when(self._entry.equals(self._due)):
            self._record(f)

    def _is_finite(self, f: Number) -> Truth:
        return (abs(f) < float("inf")) & (self.largest(self.vectors["x"]) < float("inf"))

    def _record(self, f: Number) -> None:
        index = self._run * self.whole_setting("record_length") + self._n_recorded
        self.copy(self._element(self.real, self.setting("record_x"), index * self.n), self.vectors["x"])
        self.put(
            f"store {self.real} {self.narrow(f)}, ptr {self._element(self.real, self.setting('record_f'), index)}"
        )
        asked = self.setting("record_details")
        with self.when(Truth(self, self.new(f"icmp ne ptr {asked}, null"))):
            for k, name in enumerate(DETAILS):
                place = self._element(self.real, asked, (index * len(DETAILS) + k) * self.n)
                self.copy(place, self.vectors[name])
        self._n_recorded.set(self._n_recorded + 1)
        self._due.set(self._due + self.whole_setting("every"))

    def _update(self, over: str) -> None:
        """Do the step from an entry to the next."""
        cells, vectors = self.cells, self.vectors
        (self.refused,) = self.labels("refused")
        place = Whole(self, (self._entry - self.whole_setting("first")).name)
        self._noise = self._noise_at(place)
        rate = self._element("double", self.setting("rates"), place * self.whole_setting("rate_stride"))
        lr = self.python(self.new(f"load double, ptr {rate}"))
        self.copy(vectors["point"], vectors["x"])
        self.copy(vectors["flat_grad"], vectors["gradient"])
        self._make_effective(vectors["flat_grad"])
        Step(self, self._evaluate).emit(self.numbers["f"].now, lr)
        with self.when(self.whole_setting("raises").equals(self._entry + 1)):
            self.raise_(SCHEDULER)
        self.copy(vectors["previous_x"], vectors["x"])
        self.copy(vectors["x"], vectors["point"])
        cells["n_evaluations"].set(cells["n_evaluations"] + 1)
        self._entry.set(self._entry + 1)
        (moved,) = self.labels("moved")
        self.put(f"br label %{moved}")
        self.label(self.refused)
        cells["outcome"].set(Outcome.diverged)
        self.put(f"br label %{over}")
        self.label(moved)

    def _evaluate(self, gradient: str) -> Number:
        """Emit an evaluation at `point`, as the closure does it."""
        self._heed_interruption()
        count: WholeVariable = self.cells["n_evaluations"]
        count.set(count + 1)
        f = self._objective(self.vectors["point"], gradient)
        self._make_effective(gradient)
        return f

    def _objective(self, x: str, gradient: str) -> Number:
        places = f"ptr {x}, ptr {gradient}, ptr {self.objective_scratch}"
        drawn_by = f"i64 {self._entry.name}, i64 {self._number.name}"
        called = self.new(f"call {self.real} {self.setting('objective')}({places}, {drawn_by})")
        return self.python(self.tensor(called).value)

    def _make_effective(self, gradient: str) -> None:
        self.put(f"call void @effective(ptr %settings, ptr {gradient}, ptr {self._noise})")

    def _noise_at(self, place: Whole) -> str:
        noise = self.setting("noise")
        index = (place * self.whole_setting("n_runs") + self._run) * self.n
        row = self._element(self.real, noise, index)
        return self.select(self.new(f"icmp eq ptr {noise}, null"), "ptr", noise, row)

    def _element(self, of_type: str, start: str, index: Whole) -> str:
        return self.new(f"getelementptr {of_type}, ptr {start}, i64 {index.name}")

    def _heed_interruption(self) -> None:
        flag = self.new(f"load atomic i32, ptr {self.setting('interrupted')} monotonic, align 4")
        with self.when(Truth(self, self.compare("ne", "i32", flag, "0"))):
            self.jump(self.stopped)
