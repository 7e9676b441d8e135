import ctypes
from functools import partial

import pytest
import torch

from thalweg.engine.fused.codegen.lowering import Library, LoweredFunction
from thalweg.engine.fused.codegen.roots import Roots, ways
from thalweg.engine.fused.frontend.program import Program, type_of
from thalweg.engine.fused.runtime import libraries
from thalweg.native import machine
from thalweg.native.builder import BYTES

needs_vml = pytest.mark.skipif(not libraries.has_vml(), reason="torch has no vector library here")

DTYPES = [torch.float64, torch.float32]
N_TOGETHER = 2


class TwoRoots(LoweredFunction):
    """`two(given, got)` takes roots of two vectors, or of two in each part, as kernels do."""

    def text(self, dtype: torch.dtype) -> str:
        of_type, program = type_of(dtype), Program()
        wide, align = self.wide(of_type), BYTES[of_type]
        given = [program.input("x", k, of_type, varying=True) for k in range(N_TOGETHER)]
        for part in self.each_part():
            for k, value in enumerate(given):
                place = self.new(f"getelementptr {wide}, ptr %given, i64 {N_TOGETHER * part + k}")
                self.names[value] = self.new(f"load {wide}, ptr {place}, align {align}")
        roots = [program.apply("sqrt", value, is_call=True) for value in given]
        self.compute(roots)
        for part in self.each_part():
            for k, value in enumerate(roots):
                place = self.new(f"getelementptr {wide}, ptr %got, i64 {N_TOGETHER * part + k}")
                self.put(f"store {wide} {self.operand(value)}, ptr {place}, align {align}")
        self.put("ret void")
        text = self.whole("@two(ptr %given, ptr %got)")
        return "\n".join([*sorted(self.declarations), text])


def roots(given: torch.Tensor, width: int, n_parts: int, library: Library) -> torch.Tensor:
    code = machine.compiled(TwoRoots(width, library, n_parts).text(given.dtype))
    two = machine.Linked(code, ("two",)).function("two", ctypes.c_void_p, ctypes.c_void_p)
    got = torch.empty_like(given)
    for start in range(0, len(given), N_TOGETHER * width * n_parts):
        two(given[start:].data_ptr(), got[start:].data_ptr())
    return got


def numbers(dtype: torch.dtype, n: int) -> torch.Tensor:
    """Numbers of all magnitudes, normal and special ones mixed."""
    generator = torch.Generator().manual_seed(3)
    whole = torch.int64 if dtype == torch.float64 else torch.int32
    limits = torch.iinfo(whole)
    any_bits = torch.randint(limits.min, limits.max, (n // 4,), dtype=whole, generator=generator).view(dtype)
    ordinary = torch.exp2(100 * torch.rand(n // 2, dtype=torch.float64, generator=generator) - 50).to(dtype)
    tiny = torch.rand(n // 8, dtype=dtype, generator=generator) * torch.finfo(dtype).smallest_normal * 4
    special = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), float("nan"), -1.0, 1.0, 4.0], dtype=dtype)
    mixed = torch.cat([any_bits, ordinary, tiny, special.repeat(n // 64)])
    return mixed[torch.randperm(n, generator=generator)]


@needs_vml
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("vector_bytes", "n_parts"), [(0, 1), (64, 4)])
def test_roots_in_kernels_have_torch_digits(dtype: torch.dtype, vector_bytes: int, n_parts: int) -> None:
    width = max(1, vector_bytes // dtype.itemsize)
    given = numbers(dtype, 1 << 13)
    whole = torch.int64 if dtype == torch.float64 else torch.int32
    for how in filter(partial(libraries.roots_match, dtype=dtype), Roots):
        library = Library(vml=True, roots=how)
        got, wanted = roots(given, width, n_parts, library), given.sqrt()
        not_nan = ~wanted.isnan()
        assert torch.equal(got.isnan(), ~not_nan)
        assert torch.equal(got[not_nan].view(whole), wanted[not_nan].view(whole))


@pytest.mark.parametrize("width", [1, 16])
@pytest.mark.parametrize("how", [Roots.nearest, Roots.repeated])
def test_certain_roots_equal_the_library_for_millions_of_numbers(how: Roots, width: int) -> None:
    if not libraries.roots_match(how, torch.float64):
        pytest.skip("the library works otherwise here")
    generator = torch.Generator().manual_seed(4)
    given = torch.exp2(250 * torch.rand(1 << 22, dtype=torch.float64, generator=generator) - 125)
    expected = given.sqrt()
    for way in ways(how, "double", width):
        got = libraries.roots(given, width, way)
        certain = ~got.isnan()
        assert certain.double().mean() > 0.9
        assert torch.equal(got[certain], expected[certain])


def test_repeated_roots_are_certain_for_normal_numbers_and_zero() -> None:
    if not libraries.roots_match(Roots.repeated, torch.float64):
        pytest.skip("the library works otherwise here")
    generator = torch.Generator().manual_seed(5)
    given = torch.exp2(1798 * torch.rand(1 << 20, dtype=torch.float64, generator=generator) - 899)
    given[::1000] = 0.0
    *_, last = ways(Roots.repeated, "double", 16)
    assert torch.equal(libraries.roots(given, 16, last), given.sqrt())
