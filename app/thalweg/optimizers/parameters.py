"""The parameters of optimizers by name: what each means, and which values it takes.

A class of optimizer says which parameters it has, with their types and defaults; what is said here holds for every
class that has one of that name. Where a class means something else by a name, its family says so beside the class.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a parameter means, and which values it takes.

    Attributes:
        description: A phrase for the schema.
        other: What probes try beside the default; of a flag they try the opposite.
        bounds: `ge`, `gt`, `le` and `lt` of the number, or of each number of a tuple.
        bounds_of: The same for the numbers of a tuple one by one, where they differ.
        choices: The texts that it can be.
    """

    description: str
    other: Any = None
    bounds: Mapping[str, float] | None = None
    bounds_of: tuple[Mapping[str, float], ...] = ()
    choices: tuple[str, ...] = ()


_NOT_NEGATIVE: Final = {"ge": 0}
_UP_TO_ONE: Final = {"ge": 0, "le": 1}
_BELOW_ONE: Final = {"ge": 0, "lt": 1}

PARAMETERS: Final[Mapping[str, Parameter]] = {
    "alpha": Parameter("decay of the running average of the squares", 0.5, _UP_TO_ONE),
    "amsgrad": Parameter("divide by the largest average so far, not the current one"),
    "betas": Parameter("decay of the running averages of the gradient and of its square", (0.5, 0.75), _BELOW_ONE),
    "centered": Parameter("scale by the variance, not by the mean square"),
    "dampening": Parameter("fraction of the gradient kept out of the momentum", 0.25),
    "decoupled_weight_decay": Parameter("decay the weights separately from the gradient, as AdamW does"),
    "eps": Parameter("added to the denominator, against division by zero", 1e-3, _NOT_NEGATIVE),
    "initial_accumulator_value": Parameter("initial value of the sum of squares", 0.5, _NOT_NEGATIVE),
    "lr": Parameter("learning rate", 0.25, {"gt": 0, "le": 1e308}),
    "lr_decay": Parameter("how fast the learning rate falls with the steps", 0.5, _NOT_NEGATIVE),
    "maximize": Parameter("go uphill instead of downhill"),
    "momentum": Parameter("fraction of the last step that is kept", 0.5, _NOT_NEGATIVE),
    "momentum_decay": Parameter("how fast the momentum warms up", 0.5, _NOT_NEGATIVE),
    "nesterov": Parameter("look ahead along the momentum"),
    "rho": Parameter("decay of the running averages of the squares", 0.5, _UP_TO_ONE),
    "weight_decay": Parameter("strength of the pull towards zero", 0.5, _NOT_NEGATIVE),
}
