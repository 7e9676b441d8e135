"""Schedules that see each run's own f: the step of torch's own class, traced on the numbers of one run.

The class computes in Python, on floats and counts. All its numbers are symbols: those that a step changes and that
the learning rate depends on are a run's state, the others are parameters, and inputs of the kernel.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import FunctionType
from typing import Any, Final

import torch
from torch.optim.lr_scheduler import LRScheduler

from thalweg.engine.fused.frontend.arithmetic import Scalars
from thalweg.engine.fused.frontend.program import Program, Value, inputs
from thalweg.engine.fused.frontend.symbol import Branches, Symbol
from thalweg.optimizers.base import OptimizerParams, SchedulerParams

_RATE: Final = "lr"
_F: Final = "f"


@dataclass(frozen=True, slots=True)
class OwnSchedule:
    """A schedule's step as values of a program of its own, whose inputs are `f` and the schedule's numbers by name.

    Attributes:
        state: The number of a run after the step, by name; the learning rate is `lr`.
        parameters: The names of numbers that stay the same.
    """

    state: Mapping[str, Value]
    parameters: tuple[str, ...]


def numbers_of(optimizer: OptimizerParams, scheduler: SchedulerParams) -> dict[str, float]:
    """Return the numbers of a schedule before its first step, by name."""
    built = _built(optimizer, scheduler)
    rate = built.optimizer.param_groups[0][_RATE]
    return {_RATE: float(rate), **{name: float(value) for name, value in _numbers(built)}}


def facts_of(scheduler: SchedulerParams) -> tuple[Any, ...]:
    """Return what the step of a schedule depends on beside its numbers: its class and its texts."""
    return scheduler.name, *(value for value in scheduler.arguments.values() if isinstance(value, str | bool))


def own_schedule(optimizer: OptimizerParams, scheduler: SchedulerParams) -> OwnSchedule:
    """Return the traced step of a schedule that sees each run's own f.

    Raises:
        TypeError: It is not arithmetic on numbers.
    """
    facts = facts_of(scheduler)
    if facts not in _traced:
        _traced[facts] = _trace(partial(_built, optimizer, scheduler))
    return _traced[facts]


_traced: Final[dict[tuple[Any, ...], OwnSchedule]] = {}


def _trace(build: Callable[[], LRScheduler]) -> OwnSchedule:
    names = (_F, _RATE, *(name for name, _ in _numbers(build())))
    program = Program()
    before = {name: program.input(name, 0, "double", varying=True) for name in names}
    after = _follow(build, program, before, ())
    moved = {name for name in names if name != _F and after[name] is not before[name]} | {_RATE}
    # what only counts on for itself is left out
    needed = {_RATE}
    while more := {source for name in needed for source in _sources(after[name])} & moved - needed:
        needed |= more
    used = {source for name in needed for source in _sources(after[name])} - needed - {_F}
    return OwnSchedule(
        {name: after[name] for name in names if name in needed}, tuple(name for name in names if name in used)
    )


def _sources(value: Value) -> set[str]:
    return {given.source[0] for given in inputs([value])}


def _follow(
    build: Callable[[], LRScheduler], program: Program, before: Mapping[str, Value], decisions: tuple[bool, ...]
) -> dict[str, Value]:
    """Return the numbers after a step, by name, with every branch beyond `decisions` traced."""
    schedule = build()
    branches = Branches(program, decisions)
    for name, _ in _numbers(schedule):
        _put(schedule, name, branches.number(before[name]))
    group = schedule.optimizer.param_groups[0]
    group[_RATE] = branches.number(before[_RATE])
    schedule.step(branches.number(before[_F]))  # type: ignore[arg-type]
    after = {_RATE: group[_RATE], **dict(_numbers(schedule))}
    result = {name: branches.value(number) for name, number in after.items()}
    for depth in reversed(range(len(decisions), len(branches.conditions))):
        taken = (*decisions, *[True] * (depth - len(decisions)), False)
        otherwise = _follow(build, program, before, taken)
        choose = partial(Scalars(program).where, branches.conditions[depth])
        result = {name: choose(value, otherwise[name]) for name, value in result.items()}
    return result


def _built(optimizer: OptimizerParams, scheduler: SchedulerParams) -> LRScheduler:
    built: Any = scheduler.build(optimizer.build([torch.zeros(1)]))
    built.__class__ = _seeing_symbols(built.__class__)
    return built  # type: ignore[no-any-return]


@cache
def _seeing_symbols(cls: Any) -> Any:
    """Return the class with `float` in its methods letting symbols pass, which Python's own cannot."""
    methods = {
        name: FunctionType(
            each.__code__,
            {**each.__globals__, "float": _number},
            name,
            each.__defaults__,
            each.__closure__,
        )
        for name, each in vars(cls).items()
        if isinstance(each, FunctionType)
    }
    return type(cls.__name__, (cls,), methods)


def _number(value: Any) -> Any:
    return value if isinstance(value, Symbol) else float(value)


def _numbers(schedule: LRScheduler) -> list[tuple[str, Any]]:
    """Return the numbers that a schedule keeps; one for its parameter group is kept in a list."""
    found = []
    for name, value in sorted(vars(schedule).items()):
        number = value[0] if isinstance(value, list) and len(value) == 1 else value
        if isinstance(number, int | float | Symbol) and not isinstance(number, bool):
            found.append((name, number))
    return found


def _put(schedule: LRScheduler, name: str, number: Any) -> None:
    setattr(schedule, name, [number] if isinstance(getattr(schedule, name), list) else number)


def placed(schedule: OwnSchedule, program: Program, given: Mapping[str, Value]) -> dict[str, Value]:
    """Return the state after a step as values of another program, where `given` are the inputs by name."""
    return dict(zip(schedule.state, program.copied(list(schedule.state.values()), given), strict=True))
