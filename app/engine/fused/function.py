"""A function that computes values of a program."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from app.engine.fused.builder import BYTES, Builder, vector
from app.engine.fused.program import COMPARISONS, Type, Value
from app.engine.fused.roots import Roots, goldschmidt, nearest, ordinary

_CAPITALIZED: Final = ("cos", "sin", "tan", "exp", "log2", "log10", "tanh", "asin", "acos", "atan", "sqrt")
_VML: Final = {"log": "Ln"} | {name: name.capitalize() for name in _CAPITALIZED}
_BINARY: Final = {"fadd", "fsub", "fmul", "fdiv"}
_INTRINSICS: Final = {name: name for name in ("fma", "fabs", "floor", "sqrt")} | {"root": "sqrt"}


@dataclass(frozen=True, slots=True)
class Library:
    """Where elementary functions come from.

    Attributes:
        vml: Whether the vector library that torch itself calls is there; else they are libm's, number by number.
        roots: How square roots are taken so that they have that library's digits.
    """

    vml: bool
    roots: Roots = Roots.call


class Function(Builder):
    """A function under construction, and the names of the values that it has computed so far."""

    def __init__(self, width: int, library: Library) -> None:
        super().__init__(width)
        self.names: dict[Value, str] = {}
        self._library = library

    def operand(self, value: Value) -> str:
        """Return the name of a value that was computed, or a constant."""
        if value.constant is not None:
            return self.literal(value.constant, value.type)
        return self.names[value]

    def compute(self, values: Iterable[Value]) -> None:
        """Compute values, those that one call can serve together."""

        def order(value: Value) -> tuple[int, bool, str, int]:
            call = self._is_vector_call(value)
            return value.depth, not call, value.op if call else "", value.number

        ordered = sorted(values, key=order)
        for (_, alone, op, _), group in groupby(ordered, key=lambda value: (*order(value)[:3], value.type)):
            if alone:
                for value in group:
                    self.names[value] = self.expression(value)
            elif op == "sqrt" and self._library.roots is Roots.goldschmidt:
                self._take_roots_in_place(list(group))
            elif op == "sqrt" and self._library.roots is Roots.nearest:
                self._take_nearest_roots(list(group))
            else:
                self.names |= self._call_vectors(op, list(group))

    def ignored_lanes(self) -> str | None:
        """Return the mask of lanes whose results nobody looks at; None if there are none."""
        return None

    def _is_vector_call(self, value: Value) -> bool:
        return self._library.vml and value.varying and value.op in _VML

    def expression(self, value: Value) -> str:
        """Compute one value."""
        operands = [self.operand(operand) for operand in value.operands]
        op, of_type = value.op, value.type
        if op in _BINARY:
            result = self.binary(op, of_type, *operands)
        elif op == "fneg":
            result = self.neg(of_type, *operands)
        elif op in COMPARISONS:
            result = self.compare(COMPARISONS[op], value.operands[0].type, *operands)
        elif op == "select":
            result = self.select(operands[0], of_type, *operands[1:])
        elif op == "cast":
            how = "fpext" if of_type == "double" else "fptrunc"
            result = self.cast(how, operands[0], value.operands[0].type, of_type)
        elif op in _INTRINSICS:
            result = self.intrinsic(_INTRINSICS[op], of_type, operands)
        else:
            result = self._call_by_lane(value, operands)
        return result

    def _call_by_lane(self, value: Value, operands: Sequence[str]) -> str:
        """Call a function of libm for each lane, as it is: LLVM would take a product for a second power."""
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

    def _call_vectors(self, op: str, values: Sequence[Value]) -> dict[Value, str]:
        """Call a function of the vector library once, for all lanes of all `values`."""
        of_type = values[0].type
        name = f"v{'d' if of_type == 'double' else 's'}{_VML[op]}"
        self.declare("void", name, "i32", "ptr", "ptr")
        n = len(values) * self.width
        given, got = (self.alloca(f"[{n} x {of_type}]") for _ in range(2))
        wide = self.wide(of_type)
        for index, value in enumerate(values):
            place = self.new(f"getelementptr {of_type}, ptr {given}, i64 {index * self.width}")
            self.put(f"store {wide} {self.operand(value.operands[0])}, ptr {place}, align {BYTES[of_type]}")
        self.put(f"call void @{name}(i32 {n}, ptr {given}, ptr {got})")
        results = {}
        for index, value in enumerate(values):
            place = self.new(f"getelementptr {of_type}, ptr {got}, i64 {index * self.width}")
            results[value] = self.new(f"load {wide}, ptr {place}, align {BYTES[of_type]}")
        return results

    def _take_roots_in_place(self, values: Sequence[Value]) -> None:
        """Take square roots in place while they are of ordinary numbers; leave all others to the library."""
        of_type = values[0].type
        wide = self.wide(of_type)
        given = [self.operand(value.operands[0]) for value in values]
        mask = ordinary(self, given, of_type)
        if (ignored := self.ignored_lanes()) is not None:
            mask = self.mask("or", mask, ignored)
        here, there, after = self.labels("ordinary", "special", "rooted")
        slots = [self.alloca(wide) for _ in values]
        self.put(f"br i1 {self.all(mask)}, label %{here}, label %{there}")
        self.label(here)
        for slot, operand in zip(slots, given, strict=True):
            self.put(f"store {wide} {goldschmidt(self, operand, of_type)}, ptr {slot}")
        self.put(f"br label %{after}")
        self.label(there)
        for slot, result in zip(slots, self._call_vectors("sqrt", values).values(), strict=True):
            self.put(f"store {wide} {result}, ptr {slot}")
        self.put(f"br label %{after}")
        self.label(after)
        for slot, value in zip(slots, values, strict=True):
            self.names[value] = self.new(f"load {wide}, ptr {slot}")

    def _take_nearest_roots(self, values: Sequence[Value]) -> None:
        """Take the nearest numbers, and ask the library where it may have others."""
        of_type = values[0].type
        wide = self.wide(of_type)
        given = [self.operand(value.operands[0]) for value in values]
        roots, masks = zip(*(nearest(self, x, of_type) for x in given), strict=True)
        if (ignored := self.ignored_lanes()) is not None:
            masks = tuple(self.mask("or", mask, ignored) for mask in masks)
        everywhere = masks[0]
        for mask in masks[1:]:
            everywhere = self.mask("and", everywhere, mask)
        slots = [self.alloca(wide) for _ in values]
        for slot, root in zip(slots, roots, strict=True):
            self.put(f"store {wide} {root}, ptr {slot}")
        asked, after = self.labels("asked", "rooted")
        self.put(f"br i1 {self.all(everywhere)}, label %{after}, label %{asked}")
        self.label(asked)
        if self.width == 1:
            results = list(self._call_vectors("sqrt", values).values())
        else:
            results = self._ask(given, roots, [self.inverse(mask) for mask in masks], of_type)
        for slot, result in zip(slots, results, strict=True):
            self.put(f"store {wide} {result}, ptr {slot}")
        self.put(f"br label %{after}")
        self.label(after)
        for slot, value in zip(slots, values, strict=True):
            self.names[value] = self.new(f"load {wide}, ptr {slot}")

    def _ask(self, given: Sequence[str], roots: Sequence[str], masks: Sequence[str], of_type: Type) -> list[str]:
        """Return `roots`, but where a mask holds the library's, from one call for all of those."""
        lanes = 64 // BYTES[of_type]
        part, mask_type, bits_type = vector(lanes, of_type), vector(lanes, "i1"), f"i{lanes}"
        suffix = f"v{lanes}f{8 * BYTES[of_type]}"
        compress, expand = f"llvm.experimental.vector.compress.{suffix}", f"llvm.masked.expandload.{suffix}"
        self.declare(part, compress, part, mask_type, part)
        self.declare(part, expand, "ptr", mask_type, part)
        self.declare(bits_type, f"llvm.ctpop.{bits_type}", bits_type)
        room = self.alloca(f"[{len(given) * self.width + lanes} x {of_type}]")
        answers = self.alloca(f"[{len(given) * self.width + lanes} x {of_type}]")
        n, places = "0", []
        for x, mask in zip(given, masks, strict=True):
            for x_part, mask_part in zip(self.parts(x, of_type, lanes), self.parts(mask, "i1", lanes), strict=True):
                places.append((n, mask_part))
                packed = self.new(
                    f"call {part} @{compress}({part} {x_part}, {mask_type} {mask_part}, {part} poison)"
                )
                place = self.new(f"getelementptr {of_type}, ptr {room}, i64 {n}")
                self.put(f"store {part} {packed}, ptr {place}, align {BYTES[of_type]}")
                held = self.new(f"bitcast {mask_type} {mask_part} to {bits_type}")
                count = self.new(f"call {bits_type} @llvm.ctpop.{bits_type}({bits_type} {held})")
                n = self.new(f"add i64 {n}, {self.new(f'zext {bits_type} {count} to i64')}")
        name = f"v{'d' if of_type == 'double' else 's'}Sqrt"
        self.declare("void", name, "i32", "ptr", "ptr")
        self.put(f"call void @{name}(i32 {self.new(f'trunc i64 {n} to i32')}, ptr {room}, ptr {answers})")
        results, n_parts = [], self.width // lanes
        for index, root in enumerate(roots):
            parts = []
            root_parts = self.parts(root, of_type, lanes)
            for root_part, (start, mask_part) in zip(root_parts, places[index * n_parts :], strict=False):
                place = self.new(f"getelementptr {of_type}, ptr {answers}, i64 {start}")
                parts.append(
                    self.new(f"call {part} @{expand}(ptr {place}, {mask_type} {mask_part}, {part} {root_part})")
                )
            results.append(self.joined(parts, of_type, lanes))
        return results
