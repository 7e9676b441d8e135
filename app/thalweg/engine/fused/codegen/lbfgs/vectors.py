"""The vectors of LBFGS: tensors of one dimension, each contiguous at an address of its own.

A vector is the LLVM name of its address. What is done with whole vectors is a native function each. Coordinates are
handled one by one, with torch's roundings: `add_` with `alpha` is a fused multiply-add.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from thalweg.engine.fused.codegen.lbfgs.numbers import Number, NumberCode
from thalweg.engine.fused.codegen.wide import reductions
from thalweg.engine.fused.frontend.arithmetic import vector_lanes
from thalweg.native.builder import BYTES, Type
from thalweg.native.structured import Whole

Written: TypeAlias = tuple[str, set[str]]
"""The text of a function, and what it declares."""


class VectorCode(NumberCode):
    """A function under construction that computes with vectors of `n` coordinates."""

    n: Whole

    def copy(self, vector: str, source: str) -> None:
        """Assign a vector."""
        size = (self.n * BYTES[self.real]).name
        self.declare("void", "llvm.memcpy.p0.p0.i64", "ptr", "ptr", "i64", "i1")
        self.put(f"call void @llvm.memcpy.p0.p0.i64(ptr {vector}, ptr {source}, i64 {size}, i1 false)")

    def negate(self, vector: str, source: str) -> None:
        """Assign `-source`."""
        self._do("negate", [vector, source])

    def subtract(self, vector: str, source: str, other: str) -> None:
        """Assign `source - other`."""
        self._do("subtract", [vector, source, other])

    def add(self, vector: str, other: str) -> None:
        """Add another vector."""
        self._do("add", [vector, other])

    def scale(self, vector: str, source: str, factor: Number) -> None:
        """Assign `source * factor`."""
        self._do("scale", [vector, source], self.narrow(factor))

    def add_scaled(self, vector: str, other: str, alpha: Number) -> None:
        """Add `other * alpha`; a float too large for the dtype raises."""
        self._do("add_scaled", [vector, other], self.alpha(alpha))

    def dot(self, one: str, other: str) -> Number:
        """Return the product of two vectors, aligned as torch's allocator aligns, from the library torch calls."""
        return self._found("dot", one, other)

    def largest(self, vector: str) -> Number:
        """Return the largest absolute value; NaN if any is NaN."""
        return self._found("largest", vector)

    def norm(self, vector: str) -> Number:
        """Return the Euclidean norm."""
        return self._found(reductions.name_of("norm", self.real), vector)

    def sum_of_sizes(self, vector: str, scratch: str) -> Number:
        """Return the sum of absolute values, which are left in another vector."""
        self._do("absolute", [scratch, vector])
        return self._found("sum", scratch)

    def _do(self, name: str, vectors: Sequence[str], number: str | None = None) -> None:
        given = [*(f"ptr {each}" for each in vectors), f"i64 {self.n.name}"]
        self.put(
            f"call void @{name}({', '.join([*given, *([] if number is None else [f'{self.real} {number}'])])})"
        )

    def _found(self, name: str, *vectors: str) -> Number:
        given = ", ".join([*(f"ptr {each}" for each in vectors), f"i64 {self.n.name}"])
        return self.tensor(self.new(f"call {self.real} @{name}({given})"))


class VectorFunction(NumberCode):
    """A native function of vectors of `%n` coordinates."""

    def __init__(self, real: Type) -> None:
        super().__init__(real, vml=False)
        self.n = Whole(self, "%n")

    def written(self, signature: str, result: str) -> Written:
        """Return the function: one for all who call it."""
        return self.whole(f"@{signature} noinline", result, internal=True), self.declarations

    def place(self, vector: str, k: Whole) -> str:
        """Return the address of a coordinate."""
        return self.new(f"getelementptr {self.real}, ptr {vector}, i64 {k.name}")

    def coordinate(self, vector: str, k: Whole) -> str:
        """Return a coordinate."""
        return self.new(f"load {self.real}, ptr {self.place(vector, k)}")


def vector_functions(real: Type, *, blas: bool) -> list[Written]:
    """Return the functions that assign vectors, and sums, norms, dot products and largest values of them.

    Args:
        real: The type of a coordinate.
        blas: Whether the dot product that torch calls is available; else products are added one after the other.
    """
    return [
        _assignment(real, "negate(ptr %v, ptr %a, i64 %n)", lambda code, a: code.neg(real, a)),
        _assignment(real, "absolute(ptr %v, ptr %a, i64 %n)", lambda code, a: code.intrinsic("fabs", real, [a])),
        _assignment(
            real, "subtract(ptr %v, ptr %a, ptr %b, i64 %n)", lambda code, a, b: code.binary("fsub", real, a, b)
        ),
        _assignment(real, "add(ptr %v, ptr %b, i64 %n)", lambda code, v, b: code.binary("fadd", real, v, b)),
        _assignment(
            real,
            f"scale(ptr %v, ptr %a, i64 %n, {real} %factor)",
            lambda code, a: code.binary("fmul", real, a, "%factor"),
        ),
        _assignment(
            real,
            f"add_scaled(ptr %v, ptr %b, i64 %n, {real} %alpha)",
            lambda code, v, b: code.fma(real, b, "%alpha", v),
        ),
        _dot(real) if blas else _plain_dot(real),
        _largest(real),
        _sum(real),
        *(reductions.text(op, real) for op in ("sum", "norm")),
    ]


def _assignment(real: Type, signature: str, compute: Callable[..., str]) -> Written:
    """Return a function that computes each coordinate of `%v` from those of the others, and of itself before."""
    code = VectorFunction(real)
    others = [f"%{name}" for name in ("a", "b") if f"ptr %{name}" in signature]
    sources = others if "%a" in others else ["%v", *others]
    with code.each(0, code.n) as k:
        value = compute(code, *(code.coordinate(source, k) for source in sources))
        code.put(f"store {real} {value}, ptr {code.place('%v', k)}")
    code.put("ret void")
    return code.written(signature, "void")


def _sum(real: Type) -> Written:
    """Return the sum in torch's order: below a vector's lanes it adds numbers in four running sums."""
    code = VectorFunction(real)
    with code.when(code.n >= vector_lanes(real)):
        name = reductions.name_of("sum", real)
        code.put(f"ret {real} {code.new(f'call {real} @{name}(ptr %v, i64 %n)')}")
        code.label(*code.labels("few"))
    sums = code.alloca(f"[4 x {real}]")
    code.put(f"store [4 x {real}] zeroinitializer, ptr {sums}")

    def add(place: Whole, term: str) -> None:
        before = code.coordinate(sums, place)
        code.put(f"store {real} {code.binary('fadd', real, before, term)}, ptr {code.place(sums, place)}")

    zero, whole = Whole(code, "0"), Whole(code, (code.n // 4 * 4).name)
    with code.each(0, whole) as k:
        add(k % 4, code.coordinate("%v", k))
    with code.each(whole, code.n) as k:
        add(zero, code.coordinate("%v", k))
    with code.each(1, 4) as other:
        add(zero, code.coordinate(sums, other))
    code.put(f"ret {real} {code.coordinate(sums, zero)}")
    return code.written("sum(ptr %v, i64 %n)", real)


def _dot(real: Type) -> Written:
    code = VectorFunction(real)
    length, stride = code.alloca("i32"), code.alloca("i32")
    name = "ddot_" if real == "double" else "sdot_"
    code.declare(real, name, *["ptr"] * 5)
    n = code.cast_one("trunc", "%n", "i64", "i32")
    code.put(f"store i32 {n}, ptr {length}", f"store i32 1, ptr {stride}")
    arguments = f"ptr {length}, ptr %a, ptr {stride}, ptr %b, ptr {stride}"
    code.put(f"ret {real} {code.new(f'call {real} @{name}({arguments})')}")
    return code.written("dot(ptr %a, ptr %b, i64 %n)", real)


def _plain_dot(real: Type) -> Written:
    code = VectorFunction(real)
    total = code.alloca(real)
    code.put(f"store {real} {code.literal(0.0, real)}, ptr {total}")
    with code.each(0, code.n) as k:
        product = code.binary("fmul", real, code.coordinate("%a", k), code.coordinate("%b", k))
        so_far = code.new(f"load {real}, ptr {total}")
        code.put(f"store {real} {code.binary('fadd', real, so_far, product)}, ptr {total}")
    code.put(f"ret {real} {code.new(f'load {real}, ptr {total}')}")
    return code.written("dot(ptr %a, ptr %b, i64 %n)", real)


def _largest(real: Type) -> Written:
    code = VectorFunction(real)
    so_far = code.alloca(real)
    code.put(f"store {real} {code.literal(0.0, real)}, ptr {so_far}")
    with code.each(0, code.n) as k:
        size = code.intrinsic("fabs", real, [code.coordinate("%v", k)])
        before = code.new(f"load {real}, ptr {so_far}")
        is_nan = code.compare("uno", real, size, size)
        larger = code.mask("or", code.compare("ogt", real, size, before), is_nan)
        # a NaN compares as neither, and stays
        code.put(f"store {real} {code.select(larger, real, size, before)}, ptr {so_far}")
    code.put(f"ret {real} {code.new(f'load {real}, ptr {so_far}')}")
    return code.written("largest(ptr %v, i64 %n)", real)
