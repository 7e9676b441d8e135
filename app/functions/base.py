"""What every objective promises, and what the catalogue knows about a test function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch

from app.errors import InvalidInput

Evaluate: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
Box: TypeAlias = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Minimum:
    """A global minimiser `x` and the value `f` there, correct to the last digit of a double."""

    x: tuple[float, ...]
    f: float


Minima: TypeAlias = tuple[Minimum, ...] | Callable[[int], tuple[Minimum, ...]]


class Objective(Protocol):
    """Anything that can be minimised: it gives each point a value of its own."""

    @property
    def dim(self) -> int:
        """The number of coordinates of a point."""
        ...

    def __call__(self, points: torch.Tensor, step: int = 0) -> torch.Tensor:
        """Return the value of each point, for points of shape (..., dim) values of shape (...).

        Args:
            points: Where to evaluate, float32 or float64.
            step: Which step of the descent asks, for objectives that draw noise or a mini-batch by it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Function:
    """A test function with the facts that the literature states about it.

    Attributes:
        name: The name that a job calls it by.
        title: The name that people read.
        evaluate: Points of shape (..., dim) to values of shape (...). A point gives the same bits alone and
            as a row of a batch, in value and gradient.
        domain: The bounds of each coordinate; of an any-dimensional function one pair that holds for all.
        minima: All global minima in the domain; of an any-dimensional function by dimension.
        formula: The definition in LaTeX.
        source: Who published it, where and when.
        smooth: Whether it is differentiable everywhere in the domain, the minima included.
        dim: The dimension, or None where any from `min_dim` on will do.
        min_dim: The least dimension of an any-dimensional function.
    """

    name: str
    title: str
    evaluate: Evaluate
    domain: Box
    minima: Minima
    formula: str
    source: str
    smooth: bool = True
    dim: int | None = None
    min_dim: int = 1

    def at(self, dim: int | None = None) -> "CatalogueObjective":
        """Return this function as an objective of points with `dim` coordinates.

        Args:
            dim: The dimension; None means the function's own, or 2 where it has any.

        Raises:
            InvalidInput: The function does not take points of this dimension.
        """
        if self.dim is not None:
            if dim not in {None, self.dim}:
                raise InvalidInput(f"{self.name} takes points of dimension {self.dim}, not {dim}")
            return CatalogueObjective(self, self.dim)
        bound = max(2, self.min_dim) if dim is None else dim
        if bound < self.min_dim:
            raise InvalidInput(f"{self.name} takes points of dimension {self.min_dim} or more, not {bound}")
        return CatalogueObjective(self, bound)


@dataclass(frozen=True, slots=True)
class CatalogueObjective:
    """A catalogue function bound to a dimension; it is made by `Function.at`."""

    function: Function
    dim: int

    @property
    def domain(self) -> Box:
        """The bounds of each coordinate, `dim` pairs."""
        box = self.function.domain
        return box * self.dim if self.function.dim is None else box

    @property
    def minima(self) -> tuple[Minimum, ...]:
        """All global minima in the domain, in the order of the entry."""
        minima = self.function.minima
        return minima(self.dim) if callable(minima) else minima

    def __call__(self, points: torch.Tensor, step: int = 0) -> torch.Tensor:  # noqa: ARG002 - no noise here
        """Return values of shape (...) for points of shape (..., dim), the same at every step."""
        return self.function.evaluate(points)


def function(
    *,
    title: str,
    domain: Box,
    minima: Minima,
    formula: str,
    source: str,
    smooth: bool = True,
    dim: int | None = None,
    min_dim: int = 1,
) -> Callable[[Evaluate], Function]:
    """Turn the evaluating function below into the catalogue entry of its name, with the facts given here."""

    def entry(evaluate: Evaluate) -> Function:
        return Function(
            name=evaluate.__name__,
            title=title,
            evaluate=evaluate,
            domain=domain,
            minima=minima,
            formula=formula,
            source=source,
            smooth=smooth,
            dim=dim,
            min_dim=min_dim,
        )

    return entry


def everywhere(coordinate: float, f: float = 0.0) -> Callable[[int], tuple[Minimum, ...]]:
    """Return, by dimension, the one minimum with all coordinates equal, each adding `f` to the value."""
    return lambda dim: (Minimum((coordinate,) * dim, dim * f),)


def row_sum(terms: torch.Tensor) -> torch.Tensor:
    """Return the sum over the last axis, each row's with the bits that it has alone.

    torch picks the order of additions by memory layout; only a contiguous row is always added in the same.
    """
    return terms.contiguous().sum(-1)


def row_norm(points: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean norm over the last axis, with the bits that each row has alone.

    Its subgradient at 0 is 0, where a root of a sum of squares has the gradient NaN.
    """
    norm: torch.Tensor = torch.linalg.vector_norm(points.contiguous(), dim=-1)
    return norm
