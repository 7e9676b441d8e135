"""From LLVM's assembly to machine code, and from machine code to functions that can be called."""

import ctypes
import threading
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import torch

_lock = threading.Lock()
_LIBRARY = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"


@cache
def processor() -> str:
    """Return what machine code depends on: the processor's name and what it can do."""
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


@cache
def has_vml() -> bool:
    """Whether torch's vector library of elementary functions can be called."""
    try:
        return hasattr(ctypes.CDLL(str(_LIBRARY)), "vdCos")
    except OSError:
        return False


def compiled(assembly: str) -> bytes:
    """Return the machine code of a module, for this processor."""
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
    """The functions of a piece of machine code; they release the interpreter's lock while they run."""

    def __init__(self, code: bytes) -> None:
        with _lock:
            self._library = _linked(code)
        whole, pointer, real = ctypes.c_int64, ctypes.c_void_p, ctypes.c_double
        self.schedule = self._function("schedule", whole, whole, pointer, whole, pointer, pointer)
        self.descend = self._function(
            "descend",
            *[whole] * 5,
            *[pointer] * 4,
            whole,
            pointer,
            *[whole] * 5,
            *[real] * 2,
        )

    def _function(self, name: str, *parameters: Any) -> Any:
        return ctypes.CFUNCTYPE(None, *parameters)(self._library[name])


_names = iter(range(2**62))


def _linked(code: bytes) -> Any:
    if has_vml():
        llvm.load_library_permanently(str(_LIBRARY))
    library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name in ("schedule", "descend"):
        library = library.export_symbol(name)
    return library.link(_linker(), f"kernel{next(_names)}")


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
    _machine()
    return llvm.create_lljit_compiler(_machine())
