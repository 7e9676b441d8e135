"""Sums and norms of contiguous numbers in torch's order, as functions of LLVM assembly.

torch adds vectors of 32 bytes in four running sums, by levels: every 16 of their steps are added up apart, every
256 apart from these, and so on; that holds for up to 2^23 numbers.

Source: aten/src/ATen/native/cpu/SumKernel.cpp and ReduceOpsKernel.cpp of PyTorch 2.13.
"""

from typing import Final

from thalweg.engine.fused.frontend.arithmetic import vector_lanes
from thalweg.native.builder import Builder, Type, vector

_RUNNING: Final = 4
_LEVEL: Final = 16


def name_of(op: str, of_type: Type) -> str:
    """Return the name of the function `double op_double(ptr numbers, i64 n)`; n is at least a vector's lanes."""
    return f"{op}_{of_type}"


def text(op: str, of_type: Type) -> tuple[str, set[str]]:
    """Return the function, and the declarations that it needs."""
    function = {"sum": _Sum, "norm": _Norm}[op](of_type)
    signature = f"@{name_of(op, of_type)}(ptr readonly %numbers, i64 %n)"
    function.body()
    return function.whole(signature, result=of_type, internal=True), function.declarations


class _Reduction(Builder):
    def __init__(self, of_type: Type) -> None:
        super().__init__(1)
        self.type = of_type
        self.lanes = vector_lanes(of_type)

    def body(self) -> None:
        """Append the lines."""
        raise NotImplementedError

    def load(self, of_type: str, index: str) -> str:
        place = self.new(f"getelementptr {self.type}, ptr %numbers, i64 {index}")
        return self.new(f"load {of_type}, ptr {place}, align {8 if self.type == 'double' else 4}")

    def loop(self, name: str, begin: str, end: str, step: int) -> tuple[str, str]:
        """Begin a loop; return the address of its counter and its value in the body."""
        at = self.alloca("i64")
        self.put(f"store i64 {begin}, ptr {at}", f"br label %{name}")
        self.label(name)
        now = self.new(f"load i64, ptr {at}")
        more = self.new(f"icmp ult i64 {now}, {end}")
        self.put(f"br i1 {more}, label %{name}_body, label %{name}_done")
        self.label(f"{name}_body")
        after = self.new(f"add i64 {now}, {step}")
        self.put(f"store i64 {after}, ptr {at}")
        return now, after

    def end_loop(self, name: str) -> None:
        self.put(f"br label %{name}")
        self.label(f"{name}_done")

    def accumulate(self, of_type: str, variable: str, value: str) -> None:
        before = self.new(f"load {of_type}, ptr {variable}")
        self.put(f"store {of_type} {self.new(f'fadd {of_type} {before}, {value}')}, ptr {variable}")

    def zeroed(self, of_type: str) -> str:
        variable = self.alloca(of_type)
        self.zero(of_type, variable)
        return variable

    def zero(self, of_type: str, variable: str) -> None:
        self.put(f"store {of_type} {'zeroinitializer' if of_type.startswith('<') else '0.0'}, ptr {variable}")

    def multiple(self, of: str, n: int) -> str:
        return self.new(f"and i64 {of}, {-n}")


class _Sum(_Reduction):
    def body(self) -> None:
        row, whole = _RUNNING * self.lanes, vector(_RUNNING * self.lanes, self.type)
        levels = [self.zeroed(whole) for _ in range(4)]
        n_vectors = self.multiple("%n", self.lanes)
        n_rows = self.multiple("%n", row)
        n_levels = self.multiple("%n", row * _LEVEL)
        now, after = self.loop("level", "0", n_levels, row * _LEVEL)
        index, _ = self.loop("inner", now, after, row)
        self.accumulate(whole, levels[0], self.load(whole, index))
        self.end_loop("inner")
        for level in range(1, 4):
            self.accumulate(whole, levels[level], self.new(f"load {whole}, ptr {levels[level - 1]}"))
            self.zero(whole, levels[level - 1])
            if level < 3:
                done = self.new(f"and i64 {after}, {(_LEVEL - 1) * _LEVEL**level * row}")
                is_full = self.new(f"icmp eq i64 {done}, 0")
                self.put(f"br i1 {is_full}, label %up{level}, label %added")
                self.label(f"up{level}")
        self.put("br label %added")
        self.label("added")
        self.end_loop("level")
        index, _ = self.loop("rows", n_levels, n_rows, row)
        self.accumulate(whole, levels[0], self.load(whole, index))
        self.end_loop("rows")
        for level in range(1, 4):
            self.accumulate(whole, levels[0], self.new(f"load {whole}, ptr {levels[level]}"))
        self._finish(levels[0], n_rows, n_vectors)

    def _finish(self, running: str, n_rows: str, n_vectors: str) -> None:
        """Add what is left of vectors, the running sums, what is left of numbers, and the lanes."""
        whole, part = vector(_RUNNING * self.lanes, self.type), vector(self.lanes, self.type)
        total, sums = self.alloca(part), self.new(f"load {whole}, ptr {running}")
        parts = []
        for k in range(_RUNNING):
            lanes = ", ".join(f"i32 {k * self.lanes + lane}" for lane in range(self.lanes))
            parts.append(self.new(f"shufflevector {whole} {sums}, {whole} poison, <{self.lanes} x i32> <{lanes}>"))
        self.put(f"store {part} {parts[0]}, ptr {total}")
        index, _ = self.loop("vectors", n_rows, n_vectors, self.lanes)
        self.accumulate(part, total, self.load(part, index))
        self.end_loop("vectors")
        for each in parts[1:]:
            self.accumulate(part, total, each)
        result = self.zeroed(self.type)
        index, _ = self.loop("singles", n_vectors, "%n", 1)
        self.accumulate(self.type, result, self.load(self.type, index))
        self.end_loop("singles")
        lanes = self.new(f"load {part}, ptr {total}")
        for lane in range(self.lanes):
            self.accumulate(self.type, result, self.new(f"extractelement {part} {lanes}, i64 {lane}"))
        self.put(f"ret {self.type} {self.new(f'load {self.type}, ptr {result}')}")


class _Norm(_Reduction):
    def body(self) -> None:
        part = vector(self.lanes, self.type)
        sums, result = self.zeroed(part), self.alloca(self.type)
        n_vectors = self.multiple("%n", self.lanes)
        n_plain = self.new(f"add i64 {n_vectors}, {self.multiple(self.new(f'sub i64 %n, {n_vectors}'), 4)}")
        index, _ = self.loop("vectors", "0", n_vectors, self.lanes)
        numbers = self.load(part, index)
        self.accumulate(part, sums, self.new(f"fmul {part} {numbers}, {numbers}"))
        self.end_loop("vectors")
        lanes = self.new(f"load {part}, ptr {sums}")
        self.put(f"store {self.type} {self.new(f'extractelement {part} {lanes}, i64 0')}, ptr {result}")
        for lane in range(1, self.lanes):
            self.accumulate(self.type, result, self.new(f"extractelement {part} {lanes}, i64 {lane}"))
        index, _ = self.loop("plain", n_vectors, n_plain, 1)
        number = self.load(self.type, index)
        self.accumulate(self.type, result, self.new(f"fmul {self.type} {number}, {number}"))
        self.end_loop("plain")
        index, _ = self.loop("fused", n_plain, "%n", 1)
        number = self.load(self.type, index)
        before = self.new(f"load {self.type}, ptr {result}")
        self.put(f"store {self.type} {self.fma(self.type, number, number, before)}, ptr {result}")
        self.end_loop("fused")
        squared = self.new(f"load {self.type}, ptr {result}")
        self.put(f"ret {self.type} {self.intrinsic('sqrt', self.type, [squared])}")
