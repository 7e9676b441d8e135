"""Which math libraries native code can call on this machine, and whether they have torch's digits."""

import ctypes
from functools import cache, partial

import torch

from thalweg.engine.fused.codegen import sleef
from thalweg.engine.fused.codegen.lowering import Library
from thalweg.engine.fused.codegen.roots import NEEDED_FEATURES, Roots, Way, emit_roots, ways
from thalweg.engine.fused.frontend.program import type_of
from thalweg.native import machine
from thalweg.native.builder import Builder, Type

_MOSTLY = 0.5  # share of roots that must be certain for the test of certainty to pay


@cache
def has_vml() -> bool:
    """Whether torch's vector library of elementary functions can be called."""
    return _exports("vdCos")


@cache
def has_sleef(dtype: torch.dtype) -> bool:
    """Whether torch's build of Sleef can be called and has torch's digits, compared on many numbers."""
    of_type = type_of(dtype)
    if not machine.has_features(sleef.NEEDED_FEATURES):
        return False
    if not all(_exports(sleef.name_of(op, of_type)) for op in sleef.FUNCTIONS):
        return False
    given = torch.linspace(-0.999, 80.0, 1 << 14, dtype=dtype)
    return all(_matches(partial(_sleef, op), 16, given, getattr(torch, op)(given)) for op in sleef.FUNCTIONS)


@cache
def has_blas(dtype: torch.dtype) -> bool:
    """Whether torch's dot product can be called and has torch's digits, compared on many vectors."""
    double = dtype == torch.float64
    name, real = ("ddot_", ctypes.c_double) if double else ("sdot_", ctypes.c_float)
    if not _exports(name):
        return False
    dot = getattr(ctypes.CDLL(str(machine.TORCH)), name)
    dot.restype, one = real, ctypes.byref(ctypes.c_int32(1))
    for n in (*range(1, 65), 100, 257, 1000):
        a, b = torch.linspace(-1.1, 2.3, n, dtype=dtype), torch.linspace(3.7, -0.9, n, dtype=dtype)
        places = ctypes.c_void_p(a.data_ptr()), one, ctypes.c_void_p(b.data_ptr()), one
        if dot(ctypes.byref(ctypes.c_int32(n)), *places) != torch.dot(a, b).item():
            return False
    return True


@cache
def unlike_torch() -> str | None:
    """Return why native code may differ from torch in the last digit on this machine; None if it cannot."""
    if not has_vml():
        return "functions such as exp may differ in the last digit from eager: torch was built without MKL here"
    if not all(map(has_sleef, (torch.float64, torch.float32))):
        return "log1p and expm1 may differ in the last digit from eager: native code cannot call torch's own here"
    if not all(map(has_blas, (torch.float64, torch.float32))):
        return "lbfgs may differ in the last digit from eager: native code cannot call torch's dot product here"
    return None


def _sleef(op: str, builder: Builder, x: str, of_type: Type) -> tuple[str, str]:
    return sleef.call(builder, op, x, of_type), builder.literal("true", "i1")


def _exports(name: str) -> bool:
    try:
        return hasattr(ctypes.CDLL(str(machine.TORCH)), name)
    except OSError:
        return False


@cache
def library(dtype: torch.dtype) -> Library:
    """Return where kernels find elementary functions with torch's digits."""
    if not has_vml():
        return Library(vml=False, sleef=has_sleef(dtype), blas=has_blas(dtype))
    roots = next(how for how in (Roots.repeated, Roots.nearest, Roots.asked) if roots_match(how, dtype))
    return Library(vml=True, roots=roots, sleef=has_sleef(dtype), blas=has_blas(dtype))


@cache
def roots_match(how: Roots, dtype: torch.dtype) -> bool:
    """Whether this way to take square roots has the library's digits, compared on many numbers."""
    if how is Roots.asked:
        return True
    if not has_vml() or not machine.has_features(NEEDED_FEATURES):
        return False
    if how is Roots.repeated and dtype != torch.float64:
        return False
    exponents = torch.linspace(-99.0, 120.0, 1 << 18, dtype=torch.float64)
    given = torch.exp2(exponents).to(dtype)
    expected = given.sqrt()
    tried = [(way, width) for width in (1, 16) for way in ways(how, type_of(dtype), width)]
    return all(_matches(way, width, given, expected) for way, width in tried)


def _matches(way: Way, width: int, given: torch.Tensor, expected: torch.Tensor) -> bool:
    got = roots(given, width, way)
    certain = ~got.isnan()
    return bool(certain.double().mean() > _MOSTLY) and torch.equal(got[certain], expected[certain])


def roots(given: torch.Tensor, width: int, way: Way) -> torch.Tensor:
    """Return square roots taken `width` at a time; NaN where the library would be called."""
    got = torch.empty_like(given)
    linked = machine.Linked(machine.compiled(emit_roots(type_of(given.dtype), width, way)), ("roots",))
    function = linked.function("roots", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    function(given.data_ptr(), got.data_ptr(), len(given))
    return got
