"""How a client names what is minimised, and the objective that the name stands for."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.errors import InvalidInput
from app.functions import catalogue
from app.functions.base import CatalogueObjective

_NOT_BUILT = {
    "expression": "expressions cannot be minimised yet; GET /v1/functions lists what can",
    "mlp": "networks cannot be trained yet; GET /v1/functions lists what can be minimised",
}


def _known(name: str) -> str:
    return catalogue.get(name).name


class CatalogueReference(BaseModel):
    """A function of the catalogue, by name; `dim` is for those that have any dimension."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, AfterValidator(_known)]
    dim: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None

    def objective(self, dim: int | None = None) -> CatalogueObjective:
        """Return the objective, of dimension `dim` where the reference itself does not say one.

        Raises:
            InvalidInput: The function is not of this dimension.
        """
        if self.dim is not None and dim is not None and self.dim != dim:
            raise InvalidInput(f"the function's dim is {self.dim}, but the points have {dim} coordinates")
        return catalogue.get(self.name).at(self.dim if dim is None else dim)


def _reference(value: Any) -> Any:
    if isinstance(value, str):
        return {"name": _known(value)}
    if isinstance(value, dict):
        for kind, reason in _NOT_BUILT.items():
            if kind in value:
                raise InvalidInput(reason, kind)
    return value


FunctionReference = Annotated[
    CatalogueReference,
    BeforeValidator(_reference, json_schema_input_type=str | CatalogueReference),
]
