"""From LLVM assembly to machine code to callable functions, and which libraries that code can call."""

import ctypes
import itertools
import threading
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import torch

from thalweg.engine.fused.codegen import sleef
from thalweg.engine.fused.codegen.builder import Builder
from thalweg.engine.fused.codegen.lowering import Library
from thalweg.engine.fused.codegen.roots import NEEDED_FEATURES, Roots, Way, emit_roots, ways
from thalweg.engine.fused.frontend.aten import type_of
from thalweg.engine.fused.frontend.program import Type

_lock = threading.Lock()
_MOSTLY = 0.5  # share of roots that must be certain for the test of certainty to pay
_LIBRARY = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"


@cache
def processor() -> str:
    """Return the processor's name and features, on which machine code depends."""
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


@cache
def has_vml() -> bool:
    """Whether torch's vector library of elementary functions can be called."""
    return _exports("vdCos")


@cache
def has_sleef(dtype: torch.dtype) -> bool:
    """Whether torch's build of Sleef can be called and has torch's digits, compared on many numbers."""
    of_type = type_of(dtype)
    if not all(llvm.get_host_cpu_features().get(name) for name in sleef.NEEDED_FEATURES):
        return False
    if not all(_exports(sleef.name_of(op, of_type)) for op in sleef.FUNCTIONS):
        return False
    given = torch.linspace(-0.999, 80.0, 1 << 14, dtype=dtype)
    return all(_is_library_s(partial(_sleef, op), 16, given, getattr(torch, op)(given)) for op in sleef.FUNCTIONS)


@cache
def unlike_torch() -> str | None:
    """Return why native code may differ from torch in the last digit on this machine; None if it cannot."""
    if not has_vml():
        return "functions such as exp may differ in the last digit from eager: torch was built without MKL here"
    if not all(map(has_sleef, (torch.float64, torch.float32))):
        return "log1p and expm1 may differ in the last digit from eager: native code cannot call torch's own here"
    return None


def _sleef(op: str, builder: Builder, x: str, of_type: Type) -> tuple[str, str]:
    return sleef.call(builder, op, x, of_type), builder.literal("true", "i1")


def _exports(name: str) -> bool:
    try:
        return hasattr(ctypes.CDLL(str(_LIBRARY)), name)
    except OSError:
        return False


@cache
def library(dtype: torch.dtype) -> Library:
    """Return where kernels find elementary functions with torch's digits."""
    if not has_vml():
        return Library(vml=False, sleef=has_sleef(dtype))
    roots = next(how for how in (Roots.repeated, Roots.nearest, Roots.asked) if holds(how, dtype))
    return Library(vml=True, roots=roots, sleef=has_sleef(dtype))


@cache
def holds(how: Roots, dtype: torch.dtype) -> bool:
    """Whether this way to take square roots has the library's digits, compared on many numbers."""
    if how is Roots.asked:
        return True
    features = llvm.get_host_cpu_features()
    if not has_vml() or not all(features.get(name) for name in NEEDED_FEATURES):
        return False
    if how is Roots.repeated and dtype != torch.float64:
        return False
    exponents = torch.linspace(-99.0, 120.0, 1 << 18, dtype=torch.float64)
    given = torch.exp2(exponents).to(dtype)
    expected = given.sqrt()
    tried = [(way, width) for width in (1, 16) for way in ways(how, type_of(dtype), width)]
    return all(_is_library_s(way, width, given, expected) for way, width in tried)


def _is_library_s(way: Way, width: int, given: torch.Tensor, expected: torch.Tensor) -> bool:
    got = roots(given, width, way)
    certain = ~got.isnan()
    return bool(certain.double().mean() > _MOSTLY) and torch.equal(got[certain], expected[certain])


def roots(given: torch.Tensor, width: int, way: Way) -> torch.Tensor:
    """Return square roots taken `width` at a time; NaN where the library would be called."""
    got = torch.empty_like(given)
    linked = Linked(compiled(emit_roots(type_of(given.dtype), width, way)), ("roots",))
    function = linked.function("roots", ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    function(given.data_ptr(), got.data_ptr(), len(given))
    return got


def compiled(assembly: str) -> bytes:
    """Return the machine code of a module for this processor."""
    with _lock:
        machine = _machine()
        module = llvm.parse_assembly(assembly)
        module.verify()
        tuning = llvm.create_pipeline_tuning_options(speed_level=2)
        builder = llvm.create_pass_builder(machine, tuning)
        builder.getModulePassManager().run(module, builder)
        code: bytes = machine.emit_object(module)
        return code


class Functions:
    """The functions of a kernel's machine code. They release the GIL while they run."""

    def __init__(self, code: bytes) -> None:
        linked = Linked(code, ("schedule", "descend"))
        whole, pointer, real = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
        self.schedule = linked.function("schedule", whole, whole, pointer, whole, pointer, pointer, pointer)
        self.descend = linked.function(
            "descend",
            *[whole] * 4,
            *[pointer] * 4,
            whole,
            pointer,
            *[whole] * 5,
            *[real] * 2,
        )


class Linked:
    """Machine code loaded into memory, for as long as one of its functions is referenced.

    Args:
        code: A result of `compiled`.
        names: Functions to export.
    """

    _numbers = itertools.count()

    def __init__(self, code: bytes, names: Sequence[str]) -> None:
        with _lock:
            builder = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
            for name in names:
                builder = builder.export_symbol(name)
            self._library = builder.link(_linker(), f"kernel{next(self._numbers)}")

    def function(self, name: str, *parameters: Any) -> Any:
        """Return an exported function, without a return value."""
        function = ctypes.CFUNCTYPE(None, *parameters)(self._library[name])
        function.library = self._library  # type: ignore[attr-defined]
        return function


@cache
def _machine() -> Any:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=2,
        reloc="pic",
    )


@cache
def _linker() -> Any:
    if _LIBRARY.exists():
        llvm.load_library_permanently(str(_LIBRARY))
    return llvm.create_lljit_compiler(_machine())
