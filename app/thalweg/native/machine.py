"""From LLVM assembly to machine code, and from machine code to callable functions."""

import ctypes
import itertools
import threading
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import torch

_lock = threading.Lock()
TORCH = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
"""torch's own library, whose exported functions native code can call."""


@cache
def processor() -> str:
    """Return the processor's name and features, on which machine code depends."""
    return f"{llvm.get_process_triple()} {llvm.get_host_cpu_name()} {llvm.get_host_cpu_features().flatten()}"


def has_features(names: Iterable[str]) -> bool:
    """Return whether the processor has all these features, by LLVM's names."""
    features = llvm.get_host_cpu_features()
    return all(features.get(name) for name in names)


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

    def address(self, name: str) -> int:
        """Return the address of an exported function, for native code to call while this object lives."""
        return int(self._library[name])

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
    if TORCH.exists():
        llvm.load_library_permanently(str(TORCH))
    return llvm.create_lljit_compiler(_machine())
