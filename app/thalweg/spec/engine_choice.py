"""The engine of a job: decided by its specification and recorded facts, and so the same on every machine."""

from typing import Final, Literal

from thalweg.functions.base import Objective
from thalweg.optimizers.base import OptimizerParams, SchedulerParams

EngineName = Literal["eager", "fused"]

MAX_FUSED_DIM: Final = 10_000

MAX_NARROW_DIM: Final = 16
"""Coordinates up to which runs lie side by side in vectors; above, the coordinates of a run do."""

MAX_NARROW_VALUES: Final = 1_000
"""Values computed per point up to which a formula is compiled to a straight line, without loops."""


def is_wide(optimizer: OptimizerParams, objective: Objective) -> bool:
    """Return whether the fused engine takes the runs of a job one by one, with loops over their coordinates."""
    return optimizer.coupled or needs_loops(objective)


def needs_loops(objective: Objective) -> bool:
    """Return whether an objective is compiled with loops over its coordinates, and not to a straight line."""
    if objective.dim > MAX_NARROW_DIM or objective.matrix_shapes:
        return True
    return objective.n_values > MAX_NARROW_VALUES


def obstacle(optimizer: OptimizerParams, scheduler: SchedulerParams | None, objective: Objective) -> str | None:
    """Return why a job cannot run on the fused engine, as a sentence; None if it can."""
    return (
        _obstacle_of_optimizer(optimizer)
        or objective.untraceable
        or (scheduler and _obstacle_of_scheduler(optimizer, scheduler))
        or _obstacle_of_dim(objective.dim)
    )


def _obstacle_of_optimizer(optimizer: OptimizerParams) -> str | None:
    reason = optimizer.record.unfused
    return None if reason is None else f"{optimizer.name} {reason}"


def _obstacle_of_scheduler(optimizer: OptimizerParams, scheduler: SchedulerParams) -> str | None:
    if scheduler.per_run and optimizer.closure:
        return f"{scheduler.name} moves the learning rate of each run, and that of {optimizer.name} is all runs'"
    if scheduler.moves_momentum and not {"betas", "momentum"} & set(optimizer.record.inputs):
        return f"{scheduler.name} cycles the momentum of {optimizer.name} too, unless cycle_momentum is false"
    if scheduler.begins_without_momentum:
        return f"{scheduler.name} begins with a momentum of 0, where torch keeps no average yet"
    return None


def _obstacle_of_dim(dim: int) -> str | None:
    if dim > MAX_FUSED_DIM:
        return f"the fused engine takes up to {MAX_FUSED_DIM} coordinates, and the points have {dim}"
    return None
