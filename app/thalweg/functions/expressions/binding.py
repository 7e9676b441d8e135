"""From tree to steps: binds a formula to a dimension, checks every index and folds constants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.functions.expressions import tree
from thalweg.functions.expressions.cells import Cells
from thalweg.functions.expressions.limits import MAX_EXPONENT, MAX_VALUES
from thalweg.functions.expressions.operations import FUNCTIONS, OPERATORS, RELATIONS, Operand
from thalweg.functions.expressions.steps import (
    REDUCERS,
    Applied,
    Chained,
    Chosen,
    Constant,
    Frame,
    Joined,
    Leaf,
    Lifted,
    Reduced,
    Step,
    Test,
    Tested,
    Truth,
)

_NOWHERE = torch.empty(0, dtype=torch.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A formula ready for evaluation.

    Attributes:
        step: Computes its value.
        cells: The cell outside of all loops, in which it is evaluated.
        n_values: Approximate number of values computed per point.
        untraceable: A function in it that cannot be compiled; None if there is none.
    """

    step: Step
    cells: Cells
    n_values: int
    untraceable: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """The context of a part of the formula.

    Attributes:
        cells: The iterations of the surrounding loops.
        floor: The loops that it cannot be hoisted out of, because a condition within them guards it.
        guarded: Whether a condition guards it; a non-finite constant does no harm there.
    """

    cells: Cells
    floor: Cells
    guarded: bool = False


def bind(formula: tree.Formula, dim: int) -> Bound:
    """Bind a formula to points of `dim` coordinates.

    Raises:
        InvalidInput: An index is out of range, or a constant is not finite; the error has the column.
        LimitExceeded: Its loops compute too many values.
    """
    binder = _Binder(formula, dim)
    root = Cells()
    step = binder.value(formula.body, _Place(root, root))
    return Bound(step, root, max(1, binder.n_values), binder.untraceable)


class _Binder:
    def __init__(self, formula: tree.Formula, dim: int) -> None:
        self._vector = formula.vector
        self._length = dim if formula.vector is None else dim - len(formula.variables) + 1
        self._leaves: dict[tuple[Cells, int | tuple[int, int, int] | bytes], Leaf] = {}
        self.n_values = 0
        self.untraceable: str | None = None

    def value(self, node: tree.Value, place: _Place) -> Step:  # noqa: PLR0911 - one for each kind of node
        """Return the step that computes a value."""
        match node:
            case tree.Number(value=value):
                return Constant(value)
            case tree.Dimension():
                return Constant(float(self._length))
            case tree.Counter(name=name):
                return Constant(place.cells.counters[name].astype(np.float64))
            case tree.Scalar(variable=variable):
                return self._leaf(node.column, self._offset(variable), place)
            case tree.Item(index=index):
                return self._item(node.column, index, place)
            case tree.Apply(name=name, operands=operands):
                return self._apply(node.column, name, operands, place)
            case tree.Chain():
                return self._chain(node, place)
            case tree.Choice():
                return self._choice(node, place)
            case tree.Reduction():
                return self._reduction(node, place)

    def charge(self, column: int, n_values: int) -> None:
        """Add to the number of values computed.

        Raises:
            LimitExceeded: The total is over the limit.
        """
        self.n_values += n_values
        if self.n_values > MAX_VALUES:
            raise LimitExceeded(
                f"evaluating the formula at one point computes more than {MAX_VALUES} values: "
                "shorten its ranges or lower the dimension",
                column=column,
            )

    def _offset(self, variable: int) -> int:
        behind = self._vector is not None and variable > self._vector
        return variable + (self._length - 1 if behind else 0)

    def _item(self, column: int, index: tree.Value, place: _Place) -> Step:
        vector, length = self._vector or 0, self._length
        whole = place.cells.whole(index, length)
        least, most = int(np.min(whole, initial=length)), int(np.max(whole, initial=-length - 1))
        if least > most:  # an empty loop
            return Constant(0.0)
        if least < 0 <= most:
            raise InvalidInput(
                f"this index goes from {least} to {most}, but negative ones count from the end: start at 0",
                column=index.column,
            )
        if least < -length or most >= length:
            beyond = least if least < -length else most
            reach = "is" if isinstance(whole, int) else "reaches"
            raise InvalidInput(
                f"this index {reach} {beyond}, but the vector has indices 0 to {length - 1}",
                column=index.column,
            )
        return self._leaf(column, vector + (whole + length if least < 0 else whole), place)

    def _leaf(self, column: int, place_of: int | np.ndarray, place: _Place) -> Step:
        cells = place.cells
        self.charge(column, cells.count)
        if cells.outer is None:
            assert isinstance(place_of, int)  # noqa: S101 - without a loop there is one index
            return self._leaves.setdefault((cells, place_of), Leaf(place_of))
        places = _progression(np.broadcast_to(place_of, cells.count).astype(np.int64))
        key = (places.start, places.stop, places.step) if isinstance(places, slice) else places.tobytes()
        return self._leaves.setdefault((cells, key), Leaf(places))

    def _apply(self, column: int, name: str, operands: Sequence[tree.Value], place: _Place) -> Step:
        steps = [self.value(operand, place) for operand in operands]
        if name in FUNCTIONS and FUNCTIONS[name].untraceable:
            self.untraceable = name
        if name in {"**", "pow"}:
            _check_exponent(steps[1], operands[1].column)
            if isinstance(steps[1], Constant) and isinstance(steps[1].number, float) and steps[1].number == 0.0:
                return Constant(1.0)
        self.charge(column, place.cells.count)
        function = FUNCTIONS[name].evaluate if name in FUNCTIONS else OPERATORS[name]
        return self._folded(column, function, steps, place) or Applied(function, tuple(steps))

    def _chain(self, node: tree.Chain, place: _Place) -> Step:
        result = self.value(node.first, place)
        rest: list[tuple[Callable[..., torch.Tensor], Step]] = []
        for column, operator, right in node.rest:
            step = self.value(right, place)
            self.charge(column, place.cells.count)
            function = OPERATORS[operator]
            folded = None if rest else self._folded(column, function, [result, step], place)
            if folded is None:
                rest.append((function, step))
            else:
                result = folded
        return Chained(result, tuple(rest)) if rest else result

    def _folded(
        self, column: int, function: Callable[..., torch.Tensor], steps: Sequence[Step], place: _Place
    ) -> Constant | None:
        """Return the value of a function of constants; None if not all operands are constant."""
        numbers = [step.number for step in steps if isinstance(step, Constant)]
        if len(numbers) < len(steps):
            return None
        with torch.no_grad():
            first, *others = numbers
            result = function(torch.as_tensor(first, dtype=torch.float64), *map(_operand, others))
        return self._constant(column, result, place)

    def _constant(self, column: int, result: torch.Tensor, place: _Place) -> Constant:
        if not place.guarded and not bool(torch.isfinite(result).all()):
            worst = result[~torch.isfinite(result)].reshape(-1)[0].item()
            what = "not a real number" if worst != worst else "infinite, or too large for a double"  # noqa: PLR0124 - NaN
            raise InvalidInput(f"this is {what}", column=column)
        return Constant(result.item() if result.ndim == 0 else np.array(result.numpy()))

    # conditions

    def _test(self, node: tree.Condition, place: _Place) -> Test:
        self.charge(node.column, place.cells.count)
        match node:
            case tree.Comparison(relations=relations, operands=operands):
                steps = tuple(self.value(operand, place) for operand in operands)
                tested = Tested(tuple(RELATIONS[relation] for relation in relations), steps)
                return _decided(tested) if all(isinstance(step, Constant) for step in steps) else tested
            case tree.Logic(name=name, operands=conditions):
                tests = tuple(self._test(condition, place) for condition in conditions)
                joined = Joined(name, tests)
                return _decided(joined) if all(isinstance(test, Truth) for test in tests) else joined

    def _choice(self, node: tree.Choice, place: _Place) -> Step:
        test = self._test(node.condition, place)
        if isinstance(test, Truth) and isinstance(test.holds, bool):
            return self.value(node.one if test.holds else node.other, place)
        self.charge(node.column, 3 * place.cells.count)
        within = _Place(place.cells, place.cells, guarded=True)
        one, other = self.value(node.one, within), self.value(node.other, within)
        if isinstance(test, Truth):
            choose = partial(_chosen, torch.as_tensor(test.holds))
            if (folded := self._folded(node.column, choose, [one, other], place)) is not None:
                return folded
        return Chosen(test, one, other)

    # loops

    def _reduction(self, node: tree.Reduction, place: _Place) -> Step:
        outer, used = place.cells, _counters(node)
        while outer.outer is not None and outer is not place.floor and outer.name not in used:
            outer = outer.outer
        step = self._reduced(node, _Place(outer, place.floor, place.guarded))
        if outer is place.cells or (isinstance(step, Constant) and isinstance(step.number, float)):
            return step
        parents = place.cells.within(outer)
        if isinstance(step, Constant):
            return Constant(np.asarray(step.number)[parents])
        self.charge(node.column, 2 * place.cells.count)
        return Lifted(step, outer, parents)

    def _reduced(self, node: tree.Reduction, place: _Place) -> Step:
        outer = cells = place.cells
        for loop in node.loops:
            cells = cells.entered(loop, self._length, self.charge)
        lengths = np.bincount(cells.within(outer), minlength=outer.count)
        if node.kind in {"min", "max", "mean"} and not lengths.all():
            raise InvalidInput(f"{node.kind} of an empty range has no value", column=node.column)
        if cells.count == 0:
            return Constant(REDUCERS[node.kind][1])
        self.charge(node.column, outer.count * int(lengths.max()))
        # a floor inside of the loops left by now does not concern them
        floor = place.floor if _reaches(outer, place.floor) else outer
        body = self.value(node.body, _Place(cells, floor, place.guarded))
        reduced = Reduced(node.kind, body, cells, outer, lengths)
        if isinstance(body, Constant):
            numbers = torch.as_tensor(body.number, dtype=torch.float64).expand(cells.count)
            return self._constant(node.column, reduced.reduce(numbers), place)
        return reduced


def _operand(number: float | np.ndarray) -> Operand:
    return number if isinstance(number, float) else torch.from_numpy(number)


def _chosen(condition: torch.Tensor, one: torch.Tensor, other: Operand) -> torch.Tensor:
    return torch.where(condition, one, other)


def _reaches(cells: Cells, outer: Cells) -> bool:
    """Return whether `outer` is `cells` or encloses it."""
    return cells is outer or (cells.outer is not None and _reaches(cells.outer, outer))


def _progression(places: np.ndarray) -> slice | np.ndarray:
    """Return places as a slice if they increase in equal steps."""
    if len(places) == 1:
        return slice(int(places[0]), int(places[0]) + 1, 1)
    step = int(places[1] - places[0])
    if step > 0 and (np.diff(places) == step).all():
        return slice(int(places[0]), int(places[-1]) + 1, step)
    return places


def _check_exponent(exponent: Step, column: int) -> None:
    if isinstance(exponent, Constant) and np.max(np.abs(exponent.number)) > MAX_EXPONENT:
        raise InvalidInput(f"a constant exponent is at most {MAX_EXPONENT:.0f} in size", column=column)


def _decided(test: Test) -> Truth:
    cells = Cells()
    holds = torch.as_tensor(test.evaluate(Frame(_NOWHERE, (), cells)))
    return Truth(bool(holds) if holds.ndim == 0 else np.array(holds.numpy()))


def _counters(node: tree.Reduction) -> set[str]:
    """Return the loop variables that a reduction uses, its own included."""
    found: set[str] = set()
    waiting: list[object] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, tree.Counter):
            found.add(part.name)
        elif isinstance(part, tuple):
            waiting.extend(part)
        elif hasattr(part, "__slots__"):
            waiting.extend(getattr(part, name) for name in part.__slots__)
    return found
