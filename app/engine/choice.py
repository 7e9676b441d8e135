"""Which engine runs a job: decided from its specification alone, so that it is the same on every machine."""

from typing import Literal

from app.optimizers.base import OptimizerParams, SchedulerParams

EngineName = Literal["eager", "fused"]

MAX_FUSED_DIM = 16


def obstacle(optimizer: OptimizerParams, scheduler: SchedulerParams | None, dim: int) -> str | None:
    """Return why a job cannot run on the fused engine, as a sentence; None if it can."""
    if optimizer.closure:
        return f"{optimizer.name} evaluates the function within a step, as often as it sees fit"
    if not optimizer.rowwise:
        return f"{optimizer.name} scales each coordinate by all the others"
    if scheduler is not None and scheduler.per_run:
        return f"{scheduler.name} looks at the value of each run"
    if scheduler is not None and scheduler.moves_momentum:
        return f"{scheduler.name} moves the momentum too; with cycle_momentum false it does not"
    if dim > MAX_FUSED_DIM:
        return f"the fused engine takes up to {MAX_FUSED_DIM} coordinates, and the points have {dim}"
    return None
