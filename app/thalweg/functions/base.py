"""What every objective promises, and what the catalogue knows about a test function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch

from thalweg.errors import InvalidInput
from thalweg.functions.minima import ListedMinima, Minima, MinimaGrid, Minimum

Evaluate: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
Box: TypeAlias = tuple[tuple[float, float], ...]


Domain: TypeAlias = Box | Callable[[int], Box]
MinimaRule: TypeAlias = Callable[[int], tuple[Minimum, ...] | MinimaGrid]


class Objective(Protocol):
    """Anything that can be minimised: it gives each point a value of its own."""

    @property
    def dim(self) -> int:
        """The number of coordinates of a point."""
        ...

    @property
    def domain(self) -> Box | None:
        """The bounds of each coordinate, `dim` pairs; None where nobody has said where to look."""
        ...

    @property
    def minima(self) -> Minima:
        """The known global minima in the domain; often none."""
        ...

    @property
    def n_values(self) -> int:
        """About how many numbers evaluating one point makes, for limits on time and memory."""
        ...

    @property
    def matrix_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of the matrices whose rows, one after the other, are a point; none if it is a plain vector.

        Of a network, column j of a matrix is what leads into node j of a layer: its weights, then its bias.
        """
        ...

    @property
    def untraceable(self) -> str | None:
        """Why its operations cannot be turned into native code, as a sentence; None if they can."""
        ...

    def __call__(self, points: torch.Tensor, step: int = 0, runs: np.ndarray | None = None) -> torch.Tensor:
        """Return the value of each point, for points of shape (..., dim) values of shape (...).

        Args:
            points: Where to evaluate, float32 or float64.
            step: Which step of the descent asks, for objectives that draw a mini-batch by it.
            runs: The number of the run that each point belongs to, `(n,)` for points `(n, dim)`, for the same
                purpose; None means all that there is, without a draw.
        """
        ...


@dataclass(frozen=True, slots=True)
class CatalogueFunction:
    """A test function with the facts that the literature states about it.

    Attributes:
        name: The name that a job calls it by.
        title: The name that people read.
        evaluate: Points of shape (..., dim) to values of shape (...). A point gives the same bits alone and
            as a row of a batch, in value and gradient.
        domain: The bounds of each coordinate; of an any-dimensional function one pair that holds for all, or
            a rule by dimension.
        minima: All known global minima in the domain; of an any-dimensional function by dimension.
        formula: The definition in LaTeX.
        source: Who published it, where and when.
        smooth: Whether it is differentiable everywhere in the domain, the minima included.
        dim: The dimension, or None where any from `min_dim` on will do.
        min_dim: The least dimension of an any-dimensional function, and
        max_dim: its largest, where a double could not hold its values beyond.
        dim_multiple: What the dimension of an any-dimensional function must be a multiple of.
        all_minima_to: The largest dimension for which `minima` are known to be all; None where they always are.
    """

    name: str
    title: str
    evaluate: Evaluate
    domain: Domain
    minima: tuple[Minimum, ...] | MinimaRule
    formula: str
    source: str
    smooth: bool = True
    dim: int | None = None
    min_dim: int = 1
    max_dim: int | None = None
    dim_multiple: int = 1
    all_minima_to: int | None = None

    def at(self, dim: int | None = None) -> "CatalogueObjective":
        """Return this function as an objective of points with `dim` coordinates.

        Args:
            dim: The dimension; None means the function's own, or 2 where it has any, or the least above.

        Raises:
            InvalidInput: The function does not take points of this dimension.
        """
        if self.dim is not None:
            if dim not in {None, self.dim}:
                raise InvalidInput(f"{self.name} takes points of dimension {self.dim}, not {dim}")
            return CatalogueObjective(self, self.dim)
        bound = self._shown_dim if dim is None else dim
        if bound < self.min_dim:
            raise InvalidInput(f"{self.name} takes points of dimension {self.min_dim} or more, not {bound}")
        if self.max_dim is not None and bound > self.max_dim:
            raise InvalidInput(
                f"{self.name} takes points of dimension {self.max_dim} or less, not {bound}: "
                "its values would be too large for a double"
            )
        if bound % self.dim_multiple:
            raise InvalidInput(
                f"{self.name} takes points whose dimension is a multiple of {self.dim_multiple}, not {bound}"
            )
        return CatalogueObjective(self, bound)

    @property
    def _shown_dim(self) -> int:
        least = max(2, self.min_dim)
        return least + -least % self.dim_multiple


@dataclass(frozen=True, slots=True)
class CatalogueObjective:
    """A catalogue function bound to a dimension; it is made by `CatalogueFunction.at`."""

    function: CatalogueFunction
    dim: int

    @property
    def domain(self) -> Box:
        """The bounds of each coordinate, `dim` pairs."""
        box = self.function.domain
        if callable(box):
            return box(self.dim)
        return box * self.dim if self.function.dim is None else box

    @property
    def minima(self) -> Minima:
        """All known global minima in the domain, in the order of the entry."""
        minima = self.function.minima
        found = minima(self.dim) if callable(minima) else minima
        return found if isinstance(found, MinimaGrid) else ListedMinima(found)

    @property
    def all_minima_known(self) -> bool:
        """Whether there are no other global minima in the domain than `minima`."""
        known_to = self.function.all_minima_to
        return known_to is None or self.dim <= known_to

    @property
    def n_values(self) -> int:
        """About how many numbers evaluating one point makes."""
        return 10 * self.dim

    @property
    def matrix_shapes(self) -> tuple[()]:
        """None: a point is a plain vector."""
        return ()

    @property
    def untraceable(self) -> None:
        """Nothing: every function of the catalogue can be turned into native code."""
        return None

    def __call__(
        self,
        points: torch.Tensor,
        step: int = 0,  # noqa: ARG002 - the same at every step
        runs: np.ndarray | None = None,  # noqa: ARG002 - and in every run
    ) -> torch.Tensor:
        """Return values of shape (...) for points of shape (..., dim)."""
        return self.function.evaluate(points)


def function(  # noqa: PLR0913 - as many as there are facts
    *,
    title: str,
    domain: Domain,
    minima: tuple[Minimum, ...] | MinimaRule,
    formula: str,
    source: str,
    smooth: bool = True,
    dim: int | None = None,
    min_dim: int = 1,
    max_dim: int | None = None,
    dim_multiple: int = 1,
    all_minima_to: int | None = None,
) -> Callable[[Evaluate], CatalogueFunction]:
    """Turn the evaluating function below into the catalogue entry of its name, with the facts given here."""

    def entry(evaluate: Evaluate) -> CatalogueFunction:
        return CatalogueFunction(
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
            max_dim=max_dim,
            dim_multiple=dim_multiple,
            all_minima_to=all_minima_to,
        )

    return entry


def everywhere(coordinate: float, f: float = 0.0) -> MinimaRule:
    """Return, by dimension, the one minimum with all coordinates equal, each adding `f` to the value."""
    return lambda dim: (Minimum((coordinate,) * dim, dim * f),)


def constants(values: Any, points: torch.Tensor) -> torch.Tensor:
    """Return numbers that belong to a formula, of any shape, as a tensor of the points' dtype."""
    return torch.tensor(values, dtype=points.dtype)


def counted(points: torch.Tensor) -> torch.Tensor:
    """Return 1, 2, ..., dim, `(dim,)`, of the points' dtype."""
    return constants([float(i) for i in range(1, points.shape[-1] + 1)], points)


def one_by_one(numbers: torch.Tensor) -> torch.Tensor:
    """Return the same numbers, laid out so that torch's kernels take them one by one.

    Where kernels have a vector path and a scalar one, it is the memory's gaps that choose the scalar one.
    """
    return torch.stack([numbers, numbers], dim=-1)[..., 0]


def row_sum(terms: torch.Tensor) -> torch.Tensor:
    """Return the sum over the last axis, each row's with the bits that it has alone.

    torch picks the order of additions by memory layout; only a contiguous row is always added in the same.
    """
    return terms.contiguous().sum(-1)


def row_product(factors: torch.Tensor) -> torch.Tensor:
    """Return the product over the last axis, halves multiplied with each other until one number is left.

    Its gradient needs no division and no branch, unlike that of torch's `prod`, where a factor is 0.
    """
    while (n := factors.shape[-1]) > 1:
        paired = factors[..., : n // 2] * factors[..., n // 2 : n // 2 * 2]
        factors = torch.cat([paired, factors[..., n // 2 * 2 :]], dim=-1)
    return factors[..., 0]


def row_max(
    terms: torch.Tensor, larger: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = torch.maximum
) -> torch.Tensor:
    """Return the largest number along the last axis; equal ones share the gradient pair by pair."""
    while (n := terms.shape[-1]) > 1:
        paired = larger(terms[..., : n // 2], terms[..., n // 2 : n // 2 * 2])
        terms = torch.cat([paired, terms[..., n // 2 * 2 :]], dim=-1)
    return terms[..., 0]


def row_norm(points: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean norm over the last axis, with the bits that each row has alone.

    Its subgradient at 0 is 0, where a root of a sum of squares has the gradient NaN.
    """
    norm: torch.Tensor = torch.linalg.vector_norm(points.contiguous(), dim=-1)
    return norm
