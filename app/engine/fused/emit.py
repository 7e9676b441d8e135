"""Writing a traced step down as LLVM's assembly: two functions, `schedule` and `descend`.

`schedule` computes, step after step, what all runs share, and leaves it in a table with a row for each step.
`descend` takes blocks of runs, some side by side in the lanes of vectors, through many steps: each entry is
recorded if it is due, looked at (has the run converged, diverged, found its best?), and then updated.

What changes from step to step are stack slots here; LLVM keeps them in registers.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby

import numpy as np
import torch

from app.engine.fused.aten import type_of
from app.engine.fused.program import COMPARISONS, Type, Value, needed
from app.engine.fused.trace import Slot, Step, Update
from app.engine.outcome import Outcome

MARKS = ("n_steps", "outcome", "best_step")
"""The rows of whole numbers, 8 bytes each, that `descend` keeps of each run."""

_VML = {
    **{name: name.capitalize() for name in ("cos", "sin", "tan", "exp", "log2", "log10", "tanh", "asin", "acos")},
    **{"log": "Ln", "atan": "Atan", "sqrt": "Sqrt"},
}
_BINARY = {"fadd", "fsub", "fmul", "fdiv"}
_INTRINSICS = {name: name for name in ("fma", "fabs", "floor", "sqrt")} | {"root": "sqrt"}
_SUFFIX: dict[Type, str] = {"double": "f64", "float": "f32"}
_BYTES: dict[str, int] = {"double": 8, "float": 4, "i64": 8}
_SMALLEST_ORDINARY: dict[Type, float] = {"double": 2.0**-900, "float": 2.0**-100}


class Library(Enum):
    """Where elementary functions come from."""

    none = auto()  # libm, number by number: torch's library is not there
    vml = auto()  # the vector library that torch itself calls
    vml_and_goldschmidt = auto()  # the same, but square roots are taken in place, with its digits


@dataclass(frozen=True, slots=True)
class Layout:
    """Where `descend` finds the numbers of a run: rows of an array with a column for each run.

    Attributes:
        dim: Coordinates of a point.
        slots: What the optimizer remembers.
        n_shared: Columns of the table of what all runs share, 8 bytes each.
    """

    dim: int
    slots: tuple[Slot, ...]
    n_shared: int

    @property
    def rows(self) -> dict[str, slice]:
        """The rows of real numbers by name."""
        sizes = {
            "x": self.dim,
            "f": 1,
            "gradient": self.dim,
            "finite_x": self.dim,
            "finite_f": 1,
            "best_x": self.dim,
            "best_f": 1,
            **{f"state.{slot.name}": self.dim for slot in self.slots if not slot.shared},
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}

    @property
    def shared(self) -> list[Slot]:
        """The slots of which all runs have the same."""
        return [slot for slot in self.slots if slot.shared]


def emit(step: Step, dtype: torch.dtype, width: int, library: Library, *, grad_stop: bool) -> tuple[str, Layout]:
    """Return a module of LLVM assembly, and how its data lie.

    Args:
        step: What to do.
        dtype: The points'.
        width: Runs side by side.
        library: Where elementary functions come from.
        grad_stop: Whether a run can converge by the norm of its gradient.
    """
    columns = [_shared(update, step.slots) for update in (step.first, step.later)]
    layout = Layout(len(step.first.x), step.slots, max(1, *map(len, columns)))
    schedule = _Schedule(step, columns, layout)
    descend = _Descend(step, columns, layout, type_of(dtype), width, library, grad_stop=grad_stop)
    functions = [schedule.text(), descend.text()]
    declarations = sorted(schedule.declarations | descend.declarations)
    return "\n".join([*declarations, *functions]), layout


def _shared(update: Update, slots: Sequence[Slot]) -> list[Value]:
    """Return what all runs share and an update of one run makes use of."""
    varying = [*update.x, *(v for slot, vs in zip(slots, update.state, strict=True) if not slot.shared for v in vs)]
    used = [*varying, *(operand for value in needed(varying) if value.varying for operand in value.operands)]
    found = {value for value in used if not value.varying and value.constant is None}
    return sorted(found, key=lambda value: value.number)


class _Function:
    """A function under construction: its lines, and the names of the values that it has computed so far."""

    def __init__(self, width: int, library: Library = Library.none) -> None:
        self._width = width
        self._library = library
        self._allocas: list[str] = []
        self._lines: list[str] = []
        self._names: dict[Value, str] = {}
        self._n = 0
        self.declarations: set[str] = set()

    def _put(self, *lines: str) -> None:
        self._lines += [f"  {line}" for line in lines]

    def _label(self, name: str) -> None:
        self._lines.append(f"{name}:")

    def _new(self, expression: str) -> str:
        self._n += 1
        self._put(f"%t{self._n} = {expression}")
        return f"%t{self._n}"

    def _alloca(self, of_type: str) -> str:
        self._n += 1
        self._allocas.append(f"  %m{self._n} = alloca {of_type}, align 64")
        return f"%m{self._n}"

    def _wide(self, of_type: str) -> str:
        return f"<{self._width} x {of_type}>" if self._width > 1 else of_type

    def _splat(self, name: str, of_type: str) -> str:
        """Return a number that was computed, in all lanes."""
        if self._width == 1:
            return name
        wide = self._wide(of_type)
        one = self._new(f"insertelement {wide} poison, {of_type} {name}, i64 0")
        return self._new(f"shufflevector {wide} {one}, {wide} poison, <{self._width} x i32> zeroinitializer")

    def _literal(self, number: float | str, of_type: str) -> str:
        """Return a number that is known, in all lanes."""
        text = number if isinstance(number, str) else _hexadecimal(number)
        return text if self._width == 1 else "<" + ", ".join([f"{of_type} {text}"] * self._width) + ">"

    def _operand(self, value: Value) -> str:
        if value.constant is not None:
            return self._literal(value.constant, value.type)
        return self._names[value]

    def _declare(self, result: str, name: str, *parameters: str) -> None:
        self.declarations.add(f"declare {result} @{name}({', '.join(parameters)})")

    def _compute(self, values: Iterable[Value]) -> None:
        """Compute values, those that one call can serve together."""

        def order(value: Value) -> tuple[int, bool, str, int]:
            call = self._is_vector_call(value)
            return value.depth, not call, value.op if call else "", value.number

        ordered = sorted(values, key=order)
        for (_, alone, op, _), group in groupby(ordered, key=lambda value: (*order(value)[:3], value.type)):
            if alone:
                for value in group:
                    self._names[value] = self._expression(value)
            elif op == "sqrt" and self._library is Library.vml_and_goldschmidt:
                self._take_roots(list(group))
            else:
                self._names |= self._call_vectors(op, list(group))

    def _is_vector_call(self, value: Value) -> bool:
        return self._library is not Library.none and value.varying and value.op in _VML

    def _expression(self, value: Value) -> str:
        operands = [self._operand(operand) for operand in value.operands]
        wide = self._wide(value.type)
        if value.op in _BINARY:
            return self._new(f"{value.op} {wide} {operands[0]}, {operands[1]}")
        if value.op == "fneg":
            return self._new(f"fneg {wide} {operands[0]}")
        if value.op in COMPARISONS:
            compared = self._wide(value.operands[0].type)
            return self._new(f"fcmp {COMPARISONS[value.op]} {compared} {operands[0]}, {operands[1]}")
        if value.op == "select":
            condition = self._wide("i1")
            return self._new(f"select {condition} {operands[0]}, {wide} {operands[1]}, {wide} {operands[2]}")
        if value.op == "cast":
            how = "fpext" if value.type == "double" else "fptrunc"
            return self._new(f"{how} {self._wide(value.operands[0].type)} {operands[0]} to {wide}")
        if value.op in _INTRINSICS:
            return self._intrinsic(_INTRINSICS[value.op], value.type, operands)
        return self._call_by_lane(value, operands)

    def _call_by_lane(self, value: Value, operands: Sequence[str]) -> str:
        """Call a function of libm for each lane."""
        name = value.op if value.type == "double" else f"{value.op}f"
        self._declare(value.type, name, *[value.type] * len(operands))
        if self._width == 1:
            arguments = ", ".join(f"{value.type} {operand}" for operand in operands)
            return self._new(f"call {value.type} @{name}({arguments})")
        wide = self._wide(value.type)
        result = "poison"
        for lane in range(self._width):
            lanes = [self._new(f"extractelement {wide} {operand}, i64 {lane}") for operand in operands]
            arguments = ", ".join(f"{value.type} {each}" for each in lanes)
            called = self._new(f"call {value.type} @{name}({arguments})")
            result = self._new(f"insertelement {wide} {result}, {value.type} {called}, i64 {lane}")
        return result

    def _call_vectors(self, op: str, values: Sequence[Value]) -> dict[Value, str]:
        """Call a function of the vector library once, for all lanes of all `values`."""
        of_type = values[0].type
        name = f"v{'d' if of_type == 'double' else 's'}{_VML[op]}"
        self._declare("void", name, "i32", "ptr", "ptr")
        n = len(values) * self._width
        given, got = (self._alloca(f"[{n} x {of_type}]") for _ in range(2))
        wide = self._wide(of_type)
        for index, value in enumerate(values):
            place = self._new(f"getelementptr {of_type}, ptr {given}, i64 {index * self._width}")
            self._put(f"store {wide} {self._operand(value.operands[0])}, ptr {place}, align {_BYTES[of_type]}")
        self._put(f"call void @{name}(i32 {n}, ptr {given}, ptr {got})")
        results = {}
        for index, value in enumerate(values):
            place = self._new(f"getelementptr {of_type}, ptr {got}, i64 {index * self._width}")
            results[value] = self._new(f"load {wide}, ptr {place}, align {_BYTES[of_type]}")
        return results

    def _take_roots(self, values: Sequence[Value]) -> None:
        """Take square roots as the vector library does, in place while they are ordinary numbers.

        It multiplies with an estimate of the reciprocal root and corrects: Goldschmidt's iteration, whose result
        is not always the nearest number. What it does to zeros, tiny numbers and the like is left to itself.

        Source: Markstein, "Software division and square root using Goldschmidt's algorithms", RNC'6, 2004.
        """
        of_type = values[0].type
        wide = self._wide(of_type)
        smallest = self._literal(_SMALLEST_ORDINARY[of_type], of_type)
        infinity = self._literal(float("inf"), of_type)
        given = [self._operand(value.operands[0]) for value in values]
        mask = self._literal("true", "i1")
        for operand in given:
            for relation in (f"oge {wide} {operand}, {smallest}", f"olt {wide} {operand}, {infinity}"):
                mask = self._mask("and", mask, self._new(f"fcmp {relation}"))
        if (ignored := self._ignored_lanes()) is not None:
            mask = self._mask("or", mask, ignored)
        self._n += 1
        here, there, after = (f"{name}{self._n}" for name in ("ordinary", "special", "rooted"))
        slots = [self._alloca(wide) for _ in values]
        self._put(f"br i1 {self._all(mask)}, label %{here}, label %{there}")
        self._label(here)
        for slot, operand in zip(slots, given, strict=True):
            self._put(f"store {wide} {self._goldschmidt(operand, of_type)}, ptr {slot}")
        self._put(f"br label %{after}")
        self._label(there)
        for slot, result in zip(slots, self._call_vectors("sqrt", values).values(), strict=True):
            self._put(f"store {wide} {result}, ptr {slot}")
        self._put(f"br label %{after}")
        self._label(after)
        for slot, value in zip(slots, values, strict=True):
            self._names[value] = self._new(f"load {wide}, ptr {slot}")

    def _goldschmidt(self, x: str, of_type: Type) -> str:
        wide = self._wide(of_type)
        half = self._literal(0.5, of_type)
        estimate = self._reciprocal_root(x, of_type)
        h = self._new(f"fmul {wide} {estimate}, {half}")
        s = self._new(f"fmul {wide} {estimate}, {x}")
        if of_type == "double":
            error = self._fma(of_type, self._new(f"fneg {wide} {s}"), h, half)
            s = self._fma(of_type, error, s, s)
            h = self._fma(of_type, error, h, h)
        rest = self._fma(of_type, self._new(f"fneg {wide} {s}"), s, x)
        return self._fma(of_type, rest, h, s)

    def _fma(self, of_type: Type, *operands: str) -> str:
        return self._intrinsic("fma", of_type, operands)

    def _intrinsic(self, name: str, of_type: Type, operands: Sequence[str]) -> str:
        wide = self._wide(of_type)
        full_name = f"llvm.{name}.{f'v{self._width}' if self._width > 1 else ''}{_SUFFIX[of_type]}"
        self._declare(wide, full_name, *[wide] * len(operands))
        return self._new(f"call {wide} @{full_name}({', '.join(f'{wide} {operand}' for operand in operands)})")

    def _reciprocal_root(self, x: str, of_type: Type) -> str:
        """Return the processor's estimate of 1 / sqrt(x), good to 14 bits."""
        short = {"double": "pd", "float": "ps"}[of_type]
        bits = 512 if self._width > 1 else 128
        lanes = bits // 8 // _BYTES[of_type]
        vector, mask = f"<{lanes} x {of_type}>", f"i{max(8, lanes)}"
        name = f"llvm.x86.avx512.rsqrt14.{short}.{bits}"
        self._declare(vector, name, vector, vector, mask)
        if self._width == 1:
            given = self._new(f"insertelement {vector} poison, {of_type} {x}, i64 0")
            got = self._new(f"call {vector} @{name}({vector} {given}, {vector} zeroinitializer, {mask} -1)")
            return self._new(f"extractelement {vector} {got}, i64 0")
        wide = self._wide(of_type)
        parts = []
        for start in range(0, self._width, lanes):
            indices = ", ".join(f"i32 {start + k}" for k in range(lanes))
            part = self._new(f"shufflevector {wide} {x}, {wide} poison, <{lanes} x i32> <{indices}>")
            parts.append(self._new(f"call {vector} @{name}({vector} {part}, {vector} zeroinitializer, {mask} -1)"))
        return self._joined(parts, of_type, lanes)

    def _joined(self, parts: list[str], of_type: Type, lanes: int) -> str:
        """Return vectors of so many lanes one after the other; they are a power of two."""
        while len(parts) > 1:
            indices = ", ".join(f"i32 {k}" for k in range(2 * lanes))
            vector = f"<{lanes} x {of_type}>"
            parts = [
                self._new(f"shufflevector {vector} {one}, {vector} {other}, <{2 * lanes} x i32> <{indices}>")
                for one, other in zip(parts[::2], parts[1::2], strict=True)
            ]
            lanes *= 2
        return parts[0]

    def _ignored_lanes(self) -> str | None:
        """Return the mask of lanes whose results nobody looks at; None if there are none."""
        return None

    def _mask(self, op: str, a: str, b: str) -> str:
        return self._new(f"{op} {self._wide('i1')} {a}, {b}")

    def _any(self, mask: str) -> str:
        return self._reduced("or", mask)

    def _all(self, mask: str) -> str:
        return self._reduced("and", mask)

    def _reduced(self, how: str, mask: str) -> str:
        if self._width == 1:
            return mask
        name = f"llvm.vector.reduce.{how}.v{self._width}i1"
        self._declare("i1", name, self._wide("i1"))
        return self._new(f"call i1 @{name}({self._wide('i1')} {mask})")

    def _whole(self, signature: str) -> str:
        return "\n".join([f"define void {signature} {{", "entry:", *self._allocas, *self._lines, "}"])


def emit_roots(dtype: torch.dtype) -> str:
    """Return a module whose `roots(given, got, n)` takes square roots in place, for a check of their digits.

    `n` is a multiple of 16 of ordinary numbers.
    """
    function = _Roots(type_of(dtype))
    text = function.text()
    return "\n".join([*sorted(function.declarations), text])


class _Roots(_Function):
    def __init__(self, real: Type) -> None:
        super().__init__(16, Library.vml_and_goldschmidt)
        self._real = real

    def text(self) -> str:
        index, wide = self._alloca("i64"), self._wide(self._real)
        self._put(f"store i64 0, ptr {index}", "br label %header")
        self._label("header")
        self._put(f"%index = load i64, ptr {index}")
        self._put(f"%from = getelementptr {self._real}, ptr %given, i64 %index")
        self._put(f"%to = getelementptr {self._real}, ptr %got, i64 %index")
        x = self._new(f"load {wide}, ptr %from, align {_BYTES[self._real]}")
        self._put(f"store {wide} {self._goldschmidt(x, self._real)}, ptr %to, align {_BYTES[self._real]}")
        self._put("%after = add i64 %index, 16", f"store i64 %after, ptr {index}")
        self._put("%more = icmp ult i64 %after, %n", "br i1 %more, label %header, label %exit")
        self._label("exit")
        self._put("ret void")
        return self._whole("@roots(ptr %given, ptr %got, i64 %n)")


class _Schedule(_Function):
    """What all runs share: `schedule(first, n, lr, lr_stride, state, table)`.

    Of updates `first` to `first + n - 1`, it fills `n` rows of the table and leaves the shared state after them.
    `lr` has a number for each, `lr_stride` apart; 0 where all are the same.
    """

    def __init__(self, step: Step, columns: Sequence[Sequence[Value]], layout: Layout) -> None:
        super().__init__(1)
        self._step = step
        self._columns = columns
        self._layout = layout

    def text(self) -> str:
        """Return the function."""
        u, i = self._alloca("i64"), self._alloca("i64")
        self._put(f"store i64 %first, ptr {u}", f"store i64 0, ptr {i}", "br label %header")
        self._label("header")
        self._put(f"%update = load i64, ptr {u}", f"%index = load i64, ptr {i}")
        self._put("%lr_index = mul i64 %index, %lr_stride")
        self._put("%lr_place = getelementptr double, ptr %lr, i64 %lr_index", "%rate = load double, ptr %lr_place")
        self._put(f"%row_index = mul i64 %index, {self._layout.n_shared}")
        self._put("%row = getelementptr i64, ptr %table, i64 %row_index")
        self._put("%is_first = icmp eq i64 %update, 0", "br i1 %is_first, label %first_update, label %later_update")
        for name, update, columns in zip(
            ("first_update", "later_update"), (self._step.first, self._step.later), self._columns, strict=True
        ):
            self._label(name)
            self._row(update, columns)
            self._put("br label %latch")
        self._label("latch")
        self._put("%after = add i64 %update, 1", f"store i64 %after, ptr {u}")
        self._put("%next_index = add i64 %index, 1", f"store i64 %next_index, ptr {i}")
        self._put("%more = icmp ult i64 %next_index, %n", "br i1 %more, label %header, label %exit")
        self._label("exit")
        self._put("ret void")
        return self._whole(
            "@schedule(i64 %first, i64 %n, ptr noalias %lr, i64 %lr_stride, ptr noalias %state, ptr noalias %table)"
        )

    def _row(self, update: Update, columns: Sequence[Value]) -> None:
        places = {
            slot.name: self._new(f"getelementptr i64, ptr %state, i64 {k}") for k, slot in self._shared_slots()
        }
        new = {
            slot.name: values[0]
            for slot, values in zip(self._layout.slots, update.state, strict=True)
            if slot.shared
        }
        wanted = [*columns, *new.values()]
        self._names = {value: self._input(value, places) for value in _inputs(wanted)}
        self._compute(needed(wanted))
        for k, value in enumerate(columns):
            place = self._new(f"getelementptr i64, ptr %row, i64 {k}")
            self._put(f"store {value.type} {self._operand(value)}, ptr {place}")
        for name, value in new.items():
            self._put(f"store {value.type} {self._operand(value)}, ptr {places[name]}")

    def _shared_slots(self) -> Iterator[tuple[int, Slot]]:
        return enumerate(self._layout.shared)

    def _input(self, value: Value, places: dict[str, str]) -> str:
        name = str(value.args[0])
        if name == "lr":
            return "%rate"
        return self._new(f"load {value.type}, ptr {places[name.removeprefix('state.')]}")


class _Descend(_Function):
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
                self._variable(f"{name}.{k}", self._wide(self._real))
        for k in range(dim):
            self._variable(f"previous_x.{k}", self._wide(self._real))
        self._variable("previous_f.0", self._wide(self._real))
        self._variable("best_step", self._wide("i64"))
        self._variable("alive", self._wide("i1"))
        for name in ("block", "entry", "due", "record", "table", "noise"):
            self._variable(name, "i64")
        self._blocks(kept)
        self._look()
        self._settle()
        self._update()
        self._exit(kept)
        return self._whole(
            "@descend(i64 %begin, i64 %end, i64 %first, i64 %last, i64 %looked, ptr noalias %table, "
            "ptr noalias %noise, ptr noalias %reals, ptr noalias %marks, i64 %n_columns, ptr noalias %record, "
            "i64 %record_block, i64 %record_step, i64 %record_row, i64 %every, i64 %due, "
            "double %stop_f, double %stop_grad)"
        )

    # variables that change from step to step

    def _variable(self, name: str, of_type: str) -> None:
        self._types[name] = of_type
        self._variables[name] = self._alloca(of_type)

    def _get(self, name: str) -> str:
        return self._new(f"load {self._types[name]}, ptr {self._variables[name]}")

    def _set(self, name: str, value: str) -> None:
        self._put(f"store {self._types[name]} {value}, ptr {self._variables[name]}")

    def _advance(self, name: str, by: str) -> None:
        self._set(name, self._new(f"add i64 {self._get(name)}, {by}"))

    # rows of the arrays of all runs

    def _place(self, row: str, k: int = 0) -> str:
        index = self._layout.rows[row].start + k
        start = self._new(f"mul i64 %n_columns, {index}")
        return self._new(f"getelementptr {self._real}, ptr %block_reals, i64 {start}")

    def _mark(self, row: str) -> str:
        start = self._new(f"mul i64 %n_columns, {MARKS.index(row)}")
        return self._new(f"getelementptr i64, ptr %block_marks, i64 {start}")

    def _load(self, place: str, of_type: str) -> str:
        return self._new(f"load {self._wide(of_type)}, ptr {place}, align {_BYTES[of_type]}")

    def _store(self, place: str, of_type: str, value: str) -> None:
        self._put(f"store {self._wide(of_type)} {value}, ptr {place}, align {_BYTES[of_type]}")

    def _store_where(self, mask: str, place: str, of_type: str, value: str) -> None:
        self._store(place, of_type, self._select(mask, of_type, value, self._load(place, of_type)))

    def _select(self, mask: str, of_type: str, one: str, other: str) -> str:
        wide = self._wide(of_type)
        return self._new(f"select {self._wide('i1')} {mask}, {wide} {one}, {wide} {other}")

    def _ignored_lanes(self) -> str | None:
        return self._mask("xor", self._get("alive"), self._literal("true", "i1"))

    # the blocks of the control flow

    def _blocks(self, kept: Sequence[str]) -> None:
        """Go through the blocks of runs; load what is known of the runs of one."""
        self._set("block", "%begin")
        real = self._wide(self._real)
        stops = {"double": ("%stop_f", "%stop_grad")}.get(self._real)
        if stops is None:
            stops = tuple(self._new(f"fptrunc double {name} to float") for name in ("%stop_f", "%stop_grad"))
        self._stop_f, self._stop_grad = (self._splat(name, self._real) for name in stops)
        self._put("br label %next_block")
        self._label("next_block")
        block = self._get("block")
        self._put(f"%in_range = icmp slt i64 {block}, %end", "br i1 %in_range, label %load, label %done")
        self._label("done")
        self._put("ret void")
        self._label("load")
        self._put(f"%column = mul i64 {block}, {self._width}")
        self._put(f"%block_reals = getelementptr {self._real}, ptr %reals, i64 %column")
        self._put("%block_marks = getelementptr i64, ptr %marks, i64 %column")
        for name in kept:
            rows = self._layout.rows[name]
            for k in range(rows.stop - rows.start):
                self._set(f"{name}.{k}", self._load(self._place(name, k), self._real))
        for k in range(self._layout.dim):
            self._set(f"previous_x.{k}", f"{'zeroinitializer' if self._width > 1 else '0.0'}")
        self._set("previous_f.0", f"{'zeroinitializer' if self._width > 1 else '0.0'}")
        self._set("best_step", self._load(self._mark("best_step"), "i64"))
        outcome = self._load(self._mark("outcome"), "i64")
        running = self._literal(str(int(Outcome.running)), "i64")
        self._set("alive", self._new(f"icmp eq {self._wide('i64')} {outcome}, {running}"))
        self._set("entry", "%first")
        self._set("due", "%due")
        self._set("table", "0")
        self._set("noise", "%column")
        self._set("record", self._new(f"mul i64 {block}, %record_block"))
        self._put("br label %step")
        del real

    def _look(self) -> None:
        """Evaluate an entry, record it, and see whether runs end with it."""
        self._label("step")
        self._put(f"%entry_now = load i64, ptr {self._variables['entry']}")
        self._x = [self._get(f"x.{k}") for k in range(self._layout.dim)]
        entry = self._step.entry
        wanted = [entry.f, *entry.gradient, *([entry.grad_norm] if self._grad_stop else [])]
        self._names = {value: self._x[int(value.args[1])] for value in _inputs(wanted)}
        self._compute(needed(wanted))
        self._f = self._operand(entry.f)
        self._gradient = [self._operand(value) for value in entry.gradient]
        self._put("%is_known = icmp eq i64 %entry_now, %first", "%was_looked = icmp ne i64 %looked, 0")
        self._put("%skip = and i1 %is_known, %was_looked", "br i1 %skip, label %update, label %look")
        self._label("look")
        due = self._get("due")
        self._put(f"%is_due = icmp eq i64 %entry_now, {due}", "br i1 %is_due, label %write, label %judge")
        self._label("write")
        record = self._get("record")
        for row, value in enumerate([*self._x, self._f]):
            offset = self._new(f"mul i64 %record_row, {row}")
            index = self._new(f"add i64 {record}, {offset}")
            self._store(self._new(f"getelementptr {self._real}, ptr %record, i64 {index}"), self._real, value)
        self._advance("record", "%record_step")
        self._advance("due", "%every")
        self._put("br label %judge")
        self._label("judge")
        self._judge()

    def _judge(self) -> None:
        real = self._wide(self._real)
        infinity = self._literal(float("inf"), self._real)
        finite = ""
        for value in [self._f, *self._x]:
            size = self._intrinsic("fabs", self._real, [value])
            is_finite = self._new(f"fcmp olt {real} {size}, {infinity}")
            finite = self._mask("and", finite, is_finite) if finite else is_finite
        self._finite = finite
        alive = self._get("alive")
        better = self._new(f"fcmp olt {real} {self._f}, {self._get('best_f.0')}")
        better = self._mask("and", self._mask("and", better, self._is_finite_f()), alive)
        self._set("best_f.0", self._select(better, self._real, self._f, self._get("best_f.0")))
        for k, x in enumerate(self._x):
            self._set(f"best_x.{k}", self._select(better, self._real, x, self._get(f"best_x.{k}")))
        now = self._splat("%entry_now", "i64")
        self._set("best_step", self._select(better, "i64", now, self._get("best_step")))
        over = self._new(f"fcmp ole {real} {self._f}, {self._stop_f}")
        if self._grad_stop:
            norm = self._operand(self._step.entry.grad_norm)
            over = self._mask("or", over, self._new(f"fcmp ole {real} {norm}, {self._stop_grad}"))
        all_ones = self._literal("true", "i1")
        diverged = self._mask("xor", finite, all_ones)
        self._ended = self._mask("and", self._mask("or", over, diverged), alive)
        self._put("%at_last = icmp eq i64 %entry_now, %last")
        something = self._new(f"or i1 {self._any(self._ended)}, %at_last")
        self._put(f"br i1 {something}, label %settle, label %update")

    def _is_finite_f(self) -> str:
        # minus infinity would be the lowest value of all
        real = self._wide(self._real)
        return self._new(f"fcmp ogt {real} {self._f}, {self._literal(float('-inf'), self._real)}")

    def _settle(self) -> None:
        """Write down the runs that end with this entry, or, at the last entry, all that still go on."""
        self._label("settle")
        alive = self._get("alive")
        last = self._splat("%at_last", "i1")
        leaving = self._mask("or", self._ended, self._mask("and", last, alive))
        now = self._splat("%entry_now", "i64")
        started = self._splat(self._new("icmp sgt i64 %entry_now, 0"), "i1")
        diverged = self._mask("xor", self._finite, self._literal("true", "i1"))
        back = self._mask("and", diverged, started)
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
            chosen = self._select(back, self._real, self._get(previous), value)
            self._store_where(leaving, self._place(row, k), self._real, chosen)
        self._store_where(leaving, self._mark("n_steps"), "i64", now)
        outcomes = [self._literal(str(int(outcome)), "i64") for outcome in (Outcome.diverged, Outcome.converged)]
        self._store_where(self._ended, self._mark("outcome"), "i64", self._select(diverged, "i64", *outcomes))
        going = self._mask("and", alive, self._mask("xor", self._ended, self._literal("true", "i1")))
        self._set("alive", going)
        self._put("%at_last_or_none = icmp eq i64 %entry_now, %last")
        none = self._new(f"xor i1 {self._any(going)}, true")
        over = self._new(f"or i1 %at_last_or_none, {none}")
        self._put(f"br i1 {over}, label %exit, label %update")

    def _update(self) -> None:
        """Move the points of a block."""
        self._label("update")
        for k, x in enumerate(self._x):
            self._set(f"previous_x.{k}", x)
        self._set("previous_f.0", self._f)
        self._put(f"%row_offset = load i64, ptr {self._variables['table']}")
        self._put("%row = getelementptr i64, ptr %table, i64 %row_offset")
        self._put(f"%noise_offset = load i64, ptr {self._variables['noise']}")
        self._put("%noise_place = getelementptr " + f"{self._real}, ptr %noise, i64 %noise_offset")
        self._put(
            "%at_start = icmp eq i64 %entry_now, 0", "br i1 %at_start, label %first_update, label %later_update"
        )
        known = self._names
        for name, update, columns in zip(
            ("first_update", "later_update"), (self._step.first, self._step.later), self._columns, strict=True
        ):
            self._names = dict(known)
            self._label(name)
            self._move(update, columns)
            self._put("br label %latch")
        self._label("latch")
        self._advance("entry", "1")
        self._advance("table", str(self._layout.n_shared))
        self._advance("noise", self._new(f"mul i64 %n_columns, {self._layout.dim}"))
        self._put("br label %step")

    def _move(self, update: Update, columns: Sequence[Value]) -> None:
        wanted = {f"x.{k}": value for k, value in enumerate(update.x)}
        for slot, values in zip(self._layout.slots, update.state, strict=True):
            if not slot.shared:
                wanted |= {f"state.{slot.name}.{k}": value for k, value in enumerate(values)}
        for k, value in enumerate(columns):
            place = self._new(f"getelementptr i64, ptr %row, i64 {k}")
            self._names[value] = self._splat(self._new(f"load {value.type}, ptr {place}"), value.type)
        for value in _inputs(wanted.values()):
            if value.varying and value not in self._names:
                self._names[value] = self._input(value)
        self._compute(value for value in needed(wanted.values(), known=self._names) if value.varying)
        for name, value in wanted.items():
            self._set(name, self._operand(value))

    def _input(self, value: Value) -> str:
        name, k = value.args
        if name == "noise":
            start = self._new(f"mul i64 %n_columns, {k}")
            return self._load(self._new(f"getelementptr {self._real}, ptr %noise_place, i64 {start}"), self._real)
        return self._x[int(k)] if name == "x" else self._get(f"{name}.{k}")  # type: ignore[arg-type]

    def _exit(self, kept: Sequence[str]) -> None:
        """Write down where the runs of a block are, and go on to the next block."""
        self._label("exit")
        for name in kept:
            rows = self._layout.rows[name]
            for k in range(rows.stop - rows.start):
                if name != "x":
                    self._store(self._place(name, k), self._real, self._get(f"{name}.{k}"))
        self._store(self._mark("best_step"), "i64", self._get("best_step"))
        self._advance("block", "1")
        self._put("br label %next_block")


def _inputs(outputs: Iterable[Value]) -> list[Value]:
    """Return the inputs that `outputs` depend on."""
    seen: set[Value] = set()
    waiting = list(outputs)
    while waiting:
        value = waiting.pop()
        if value not in seen:
            seen.add(value)
            waiting.extend(value.operands)
    return [value for value in seen if value.op == "input"]


def _hexadecimal(number: float) -> str:
    return f"0x{struct.unpack('>Q', struct.pack('>d', number))[0]:016X}"
