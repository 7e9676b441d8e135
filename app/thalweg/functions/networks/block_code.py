"""Code that works on a block of samples: planes, tiles of nodes, and the layers' descriptors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from thalweg.functions.networks.problem import BLOCK, LAYER, PROBLEM, SCRATCH
from thalweg.native.builder import BYTES, Type
from thalweg.native.lanes import LANES, Lanes, Mask, literal
from thalweg.native.structured import Code, Whole, WholeLike


class BlockCode(Code):
    """A function under construction that has scratch memory `%scratch` and a point `%x`.

    Args:
        real: The type of its numbers.
    """

    def __init__(self, real: Type) -> None:
        super().__init__()
        self.real: Type = real
        self.wide_real = f"<{LANES} x {real}>"
        self._problem = self.new("load ptr, ptr %scratch")

    def open_block(self, n_valid: Whole) -> None:
        """Begin a block of samples."""
        self._n_valid = n_valid
        self.n_vectors = (n_valid + (LANES - 1)) // LANES

    def address(self, of_type: str, base: str, index: WholeLike) -> str:
        """Return an address, counted in items of a type."""
        name = index if isinstance(index, int) else index.name
        return self.new(f"getelementptr {of_type}, ptr {base}, i64 {name}")

    def field(self, base: str, names: tuple[str, ...], name: str) -> Whole:
        """Return a whole number of a record."""
        return Whole(self, self.new(f"load i64, ptr {self.address('i64', base, names.index(name))}"))

    def number(self, name: str) -> Whole:
        """Return a number of the problem."""
        return self.field(self._problem, PROBLEM, name)

    def header(self, name: str) -> str:
        """Return an address in the header of scratch memory."""
        return self.new(f"load ptr, ptr {self.address('i64', '%scratch', SCRATCH.index(name))}")

    def header_of_problem(self, name: str) -> str:
        """Return an address that the problem holds."""
        return self.new(f"load ptr, ptr {self.address('i64', self._problem, PROBLEM.index(name))}")

    def variable(self, initial: Lanes) -> "LanesVariable":
        """Return a new variable."""
        variable = LanesVariable(self, self.alloca(initial.wide), initial.type)
        variable.set(initial)
        return variable

    def zeros(self) -> Lanes:
        """Return 0 in every lane."""
        return literal(self, 0.0, self.real)

    def spread(self, base: str, place: Whole) -> Lanes:
        """Return the number at a place in every lane."""
        one = self.new(f"load {self.real}, ptr {self.address(self.real, base, place)}, align {BYTES[self.real]}")
        first = self.new(f"insertelement {self.wide_real} poison, {self.real} {one}, i64 0")
        every = f"<{LANES} x i32> zeroinitializer"
        name = self.new(f"shufflevector {self.wide_real} {first}, {self.wide_real} poison, {every}")
        return Lanes(self, name, self.real)

    def plane(self, base: str, plane: WholeLike, vector: Whole) -> "Place":
        """Return the place of a vector in a plane of a block."""
        return Place(self, self.address(self.real, base, vector * LANES + plane * BLOCK))

    def accumulator(self, number: Whole) -> "Place":
        """Return the place of the accumulators of a derivative."""
        base = self.address("i8", "%scratch", self.number("accumulators"))
        return Place(self, self.address(self.real, base, number * LANES))

    @contextmanager
    def each_vector(self) -> Iterator[Whole]:
        """Emit a block that runs for each vector of samples."""
        with self.each(0, self.n_vectors) as vector:
            yield vector

    def tiled(self, end: Whole, size: int, emit: Callable[[Whole, int], None]) -> None:
        """Emit code for all numbers below `end`: `emit(first, n)` for `size` at a time, then one by one."""
        whole = Whole(self, (end - end % size).name)
        first = self.whole_number(0)
        with self.loop(lambda: first < whole):
            begin = Whole(self, first.name)
            emit(begin, size)
            first.set(begin + size)
        with self.each(whole, end) as one:
            emit(one, 1)

    def only_samples(self, value: Lanes, vector: Whole) -> Lanes:
        """Return 0 in the lanes behind the last sample."""
        return self._samples_at(vector).choose(value, 0.0)

    def clear_tail(self, base: str, n_planes: Whole) -> None:
        """Write 0 into the lanes behind the last sample, so that they add nothing to any sum."""
        with self.when((self._n_valid % LANES) > 0), self.each(0, n_planes) as plane:
            last = self.n_vectors - 1
            place = self.plane(base, plane, last)
            place.store(self.only_samples(place.load(), last))

    def _samples_at(self, vector: Whole) -> Mask:
        left = self._n_valid - vector * LANES
        wide = f"<{LANES} x i64>"
        first = self.new(f"insertelement {wide} poison, i64 {left.name}, i64 0")
        every = self.new(f"shufflevector {wide} {first}, {wide} poison, <{LANES} x i32> zeroinitializer")
        lanes = ", ".join(f"i64 {lane}" for lane in range(LANES))
        return Mask(self, self.new(f"icmp sgt {wide} {every}, <{lanes}>"))


class LanesVariable:
    """A vector at an address of its own, which LLVM keeps in a register."""

    def __init__(self, code: Code, place: str, of_type: Type) -> None:
        self._code = code
        self._place = place
        self._type = of_type

    def get(self) -> Lanes:
        """Return its present value."""
        return Lanes(self._code, self._code.new(f"load <{LANES} x {self._type}>, ptr {self._place}"), self._type)

    def set(self, value: Lanes) -> None:
        """Assign to it."""
        self._code.put(f"store {value.wide} {value.name}, ptr {self._place}")


class Place:
    """Memory of a vector."""

    def __init__(self, code: BlockCode, address: str) -> None:
        self._code = code
        self._address = address

    def load(self) -> Lanes:
        """Return what is there."""
        code = self._code
        loaded = code.new(f"load {code.wide_real}, ptr {self._address}, align {BYTES[code.real]}")
        return Lanes(code, loaded, code.real)

    def store(self, value: Lanes) -> None:
        """Replace it."""
        code = self._code
        code.put(f"store {value.wide} {value.name}, ptr {self._address}, align {BYTES[code.real]}")


class Layer:
    """A layer's descriptor, loaded: whole numbers, and addresses of its matrix and its planes."""

    def __init__(self, code: BlockCode, number: Whole) -> None:
        entry = code.address("i64", code.header_of_problem("layers"), number * len(LAYER))
        self.n_in = code.field(entry, LAYER, "n_in")
        self.n_out = code.field(entry, LAYER, "n_out")
        self.weights = code.field(entry, LAYER, "weights")
        self.matrix = code.address(code.real, "%x", self.weights)
        self.net, self.output, self.delta = (
            code.address("i8", "%scratch", code.field(entry, LAYER, name)) for name in ("net", "output", "delta")
        )
