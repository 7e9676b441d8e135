"""Tables for classes of runs: powers, and what follows from them, of numbers that many runs have in common.

A number of a run's own, such as a beta, goes into a power in every step, which costs more than the rest of the
step. Runs with equal numbers are a class, for which the powers are computed once. What follows from the numbers of
one class alone is tabulated; the rest is computed for each run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.engine.fused.codegen.layout import Group
from thalweg.engine.fused.codegen.powers import PowersFunction, without_hidden
from thalweg.engine.fused.frontend.program import Value, inputs, needed
from thalweg.engine.fused.frontend.trace import Slot, Step, Update


@dataclass(frozen=True, slots=True)
class Tabulated:
    """What is tabulated of an update: for each group of own numbers, the values that the loop reads."""

    columns: tuple[tuple[Value, ...], ...]

    @property
    def values(self) -> list[Value]:
        """All of them."""
        return [value for group in self.columns for value in group]


def grouped(step: Step) -> tuple[tuple[tuple[str, ...], ...], list[Tabulated]]:
    """Return the groups of own numbers that go into a power together, and what is tabulated of each update."""
    constant = _constant(step)
    updates = (step.first, step.later)
    found = [_Sources(constant, results_of(update, step.slots)) for update in updates]
    groups = sorted({names for sources in found for names in sources.of_powers})
    return tuple(groups), [sources.tabulated(groups) for sources in found]


def results_of(update: Update, slots: Sequence[Slot]) -> list[Value]:
    """Return what an update gives to each run, also where it is the same for all of them."""
    state = (
        value for slot, values in zip(slots, update.state, strict=True) if slot.per_coordinate for value in values
    )
    return [*update.x, *state, *update.own, *([update.raised] if update.raised.varying else [])]


def _constant(step: Step) -> frozenset[str]:
    """Return the names of own numbers that no update changes."""
    return frozenset(
        name
        for k, name in enumerate(step.own)
        if all(
            update.own[k].op == "input" and update.own[k].source[0] == name for update in (step.first, step.later)
        )
    )


class _Sources:
    """From which own numbers the values of an update follow, where from these and shared numbers alone."""

    def __init__(self, constant: frozenset[str], results: Sequence[Value]) -> None:
        self._results = results
        self._of: dict[Value, frozenset[str] | None] = {}
        self._has_power: dict[Value, bool] = {}
        for value in [*inputs(results), *needed(results)]:
            self._note(value, constant)
        self.of_powers = {
            tuple(sorted(names))
            for value, names in self._of.items()
            if value.op == "pow" and names  # of shared numbers alone, it is in the table that all runs share
        }

    def _note(self, value: Value, constant: frozenset[str]) -> None:
        if not value.varying:
            names: frozenset[str] | None = frozenset()
        elif value.op == "input":
            name = value.source[0]
            names = frozenset({name}) if name in constant else None
        else:
            of_operands = [self._of[each] for each in value.operands if each.constant is None]
            known = [each for each in of_operands if each is not None]
            names = frozenset().union(*known) if len(known) == len(of_operands) else None
        self._of[value] = names
        has_power = any(self._has_power.get(each, False) for each in value.operands)
        self._has_power[value] = value.varying and (value.op == "pow" or has_power)

    def tabulated(self, groups: Sequence[tuple[str, ...]]) -> Tabulated:
        """Return the last values on the way to the results that follow from one group, and from a power."""
        columns: list[list[Value]] = [[] for _ in groups]
        seen: set[Value] = set()
        waiting = list(self._results)
        while waiting:
            value = waiting.pop()
            if value in seen or not value.varying:
                continue
            seen.add(value)
            group = self._group(value, groups)
            if group is None:
                waiting.extend(value.operands)
            else:
                columns[group].append(value)
        return Tabulated(tuple(tuple(sorted(each, key=lambda value: value.number)) for each in columns))

    def _group(self, value: Value, groups: Sequence[tuple[str, ...]]) -> int | None:
        names = self._of[value]
        if not names or not self._has_power[value]:
            return None
        fitting = [k for k, group in enumerate(groups) if names <= set(group)]
        return min(fitting, key=lambda k: len(groups[k]), default=None)


def operands_of(tabulated: Tabulated) -> list[Value]:
    """Return the shared values that tabulated ones follow from."""
    found = {operand for value in needed(tabulated.values) if value.varying for operand in value.operands}
    return [value for value in found if not value.varying and value.constant is None]


class TabulateFunction(PowersFunction):
    """The native function `tabulate(group, n_classes, first, n, fixed, table, own, out)`.

    For each of `n_classes` classes of a group and each of the updates `first` to `first + n - 1` it writes a row
    of `out`, a class after the other. `fixed` and `table` are as `schedule` fills them, `table` from update `first`
    on; `own` holds the group's numbers, a row per class.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        tabulated: Sequence[Tabulated],
        columns: Sequence[Sequence[Value]],
        fixed: Sequence[Value],
        n_columns: int,
    ) -> None:
        super().__init__()
        self._groups = groups
        self._tabulated = tabulated
        self._columns = columns
        self._fixed = fixed
        self._n_columns = n_columns

    def text(self) -> str:
        """Return the function."""
        cases = " ".join(f"i64 {k}, label %group{k}" for k in range(len(self._groups)))
        place, update = self.alloca("i64"), self.alloca("i64")
        settled = {value: self._load(value, "%fixed", k) for k, value in enumerate(self._fixed)}
        self.put(f"switch i64 %group, label %done [{cases}]")
        for k, group in enumerate(self._groups):
            self._tabulate(k, group, settled, place, update)
        self.label("done")
        self.put("ret void")
        return self.whole(
            "@tabulate(i64 %group, i64 %n_classes, i64 %first, i64 %n, ptr noalias %fixed, ptr noalias %table, "
            "ptr noalias %own, ptr noalias %out)"
        )

    def _tabulate(self, k: int, group: Group, settled: dict[Value, str], place: str, update: str) -> None:
        begin, class_, next_class, row_, first, later, next_row = (
            f"{name}{k}" for name in ("group", "class", "next_class", "row", "first", "later", "next_row")
        )
        self.label(begin)
        self.put(f"store i64 0, ptr {place}", f"br label %{class_}")
        self.label(class_)
        number = self.new(f"load i64, ptr {place}")
        more = self.new(f"icmp ult i64 {number}, %n_classes")
        self.put(f"store i64 0, ptr {update}", f"br i1 {more}, label %{row_}, label %done")
        self.label(row_)
        index = self.new(f"load i64, ptr {update}")
        own = self._place("%own", self.new(f"mul i64 {number}, {len(group.own)}"))
        table = self._place("%table", self.new(f"mul i64 {index}, {self._n_columns}"))
        whole = self.new(f"add i64 {self.new(f'mul i64 {number}, %n')}, {index}")
        out = self._place("%out", self.new(f"mul i64 {whole}, {group.n_columns}"))
        at_start = self.new(f"icmp eq i64 {self.new(f'add i64 %first, {index}')}, 0")
        self.put(f"br i1 {at_start}, label %{first}, label %{later}")
        for label, tabulated, columns in zip((first, later), self._tabulated, self._columns, strict=True):
            self.label(label)
            values = tabulated.columns[k]
            known = {value: self._load(value, table, column) for column, value in enumerate(columns)} | settled
            for value in inputs(values):
                if value.varying:
                    known[value] = self._load(value, own, group.own.index(value.source[0]))
            self.names = known
            self.compute(without_hidden(needed(values, known=known), values))
            for column, value in enumerate(values):
                self.put(f"store {value.type} {self.operand(value)}, ptr {self._place(out, column)}")
            self.put(f"br label %{next_row}")
        self.label(next_row)
        after = self.new(f"add i64 {index}, 1")
        some = self.new(f"icmp ult i64 {after}, %n")
        self.put(f"store i64 {after}, ptr {update}", f"br i1 {some}, label %{row_}, label %{next_class}")
        self.label(next_class)
        self.put(f"store i64 {self.new(f'add i64 {number}, 1')}, ptr {place}", f"br label %{class_}")

    def _load(self, value: Value, row: str, k: int) -> str:
        return self.new(f"load {value.type}, ptr {self._place(row, k)}")

    def _place(self, start: str, index: str | int) -> str:
        return self.new(f"getelementptr i64, ptr {start}, i64 {index}")
