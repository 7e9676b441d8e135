"""Tracing one step of a job whose points have many coordinates, with arrays for tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.fx import GraphModule

from thalweg.engine.fused.frontend import wide
from thalweg.engine.fused.frontend.arithmetic import Scalars
from thalweg.engine.fused.frontend.arrays import Array, Arrays
from thalweg.engine.fused.frontend.buffers import Buffer, Store, Tasks
from thalweg.engine.fused.frontend.own_schedule import OwnSchedule, own_schedule, placed
from thalweg.engine.fused.frontend.program import Program, Untraceable, Value, needed, type_of
from thalweg.engine.fused.frontend.trace import (
    RAISED,
    Branches,
    Slot,
    TracedOptimizer,
    hyperparameters_of,
    own_names,
    parameter_name,
    traced,
)
from thalweg.native.builder import Type
from thalweg.spec.job import JobSpec


@dataclass(frozen=True, slots=True)
class WideUpdate:
    """An update of one point, as tasks that fill the buffers `next.x` and `next.state.*`.

    Attributes:
        tasks: What to do.
        state: The new state of each slot that all runs share; nothing for the others.
        differing: The names of those that are not shared, although they were taken for it.
        raised: The code of the refusal that torch raises instead in all runs; 0 for none.
        raises: Whether there is such a code for each run, which the tasks store in the buffer `raised`.
    """

    tasks: Tasks
    state: list[list[Value]]
    differing: frozenset[str]
    raised: Value
    raises: bool

    @property
    def shared(self) -> list[Value]:
        """The values that all runs share and the update uses."""
        stored = [task.value for task in self.tasks.needed() if isinstance(task, Store)]
        operands = (operand for value in needed(stored) if value.varying for operand in value.operands)
        found = {value for value in (*stored, *operands) if not value.varying and value.constant is None}
        return sorted(found, key=lambda value: value.number)

    @property
    def inputs(self) -> set[str]:
        """The names of the buffers that the update reads."""
        return {buffer.name for buffer in self.tasks.inputs() if buffer.name}


@dataclass(frozen=True, slots=True)
class WideStep:
    """One step of a job with many coordinates; like `Step`, but evaluated apart."""

    hyperparameters: tuple[str, ...]
    moving: frozenset[str]
    own: tuple[str, ...]
    slots: tuple[Slot, ...]
    first: WideUpdate
    later: WideUpdate


def trace_objective(spec: JobSpec) -> Tasks:
    """Return the tasks that fill the buffers `f` and `gradient` from `x`.

    Raises:
        Untraceable: An operation is unknown.
    """
    objective, dtype = spec.objective(), getattr(torch, spec.dtype)

    def evaluate(points: torch.Tensor) -> list[torch.Tensor]:
        points = points.detach().requires_grad_()
        f = objective(points)
        (gradient,) = torch.autograd.grad(f.sum(), points)
        return [f.detach(), gradient]

    shape = (1, spec.dim)
    graph = traced(evaluate, [(shape, dtype)], Branches(()))
    tasks = Tasks(Program())
    arrays = Arrays(tasks)
    (f, gradient), _ = wide.run(graph, arrays, [arrays.argument("x", shape, type_of(dtype))])
    for name, array in (("f", f), ("gradient", gradient)):
        arrays.store(array, Buffer(array.size, array.type, name))
    return tasks


def trace_updates(spec: JobSpec) -> WideStep:
    """Return the updates of a job.

    Raises:
        Untraceable: An operation is unknown.
    """
    program, dtype = Program(), getattr(torch, spec.dtype)
    # an optimizer that works element by element moves rows of points, any other a single point
    shape = (spec.dim,) if spec.optimizer.coupled else (1, spec.dim)
    unshared: frozenset[str] = frozenset()
    while True:
        slots, first = _WideOptimizer(spec, program, dtype, shape, unshared).first()
        later = _WideOptimizer(spec, program, dtype, shape, unshared).later(slots)
        if not (more := first.differing | later.differing):
            break
        unshared |= more
    names: tuple[str, ...] = ()
    if spec.scheduler is not None and spec.scheduler.per_run:
        schedule = own_schedule(spec.optimizer, spec.scheduler)
        names = tuple(f"own.{name}" for name in schedule.state)
        for update in (first, later):
            _schedule(schedule, update.tasks, type_of(dtype))
    return WideStep(*hyperparameters_of(spec), own_names(names, slots), slots, first, later)


def _schedule(schedule: OwnSchedule, tasks: Tasks, real: Type) -> None:
    """Append the step of a run's schedule."""
    arrays = Arrays(tasks)
    given = {name: arrays.argument(f"own.{name}", (), "double").value for name in schedule.state}
    parameters = {
        name: tasks.program.input(parameter_name(name), 0, "double", varying=False) for name in schedule.parameters
    }
    f = tasks.program.cast(arrays.argument("f", (), real).value, "double")
    for name, value in placed(schedule, tasks.program, {"f": f, **given, **parameters}).items():
        arrays.store(Array((), "double", value), Buffer(1, "double", f"next.own.{name}"))


class _WideOptimizer(TracedOptimizer):
    def __init__(
        self,
        spec: JobSpec,
        program: Program,
        dtype: torch.dtype,
        shape: tuple[int, ...],
        unshared: frozenset[str],
    ) -> None:
        self._arrays = Arrays(Tasks(program))
        x, gradient = (self._arrays.argument(name, shape, type_of(dtype)) for name in ("x", "gradient"))
        super().__init__(spec, program, dtype, x, gradient, unshared=unshared)

    def _before(self, slot: Slot) -> Array:
        if not slot.own:
            return self._array(f"state.{slot.name}", slot.dtype, slot.shape, varying=not slot.shared)
        given = self._arrays.argument(f"own.state {slot.name}", slot.shape, "double")
        of_type = type_of(slot.dtype)
        return Array(slot.shape, of_type, self._program.cast(given.value, of_type))

    def _array(self, name: str, dtype: torch.dtype, shape: tuple[int, ...], *, varying: bool) -> Array:
        of_type = type_of(dtype)
        if varying:
            return self._arrays.argument(name, shape, of_type)
        return Array(shape, of_type, self._program.input(name, 0, of_type, varying=False))

    def _number(self, array: Array) -> Value:
        return array.value

    def _run(self, graph: GraphModule, given: Sequence[Array]) -> Any:
        # in-place operations of one graph must not reach the next
        fresh = [Array(each.shape, each.type, each.value) for each in given]
        return wide.run(graph, self._arrays, fresh)

    def _scalar(self, value: Value) -> Array:
        return Array((), value.type, value)

    def _where(self, condition: Value, one: Array, other: Array) -> Array:
        place = Scalars(self._program).where
        if one.shape != other.shape:
            raise Untraceable("a shape that depends on a branch")
        whole = self._arrays.broadcast(Array((), "i1", condition), one.shape)
        value = place(whole, self._arrays.value(one), self._arrays.value(other))
        return Array(one.shape, one.type, value)

    def _update(self, outputs: dict[str, Array], slots: Sequence[Slot]) -> WideUpdate:
        arrays = self._arrays
        raised = arrays.value(outputs[RAISED])
        state = [[arrays.value(outputs[slot.name])] if slot.shared else [] for slot in slots]
        differing = {
            slot.name for slot, values in zip(slots, state, strict=True) if any(value.varying for value in values)
        }
        for slot in slots:
            if slot.own:
                number = self._program.cast(arrays.value(outputs[slot.name]), "double")
                arrays.store(Array((), "double", number), Buffer(1, "double", f"next.own.state {slot.name}"))
        raises = raised.varying
        if raises:
            arrays.store(outputs[RAISED], Buffer(1, "double", "raised"))
            raised = self._program.const(0.0, "double")
        moved = {"next.x": outputs["x"]}
        moved |= {f"next.state.{slot.name}": outputs[slot.name] for slot in slots if slot.per_coordinate}
        for name, array in moved.items():
            arrays.store(array, Buffer(array.size, array.type, name))
        return WideUpdate(arrays.tasks, state, frozenset(differing), raised, raises)
