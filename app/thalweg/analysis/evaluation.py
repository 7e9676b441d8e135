"""Values, gradients and Hessians of a function at points that a client names."""

from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from thalweg.analysis.derivatives import all_derivatives, value_and_gradient, values
from thalweg.analysis.work import check_work
from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.settings import Limits
from thalweg.spec.function import FunctionField, objective_of
from thalweg.spec.starts import ManyPoints


class Evaluation(BaseModel):
    """The question for values, and optionally derivatives, of a function at some points."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"function": "himmelblau", "points": [[0, 0], [3, 2]], "gradient": True}]},
    )

    function: FunctionField
    points: ManyPoints
    gradient: Annotated[bool, Field(strict=True)] = False
    hessian: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        dim = len(self.points[0])
        for index, point in enumerate(self.points):
            if len(point) != dim:
                raise InvalidInput(f"this point has {len(point)} coordinates, the first has {dim}", "points", index)
        objective_of(self.function, dim, "points")
        return self

    def check_limits(self, limits: Limits) -> int:
        """Check the size of the answer; return about how many numbers are computed for it.

        Raises:
            LimitExceeded: The answer would hold too many numbers, or take too long.
        """
        dim = len(self.points[0])
        n_numbers = len(self.points) * (1 + self.gradient * dim + self.hessian * dim * dim)
        if n_numbers > limits.max_grid_points:
            raise LimitExceeded(
                f"the answer would hold {n_numbers} numbers, over this service's limit of "
                f"{limits.max_grid_points} (max_grid_points): send fewer points",
                "points",
            )
        cost = 1 + 3 * self.gradient + 4 * dim * self.hessian
        return check_work(self.function.objective(dim), cost * len(self.points), limits, "points")


@dataclass(frozen=True, slots=True)
class Derivatives:
    """Values and derivatives at n points, float64; None for what was not asked for."""

    f: np.ndarray  # (n,)
    gradient: np.ndarray | None  # (n, dim)
    hessian: np.ndarray | None  # (n, dim, dim)


def evaluate(request: Evaluation) -> Derivatives:
    """Return the values and derivatives asked for, by autograd in float64."""
    x = torch.tensor(request.points, dtype=torch.float64)
    objective = request.function.objective(x.shape[-1])
    if request.hessian:
        f, slope, curvature = all_derivatives(objective, x)
        return Derivatives(f.numpy(), slope.numpy() if request.gradient else None, curvature.numpy())
    if request.gradient:
        f, slope = value_and_gradient(objective, x)
        return Derivatives(f.numpy(), slope.numpy(), None)
    return Derivatives(values(objective, x).numpy(), None, None)
