"""Lowering values of a traced program to LLVM assembly."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from thalweg.engine.fused.codegen import sleef
from thalweg.engine.fused.codegen.roots import Roots, ways
from thalweg.engine.fused.frontend.program import COMPARISONS, Value
from thalweg.native.builder import BYTES, Builder, Type

_CAPITALIZED: Final = (
    "cos",
    "sin",
    "tan",
    "exp",
    "log2",
    "log10",
    "tanh",
    "asin",
    "acos",
    "atan",
    "sqrt",
    "erf",
    "erfc",
)
_VML: Final = {"log": "Ln"} | {name: name.capitalize() for name in _CAPITALIZED}
_BINARY: Final = {"fadd", "fsub", "fmul", "fdiv"}
_INTRINSICS: Final = {
    name: name for name in ("fma", "fabs", "floor", "ceil", "trunc", "rint", "sqrt", "copysign")
} | {"root": "sqrt"}


@dataclass(frozen=True, slots=True)
class Library:
    """Where elementary functions come from.

    Attributes:
        vml: Whether Intel's vector library, which torch calls, is available; else libm is called lane by lane.
        roots: How square roots get that library's digits.
        sleef: Whether Sleef, which torch calls for some functions, is available.
        blas: Whether the dot product that torch calls is available.
    """

    vml: bool
    roots: Roots = Roots.asked
    sleef: bool = False
    blas: bool = False


class LoweredFunction(Builder):
    """An LLVM function under construction into which values of a program are lowered.

    Args:
        width: Lanes of a vector.
        library: Where elementary functions come from.
        n_parts: Vectors per value. Whatever does not need all of them at once is computed part by part, so that the
            intermediate values of a part fit in registers.
    """

    def __init__(self, width: int, library: Library, n_parts: int = 1) -> None:
        super().__init__(width)
        self.n_parts = n_parts
        self.part = 0
        self._library = library
        self._names: list[dict[Value, str]] = [{} for _ in range(n_parts)]

    @property
    def names(self) -> dict[Value, str]:
        """The LLVM names of computed values, in the current part."""
        return self._names[self.part]

    @names.setter
    def names(self, names: dict[Value, str]) -> None:
        self._names[self.part] = names

    def each_part(self) -> Iterator[int]:
        """Make each part the current one in turn, and at the end the first again."""
        for part in range(self.n_parts):
            self.part = part
            yield part
        self.part = 0

    def operand(self, value: Value) -> str:
        """Return the name of a computed value, or a literal for a constant."""
        if value.constant is not None:
            return self.literal(value.constant, value.type)
        return self.names[value]

    def compute(self, values: Iterable[Value], finish: Callable[[], None] = lambda: None) -> None:
        """Compute values in all parts, grouping those that one library call can serve; call `finish` per part."""

        def order(value: Value) -> tuple[int, bool, str, str]:
            call = self._is_vector_call(value)
            return value.depth, not call, value.op if call else "", value.type if call else ""

        ordered = sorted(values, key=lambda value: (*order(value), value.number))
        groups = [(op, list(group)) for (*_, op, _), group in groupby(ordered, key=order)]
        last: list[Value] = groups.pop()[1] if groups and not groups[-1][0] else []
        for op, group in groups:
            if not op:
                self._compute_by_part(group)
            elif op == "sqrt" and self._library.roots is not Roots.asked:
                self._take_roots(group)
            else:
                self._call_vectors(op, group)
        self._compute_by_part(last, finish)

    def _compute_by_part(self, values: Sequence[Value], finish: Callable[[], None] = lambda: None) -> None:
        for _ in self.each_part():
            for value in values:
                self.names[value] = self.expression(value)
            finish()

    def ignored_lanes(self) -> str | None:
        """Return the mask of lanes whose results are not used; None if all are."""
        return None

    def _is_vector_call(self, value: Value) -> bool:
        return self._library.vml and value.varying and value.op in _VML

    def expression(self, value: Value) -> str:
        """Lower one value."""
        operands = [self.operand(operand) for operand in value.operands]
        op, of_type = value.op, value.type
        if op in _BINARY:
            result = self.binary(op, of_type, *operands)
        elif op == "fneg":
            result = self.neg(of_type, *operands)
        elif op in COMPARISONS:
            result = self.compare(COMPARISONS[op], value.operands[0].type, *operands)
        elif op == "not":
            result = self.inverse(operands[0])
        elif op == "select":
            result = self.select(operands[0], of_type, *operands[1:])
        elif op == "cast":
            how = "fpext" if of_type == "double" else "fptrunc"
            result = self.cast(how, operands[0], value.operands[0].type, of_type)
        elif op in _INTRINSICS:
            result = self.intrinsic(_INTRINSICS[op], of_type, operands)
        elif op in sleef.FUNCTIONS and self._library.sleef:
            result = sleef.call(self, op, operands[0], of_type)
        else:
            result = self._call_by_lane(value, operands)
        return result

    def _call_by_lane(self, value: Value, operands: Sequence[str]) -> str:
        """Call a function of libm per lane. `nobuiltin` keeps LLVM from replacing it, as pow(x, 2) by x * x."""
        name = value.op if value.type == "double" else f"{value.op}f"
        self.declare(value.type, name, *[value.type] * len(operands))
        if self.width == 1:
            arguments = ", ".join(f"{value.type} {operand}" for operand in operands)
            return self.new(f"call {value.type} @{name}({arguments}) nobuiltin")
        wide = self.wide(value.type)
        result = "poison"
        for lane in range(self.width):
            lanes = [self.new(f"extractelement {wide} {operand}, i64 {lane}") for operand in operands]
            arguments = ", ".join(f"{value.type} {each}" for each in lanes)
            called = self.new(f"call {value.type} @{name}({arguments}) nobuiltin")
            result = self.new(f"insertelement {wide} {result}, {value.type} {called}, i64 {lane}")
        return result

    def _call_vectors(self, op: str, values: Sequence[Value]) -> None:
        """Call a function of the vector library once for all lanes of all `values`."""
        of_type = values[0].type
        wide, align = self.wide(of_type), BYTES[of_type]
        n = len(values) * self.n_parts * self.width
        given, got = (self.alloca(f"[{n} x {of_type}]") for _ in range(2))
        for part in self.each_part():
            for index, value in enumerate(values):
                place = self._at(given, of_type, (part * len(values) + index) * self.width)
                self.put(f"store {wide} {self.operand(value.operands[0])}, ptr {place}, align {align}")
        self._call_library(op, of_type, str(n), given, got)
        for part in self.each_part():
            for index, value in enumerate(values):
                place = self._at(got, of_type, (part * len(values) + index) * self.width)
                self.names[value] = self.new(f"load {wide}, ptr {place}, align {align}")

    def _call_library(self, op: str, of_type: Type, n: str, given: str, got: str) -> None:
        name = f"v{'d' if of_type == 'double' else 's'}{_VML[op]}"
        self.declare("void", name, "i32", "ptr", "ptr")
        self.put(f"call void @{name}(i32 {n}, ptr {given}, ptr {got})")

    def _at(self, start: str, of_type: str, index: int | str) -> str:
        return self.new(f"getelementptr {of_type}, ptr {start}, i64 {index}")

    def _take_roots(self, values: Sequence[Value]) -> None:
        """Take square roots inline, and call the library for those whose digits are not certain."""
        of_type = values[0].type
        slots = [[self.alloca(self.wide(of_type)) for _ in values] for _ in range(self.n_parts)]
        (rooted,) = self.labels("rooted")
        unsure: list[tuple[str, str, str]] = []
        for way in ways(self._library.roots, of_type, self.width):
            unsure, all_certain = [], self.literal("true", "i1")
            for part in self.each_part():
                for value, slot in zip(values, slots[part], strict=True):
                    x = self.operand(value.operands[0])
                    root, certain = way(self, x, of_type)
                    if (ignored := self.ignored_lanes()) is not None:
                        certain = self.mask("or", certain, ignored)
                    all_certain = self.mask("and", all_certain, certain)
                    self.put(f"store {self.wide(of_type)} {root}, ptr {slot}")
                    unsure.append((x, self.inverse(certain), slot))
            (otherwise,) = self.labels("unsure")
            self.branch(self.all(all_certain), rooted, otherwise)
            self.label(otherwise)
        queue = _Queue(self, of_type, len(unsure))
        for x, mask, slot in unsure:
            queue.add(x, mask, slot)
        n = self.cast_one("trunc", queue.length, "i64", "i32")
        self._call_library("sqrt", of_type, n, queue.given, queue.got)
        queue.take_out()
        self.put(f"br label %{rooted}")
        self.label(rooted)
        for part in self.each_part():
            for value, slot in zip(values, slots[part], strict=True):
                self.names[value] = self.new(f"load {self.wide(of_type)}, ptr {slot}")


class _Queue:
    """Arguments for one library call, collected from lanes of many vectors.

    Attributes:
        given: Address of the arguments.
        got: Address of the results.
        length: Number of arguments.
    """

    def __init__(self, builder: Builder, of_type: Type, n_vectors: int) -> None:
        self._builder = builder
        self._type = of_type
        n = (n_vectors + 1) * builder.width
        self.given, self.got = (builder.alloca(f"[{n} x {of_type}]") for _ in range(2))
        self.length = "0"
        self._entries: list[tuple[str, str, str]] = []

    def add(self, x: str, mask: str, slot: str) -> None:
        """Append the lanes of x where the mask holds; their results go to the same lanes of `slot`."""
        builder, of_type, lanes = self._builder, self._type, self._builder.width
        wide, align = builder.wide(of_type), BYTES[of_type]
        place = builder.new(f"getelementptr {of_type}, ptr {self.given}, i64 {self.length}")
        self._entries.append((self.length, mask, slot))
        if lanes == 1:
            builder.put(f"store {of_type} {x}, ptr {place}, align {align}")
            count = builder.cast_one("zext", mask, "i1", "i64")
        else:
            name = f"llvm.experimental.vector.compress.v{lanes}f{8 * align}"
            builder.declare(wide, name, wide, builder.wide("i1"), wide)
            packed = builder.new(f"call {wide} @{name}({wide} {x}, {builder.wide('i1')} {mask}, {wide} poison)")
            builder.put(f"store {wide} {packed}, ptr {place}, align {align}")
            held, name = builder.new(f"bitcast {builder.wide('i1')} {mask} to i{lanes}"), f"llvm.ctpop.i{lanes}"
            builder.declare(f"i{lanes}", name, f"i{lanes}")
            count = builder.new(f"call i{lanes} @{name}(i{lanes} {held})")
            count = builder.cast_one("zext", count, f"i{lanes}", "i64")
        self.length = builder.new(f"add i64 {self.length}, {count}")

    def take_out(self) -> None:
        """Write the results back into their slots."""
        builder, of_type, lanes = self._builder, self._type, self._builder.width
        wide = builder.wide(of_type)
        for start, mask, slot in self._entries:
            place = builder.new(f"getelementptr {of_type}, ptr {self.got}, i64 {start}")
            before = builder.new(f"load {wide}, ptr {slot}")
            if lanes == 1:
                answer = builder.new(f"load {of_type}, ptr {place}")
                answer = builder.select(mask, of_type, answer, before)
            else:
                name = f"llvm.masked.expandload.v{lanes}f{8 * BYTES[of_type]}"
                builder.declare(wide, name, "ptr", builder.wide("i1"), wide)
                arguments = f"ptr {place}, {builder.wide('i1')} {mask}, {wide} {before}"
                answer = builder.new(f"call {wide} @{name}({arguments})")
            builder.put(f"store {wide} {answer}, ptr {slot}")
