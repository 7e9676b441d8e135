"""Hyperparameters that a kernel takes as inputs: one kernel serves all their values.

Whether one is zero, positive or negative decides which operations run, so a kernel is made for the sign. A zero is
a constant of the kernel.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final, get_args

from thalweg.optimizers.base import OptimizerParams, SchedulerParams

WEIGHT: Final = ("betas", 0)
NEAR_HALF: Final = 0.01  # closer to it, a rounding to float32 may change the side


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A number of an optimizer's parameter group.

    Attributes:
        parameter: The parameter that it is, or is part of.
        place: Its place in a parameter that is a tuple; None in one that is a number.
        sign: -1, 0 or 1: the sign of all its values.
        moved: Whether a schedule can move it, as the learning rate. The sign is then that of the first value.
        unit: Whether all its values lie between 0 and 1, up to a rounding.
        fraction: Whether they do, and none is 1.
        above_half: Of the first of the betas, whether all its values are clearly above one half, or clearly below;
            else None. Torch computes the average of gradients from one end or from the other, and kernels that need
            not choose are a few percent faster.
        own: Whether each run has its own.
    """

    parameter: str
    place: int | None
    sign: int
    moved: bool = False
    unit: bool = False
    fraction: bool = False
    above_half: bool | None = None
    own: bool = False

    @property
    def label(self) -> str:
        """Its name: the parameter, and the place in it."""
        return self.parameter if self.place is None else f"{self.parameter}.{self.place}"

    @property
    def name(self) -> str:
        """Its name among the inputs of a program."""
        return f"{'own' if self.own else 'hyper'}.{self.label}"

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the kernel, and not a constant."""
        return self.moved or self.sign != 0

    def of(self, group: Mapping[str, Any]) -> float:
        """Return its value in a parameter group, or in the arguments of a class."""
        value = group[self.parameter]
        return float(value if self.place is None else value[self.place])

    def put(self, group: dict[str, Any], value: Any) -> None:
        """Set it in a parameter group."""
        if self.place is None:
            group[self.parameter] = value
        else:
            whole = group[self.parameter]
            group[self.parameter] = (*whole[: self.place], value, *whole[self.place + 1 :])


Own = tuple[tuple[str, bool | None], ...]
"""The hyperparameters of which each run has its own: the label of each, and its `above_half`."""


def hyperparameters(
    optimizer: OptimizerParams, scheduler: SchedulerParams | None = None, own: Own = ()
) -> tuple[Hyperparameter, ...]:
    """Return the numbers of an optimizer that can be inputs of a kernel, the learning rate first."""
    arguments = optimizer.arguments
    moved = moved_by(optimizer, scheduler)
    found = [Hyperparameter("lr", None, 1, moved=True, own=scheduler is not None and scheduler.per_run)]
    for parameter in optimizer.record.inputs:
        value = arguments[parameter]
        for place, number in [(None, value)] if isinstance(value, float) else enumerate(value):
            is_moved = (parameter, place) == moved
            # a schedule begins with a momentum above 0, see `thalweg.spec.engine_choice`
            sign = 1 if is_moved else (number > 0) - (number < 0)
            overshoots = is_moved and scheduler is not None and scheduler.momentum_overshoots
            unit = _is_up_to_one(type(optimizer), parameter) and not overshoots
            fraction = unit and not is_moved and number < 1
            is_plain = (parameter, place) == WEIGHT and unit and not is_moved
            side = number > 0.5 if is_plain and abs(number - 0.5) > NEAR_HALF else None
            found.append(Hyperparameter(parameter, place, sign, is_moved, unit, fraction, side))
    sides = dict(own)
    return tuple(
        replace(each, own=True, above_half=sides[each.label]) if each.label in sides else each for each in found
    )


def inputs_of(
    optimizer: OptimizerParams, scheduler: SchedulerParams | None = None, own: Own = ()
) -> tuple[Hyperparameter, ...]:
    """Return the numbers of an optimizer that are inputs of its kernel, the learning rate first."""
    return tuple(each for each in hyperparameters(optimizer, scheduler, own) if each.is_input)


def moved_by(optimizer: OptimizerParams, scheduler: SchedulerParams | None) -> tuple[str, int | None] | None:
    """Return parameter and place of the momentum that a schedule moves; None if it moves none."""
    if scheduler is None or not scheduler.moves_momentum:
        return None
    return ("betas", 0) if "betas" in optimizer.arguments else ("momentum", None)


@cache
def _is_up_to_one(cls: type[OptimizerParams], parameter: str) -> bool:
    """Return whether the numbers of a parameter are bounded by 0 and 1."""
    field: Any = cls.model_fields[parameter]
    fields = [each for part in get_args(field.annotation) for each in get_args(part)[1:]] or [field]
    bounds = [bound for each in fields for bound in each.metadata]
    low = (getattr(bound, "ge", getattr(bound, "gt", None)) for bound in bounds)
    high = (getattr(bound, "le", getattr(bound, "lt", None)) for bound in bounds)
    return {each for each in low if each is not None} == {0} and {each for each in high if each is not None} == {1}


def held(optimizer: OptimizerParams, scheduler: SchedulerParams | None = None, own: Own = ()) -> dict[str, Any]:
    """Return the arguments of an optimizer as far as they decide what a kernel computes; of an input, its facts."""
    arguments: dict[str, Any] = dict(optimizer.arguments)
    for each in hyperparameters(optimizer, scheduler, own):
        each.put(arguments, (each.sign, each.moved, each.unit, each.fraction, each.above_half, each.own))
    return arguments
