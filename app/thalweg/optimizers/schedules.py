"""The schedules of the learning rate: those of torch.optim.lr_scheduler that JSON can express."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import torch
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from torch.optim import lr_scheduler

from thalweg.errors import InvalidInput
from thalweg.lists import StopEarly
from thalweg.optimizers.base import (
    BelowOne,
    Count,
    CountFromZero,
    Flag,
    NotNegative,
    Positive,
    SchedulerParams,
    UpToOne,
)
from thalweg.optimizers.by_name import ByName

MAX_DEPTH = 3
MAX_MEMBERS = 100

_FUNCTION = "it needs a function in Python, which JSON cannot hold; try sequential_lr or multi_step_lr"
REFUSED = {"lambda_lr": _FUNCTION, "multiplicative_lr": _FUNCTION}

Gamma = Annotated[NotNegative, Field(description="factor by which the learning rate changes")]
TotalIters = Annotated[Count, Field(description="steps until the end is reached")]
EtaMin = Annotated[NotNegative, Field(description="smallest learning rate")]
CycleMomentum = Annotated[
    Flag, Field(description="move the momentum (or the first beta) opposite to the learning rate")
]
BaseMomentum = Annotated[BelowOne, Field(description="smallest momentum, at the largest learning rate")]
MaxMomentum = Annotated[BelowOne, Field(description="largest momentum, at the smallest learning rate")]


class StepLR(SchedulerParams):
    """Multiplies the learning rate by gamma every `step_size` steps."""

    torch_class = lr_scheduler.StepLR
    title = "Step decay"

    name: Literal["step_lr"] = "step_lr"
    step_size: Annotated[Count, Field(description="steps between changes")]
    gamma: Gamma = 0.1


class MultiStepLR(SchedulerParams):
    """Multiplies the learning rate by gamma at each milestone."""

    torch_class = lr_scheduler.MultiStepLR
    title = "Decay at milestones"

    name: Literal["multi_step_lr"] = "multi_step_lr"
    milestones: Annotated[
        tuple[CountFromZero, ...], Field(max_length=1000, description="steps at which it changes"), StopEarly()
    ]
    gamma: Gamma = 0.1

    @model_validator(mode="after")
    def _check_power(self) -> Self:
        try:
            self.gamma ** max(Counter(self.milestones).values(), default=1)
        except OverflowError as error:
            raise InvalidInput("gamma is too large for a milestone that is repeated", "gamma") from error
        return self


class ConstantLR(SchedulerParams):
    """Multiplies the learning rate by a factor until `total_iters`."""

    torch_class = lr_scheduler.ConstantLR
    title = "Smaller to begin with"

    name: Literal["constant_lr"] = "constant_lr"
    # torch accepts 0, and divides by it when it restores the learning rate
    factor: Annotated[Positive, Field(le=1, description="factor of the learning rate")] = 1 / 3
    total_iters: TotalIters = 5


class LinearLR(SchedulerParams):
    """Moves the learning rate linearly from one factor to another."""

    torch_class = lr_scheduler.LinearLR
    title = "Linear warm-up or decay"

    name: Literal["linear_lr"] = "linear_lr"
    start_factor: Annotated[Positive, Field(le=1, description="factor at the first step")] = 1 / 3
    end_factor: Annotated[UpToOne, Field(description="factor from `total_iters` on")] = 1.0
    total_iters: TotalIters = 5


class ExponentialLR(SchedulerParams):
    """Multiplies the learning rate by gamma at every step."""

    torch_class = lr_scheduler.ExponentialLR
    title = "Exponential decay"

    name: Literal["exponential_lr"] = "exponential_lr"
    gamma: Gamma


class PolynomialLR(SchedulerParams):
    """Lets the learning rate fall to zero as a power of the steps that are left."""

    torch_class = lr_scheduler.PolynomialLR
    title = "Polynomial decay to zero"

    name: Literal["polynomial_lr"] = "polynomial_lr"
    total_iters: TotalIters = 5
    power: Annotated[NotNegative, Field(description="power of the decay")] = 1.0


class CosineAnnealingLR(SchedulerParams):
    """Swings the learning rate between its start and `eta_min` along a cosine."""

    torch_class = lr_scheduler.CosineAnnealingLR
    title = "Cosine annealing"
    paper = "Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983"

    name: Literal["cosine_annealing_lr"] = "cosine_annealing_lr"
    T_max: Annotated[Count, Field(description="steps from the largest to the smallest")]
    eta_min: EtaMin = 0.0


class CosineAnnealingWarmRestarts(SchedulerParams):
    """Lets the learning rate fall along a cosine and jump back, again and again."""

    torch_class = lr_scheduler.CosineAnnealingWarmRestarts
    title = "Cosine annealing with warm restarts"
    paper = "Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983"

    name: Literal["cosine_annealing_warm_restarts"] = "cosine_annealing_warm_restarts"
    T_0: Annotated[Count, Field(description="steps until the first restart")]
    T_mult: Annotated[Count, Field(description="factor of that number after each restart")] = 1
    eta_min: EtaMin = 0.0


class CyclicLR(SchedulerParams):
    """Moves the learning rate up and down between two bounds; the job's own is not used."""

    torch_class = lr_scheduler.CyclicLR
    title = "Triangular cycles"
    paper = "Smith 2017, https://arxiv.org/abs/1506.01186"
    refused: ClassVar[Mapping[str, str]] = {
        **SchedulerParams.refused,
        "scale_fn": "needs a function in Python, which JSON cannot hold; mode offers three",
        "scale_mode": "has an effect only with scale_fn, which JSON cannot hold",
    }

    name: Literal["cyclic_lr"] = "cyclic_lr"
    base_lr: Annotated[NotNegative, Field(description="smallest learning rate, and the first")]
    max_lr: Annotated[Positive, Field(description="largest learning rate")]
    step_size_up: Annotated[Count, Field(description="steps from the smallest to the largest")] = 2000
    step_size_down: Annotated[
        Count | None, Field(description="steps from the largest to the smallest; the same as up if null")
    ] = None
    mode: Annotated[
        Literal["triangular", "triangular2", "exp_range"],
        Field(description="cycles of one height, halved each time, or scaled by gamma to the power of the step"),
    ] = "triangular"
    gamma: Gamma = 1.0
    cycle_momentum: CycleMomentum = True
    base_momentum: BaseMomentum = 0.8
    max_momentum: MaxMomentum = 0.9

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.base_lr > self.max_lr:
            raise InvalidInput(f"base_lr, {self.base_lr}, is above max_lr, {self.max_lr}", "base_lr")
        return self

    @property
    def moves_momentum(self) -> bool:
        """Whether it changes the momentum too."""
        return self.cycle_momentum

    @property
    def begins_without_momentum(self) -> bool:
        """Whether the largest momentum, which is the first, is 0."""
        return self.cycle_momentum and self.max_momentum == 0

    @property
    def momentum_overshoots(self) -> bool:
        """Whether cycles grow with a gamma above 1."""
        return self.cycle_momentum and self.mode == "exp_range" and self.gamma > 1

    @property
    def max_steps(self) -> int | None:
        """The step at which torch's scale overflows: 2 ** cycle, or gamma ** step with a gamma above 1."""
        if self.mode == "triangular2":
            return 1024 * (self.step_size_up + (self.step_size_down or self.step_size_up)) - 1
        if self.mode == "exp_range" and self.gamma > 1:
            return int(709 / math.log(self.gamma))
        return None


class OneCycleLR(SchedulerParams):
    """Moves the learning rate up and then far down, once; the job's own is not used.

    Its length is not taken from the job's steps, because a job can be extended.
    """

    torch_class = lr_scheduler.OneCycleLR
    title = "One cycle"
    paper = "Smith and Topin 2018, https://arxiv.org/abs/1708.07120"

    name: Literal["one_cycle_lr"] = "one_cycle_lr"
    max_lr: Annotated[Positive, Field(description="largest learning rate")]
    total_steps: Annotated[Count | None, Field(description="steps of the cycle")] = None
    epochs: Annotated[Count | None, Field(description="with steps_per_epoch, in place of total_steps")] = None
    steps_per_epoch: Annotated[Count | None, Field(description="with epochs, in place of total_steps")] = None
    pct_start: Annotated[UpToOne, Field(description="fraction of the cycle spent going up")] = 0.3
    anneal_strategy: Annotated[Literal["cos", "linear"], Field(description="shape of the curve")] = "cos"
    cycle_momentum: CycleMomentum = True
    base_momentum: BaseMomentum = 0.85
    max_momentum: MaxMomentum = 0.95
    div_factor: Annotated[Positive, Field(description="the largest learning rate over the first")] = 25.0
    final_div_factor: Annotated[Positive, Field(description="the first learning rate over the last")] = 1e4
    three_phase: Annotated[Flag, Field(description="down in two phases, the first mirroring the way up")] = False

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.total_steps is None and (self.epochs is None or self.steps_per_epoch is None):
            raise InvalidInput(
                "give total_steps, or epochs and steps_per_epoch: its length is not taken from the job's steps",
                "total_steps",
            )
        return self

    @property
    def moves_momentum(self) -> bool:
        """Whether it changes the momentum too."""
        return self.cycle_momentum

    @property
    def begins_without_momentum(self) -> bool:
        """Whether the largest momentum, which is the first, is 0."""
        return self.cycle_momentum and self.max_momentum == 0

    @property
    def max_steps(self) -> int:
        """The length of the cycle; one less where the last phase is empty and torch divides by its length."""
        steps = self.total_steps or (self.epochs or 1) * (self.steps_per_epoch or 1)
        before = 2 * self.pct_start * steps - 2 if self.three_phase else self.pct_start * steps - 1
        return steps - 1 if before == steps - 1 else steps


class ReduceLROnPlateau(SchedulerParams):
    """Multiplies a run's learning rate by a factor when its f has not improved for a while."""

    torch_class = lr_scheduler.ReduceLROnPlateau
    title = "Reduce on a plateau"
    per_run: ClassVar[bool] = True

    name: Literal["reduce_lr_on_plateau"] = "reduce_lr_on_plateau"
    mode: Annotated[Literal["min", "max"], Field(description="whether a lower or a higher f is better")] = "min"
    factor: Annotated[BelowOne, Field(description="factor by which the learning rate changes")] = 0.1
    patience: Annotated[CountFromZero, Field(description="steps without improvement before it is reduced")] = 10
    threshold: Annotated[NotNegative, Field(description="smallest change that counts as an improvement")] = 1e-4
    threshold_mode: Annotated[
        Literal["rel", "abs"], Field(description="whether threshold is relative to the best f")
    ] = "rel"
    cooldown: Annotated[CountFromZero, Field(description="steps after a change before counting resumes")] = 0
    min_lr: Annotated[NotNegative, Field(description="smallest learning rate")] = 0
    eps: Annotated[NotNegative, Field(description="changes smaller than this are skipped")] = 1e-8


def _all() -> tuple[type[SchedulerParams], ...]:
    return schedulers()  # a function of its own, because the last schedulers, below, have schedulers as members


Scheduler = Annotated[SchedulerParams, ByName(SchedulerParams, "scheduler", _all, REFUSED)]
"""A field of this type takes `"linear_lr"` or `{"name": "step_lr", "step_size": 30}` and holds that class."""


def _check_depth(value: Any) -> Any:
    # before the members are validated, so that deep JSON cannot exhaust the stack
    if _depth(value) > MAX_DEPTH:
        raise InvalidInput(f"schedulers can be nested at most {MAX_DEPTH} deep")
    return value


def _depth(members: Any, counted: int = 1) -> int:
    if counted > MAX_DEPTH or not isinstance(members, list | tuple):
        return counted
    inner = (
        member.get("schedulers") if isinstance(member, Mapping) else getattr(member, "schedulers", None)
        for member in members
    )
    return max((_depth(each, counted + 1) for each in inner if each is not None), default=counted)


def _check_members(members: tuple[SchedulerParams, ...]) -> tuple[SchedulerParams, ...]:
    if _n_members(members) > MAX_MEMBERS:
        raise InvalidInput(f"a scheduler can combine at most {MAX_MEMBERS} others")
    for index, member in enumerate(members):
        if member.per_run:
            raise InvalidInput(
                f"{member.name} cannot be combined: no scheduler passes the value of f on to it", index
            )
    return members


def _n_members(members: tuple[SchedulerParams, ...]) -> int:
    return sum(1 + _n_members(getattr(member, "schedulers", ())) for member in members)


Members = Annotated[
    tuple[Scheduler, ...],
    Field(min_length=1, max_length=20, fail_fast=True),
    BeforeValidator(_check_depth),
    AfterValidator(_check_members),
]


class SequentialLR(SchedulerParams):
    """Follows one schedule after the other, from each milestone on the next."""

    model_config = ConfigDict(defer_build=True)  # its members can be any scheduler, the one below included
    torch_class = lr_scheduler.SequentialLR
    title = "Several, one after another"

    name: Literal["sequential_lr"] = "sequential_lr"
    schedulers: Annotated[Members, Field(description="the schedules, first to last")]
    milestones: Annotated[
        tuple[Count, ...],
        Field(max_length=19, description="steps at which the second, third ... begin"),
        StopEarly(),
    ]

    @field_validator("schedulers")
    @classmethod
    def _check_composites(cls, members: tuple[SchedulerParams, ...]) -> tuple[SchedulerParams, ...]:
        # torch starts a first composite at the wrong step, and raises at the milestone of a later one
        for index, member in enumerate(members):
            if hasattr(member, "schedulers"):
                raise InvalidInput(f"torch cannot start a {member.name} within a sequential_lr", index)
        return members

    @model_validator(mode="after")
    def _check_milestones(self) -> Self:
        if len(self.milestones) != len(self.schedulers) - 1:
            raise InvalidInput(
                f"{len(self.schedulers)} schedulers need {len(self.schedulers) - 1} milestones, not "
                f"{len(self.milestones)}",
                "milestones",
            )
        if any(a >= b for a, b in zip(self.milestones, self.milestones[1:], strict=False)):
            raise InvalidInput("the milestones must increase", "milestones")
        return self

    @property
    def moves_momentum(self) -> bool:
        """Whether it changes the momentum too."""
        return any(member.moves_momentum for member in self.schedulers)

    @property
    def begins_without_momentum(self) -> bool:
        """Whether that of a member may."""
        return any(member.begins_without_momentum for member in self.schedulers)

    @property
    def momentum_overshoots(self) -> bool:
        """Whether a member does."""
        return any(member.momentum_overshoots for member in self.schedulers)

    @property
    def max_steps(self) -> int | None:
        """The end of the first member that ends before its successor begins."""
        begins = (0, *self.milestones)
        ends: tuple[float, ...] = (*self.milestones, math.inf)
        for member, begin, end in zip(self.schedulers, begins, ends, strict=True):
            if (most := member.max_steps) is not None and begin + most < end - 1:
                return begin + most
        return None

    def build(self, optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        """Return torch's schedule for `optimizer`, with its members."""
        members = [member.build(optimizer) for member in self.schedulers]
        return lr_scheduler.SequentialLR(optimizer, members, list(self.milestones))


class ChainedScheduler(SchedulerParams):
    """Steps several schedules together, each upon what the one before it did."""

    model_config = ConfigDict(defer_build=True)
    torch_class = lr_scheduler.ChainedScheduler
    title = "Several, combined"

    name: Literal["chained_scheduler"] = "chained_scheduler"
    schedulers: Annotated[Members, Field(description="the schedules, first to last")]

    @property
    def moves_momentum(self) -> bool:
        """Whether it changes the momentum too."""
        return any(member.moves_momentum for member in self.schedulers)

    @property
    def begins_without_momentum(self) -> bool:
        """Whether that of a member may."""
        return any(member.begins_without_momentum for member in self.schedulers)

    @property
    def momentum_overshoots(self) -> bool:
        """Whether a member does."""
        return any(member.momentum_overshoots for member in self.schedulers)

    @property
    def max_steps(self) -> int | None:
        """The smallest `max_steps` of its members."""
        return min((most for member in self.schedulers if (most := member.max_steps) is not None), default=None)

    def build(self, optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        """Return torch's schedule for `optimizer`, with its members."""
        return lr_scheduler.ChainedScheduler([each.build(optimizer) for each in self.schedulers], optimizer)


def schedulers() -> tuple[type[SchedulerParams], ...]:
    """Return all schedulers, in the order of this module."""
    return tuple(SchedulerParams.__subclasses__())
