"""Optimizers that native code defines a second time, because their code cannot be traced."""

import torch

from thalweg.optimizers.base import OptimizerParams


def is_lbfgs(optimizer: type[OptimizerParams]) -> bool:
    """Return whether an optimizer is torch's LBFGS, which branches and loops on data."""
    return optimizer.optimizer_class is torch.optim.LBFGS
