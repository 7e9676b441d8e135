"""The strong Wolfe line search of torch's LBFGS, statement by statement."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from thalweg.engine.fused.codegen.lbfgs.numbers import Number, NumberVariable
from thalweg.engine.fused.codegen.lbfgs.vectors import VectorCode
from thalweg.engine.fused.frontend.refusals import INDEX
from thalweg.native.structured import Truth, TruthVariable, Whole, WholeLike, WholeVariable

Objective = Callable[[Number, str], Number]
"""Emits the evaluation at a step of length t along the direction: writes the gradient, and returns f."""

_C1: Final = 1e-4
_C2: Final = 0.9
_TOLERANCE_CHANGE: Final = 1e-9  # whatever the optimizer's own: torch does not pass it on


@dataclass(frozen=True, slots=True)
class Buffers:
    """Addresses of vectors that a search writes to."""

    g_new: str
    g_prev: str
    bracket_g: tuple[str, str]


class _Pair:
    """A list of two numbers, indexed by numbers that depend on data."""

    def __init__(self, code: VectorCode, variables: tuple[NumberVariable, NumberVariable]) -> None:
        self._code = code
        self._both = variables

    def __getitem__(self, index: WholeLike) -> Number:
        first, second = self._both
        if isinstance(index, int):
            return self._both[index].now
        return self._code.pick(index.equals(0), first.now, second.now)

    def __setitem__(self, index: WholeLike, value: Number) -> None:
        if isinstance(index, int):
            self._both[index].set(value)
            return
        value = value.now
        for place, variable in enumerate(self._both):
            with self._code.when(index.equals(place)):
                variable.set(value)

    def set(self, first: Number, second: Number) -> None:
        """Assign both."""
        first, second = first.now, second.now
        self._both[0].set(first)
        self._both[1].set(second)

    @property
    def max(self) -> Number:
        """Python's max of both."""
        return self._code.larger(self[0], self[1])

    @property
    def min(self) -> Number:
        """Python's min of both."""
        return self._code.smaller(self[0], self[1])


def cubic_interpolate(
    code: VectorCode,
    one: tuple[Number, Number, Number],
    other: tuple[Number, Number, Number],
    bounds: tuple[Number, Number] | None = None,
) -> Number:
    """Return the minimum of a cubic through two points `(x, f, g)`, at least within the bounds."""
    x1, f1, g1 = (number.now for number in one)
    x2, f2, g2 = (number.now for number in other)
    ascending = x1 <= x2
    low, high = bounds or (code.pick(ascending, x1, x2), code.pick(ascending, x2, x1))
    result = code.either(code.python(0.0))
    d1 = g1 + g2 - 3.0 * (f1 - f2) / (x1 - x2)
    d2_square = d1 * d1 - g1 * g2
    with code.when(d2_square >= 0.0):
        d2 = code.root(d2_square)
        with code.when(ascending):
            result.set(x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2.0 * d2)))
        with code.otherwise():
            result.set(x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2.0 * d2)))
        result.set(code.smaller(code.larger(result, low), high))
    with code.otherwise():
        result.set((low + high) / 2.0)
    return result.now


class StrongWolfe:
    """The search for a step length between `t` and what its bracket leads to.

    Args:
        code: The function under construction.
        buffers: Where it keeps gradients.
        d: The direction.
        g: The gradient at the point it starts from.
        evaluate: Emits an evaluation.
        max_ls: The most evaluations after the first.
    """

    def __init__(
        self,
        code: VectorCode,
        buffers: Buffers,
        d: str,
        g: str,
        evaluate: Objective,
        max_ls: Whole,
    ) -> None:
        self._code = code
        self._buffers = buffers
        self._d = d
        self._g = g
        self._evaluate = evaluate
        self._max_ls = Whole(code, max_ls.name)
        zero, tensor = code.python(0.0), Number(code, code.literal(0.0, "double"), tensor=True)
        self._bracket = _Pair(code, (code.either(zero), code.either(zero)))
        self._bracket_f = _Pair(code, (code.number(zero), code.number(zero)))
        self._bracket_gtd = _Pair(code, (code.number(tensor), code.number(tensor)))
        self._done = code.truth(code.false)
        self._ls_iter = code.whole_number(0)

    def emit(self, t: NumberVariable, f: NumberVariable, gtd: Number, gradient: str, evals: WholeVariable) -> None:
        """Emit the search: t and f become the step found and its value, `gradient` the one there.

        `evals` grows by the number of evaluations.
        """
        code, before, gtd = self._code, f.now, gtd.now
        d_norm = code.largest(self._d)
        f_new = code.number(self._evaluate(t.now, self._buffers.g_new))
        gtd_new = code.number(code.dot(self._buffers.g_new, self._d))
        self._find_bracket(t, before, gtd, f_new, gtd_new)
        low = code.whole_number(0)
        # a list of one number, compared with itself, has the low position 1 if the number is NaN
        low.set(code.choose(self._bracket_f[0] <= self._bracket_f[1], 0, 1))
        with code.when(Truth(code, self._done.name) & low.equals(1)):
            code.raise_(INDEX)
        self._zoom(t, before, gtd, d_norm, low)
        evals.set(evals + self._ls_iter + 1)
        t.set(self._bracket[low])
        f.set(self._bracket_f[low])
        code.copy(gradient, self._bracket_gradient(low))

    def _armijo_fails(self, f_new: Number, f: Number, t: Number, gtd: Number) -> Truth:
        return f_new > f + _C1 * t * gtd

    def _find_bracket(
        self, t: NumberVariable, f: Number, gtd: Number, f_new: NumberVariable, gtd_new: NumberVariable
    ) -> None:
        """Bracket an interval with a point that satisfies the Wolfe conditions."""
        code, buffers, ls_iter = self._code, self._buffers, self._ls_iter
        t_prev = code.either(code.python(0.0))
        f_prev, gtd_prev = code.number(f), code.number(gtd)
        code.copy(buffers.g_prev, self._g)
        with code.loop(lambda: ls_iter < self._max_ls) as bracketing:
            rising = (ls_iter > 1) & (f_new >= f_prev)
            with code.when(self._armijo_fails(f_new, f, t, gtd) | rising):
                self._take(t_prev, t, f_prev, f_new, gtd_prev, gtd_new)
                bracketing.leave()
            with code.when(abs(gtd_new) <= -_C2 * gtd):
                # the list of one: both entries are the same
                self._take(t, t, f_new, f_new, gtd_new, gtd_new)
                code.copy(buffers.bracket_g[0], buffers.g_new)
                self._done.set(code.true)
                bracketing.leave()
            with code.when(gtd_new >= 0.0):
                self._take(t_prev, t, f_prev, f_new, gtd_prev, gtd_new)
                bracketing.leave()
            bounds = (t + 0.01 * (t - t_prev), t * 10.0)
            here = t.now
            found = cubic_interpolate(code, (t_prev, f_prev, gtd_prev), (here, f_new, gtd_new), bounds)
            t.set(found)
            t_prev.set(here)
            f_prev.set(f_new)
            code.copy(buffers.g_prev, buffers.g_new)
            gtd_prev.set(gtd_new)
            f_new.set(self._evaluate(t.now, buffers.g_new))
            gtd_new.set(code.dot(buffers.g_new, self._d))
            ls_iter.set(ls_iter + 1)
        with code.when(ls_iter.equals(self._max_ls)):
            # the bracket's slopes are not asked for any more
            self._bracket.set(code.python(0.0), t)
            self._bracket_f.set(f, f_new)
            code.copy(buffers.bracket_g[0], self._g)
            code.copy(buffers.bracket_g[1], buffers.g_new)

    def _take(
        self, t_prev: Number, t: Number, f_prev: Number, f_new: Number, gtd_prev: Number, gtd_new: Number
    ) -> None:
        self._bracket.set(t_prev, t)
        self._bracket_f.set(f_prev, f_new)
        self._bracket_gtd.set(gtd_prev, gtd_new)
        self._code.copy(self._buffers.bracket_g[0], self._buffers.g_prev)
        self._code.copy(self._buffers.bracket_g[1], self._buffers.g_new)

    def _zoom(self, t: NumberVariable, f: Number, gtd: Number, d_norm: Number, low: WholeVariable) -> None:
        """Shorten the bracket until a point in it satisfies the Wolfe conditions."""
        code, buffers, ls_iter, done = self._code, self._buffers, self._ls_iter, self._done
        bracket, bracket_f, bracket_gtd = self._bracket, self._bracket_f, self._bracket_gtd
        insuf_progress = code.truth(code.false)
        with code.loop(lambda: ~done & (ls_iter < self._max_ls)) as zooming:
            with code.when(abs(bracket[1] - bracket[0]) * d_norm < _TOLERANCE_CHANGE):
                zooming.leave()
            one, other = ((bracket[k], bracket_f[k], bracket_gtd[k]) for k in range(2))
            t.set(cubic_interpolate(code, one, other))
            self._keep_off_the_ends(t, insuf_progress)
            f_new = self._evaluate(t.now, buffers.g_new)
            gtd_new = code.dot(buffers.g_new, self._d)
            ls_iter.set(ls_iter + 1)
            high = code.whole_number(low * -1 + 1)
            fails = self._armijo_fails(f_new, f, t, gtd) | (f_new >= bracket_f[low])
            with code.when(fails):
                self._put(high, t, f_new, gtd_new)
                low.set(code.choose(bracket_f[0] <= bracket_f[1], 0, 1))
            with code.otherwise():
                wolfe = abs(gtd_new) <= -_C2 * gtd
                with code.when(wolfe):
                    done.set(code.true)
                with code.when(~wolfe & (gtd_new * (bracket[high] - bracket[low]) >= 0.0)):
                    bracket[high], bracket_f[high] = bracket[low], bracket_f[low]
                    bracket_gtd[high] = bracket_gtd[low]
                    code.copy(self._bracket_gradient(high), self._bracket_gradient(low))
                self._put(low, t, f_new, gtd_new)

    def _keep_off_the_ends(self, t: NumberVariable, insuf_progress: TruthVariable) -> None:
        """Move t off the ends of the bracket where the search makes no progress there."""
        code, bracket = self._code, self._bracket
        largest, smallest = bracket.max, bracket.min
        eps = 0.1 * (largest - smallest)
        close = code.smaller(largest - t, t - smallest) < eps
        with code.when(close):
            outside = insuf_progress | (t >= largest) | (t <= smallest)
            with code.when(outside):
                with code.when(abs(t - largest) < abs(t - smallest)):
                    t.set(largest - eps)
                with code.otherwise():
                    t.set(smallest + eps)
            insuf_progress.set(~outside)
        with code.otherwise():
            insuf_progress.set(code.false)

    def _put(self, place: Whole, t: Number, f_new: Number, gtd_new: Number) -> None:
        self._bracket[place] = t
        self._bracket_f[place] = f_new
        self._bracket_gtd[place] = gtd_new
        self._code.copy(self._bracket_gradient(place), self._buffers.g_new)

    def _bracket_gradient(self, place: Whole) -> str:
        first, second = self._buffers.bracket_g
        return self._code.select(place.equals(0).name, "ptr", first, second)
