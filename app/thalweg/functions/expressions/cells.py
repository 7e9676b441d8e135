"""Cells: the iterations of the loops around a part of a formula.

All iterations lie side by side on the last axis, one cell each, in Python's order. So loops of unequal length need
no padding.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from thalweg.errors import InvalidInput
from thalweg.functions.expressions import tree
from thalweg.functions.expressions.limits import MAX_WHOLE

Whole: TypeAlias = int | np.ndarray  # the same in every cell, or `(count,)`


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The iterations of nested loops.

    Attributes:
        count: Number of iterations.
        outer: The iterations of the enclosing loops; None outside of all loops, where there is no axis.
        name: The variable of the innermost loop.
        counters: The value of each loop variable in each cell, `(count,)`.
        parents: The index of each cell's parent in `outer`, `(count,)`.
    """

    count: int = 1
    outer: "Cells | None" = None
    name: str = ""
    counters: dict[str, np.ndarray] = field(default_factory=dict)
    parents: np.ndarray | None = None

    def entered(self, loop: tree.Loop, n: int, charge: Callable[[int, int], None]) -> "Cells":
        """Return the cells of a loop nested in these.

        Args:
            loop: The loop.
            n: The dimension.
            charge: Called with the column and the number of values about to be computed.

        Raises:
            InvalidInput: The ends of a range are not integers, or its step is 0.
        """
        start, stop, step = (self.whole(end, n) for end in (loop.start, loop.stop, loop.step))
        if np.any(np.equal(step, 0)):
            raise InvalidInput("the step of a range cannot be 0", column=loop.step.column)
        lengths = np.maximum(0, -((start - stop) // step))
        total = int(lengths) * self.count if lengths.ndim == 0 else int(lengths.sum())
        charge(loop.column, total * (2 + len(self.counters)))
        lengths = np.broadcast_to(lengths, self.count)
        parents = np.repeat(np.arange(self.count), lengths)
        turns = np.arange(total) - (np.cumsum(lengths) - lengths)[parents]
        values = _at(start, parents) + turns * _at(step, parents)
        counters = {name: counter[parents] for name, counter in self.counters.items()}
        return Cells(total, self, loop.name, {**counters, loop.name: values}, parents)

    def within(self, outer: "Cells") -> np.ndarray:
        """Return the index of the cell of the enclosing `outer` that each cell lies in, `(count,)`."""
        if self.outer is None or self is outer:
            return np.arange(self.count)
        parents = self.parents if self.parents is not None else np.zeros(self.count, np.int64)
        return parents if self.outer is outer else self.outer.within(outer)[parents]

    def whole(self, node: tree.Value, n: int) -> Whole:
        """Evaluate an integer expression of loop variables, numbers and the dimension in each cell.

        Raises:
            InvalidInput: It has other parts, or is not an integer, or is too large.
        """
        match node:
            case tree.Number(value=value):
                if not value.is_integer():
                    raise InvalidInput("an integer is required here", column=node.column)
                return _checked(int(value) if abs(value) <= MAX_WHOLE else MAX_WHOLE + 1, node.column)
            case tree.Dimension():
                return n
            case tree.Counter(name=name):
                return self.counters[name]
            case tree.Apply(name="negative", operands=(operand,)):
                return -self.whole(operand, n)
            case tree.Chain(first=first, rest=rest):
                result = self.whole(first, n)
                for column, operator, right in rest:
                    result = _checked(_whole_operation(operator, result, self.whole(right, n), column), column)
                return result
        raise InvalidInput(
            "an index or an end of a range must be an integer made of loop variables, numbers, n and + - * // %",
            column=node.column,
        )


def _at(whole: Whole, place: np.ndarray) -> Whole:
    return whole[place] if isinstance(whole, np.ndarray) else whole


def _whole_operation(operator: str, left: Whole, right: Whole, column: int) -> Whole:
    if operator in {"//", "%"} and np.any(np.equal(right, 0)):
        raise InvalidInput("division by 0", column=column)
    match operator:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "//":
            return left // right
        case "%":
            return left % right
    raise InvalidInput("integers are divided by //", column=column)


def _checked(whole: Whole, column: int) -> Whole:
    if np.max(np.abs(whole), initial=0) > MAX_WHOLE:
        raise InvalidInput(f"integers in an index or a range are at most {MAX_WHOLE}", column=column)
    return whole
