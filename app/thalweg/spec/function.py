"""How a client names what is minimised, and the objective that the name stands for."""

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
    """A function of the catalogue, by name; `dim` is for those that have any dimension."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_known)]
    dim: Annotated[int, Field(strict=True, ge=1, le=1_000_000), WHOLE] | None = None

    @property
    def any_dim(self) -> bool:
        """Whether the function itself leaves the dimension open."""
        return catalogue.get(self.name).dim is None

    def objective(self, dim: int | None = None) -> CatalogueObjective:
        """Return the objective, of dimension `dim` where the reference itself does not say one.

        Raises:
            InvalidInput: The function is not of this dimension.
        """
        if self.dim is not None and dim is not None and self.dim != dim:
            raise InvalidInput(f"the function's dim is {self.dim}, but the points have {dim} coordinates")
        return catalogue.get(self.name).at(self.dim if dim is None else dim)

    def bound(self, dim: int) -> Self:
        """Return the reference with its dimension said."""
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
    """Return the objective that a request's field `function` stands for.

    Args:
        function: The field.
        dim: The dimension that another field says; None if none does.
        said_at: The name of that field.

    Raises:
        InvalidInput: There is none of this dimension; its path leads into `function`, or to the other field.
    """
    try:
        return function.objective(dim)
    except InvalidInput as error:
        path = (said_at,) if said_at is not None and not error.path else ("function", *error.path)
        raise error.at(*path) from error


def check_dim(dim: int, function: FunctionReference, limits: Limits) -> None:
    """Check the dimension of a job's points.

    Raises:
        LimitExceeded: It is too large for this service.
    """
    if dim > limits.max_dim:
        raise LimitExceeded(
            f"dimension {dim} is over this service's limit of {limits.max_dim} (max_dim): lower it",
            "function",
            *(("mlp", "layers") if isinstance(function, NetworkReference) else ("dim",)),
        )
