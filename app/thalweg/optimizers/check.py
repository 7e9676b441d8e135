"""Whether an optimizer and a schedule take their parameters: tried in one step, before a job is stored."""

from functools import lru_cache

import torch

from thalweg.errors import InvalidInput
from thalweg.optimizers.base import OptimizerParams, SchedulerParams
from thalweg.optimizers.families.torch_optim import Adam

_REFUSALS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
)


@lru_cache(maxsize=1024)  # few are asked for, and often; a refusal is not cached
def check(
    optimizer: OptimizerParams,
    scheduler: SchedulerParams | None = None,
    dtype: torch.dtype = torch.float64,
) -> None:
    """Take the optimizer, and the schedule with it, through its first step on a single number.

    What is raised in a later step is a result of the run.

    Raises:
        InvalidInput: One of them refuses; the path is ("optimizer",) or ("scheduler",).
    """
    point = torch.zeros((1, 1) if optimizer.matrices else 1, dtype=dtype, requires_grad=True)
    try:
        built = optimizer.build([point])
        _step(built, point, optimizer)
    except _REFUSALS as error:
        raise InvalidInput(f"{optimizer.name} cannot go with these parameters: {error}", "optimizer") from error
    if scheduler is None:
        return
    try:
        built = optimizer.build([point])
        schedule = scheduler.build(built)
        _step(built, point, optimizer)
        schedule.step(*([0] if scheduler.per_run else []))
    except _REFUSALS as error:
        raise InvalidInput(f"{scheduler.name} cannot go with {optimizer.name}: {error}", "scheduler") from error


def warm_up() -> None:
    """Build a first optimizer, for which torch imports for seconds, before anybody waits for it."""
    check(Adam.model_validate({}))


def _step(built: torch.optim.Optimizer, point: torch.Tensor, optimizer: OptimizerParams) -> None:
    # one with a closure would iterate on any other gradient
    point.grad = torch.zeros_like(point) if optimizer.closure else torch.ones_like(point)
    built.step(lambda: 0.0)
