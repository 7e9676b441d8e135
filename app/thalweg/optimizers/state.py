"""What an optimizer keeps from step to step, by name."""

from functools import lru_cache

import torch

from thalweg.optimizers.base import OptimizerParams

_SIZE = 3
_STEPS = 2  # what the first creates, and what only the second does


def state_vectors(optimizer: OptimizerParams) -> tuple[str, ...]:
    """Return the names of the state in which an optimizer keeps a number for each coordinate, sorted."""
    return _found(type(optimizer), optimizer.model_dump_json())


@lru_cache(maxsize=256)
def _found(cls: type[OptimizerParams], text: str) -> tuple[str, ...]:
    shape = (_SIZE, _SIZE) if cls.matrices else (_SIZE,)
    point = torch.ones(shape, dtype=torch.float64, requires_grad=True)
    optimizer = cls.model_validate_json(text).build([point])
    for _ in range(_STEPS):
        point.grad = torch.ones_like(point)
        optimizer.step(lambda: 1.0)
    kept = optimizer.state[point].items()
    return tuple(sorted(name for name, value in kept if isinstance(value, torch.Tensor) and value.shape == shape))
