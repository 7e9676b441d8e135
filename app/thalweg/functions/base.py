"""The protocol of objectives, entries of the catalogue, and reductions that do not depend on batching."""

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
    """A function to minimise: it maps each point to a value, independently of other points."""

    @property
    def dim(self) -> int:
        """The number of coordinates of a point."""
        ...

    @property
    def domain(self) -> Box | None:
        """The bounds of each coordinate, `dim` pairs; None if unknown."""
        ...

    @property
    def minima(self) -> Minima:
        """The known global minima in the domain; often none."""
        ...

    @property
    def n_values(self) -> int:
        """Approximate number of values computed per point, for limits on time and memory."""
        ...

    @property
    def matrix_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shapes of the matrices that a point holds, flattened row by row; empty for a plain vector.

        In a network, column j of a matrix holds the weights into node j of a layer, then its bias.
        """
        ...

    @property
    def untraceable(self) -> str | None:
        """Why its operations cannot be compiled to native code, as a sentence; None if they can."""
        ...

    def __call__(self, points: torch.Tensor, step: int = 0, runs: np.ndarray | None = None) -> torch.Tensor:
        """Return the value of each point, for points of shape (..., dim) values of shape (...).

        Args:
            points: Points to evaluate, float32 or float64.
            step: The step of the descent; selects the mini-batch.
            runs: The index of each point's run, `(n,)` for points `(n, dim)`; also selects the mini-batch. None
                evaluates on all samples.
        """
        ...


@dataclass(frozen=True, slots=True)
class CatalogueFunction:
    """A test function of the catalogue, with facts from the literature.

    Attributes:
        name: The name that a job refers to.
        title: The name to display.
        evaluate: Maps points of shape (..., dim) to values of shape (...). Value and gradient of a point are
            the same to the bit alone and in a batch.
        domain: The bounds of each coordinate; for any dimension, one pair for all coordinates or a function of
            the dimension.
        minima: All known global minima in the domain; for any dimension, a function of the dimension.
        formula: The definition in LaTeX.
        source: The publication.
        smooth: Whether the gradient is continuous in the whole domain, minima included.
        dim: The dimension; None for any dimension from `min_dim`.
        min_dim: The minimum of a variable dimension.
        max_dim: The maximum of a variable dimension, beyond which values overflow a double; None without one.
        dim_multiple: A divisor of a variable dimension.
        all_minima_to: The largest dimension for which `minima` are complete; None if they always are.
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
            dim: The dimension; by default the function's own, or for a variable one the smallest from 2.

        Raises:
            InvalidInput: The function does not have this dimension.
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
                "beyond that its values overflow a double"
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
        """All known global minima in the domain, in a fixed order."""
        minima = self.function.minima
        found = minima(self.dim) if callable(minima) else minima
        return found if isinstance(found, MinimaGrid) else ListedMinima(found)

    @property
    def all_minima_known(self) -> bool:
        """Whether `minima` are all global minima in the domain."""
        known_to = self.function.all_minima_to
        return known_to is None or self.dim <= known_to

    @property
    def n_values(self) -> int:
        """Approximate number of values computed per point."""
        return 10 * self.dim

    @property
    def matrix_shapes(self) -> tuple[()]:
        """Empty: a point is a plain vector."""
        return ()

    @property
    def untraceable(self) -> None:
        """None: every function of the catalogue can be compiled."""
        return None

    def __call__(
        self,
        points: torch.Tensor,
        step: int = 0,  # noqa: ARG002 - does not depend on the step
        runs: np.ndarray | None = None,  # noqa: ARG002 - nor on the run
    ) -> torch.Tensor:
        """Return values of shape (...) for points of shape (..., dim)."""
        return self.function.evaluate(points)


def function(  # noqa: PLR0913 - one per fact
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
    """Return a decorator that turns a function into the catalogue entry of its name."""

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
    """Return a rule: a single minimum with equal coordinates and the value `dim * f`."""
    return lambda dim: (Minimum((coordinate,) * dim, dim * f),)


def constants(values: Any, points: torch.Tensor) -> torch.Tensor:
    """Return constants of a formula, of any shape, as a tensor of the points' dtype."""
    return torch.tensor(values, dtype=points.dtype)


def counted(points: torch.Tensor) -> torch.Tensor:
    """Return 1, 2, ..., dim, `(dim,)`, of the points' dtype."""
    return constants([float(i) for i in range(1, points.shape[-1] + 1)], points)


def one_by_one(numbers: torch.Tensor) -> torch.Tensor:
    """Return the same numbers with a stride of 2, so that torch computes each with its scalar code.

    Kernels with a vector and a scalar path take the scalar one for memory with gaps.
    """
    return torch.stack([numbers, numbers], dim=-1)[..., 0]


def row_sum(terms: torch.Tensor) -> torch.Tensor:
    """Return the sum over the last axis, to the bit independent of the other rows.

    torch chooses the order of additions by memory layout; it is fixed for contiguous rows only.
    """
    return terms.contiguous().sum(-1)


def row_product(factors: torch.Tensor) -> torch.Tensor:
    """Return the product over the last axis, by multiplying halves with each other repeatedly.

    Unlike that of torch's `prod`, its gradient needs no division or branch for factors of 0.
    """
    while (n := factors.shape[-1]) > 1:
        paired = factors[..., : n // 2] * factors[..., n // 2 : n // 2 * 2]
        factors = torch.cat([paired, factors[..., n // 2 * 2 :]], dim=-1)
    return factors[..., 0]


def row_max(
    terms: torch.Tensor, larger: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = torch.maximum
) -> torch.Tensor:
    """Return the maximum over the last axis; ties share the gradient pair by pair."""
    while (n := terms.shape[-1]) > 1:
        paired = larger(terms[..., : n // 2], terms[..., n // 2 : n // 2 * 2])
        terms = torch.cat([paired, terms[..., n // 2 * 2 :]], dim=-1)
    return terms[..., 0]


def row_norm(points: torch.Tensor) -> torch.Tensor:
    """Return the Euclidean norm over the last axis, to the bit independent of the other rows.

    Its gradient at 0 is 0, whereas the root of a sum of squares gives NaN.
    """
    norm: torch.Tensor = torch.linalg.vector_norm(points.contiguous(), dim=-1)
    return norm
