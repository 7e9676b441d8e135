"""How a job names its function, and the objective that the name stands for."""

from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from thalweg.errors import InvalidInput, LimitExceeded
from thalweg.functions import catalogue
from thalweg.functions.base import CatalogueObjective, Objective
from thalweg.functions.expressions.expression import ExpressionReference
from thalweg.functions.forms import ByLooks
from thalweg.functions.networks.network import NetworkReference
from thalweg.settings import Limits
from thalweg.whole_numbers import WHOLE


def _known(name: str) -> str:
    return catalogue.get(name).name


class CatalogueReference(BaseModel):
    """A function of the catalogue, by name; `dim` is for functions of any dimension."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_known)]
    dim: Annotated[int, Field(strict=True, ge=1, le=1_000_000), WHOLE] | None = None

    @property
    def any_dim(self) -> bool:
        """Whether the function has any dimension."""
        return catalogue.get(self.name).dim is None

    def objective(self, dim: int | None = None) -> CatalogueObjective:
        """Return the objective, of dimension `dim` unless the reference says its own.

        Raises:
            InvalidInput: The function does not have this dimension.
        """
        if self.dim is not None and dim is not None and self.dim != dim:
            raise InvalidInput(f"the function's dim is {self.dim}, but the points have {dim} coordinates")
        return catalogue.get(self.name).at(self.dim if dim is None else dim)

    def bound(self, dim: int) -> Self:
        """Return the reference with its dimension filled in."""
        return self.model_copy(update={"dim": dim})


FunctionReference: TypeAlias = CatalogueReference | ExpressionReference | NetworkReference


def _reference(value: Any) -> FunctionReference:
    match value:
        case CatalogueReference() | ExpressionReference() | NetworkReference():
            return value
        case str():
            return CatalogueReference(name=_known(value))
        case {"expression": _}:
            return ExpressionReference.model_validate(value)
        case {"mlp": _}:
            return NetworkReference.model_validate(value)
        case {"name": _}:
            return CatalogueReference.model_validate(value)
    raise InvalidInput(
        'give a name like "himmelblau", {"name": "sphere", "dim": 3}, '
        '{"expression": "x**2 + y**2", "variables": ["x", "y"]} or {"mlp": {"layers": [2, 4, 1], "dataset": "xor"}}'
    )


FunctionField = Annotated[FunctionReference, ByLooks(_reference, TypeAdapter(str | FunctionReference))]


def objective_of(function: FunctionReference, dim: int | None, said_at: str | None) -> Objective:
    """Return the objective of a model's field `function`.

    Args:
        function: The field's value.
        dim: The dimension implied by another field; None if none implies one.
        said_at: The name of that other field.

    Raises:
        InvalidInput: The function does not have this dimension. The path leads into `function` or to `said_at`.
    """
    try:
        return function.objective(dim)
    except InvalidInput as error:
        path = (said_at,) if said_at is not None and not error.path else ("function", *error.path)
        raise error.at(*path) from error


def check_dim(dim: int, function: FunctionReference, limits: Limits) -> None:
    """Check the dimension of a job's points.

    Raises:
        LimitExceeded: It is over `max_dim`.
    """
    if dim > limits.max_dim:
        raise LimitExceeded(
            f"dimension {dim} is over this service's limit of {limits.max_dim} (max_dim): lower it",
            "function",
            *(("mlp", "layers") if isinstance(function, NetworkReference) else ("dim",)),
        )
