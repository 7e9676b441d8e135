"""All optimizers that a job can name, family by family."""

from typing import Annotated

from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.by_name import ByName
from thalweg.optimizers.families import torch_optim

FAMILIES = (torch_optim.FAMILY,)


def optimizers() -> tuple[type[OptimizerParams], ...]:
    """Return all optimizers, family by family, each in the order in which it lists them."""
    return tuple(optimizer for family in FAMILIES for optimizer in family.optimizers)


REFUSED = {name: reason for family in FAMILIES for name, reason in family.refused_optimizers.items()}
"""Optimizers that a package has and the catalogue has not, with the reason."""

Optimizer = Annotated[OptimizerParams, ByName(OptimizerParams, "optimizer", optimizers, REFUSED)]
"""A field of this type takes `"adam"` or `{"name": "adam", "betas": [0.9, 0.99]}` and holds that optimizer."""
