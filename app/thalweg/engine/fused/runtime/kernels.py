"""Compiled kernels, cached in the process and on disk by everything that determines them."""

import hashlib
import importlib.metadata
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import torch

import thalweg
from thalweg.engine.fused.codegen.emitter import emit
from thalweg.engine.fused.codegen.layout import Group, Layout
from thalweg.engine.fused.codegen.lbfgs.descend import emit as emit_lbfgs
from thalweg.engine.fused.codegen.loop import VECTOR_BYTES
from thalweg.engine.fused.codegen.objective import evaluate_module, unrolled
from thalweg.engine.fused.codegen.wide.emitter import emit_wide, objective_of
from thalweg.engine.fused.codegen.wide.networks import objective_of_network
from thalweg.engine.fused.codegen.wide.routine import Routine
from thalweg.engine.fused.definitions import is_lbfgs
from thalweg.engine.fused.frontend.hyperparameters import Own, held
from thalweg.engine.fused.frontend.own_schedule import facts_of
from thalweg.engine.fused.frontend.program import type_of
from thalweg.engine.fused.frontend.trace import Slot, trace, trace_entry
from thalweg.engine.fused.frontend.wide_trace import trace_objective, trace_updates
from thalweg.engine.fused.runtime import libraries
from thalweg.engine.fused.runtime.code_files import CodeFiles
from thalweg.engine.fused.runtime.functions import EvaluateFunction, KernelFunctions, LbfgsFunction
from thalweg.native import machine
from thalweg.spec.engine_choice import needs_loops
from thalweg.spec.job import JobSpec

_PACKAGES: Final = ("functions", "optimizers", "spec", "engine", "native")
_MODULES: Final = ("__init__", "cancellation", "errors", "lists", "settings", "whole_numbers")

_Loaded = TypeVar("_Loaded")

_NUMBERS: Final = ("dim", "n_shared", "n_fixed", "wide", "scratch_bytes", "nanoseconds", "detailed", "objective_at")
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


@dataclass(frozen=True, slots=True)
class LbfgsKernel:
    """Native LBFGS and the objective of a job.

    Attributes:
        function: Takes runs through many steps, see `thalweg.engine.fused.codegen.lbfgs.descend`.
        evaluate: The objective, which it calls.
    """

    function: LbfgsFunction
    evaluate: EvaluateFunction


class Kernels:
    """A cache that compiles kernels on demand.

    Args:
        directory: Where to keep them on disk; None for in memory only.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._files = CodeFiles(directory)
        self._kept: OrderedDict[str, Kernel] = OrderedDict()
        self._functions: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def warm(self, spec: JobSpec) -> None:
        """Compile the kernel of a job, unless it is kept."""
        if is_lbfgs(type(spec.optimizer)):
            self.lbfgs(spec)
        else:
            self.get(spec)

    def get(self, spec: JobSpec, own: Own = (), n_runs: int | None = None) -> Kernel:
        """Return the kernel of a job.

        Args:
            spec: The job.
            own: The hyperparameters of which each run has its own.
            n_runs: How many runs it is to serve; None for those of the job.

        Raises:
            Untraceable: Its step cannot be compiled.
        """
        width = _width(spec, n_runs or spec.n_runs)
        key = _key(spec, width, own)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            kernel = self._kept[key] = self._load(key, width) or self._make(spec, own, key, width)
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
            return kernel

    def lbfgs(self, spec: JobSpec) -> LbfgsKernel:
        """Return the kernel of a job with LBFGS: its code is the same for all objectives of a dtype.

        Raises:
            Untraceable: The objective cannot be compiled.
        """
        dtype: torch.dtype = getattr(torch, spec.dtype)
        real, library = type_of(dtype), libraries.library(dtype)
        shared = (_world(), _library(dtype), spec.dtype)
        objective = ("evaluate", _function(spec))

        with self._lock:
            function = self._compiled(
                repr((*shared, "lbfgs")), LbfgsFunction, lambda: (emit_lbfgs(real, library), {})
            )
            evaluate = self._compiled(repr((*shared, *objective)), EvaluateFunction, lambda: _evaluate(spec))
        return LbfgsKernel(function, evaluate)

    def _compiled(
        self,
        key: str,
        load: Callable[[bytes, dict[str, Any]], _Loaded],
        emit: Callable[[], tuple[str, dict[str, Any]]],
    ) -> _Loaded:
        """Return what `load` makes of machine code, which is kept in the process and on disk."""
        if key not in self._functions:
            kept = self._files.load(key)
            if kept is None:
                text, about = emit()
                kept = about, machine.compiled(text)
                self._files.save(key, *kept)
            about, code = kept
            self._functions[key] = load(code, about)
            if len(self._functions) > _MAX_KEPT:
                self._functions.popitem(last=False)
        self._functions.move_to_end(key)
        loaded: _Loaded = self._functions[key]
        return loaded

    def _make(self, spec: JobSpec, own: Own, key: str, width: int) -> Kernel:
        assembly, layout = _emitted(spec, width, own)
        code = machine.compiled(assembly)
        self._files.save(key, _about(layout), code)
        return _linked(code, layout, width, key)

    def _load(self, key: str, width: int) -> Kernel | None:
        kept = self._files.load(key)
        if kept is None:
            return None
        about, code = kept
        try:
            layout = _layout(about)
            return _linked(code, layout, width, key)
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            self._files.reject(key, error)
            return None


@cache
def in_process() -> Kernels:
    """Return the kernels that are kept in this process only."""
    return Kernels()


def _linked(code: bytes, layout: Layout, width: int, key: str) -> Kernel:
    functions = KernelFunctions(code, wide=layout.wide, tabulates=bool(layout.groups))
    return Kernel(functions, layout, width, key)


def _emitted(spec: JobSpec, width: int, own: Own) -> tuple[str, Layout]:
    dtype: torch.dtype = getattr(torch, spec.dtype)
    library, grad_stop, detailed = libraries.library(dtype), _stops_by_gradient(spec), spec.record is not None
    if spec.wide:
        step, objective = trace_updates(spec), _with_loops(spec)
        return emit_wide(step, objective, spec.dim, dtype, library, grad_stop=grad_stop, detailed=detailed)
    return emit(trace(spec, own), dtype, width, library, grad_stop=grad_stop, detailed=detailed)


def _with_loops(spec: JobSpec) -> Routine:
    """Return the objective of a job as a native function with loops: a network's own, any other traced."""
    dtype: torch.dtype = getattr(torch, spec.dtype)
    if spec.network is not None:
        return objective_of_network(spec.network, dtype)
    return objective_of(trace_objective(spec), dtype, libraries.library(dtype))


def _evaluate(spec: JobSpec) -> tuple[str, dict[str, Any]]:
    """Return the objective as a module, and how much scratch it needs."""
    dtype: torch.dtype = getattr(torch, spec.dtype)
    library = libraries.library(dtype)
    if needs_loops(spec.objective()):
        objective = _with_loops(spec)
    else:
        objective = unrolled(trace_entry(spec), type_of(dtype), library)
    return evaluate_module(objective, type_of(dtype)), {"scratch_bytes": objective.scratch_bytes}


def _stops_by_gradient(spec: JobSpec) -> bool:
    return spec.stop is not None and spec.stop.grad_norm is not None


def _width(spec: JobSpec, n_runs: int) -> int:
    """Return how many runs to do side by side: one, or a power of two of full vectors."""
    if n_runs <= _FEW or spec.wide:
        return 1
    dtype: torch.dtype = getattr(torch, spec.dtype)
    lanes = VECTOR_BYTES // dtype.itemsize
    n_vectors = 1
    while n_vectors * lanes < n_runs and 2 * n_vectors <= min(_MAX_VECTORS, _MAX_COORDINATES // spec.dim):
        n_vectors *= 2
    return n_vectors * lanes


def _key(spec: JobSpec, width: int, own: Own = ()) -> str:
    """Return everything that the machine code depends on."""
    dtype: torch.dtype = getattr(torch, spec.dtype)
    parts = (
        _world(),
        _library(dtype),
        _function(spec),
        spec.dtype,
        spec.optimizer.identity,
        held(spec.optimizer, spec.scheduler, own),
        facts_of(spec.scheduler) if spec.scheduler is not None and spec.scheduler.per_run else None,
        spec.gradient_noise is not None,
        spec.clip_grad_norm,
        _stops_by_gradient(spec),
        spec.record is not None,
        width,
    )
    return repr(parts)


def _function(spec: JobSpec) -> str:
    """Return what code depends on of the function: of a network, neither its samples nor the seeds."""
    if (network := spec.network) is None:
        return spec.function.model_dump_json()
    architecture = network.architecture
    return repr((architecture.layers, architecture.activations, architecture.loss, network.draws_batches))


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


def _about(layout: Layout) -> dict[str, Any]:
    slots = [[slot.name, str(slot.dtype).removeprefix("torch."), slot.shape, slot.own] for slot in layout.slots]
    groups = [[group.own, group.n_columns] for group in layout.groups]
    return {
        "slots": slots,
        "own": layout.own,
        "groups": groups,
        **{name: getattr(layout, name) for name in _NUMBERS},
    }


def _layout(about: dict[str, Any]) -> Layout:
    slots = tuple(
        Slot(name, getattr(torch, dtype), tuple(shape), own) for name, dtype, shape, own in about["slots"]
    )
    groups = tuple(Group(tuple(own), n_columns) for own, n_columns in about["groups"])
    return Layout(slots=slots, own=tuple(about["own"]), groups=groups, **{name: about[name] for name in _NUMBERS})
