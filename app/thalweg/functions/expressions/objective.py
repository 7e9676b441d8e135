"""A formula of a given dimension as an objective."""

from dataclasses import dataclass

import numpy as np
import torch

from thalweg.functions.base import Box
from thalweg.functions.expressions.binding import Bound
from thalweg.functions.expressions.steps import Frame
from thalweg.functions.minima import ListedMinima


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionObjective:
    """A formula bound to a dimension, made by `ExpressionReference.objective`.

    Attributes:
        dim: Number of coordinates.
        domain: Bounds of each coordinate; None if the client gave none.
    """

    dim: int
    domain: Box | None
    bound: Bound
    has_vector: bool

    @property
    def minima(self) -> ListedMinima:
        """Empty: the minima of a formula are not known."""
        return ListedMinima()

    @property
    def n_values(self) -> int:
        """Approximate number of values computed per point."""
        return max(self.dim, self.bound.n_values)

    @property
    def matrix_shapes(self) -> tuple[()]:
        """Empty: a point is a plain vector."""
        return ()

    @property
    def untraceable(self) -> str | None:
        """Why the formula cannot be compiled to native code, as a sentence; None if it can."""
        if self.bound.untraceable is not None:
            return f"{self.bound.untraceable} and its gradient exist in torch only"
        return None

    def __call__(
        self,
        points: torch.Tensor,
        step: int = 0,  # noqa: ARG002 - does not depend on the step
        runs: np.ndarray | None = None,  # noqa: ARG002 - nor on the run
    ) -> torch.Tensor:
        """Return values of shape (...) for points of shape (..., dim)."""
        coordinates = () if self.has_vector else points.unbind(-1)
        frame = Frame(points, coordinates, self.bound.cells)
        value = frame.tensor(self.bound.step.evaluate(frame))
        if value.shape != points.shape[:-1] or (points.requires_grad and not value.requires_grad):
            # a constant needs a gradient too: of zeros
            value = value + points[..., 0].sign() * 0.0
        return value
