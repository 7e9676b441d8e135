"""A step of torch's LBFGS, statement by statement, in the block of a run."""

from collections.abc import Callable, Mapping
from typing import Final

from thalweg.engine.fused.codegen.lbfgs.layout import (
    HISTORY,
    NUMBERS,
    SCRATCH,
    SETTINGS,
    VECTORS,
    WHOLES,
    heading_bytes,
)
from thalweg.engine.fused.codegen.lbfgs.line_search import Buffers, StrongWolfe
from thalweg.engine.fused.codegen.lbfgs.numbers import Number, NumberVariable
from thalweg.engine.fused.codegen.lbfgs.vectors import VectorCode
from thalweg.native.builder import BYTES, Type
from thalweg.native.memory import ALIGNMENT
from thalweg.native.structured import Truth, Whole, WholeVariable

_LEAST_CURVATURE: Final = 1e-10


class RunCode(VectorCode):
    """The code for one run: its settings, its block, its scratch, and evaluations.

    `%settings`, `%block` and `%scratch` are addresses that it uses.
    """

    def __init__(self, real: Type, *, vml: bool) -> None:
        super().__init__(real, vml=vml)
        self.settings: Mapping[str, str] = {}
        self.cells: dict[str, WholeVariable] = {}
        self.numbers: dict[str, NumberVariable] = {}
        self.vectors: dict[str, str] = {}
        self.refused = ""
        self.stopped = ""

    def setting(self, name: str) -> str:
        """Return a setting of the call."""
        place = self.new(f"getelementptr i64, ptr %settings, i64 {list(SETTINGS).index(name)}")
        return self.new(f"load {SETTINGS[name]}, ptr {place}")

    def whole_setting(self, name: str) -> Whole:
        """Return a whole number that is a setting."""
        return Whole(self, self.setting(name))

    def number_setting(self, name: str) -> Number:
        """Return a Python float that is a setting."""
        return self.python(self.setting(name))

    def begin(self) -> None:
        """Find the parts of the scratch; they are the same for all runs."""
        self.n = self.whole_setting("dim")
        n_bytes = self.n * BYTES[self.real] + (ALIGNMENT - 1)
        self._vector_bytes = Whole(self, (n_bytes // ALIGNMENT * ALIGNMENT).name)
        self.capacity = self.whole_setting("capacity")
        for k, name in enumerate(SCRATCH):
            self.vectors[name] = self.beyond("%scratch", self._vector_bytes * k)
        self._al = self.beyond("%scratch", self._vector_bytes * len(SCRATCH))
        self.objective_scratch = self.beyond(self._al, self._history_bytes())

    def enter(self, block: str) -> None:
        """Find the parts of a run's block."""
        names = iter(range(len(WHOLES) + len(NUMBERS)))
        for name in WHOLES:
            self.cells[name] = WholeVariable(self, self._heading(block, next(names)))
        for name in NUMBERS:
            # a step length that was a float is rounded wherever it is used again
            self.numbers[name] = NumberVariable(self, self._heading(block, next(names)), tensor=False)
        heading = heading_bytes()
        for k, name in enumerate(VECTORS):
            self.vectors[name] = self.beyond(block, self._vector_bytes * k + heading)
        self._ro = self.beyond(block, self._vector_bytes * len(VECTORS) + heading)
        self._history: dict[str, str] = {}
        start = self.beyond(self._ro, self._history_bytes())
        for name in HISTORY:
            self._history[name] = start
            start = self.beyond(start, self.n * BYTES[self.real] * self.capacity)

    def _history_bytes(self) -> Whole:
        """Return the bytes of a double for each step of a history."""
        return (self.capacity * 8 + (ALIGNMENT - 1)) // ALIGNMENT * ALIGNMENT

    def beyond(self, address: str, n_bytes: Whole) -> str:
        """Return the address so many bytes behind another."""
        return self.new(f"getelementptr i8, ptr {address}, i64 {n_bytes.name}")

    def _heading(self, block: str, k: int) -> str:
        return self.new(f"getelementptr i64, ptr {block}, i64 {k}")

    def slot(self, i: Whole) -> Whole:
        """Return where entry i of the history lies, counted from the oldest: a ring."""
        return Whole(self, ((self.cells["oldest"] + i) % self.capacity).name)

    def old(self, name: str, slot: Whole) -> str:
        """Return the vector in a slot of the history, which is not aligned."""
        return self.beyond(self._history[name], self.n * BYTES[self.real] * slot)

    def ro(self, slot: Whole) -> NumberVariable:
        """Return the reciprocal of the curvature in a slot of the history."""
        return NumberVariable(self, self.new(f"getelementptr double, ptr {self._ro}, i64 {slot.name}"), tensor=True)

    def al(self, i: Whole) -> NumberVariable:
        """Return the coefficient of entry i of the history."""
        return NumberVariable(self, self.new(f"getelementptr double, ptr {self._al}, i64 {i.name}"), tensor=True)

    def raise_(self, code: int) -> None:
        """End the run: torch or Python raises here."""
        self.cells["refusal"].set(code)
        self.jump(self.refused)


class Step:
    """Emits a step at `point`, whose gradient as the optimizer gets it is in `flat_grad`."""

    def __init__(self, code: RunCode, evaluate: Callable[[str], Number]) -> None:
        self._code = code
        self._evaluate = evaluate
        self._buffers = Buffers(
            code.vectors["g_new"],
            code.vectors["g_prev"],
            (code.vectors["bracket_g0"], code.vectors["bracket_g1"]),
        )

    def emit(self, f: Number, lr: Number) -> None:
        """Emit the step: `point` becomes the new point. `f` is the value before."""
        code = self._code
        point, flat_grad, d = (code.vectors[name] for name in ("point", "flat_grad", "d"))
        tolerance_grad = code.number_setting("tolerance_grad")
        tolerance_change = code.number_setting("tolerance_change")
        max_iter, max_eval = code.whole_setting("max_iter"), code.whole_setting("max_eval")
        strong_wolfe = code.whole_setting("strong_wolfe").equals(1)
        state_n_iter = code.cells["n_iter"]

        loss, prev_loss = code.number(f), code.number(f)
        current_evals = code.whole_number(1)
        opt_cond = code.truth(code.largest(flat_grad) <= tolerance_grad)
        n_iter = code.whole_number(0)
        t = code.either(lr)
        with code.when(~opt_cond), code.loop(lambda: n_iter < max_iter) as iterations:
            n_iter.set(n_iter + 1)
            state_n_iter.set(state_n_iter + 1)
            self._set_direction()
            code.copy(code.vectors["prev_flat_grad"], flat_grad)
            prev_loss.set(loss)
            t.set(lr)
            with code.when(state_n_iter.equals(1)):
                t.set(code.smaller(code.python(1.0), 1.0 / code.sum_of_sizes(flat_grad, code.vectors["s"])) * lr)
            code.numbers["t"].set(code.python(t.value))
            gtd = code.dot(flat_grad, d)
            with code.when(gtd > -tolerance_change):
                iterations.leave()
            with code.when(strong_wolfe):
                self._search(t, loss, gtd, current_evals, max_eval)
                code.numbers["t"].set(code.python(t.value))
                code.add_scaled(point, d, t)
                opt_cond.set(code.largest(flat_grad) <= tolerance_grad)
            with code.otherwise():
                code.add_scaled(point, d, t)
                with code.when(n_iter < max_iter):
                    loss.set(self._evaluate(flat_grad))
                    opt_cond.set(code.largest(flat_grad) <= tolerance_grad)
                    current_evals.set(current_evals + 1)
            with code.when((n_iter >= max_iter) | (current_evals >= max_eval) | opt_cond):
                iterations.leave()
            code.scale(code.vectors["s"], d, t)
            with code.when(code.largest(code.vectors["s"]) <= tolerance_change):
                iterations.leave()
            with code.when(abs(loss - prev_loss) < tolerance_change):
                iterations.leave()

    def _set_direction(self) -> None:
        """Set d to minus the approximate inverse Hessian times the gradient."""
        code = self._code
        flat_grad, d, y, s = (code.vectors[name] for name in ("flat_grad", "d", "y", "s"))
        first = Truth(code, code.cells["n_iter"].equals(1).name)
        with code.when(first):
            code.negate(d, flat_grad)
            code.cells["n_old"].set(0)
            code.numbers["H_diag"].set(code.python(1.0))
        with code.otherwise():
            code.subtract(y, flat_grad, code.vectors["prev_flat_grad"])
            code.scale(s, d, code.numbers["t"])
            ys = code.dot(y, s)
            with code.when(ys > _LEAST_CURVATURE):
                self._remember(y, s, 1.0 / ys)
                code.numbers["H_diag"].set(code.python((ys / code.dot(y, y)).value))
            code.negate(d, flat_grad)
            self._apply_history(d)

    def _remember(self, y: str, s: str, ro: Number) -> None:
        """Append to the history, and forget the oldest entry where it is full."""
        code, n_old, oldest = self._code, self._code.cells["n_old"], self._code.cells["oldest"]
        with code.when(n_old.equals(code.capacity)):
            oldest.set((oldest + 1) % code.capacity)
            n_old.set(n_old - 1)
        slot = code.slot(n_old)
        code.copy(code.old("old_dirs", slot), y)
        code.copy(code.old("old_stps", slot), s)
        code.ro(slot).set(ro)
        n_old.set(n_old + 1)

    def _apply_history(self, d: str) -> None:
        """Multiply d by the approximate inverse Hessian: the two loops."""
        code, old = self._code, self._code.vectors["old"]
        num_old = Whole(code, code.cells["n_old"].name)
        with code.each(0, num_old) as done:
            i = Whole(code, (num_old - 1 - done).name)
            slot = code.slot(i)
            code.copy(old, code.old("old_stps", slot))
            al = code.dot(old, d) * code.ro(slot)
            code.al(i).set(al)
            code.add_scaled(d, code.old("old_dirs", slot), -al)
        code.scale(d, d, code.numbers["H_diag"])
        with code.each(0, num_old) as i:
            slot = code.slot(i)
            code.copy(old, code.old("old_dirs", slot))
            be = code.dot(old, d) * code.ro(slot)
            code.add_scaled(d, code.old("old_stps", slot), code.al(i) - be)

    def _search(
        self,
        t: NumberVariable,
        loss: NumberVariable,
        gtd: Number,
        current_evals: WholeVariable,
        max_eval: Whole,
    ) -> None:
        code = self._code
        point, d, x_init = (code.vectors[name] for name in ("point", "d", "x_init"))
        code.copy(x_init, point)

        def along(length: Number, gradient: str) -> Number:
            code.add_scaled(point, d, length)
            value = self._evaluate(gradient)
            code.copy(point, x_init)
            return value

        max_ls = max_eval - current_evals
        flat_grad = code.vectors["flat_grad"]
        search = StrongWolfe(code, self._buffers, d, flat_grad, along, max_ls)
        search.emit(t, loss, gtd, flat_grad, current_evals)
