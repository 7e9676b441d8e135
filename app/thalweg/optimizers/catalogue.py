"""All optimizers that a job can name, family by family."""

import json
from collections.abc import Iterable
from typing import Annotated, Final

from thalweg.errors import NotFound, Remedy
from thalweg.optimizers.base import OptimizerParams
from thalweg.optimizers.by_name import ByName
from thalweg.optimizers.families import torch_optim, zoo
from thalweg.optimizers.family import Family

FAMILIES: Final = (torch_optim.FAMILY, zoo.FAMILY)


def joined(families: Iterable[Family]) -> tuple[type[OptimizerParams], ...]:
    """Return the optimizers of all families.

    Raises:
        TypeError: Two of them have the same name.
    """
    found: dict[str, type[OptimizerParams]] = {}
    for family in families:
        for optimizer in family.optimizers:
            name = optimizer.model_fields["name"].default
            if name in found:
                raise TypeError(f"{found[name].family} and {family.name} both have {name}: add one as `called`")
            found[name] = optimizer
    return tuple(found.values())


_OPTIMIZERS: Final = joined(FAMILIES)

REFUSED: Final = {name: reason for family in FAMILIES for name, reason in family.refused_optimizers.items()}
"""Optimizers that families leave out, with the reason."""


def optimizers() -> tuple[type[OptimizerParams], ...]:
    """Return all optimizers, in the order of the families and of their modules."""
    return _OPTIMIZERS


def find(name: str) -> type[OptimizerParams]:
    """Return the optimizer of this name.

    Raises:
        NotFound: There is none.
    """
    for optimizer in _OPTIMIZERS:
        if optimizer.model_fields["name"].default == name:
            return optimizer
    why = f": {REFUSED[name]}" if name in REFUSED else ""
    raise NotFound(f"there is no optimizer {json.dumps(name[:50])}{why}", remedy=Remedy.optimizers)


Optimizer = Annotated[OptimizerParams, ByName(OptimizerParams, "optimizer", optimizers, REFUSED)]
"""A field of this type takes `"adam"` or `{"name": "adam", "betas": [0.9, 0.99]}` and holds that optimizer."""
