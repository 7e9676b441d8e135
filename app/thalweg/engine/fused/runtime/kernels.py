"""Compiled kernels, cached in the process and on disk by everything that determines them."""

import hashlib
import importlib.metadata
import json
import logging
import struct
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import torch

import thalweg
from thalweg.engine.fused.codegen.emitter import emit
from thalweg.engine.fused.codegen.layout import Layout
from thalweg.engine.fused.codegen.loop import VECTOR_BYTES
from thalweg.engine.fused.codegen.wide.emitter import emit_wide, objective_of
from thalweg.engine.fused.frontend.hyperparameters import held
from thalweg.engine.fused.frontend.trace import Slot, trace
from thalweg.engine.fused.frontend.wide_trace import trace_objective, trace_updates
from thalweg.engine.fused.runtime import libraries
from thalweg.engine.fused.runtime.functions import KernelFunctions
from thalweg.native import machine
from thalweg.spec.job import JobSpec

_log = logging.getLogger(__name__)

_PACKAGES: Final = ("functions", "optimizers", "spec", "engine", "native")
_MODULES: Final = ("__init__", "cancellation", "errors", "lists", "settings", "whole_numbers")

_MAGIC: Final = b"thalweg kernel\n"
_DIGEST_BYTES: Final = 32
_HEADER_LENGTH: Final = struct.Struct("<I")
_NUMBERS: Final = ("dim", "n_shared", "n_fixed", "wide", "scratch_bytes")
_MAX_KEPT: Final = 256
_FEW: Final = 2
_MAX_VECTORS: Final = 8  # per coordinate; longer calls of the vector library are no cheaper
_MAX_COORDINATES: Final = 10  # vectors of coordinates in a block: what they need fits in the first cache


@dataclass(frozen=True, slots=True)
class Kernel:
    """A compiled loop over steps.

    Attributes:
        functions: `schedule` and `descend`, see `thalweg.engine.fused.codegen.emitter`.
        layout: The layout of their data.
        width: Runs per block.
        key: Everything that determines the machine code.
    """

    functions: KernelFunctions
    layout: Layout
    width: int
    key: str


class Kernels:
    """A cache that compiles kernels on demand.

    Args:
        directory: Where to keep them on disk; None for in memory only.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory
        self._kept: OrderedDict[str, Kernel] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, spec: JobSpec) -> Kernel:
        """Return the kernel of a job.

        Raises:
            Untraceable: Its step cannot be compiled.
        """
        width = _width(spec)
        key = _key(spec, width)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            kernel = self._kept[key] = self._load(key, width) or self._make(spec, key, width)
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
            return kernel

    def _make(self, spec: JobSpec, key: str, width: int) -> Kernel:
        assembly, layout = _emitted(spec, width)
        code = machine.compiled(assembly)
        self._save(key, layout, code)
        return Kernel(KernelFunctions(code, wide=layout.wide), layout, width, key)

    def _path(self, key: str) -> Path | None:
        if self._directory is None:
            return None
        return self._directory / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.kernel"

    def _load(self, key: str, width: int) -> Kernel | None:
        path = self._path(key)
        if path is None:
            return None
        try:
            layout, code = _unpacked(path.read_bytes(), key)
            return Kernel(KernelFunctions(code, wide=layout.wide), layout, width, key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, struct.error) as error:
            _log.warning("the kernel in %s cannot be used and is compiled again: %s", path, error)
            return None

    def _save(self, key: str, layout: Layout, code: bytes) -> None:
        path = self._path(key)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # renamed into place, so that other processes see a whole file or none
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(_packed(key, layout, code))
            Path(file.name).replace(path)
        except OSError as error:
            _log.warning("the kernel cannot be saved in %s: %s", path, error)


def _emitted(spec: JobSpec, width: int) -> tuple[str, Layout]:
    dtype: torch.dtype = getattr(torch, spec.dtype)
    library, grad_stop = libraries.library(dtype), _stops_by_gradient(spec)
    if spec.wide:
        objective = objective_of(trace_objective(spec), dtype, library)
        return emit_wide(trace_updates(spec), objective, spec.dim, dtype, library, grad_stop=grad_stop)
    return emit(trace(spec), dtype, width, library, grad_stop=grad_stop)


def _stops_by_gradient(spec: JobSpec) -> bool:
    return spec.stop is not None and spec.stop.grad_norm is not None


def _width(spec: JobSpec) -> int:
    """Return how many runs to do side by side: one, or a power of two of full vectors."""
    if spec.n_runs <= _FEW or spec.wide:
        return 1
    dtype: torch.dtype = getattr(torch, spec.dtype)
    lanes = VECTOR_BYTES // dtype.itemsize
    n_vectors = 1
    while n_vectors * lanes < spec.n_runs and 2 * n_vectors <= min(_MAX_VECTORS, _MAX_COORDINATES // spec.dim):
        n_vectors *= 2
    return n_vectors * lanes


def _key(spec: JobSpec, width: int) -> str:
    """Return everything that the machine code depends on."""
    dtype: torch.dtype = getattr(torch, spec.dtype)
    parts = (
        _world(),
        _library(dtype),
        spec.function.model_dump_json(),
        spec.dtype,
        spec.optimizer.identity,
        held(spec.optimizer, spec.scheduler),
        spec.gradient_noise is not None,
        spec.clip_grad_norm,
        _stops_by_gradient(spec),
        width,
    )
    return repr(parts)


@cache
def _library(dtype: torch.dtype) -> str:
    return str(libraries.library(dtype))


def sources() -> list[Path]:
    """Return the files whose contents may change a kernel: the engine, and all of the service that it imports."""
    root = Path(thalweg.__path__[0])
    packages = (path for name in _PACKAGES for path in (root / name).rglob("*.py"))
    return sorted([*packages, *(root / f"{name}.py" for name in _MODULES)])


@cache
def _world() -> str:
    """Return a digest of what kernels depend on beside the job: sources, versions, processor."""
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.read_bytes())
    versions = [
        torch.__version__,
        torch.backends.cpu.get_cpu_capability(),
        *map(importlib.metadata.version, ("llvmlite", "numpy", "sympy")),
        machine.processor(),
    ]
    digest.update(json.dumps(versions).encode())
    return digest.hexdigest()


def _packed(key: str, layout: Layout, code: bytes) -> bytes:
    slots = [[slot.name, str(slot.dtype).removeprefix("torch."), slot.shape] for slot in layout.slots]
    numbers = {name: getattr(layout, name) for name in _NUMBERS}
    header = json.dumps({"key": key, "slots": slots, **numbers}).encode()
    body = _HEADER_LENGTH.pack(len(header)) + header + code
    return _MAGIC + hashlib.sha256(body).digest() + body


def _unpacked(data: bytes, key: str) -> tuple[Layout, bytes]:
    """Return the layout and code packed in `data`. Raises `ValueError` if it is damaged or not of this key."""
    if not data.startswith(_MAGIC):
        raise ValueError("it is not a kernel")
    start = len(_MAGIC) + _DIGEST_BYTES
    body = data[start:]
    if hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        raise ValueError("it is damaged")
    (length,) = _HEADER_LENGTH.unpack_from(body)
    code_start = _HEADER_LENGTH.size + length
    header: dict[str, Any] = json.loads(body[_HEADER_LENGTH.size : code_start])
    if header["key"] != key:
        raise ValueError("it is a kernel with another key")
    slots = tuple(Slot(name, getattr(torch, dtype), tuple(shape)) for name, dtype, shape in header["slots"])
    return Layout(slots=slots, **{name: header[name] for name in _NUMBERS}), body[code_start:]
