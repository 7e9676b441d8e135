"""The loops that somebody writes by hand with the classes of pytorch_optimizer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytorch_optimizer
import torch

from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.families.zoo import FAMILY
from thalweg.spec.job import JobSpec

BY_NAME = {str(cls.model_fields["name"].default): cls for cls in FAMILY.optimizers}
FUSED = [name for name, cls in BY_NAME.items() if cls.record.unfused is None]


def class_of(params: type[OptimizerParams]) -> Callable[..., torch.optim.Optimizer]:
    """Return the class of the package that a name stands for."""
    found: Callable[..., torch.optim.Optimizer] = getattr(pytorch_optimizer, params.__name__.removeprefix("Zoo"))
    return found


def by_hand(spec: JobSpec, run: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and f of a run, in a loop around the class; it ends where the run does."""
    f = spec.objective()
    x = torch.from_numpy(spec.starts()[run].copy()).requires_grad_()
    params = spec.optimizer
    optimizer: Any = class_of(type(params))([x], **params.arguments, **params.fixed)
    xs, fs = [x.detach().clone()], [f(x).detach()]

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value: torch.Tensor = f(x)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    while len(xs) <= spec.steps and torch.isfinite(fs[-1]) and torch.isfinite(xs[-1]).all():
        if params.closure:
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
        xs.append(x.detach().clone())
        fs.append(f(x).detach())
    return torch.stack(xs).numpy(), torch.stack(fs).numpy()
