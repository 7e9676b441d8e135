"""Tracing one step of a job: what torch computes in it, operation by operation.

The objective with its gradient and the real optimizer's step run once on fake tensors, and every ATen operation is
recorded in torch's eager order. The optimizer's hyperparameters and the step count are symbols.
Where Python code branches on a symbol, as RAdam's does, both branches are traced, and the condition selects at run
time.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import sympy
import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.overrides import TorchFunctionMode

from thalweg.engine import gradients
from thalweg.engine.fused.frontend import aten
from thalweg.engine.fused.frontend.arithmetic import Scalars
from thalweg.engine.fused.frontend.hyperparameters import Own, inputs_of
from thalweg.engine.fused.frontend.kept import Kept
from thalweg.engine.fused.frontend.own_schedule import OwnSchedule, own_schedule, placed
from thalweg.engine.fused.frontend.program import Program, Untraceable, Value, type_of
from thalweg.engine.fused.frontend.symbols import seen_by_math
from thalweg.spec.job import JobSpec

_MAX_BRANCHES = 6
_SINGLE = ((), (1,))  # the shapes of one number
RAISED = "raised"  # an output beside x and the optimizer's state


@dataclass(frozen=True, slots=True)
class Slot:
    """An entry of the optimizer's state: one number per coordinate, or a single number.

    A single number is shared by all runs, unless it is each run's `own`, as it depends on what is.
    """

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    own: bool = False

    @property
    def shared(self) -> bool:
        """Whether all runs share it."""
        return self.shape in _SINGLE and not self.own

    @property
    def per_coordinate(self) -> bool:
        """Whether it has a number for each coordinate of each run."""
        return self.shape not in _SINGLE


@dataclass(frozen=True, slots=True)
class Entry:
    """A point's value, gradient and gradient norm, as values of a program."""

    f: Value
    gradient: list[Value]
    grad_norm: Value


@dataclass(frozen=True, slots=True)
class Update:
    """The result of an update, as values of a program.

    Attributes:
        x: The new point.
        state: The new state, slot by slot.
        own: The new numbers of the run's own, by the names in `Step.own`.
        raised: The code of the refusal that torch raises instead, see `thalweg.engine.fused.frontend.refusals`; 0
            for none.
    """

    x: list[Value]
    state: list[list[Value]]
    own: list[Value]
    raised: Value


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a job: evaluate the point, then move it. The first update creates the optimizer's state.

    Attributes:
        hyperparameters: The names of the inputs that hold them, the learning rate first.
        moving: Those that a schedule can move.
        own: The names of the numbers that each run has, doubles: those of a schedule that sees its f, with the
            learning rate, and what the optimizer's state holds of single numbers that depend on them.
    """

    hyperparameters: tuple[str, ...]
    moving: frozenset[str]
    own: tuple[str, ...]
    slots: tuple[Slot, ...]
    entry: Entry
    first: Update
    later: Update


def trace(spec: JobSpec, own: Own = ()) -> Step:
    """Return the traced step of this job, in which each run has hyperparameters of its `own`.

    Raises:
        Untraceable: The step is not straight-line arithmetic.
    """
    program = Program()
    dtype = getattr(torch, spec.dtype)
    x = _inputs(program, "x", dtype, (1, spec.dim), varying=True)
    entry = _trace_entry(spec, program, dtype, x)
    gradient = np.array([entry.gradient], dtype=object)
    names, moving = hyperparameters_of(spec, own)
    scheduled: dict[str, Value] = {}
    if spec.scheduler is not None and spec.scheduler.per_run:
        scheduled = _scheduled(own_schedule(spec.optimizer, spec.scheduler), program, entry.f)
    unshared: frozenset[str] = frozenset()
    while True:
        optimizer = TracedOptimizer(spec, program, dtype, x, gradient, own, unshared)
        slots, first = optimizer.first()
        later = optimizer.later(slots)
        more = {slot.name for update in (first, later) for slot in _differing(update, slots)}
        if not more:
            break
        unshared |= more
    numbers = {
        each.name: program.input(each.name, 0, "double", varying=True)
        for each in inputs_of(spec.optimizer, spec.scheduler, own)
        if each.own
    }
    numbers |= {f"own.{name}": value for name, value in scheduled.items()}
    updates = [_with_own(program, slots, numbers, update) for update in (first, later)]
    return Step(names, moving, own_names(numbers, slots), slots, entry, *updates)


def hyperparameters_of(spec: JobSpec, own: Own = ()) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names of a kernel's hyperparameters, and of those that a schedule moves."""
    given = [each for each in inputs_of(spec.optimizer, spec.scheduler, own) if not each.own]
    names = [each.name for each in given]
    if spec.scheduler is not None and spec.scheduler.per_run:
        names += map(parameter_name, own_schedule(spec.optimizer, spec.scheduler).parameters)
    return tuple(names), frozenset(each.name for each in given if each.moved)


def parameter_name(name: str) -> str:
    """Return the name, among the inputs of a program, of a parameter of the schedule."""
    return f"hyper.schedule {name}"


def own_names(numbers: Iterable[str], slots: Sequence[Slot]) -> tuple[str, ...]:
    """Return the names of the numbers that each run has: those given, then those in the optimizer's state."""
    return *numbers, *(f"own.state {slot.name}" for slot in slots if slot.own)


def _scheduled(schedule: OwnSchedule, program: Program, f: Value) -> dict[str, Value]:
    """Return the numbers of a run's schedule after its step."""
    given = {name: program.input(f"own.{name}", 0, "double", varying=True) for name in schedule.state}
    parameters = {
        name: program.input(parameter_name(name), 0, "double", varying=False) for name in schedule.parameters
    }
    return placed(schedule, program, {"f": program.cast(f, "double"), **given, **parameters})


def _differing(update: Update, slots: Sequence[Slot]) -> list[Slot]:
    """Return the slots that were taken to be shared, and are not."""
    return [
        slot
        for slot, values in zip(slots, update.state, strict=True)
        if slot.shared and any(value.varying for value in values)
    ]


def _with_own(program: Program, slots: Sequence[Slot], numbers: Mapping[str, Value], update: Update) -> Update:
    of_state = [
        program.cast(values[0], "double") for slot, values in zip(slots, update.state, strict=True) if slot.own
    ]
    return replace(update, own=[*numbers.values(), *of_state])


def trace_entry(spec: JobSpec) -> Entry:
    """Return the traced evaluation of a point, alone.

    Raises:
        Untraceable: It is not straight-line arithmetic.
    """
    program, dtype = Program(), getattr(torch, spec.dtype)
    return _trace_entry(spec, program, dtype, _inputs(program, "x", dtype, (1, spec.dim), varying=True))


def _trace_entry(spec: JobSpec, program: Program, dtype: torch.dtype, x: np.ndarray) -> Entry:
    objective = spec.objective()

    def evaluate(points: torch.Tensor) -> list[torch.Tensor]:
        points = points.detach().requires_grad_()
        f = objective(points)
        (gradient,) = torch.autograd.grad(f.sum(), points)
        return [f.detach(), gradient, torch.linalg.vector_norm(gradient, dim=-1)]

    graph = traced(evaluate, [((1, spec.dim), dtype)], Branches(()))
    (f, gradient, norm), _ = aten.run(graph, program, [x])
    return Entry(f.item(), gradient[0].tolist(), norm.item())


class TracedOptimizer:
    """Traces an optimizer's step on a parameter, branch by branch.

    Args:
        spec: The job.
        program: What is extended.
        dtype: That of the point.
        x: The point.
        gradient: Its gradient.
        own: The hyperparameters of which each run has its own.
        unshared: The slots of the optimizer's state that are single numbers and differ from run to run.
    """

    def __init__(
        self,
        spec: JobSpec,
        program: Program,
        dtype: torch.dtype,
        x: Any,
        gradient: Any,
        own: Own = (),
        unshared: frozenset[str] = frozenset(),
    ) -> None:
        self._unshared = unshared
        self._spec = spec
        self._program = program
        self._dtype = dtype
        self._given = [x, gradient]
        self._shapes: list[tuple[tuple[int, ...], torch.dtype]] = [(x.shape, dtype)] * 2
        self._hyper = inputs_of(spec.optimizer, spec.scheduler, own)
        for each in self._hyper:
            given = self._array(each.name, torch.float64, (), varying=each.own)
            self._given.append(given)
            if each.unit:
                program.units.add(self._number(given))
            if each.fraction:
                program.fractions.add(self._number(given))
            if each.above_half is not None:
                program.sides[self._number(given)] = each.above_half
        self._shapes += [((), torch.float64)] * len(self._hyper)
        if spec.gradient_noise is not None:
            self._given.append(self._array("noise", dtype, x.shape, varying=True))
            self._shapes.append((x.shape, dtype))

    def first(self) -> tuple[tuple[Slot, ...], Any]:
        """Return the slots of the state that the first update creates, and that update."""
        found: dict[str, Slot] = {}

        def note(name: str, value: Any) -> None:
            is_tensor = isinstance(value, torch.Tensor)
            dtype, shape = (value.dtype, tuple(value.shape)) if is_tensor else (torch.float64, ())
            found[name] = Slot(name, dtype, shape, name in self._unshared)

        outputs = self._follow([], [], note)
        slots = tuple(found[name] for name in sorted(found))
        if any(slot.per_coordinate and slot.shape != self._shapes[0][0] for slot in slots):
            raise Untraceable("keeps something of another shape than the point's")
        return slots, self._update(outputs, slots)

    def later(self, slots: Sequence[Slot]) -> Any:
        """Return the update of every later step."""
        return self._update(self._follow(slots, [self._before(slot) for slot in slots]), slots)

    def _before(self, slot: Slot) -> Any:
        if not slot.own:
            return self._array(f"state.{slot.name}", slot.dtype, slot.shape, varying=not slot.shared)
        given = self._array(f"own.state {slot.name}", torch.float64, (), varying=True)
        return aten.mapped(lambda value: self._program.cast(value, type_of(slot.dtype)), given.reshape(slot.shape))

    def _follow(
        self,
        slots: Sequence[Slot],
        state: Sequence[Any],
        note: Callable[[str, Any], None] = lambda _name, _value: None,
        decisions: tuple[bool, ...] = (),
    ) -> dict[str, Any]:
        """Return x and state after the update, by name, with every branch beyond `decisions` traced."""
        branches = Branches(decisions)

        def update(x: torch.Tensor, gradient: torch.Tensor, *given: torch.Tensor) -> Any:
            x = x.detach().clone().requires_grad_()
            optimizer = self._spec.optimizer.build([x], one_by_one=True)
            others = self._put(given, optimizer.param_groups[0], branches, first=not state)
            kept = Kept(optimizer)
            noise, old = (others[0], others[1:]) if self._spec.gradient_noise else (None, others)
            kept.put([slot.name for slot in slots], old)
            if kept.steps is not None:
                branches.know_sign(kept.steps, 1)
            x.grad = gradients.effective(gradient, noise, self._spec.clip_grad_norm)
            with seen_by_math(optimizer):
                optimizer.step()
            new = kept.taken()
            for name, value in new.items():
                note(name, value)
            return {"x": x.detach(), **new}, list(branches.conditions)

        shapes = [*self._shapes, *((slot.shape, slot.dtype) for slot in slots)]
        graph = traced(update, shapes, branches)
        (outputs, conditions), raised = self._run(graph, [*self._given, *state])
        outputs = {name: self._output(each) for name, each in {**outputs, RAISED: raised}.items()}
        if len(conditions) > _MAX_BRANCHES:
            raise Untraceable("the optimizer's code has too many branches")
        for depth in reversed(range(len(decisions), len(conditions))):
            taken = (*decisions, *[True] * (depth - len(decisions)))
            otherwise = self._follow(slots, state, note, (*taken, False))
            outputs = self._chosen(conditions[depth], outputs, otherwise)
        return dict(outputs)

    def _put(
        self, given: Sequence[torch.Tensor], group: dict[str, Any], branches: "Branches", *, first: bool
    ) -> Sequence[torch.Tensor]:
        """Put the first of the tensors into the optimizer's group, as its hyperparameters; return the others."""
        n = len(self._hyper)
        for each, tensor in zip(self._hyper, given[:n], strict=True):
            symbol = tensor.item()
            if first or not each.moved:
                branches.know_sign(symbol, each.sign)
            each.put(group, symbol)
        return given[n:]

    def _output(self, output: Any) -> Any:
        """Return an output of a graph as an array: a tensor is one, a number is not, and may be a constant."""
        if isinstance(output, int | float):
            output = self._program.const(float(output), "double")
        return self._scalar(output) if isinstance(output, Value) else output

    def _chosen(self, condition: Value, outputs: dict[str, Any], otherwise: dict[str, Any]) -> dict[str, Any]:
        if set(outputs) != set(otherwise):
            raise Untraceable("the optimizer's state depends on a branch")
        return {name: self._where(condition, array, otherwise[name]) for name, array in outputs.items()}

    def _array(self, name: str, dtype: torch.dtype, shape: tuple[int, ...], *, varying: bool) -> Any:
        return _inputs(self._program, name, dtype, shape, varying=varying)

    def _number(self, array: Any) -> Value:
        value: Value = array.item()
        return value

    def _run(self, graph: GraphModule, given: Sequence[Any]) -> Any:
        # in-place operations of one graph must not reach the next
        return aten.run(graph, self._program, [each.copy() for each in given])

    def _scalar(self, value: Value) -> Any:
        return np.array([value])

    def _where(self, condition: Value, one: Any, other: Any) -> Any:
        return aten.mapped(partial(Scalars(self._program).where, condition), one, other)

    def _update(self, outputs: dict[str, Any], slots: Sequence[Slot]) -> Any:
        return Update(
            x=outputs["x"].ravel().tolist(),
            state=[outputs[slot.name].ravel().tolist() for slot in slots],
            own=[],
            raised=outputs[RAISED].item(),
        )


class Branches(ShapeEnv):
    """Decides the branches that Python code takes on symbols: by `decisions`, then always True.

    The same condition is decided once, and none that follows from the sign of a symbol.
    """

    def __init__(self, decisions: Sequence[bool]) -> None:
        super().__init__()
        self._decisions = decisions
        self._signed: dict[Any, Any] = {}
        self._decided: dict[Any, bool] = {}
        self.conditions: list[torch.SymBool] = []

    def know_sign(self, symbol: Any, sign: int) -> None:
        """Take a symbol's number to be positive, for a sign of 1, or negative, for -1."""
        known = sympy.Symbol("known", positive=True) if sign > 0 else sympy.Symbol("known", negative=True)
        self._signed[symbol.node.expr] = known

    def evaluate_sym_node(self, sym_node: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the decision for a condition; a symbol of any other type has no value."""
        if not sym_node.expr.free_symbols:
            return super().evaluate_sym_node(sym_node, *args, **kwargs)
        if sym_node.pytype is not bool:
            raise Untraceable("a number that is known only at run time is needed while tracing")
        if (known := sym_node.expr.xreplace(self._signed)) in (sympy.true, sympy.false):
            return bool(known)
        if sym_node.expr not in self._decided:
            place = len(self.conditions)
            self.conditions.append(torch.SymBool(sym_node))  # type: ignore[no-untyped-call]
            decision = self._decisions[place] if place < len(self._decisions) else True
            self._decided |= {sym_node.expr: decision, sympy.Not(sym_node.expr): not decision}
        return self._decided[sym_node.expr]


class _SymbolsToTensors(TorchFunctionMode):
    """Lets torch's functions take symbols instead of asking for their numbers."""

    def __torch_function__(
        self, function: Any, _types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if function in {torch.as_tensor, torch.tensor} and isinstance(args[0], torch.SymFloat):
            number: Any = args[0]
            # through float64: torch.full raises on a number too large for its dtype, this does not
            whole = torch.full((), number, dtype=torch.float64)
            return whole.to(kwargs.get("dtype") or torch.get_default_dtype())
        if any(isinstance(arg, torch.SymFloat) for arg in (*args, *kwargs.values())):
            _forget_constants(args)
        return function(*args, **kwargs)


def _forget_constants(args: Sequence[Any]) -> None:
    """Let torch forget that it knows the numbers of tensors: it would compute with a symbol as with a NaN."""
    for arg in args:
        if isinstance(arg, FakeTensor) and arg.constant is not None:
            arg.fake_mode.fake_tensor_converter.invalidate_constant_aliases(arg.constant)


def traced(
    function: Callable[..., Any], inputs: Sequence[tuple[tuple[int, ...], torch.dtype]], branches: Branches
) -> GraphModule:
    """Return the ATen operations of a function of tensors with these shapes and dtypes."""
    with FakeTensorMode(shape_env=branches, allow_non_fake_inputs=True), _SymbolsToTensors():
        tensors = [torch.empty(shape, dtype=dtype) for shape, dtype in inputs]
        graph: GraphModule = make_fx(function, tracing_mode="real", _allow_non_fake_inputs=True)(*tensors)
    return graph


def _inputs(
    program: Program, name: str, dtype: torch.dtype, shape: tuple[int, ...], *, varying: bool
) -> np.ndarray:
    result = np.empty(shape, dtype=object)
    for index, place in enumerate(np.ndindex(shape)):
        result[place] = program.input(name, index, type_of(dtype), varying=varying)
    return result
