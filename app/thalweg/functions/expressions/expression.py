"""A formula as specified by a client."""

from functools import lru_cache
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from thalweg.errors import InvalidInput
from thalweg.functions.base import Box
from thalweg.functions.expressions import tree
from thalweg.functions.expressions.binding import Bound, bind
from thalweg.functions.expressions.grammar import parse
from thalweg.functions.expressions.limits import MAX_NAMES
from thalweg.functions.expressions.objective import ExpressionObjective
from thalweg.functions.expressions.vocabulary import check_declared
from thalweg.lists import StopEarly
from thalweg.whole_numbers import WHOLE

_Number = Annotated[float, Field(strict=True, ge=-1e308, le=1e308, allow_inf_nan=False)]
_Name = Annotated[str, Field(strict=True)]
_Constants: TypeAlias = tuple[tuple[str, float], ...]


class ExpressionReference(BaseModel):
    """A formula of the client.

    Validation parses the formula and, if its dimension is known, checks every index.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"expression": "(x**2 + y - 11)**2 + (x + y**2 - 7)**2", "variables": ["x", "y"]},
                {
                    "expression": "sum(a * (x[i + 1] - x[i]**2)**2 + (1 - x[i])**2 for i in range(n - 1))",
                    "variables": ["x"],
                    "constants": {"a": 100},
                    "domain": [[-5, 10]],
                    "dim": 10,
                },
            ]
        },
    )

    expression: Annotated[str, Field(strict=True)] = Field(
        description="the formula in Python syntax: + - * / // % **, comparisons, and or not, a if c else b, "
        "where(c, a, b), the functions of math, and sum, prod, min, max, mean and norm over loops"
    )
    variables: Annotated[tuple[_Name, ...], Field(min_length=1, max_length=MAX_NAMES), StopEarly()] = Field(
        description="the names of the coordinates, in order; one that is indexed in the formula is a vector of all "
        "remaining coordinates"
    )
    constants: Annotated[dict[_Name, _Number], Field(max_length=MAX_NAMES)] = Field(
        default_factory=dict, description="named numbers"
    )
    domain: Annotated[tuple[tuple[_Number, _Number], ...], StopEarly()] | None = Field(
        None, description="lower and upper bound of each coordinate; one pair for all coordinates of a vector"
    )
    dim: Annotated[int, Field(strict=True, ge=1, le=1_000_000), WHOLE] | None = Field(
        None, description="the number of coordinates if there is a vector; in a job, by default that of the points"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for index, name in enumerate(self.variables):
            check_declared(name, "variables", index)
            if name in self.variables[:index]:
                raise InvalidInput(f"variable {name} is declared twice", "variables", index)
        for name in self.constants:
            check_declared(name, "constants", name)
            if name in self.variables:
                raise InvalidInput(f"{name} is already a variable: choose another name", "constants", name)
        for index, (low, high) in enumerate(self.domain or ()):
            if not low < high:
                raise InvalidInput(f"the lower bound {low} is not below the upper bound {high}", "domain", index)
        if (dim := self._known_dim()) is not None:
            self._check_dim(dim, "dim")
            self._bound(dim)
        return self

    @property
    def name(self) -> Literal["expression"]:
        """The name of all formulas in lists."""
        return "expression"

    def objective(self, dim: int | None = None) -> ExpressionObjective:
        """Return the formula as an objective, of dimension `dim` if the formula does not determine one.

        Raises:
            InvalidInput: The formula or its domain does not fit the dimension, or no dimension is known.
        """
        if self.dim is not None and dim is not None and self.dim != dim:
            raise InvalidInput(f"the function has dim {self.dim}, but the points have {dim} coordinates")
        dim = self._known_dim() if dim is None else dim
        if dim is None:
            vector = self.variables[self._formula.vector or 0]
            raise InvalidInput(
                f"{vector} is a vector of any dimension: set dim, as in "
                f'{{"expression": "...", "variables": ["{vector}"], "dim": 2}}'
            )
        self._check_dim(dim)
        has_vector = self._formula.vector is not None
        return ExpressionObjective(dim, self._box(dim), self._bound(dim), has_vector)

    def bound(self, dim: int) -> Self:
        """Return the reference with its dimension set."""
        return self.model_copy(update={"dim": dim})

    @property
    def _formula(self) -> tree.Formula:
        try:
            return _parse(self.expression, self.variables, self._key)
        except InvalidInput as error:
            raise _in_expression(error) from error

    @property
    def _key(self) -> _Constants:
        return tuple(self.constants.items())

    def _bound(self, dim: int) -> Bound:
        try:
            return _bind(self.expression, self.variables, self._key, dim)
        except InvalidInput as error:
            raise _in_expression(error) from error

    def _known_dim(self) -> int | None:
        """Return the dimension if the reference determines it."""
        n_names = len(self.variables)
        if self.dim is not None:
            return self.dim
        if self._formula.vector is None:
            return n_names
        return len(self.domain) if self.domain is not None and len(self.domain) != n_names else None

    def _check_dim(self, dim: int, *path: str) -> None:
        n_names, vector = len(self.variables), self._formula.vector
        if vector is None and dim != n_names:
            given = "one variable" if n_names == 1 else f"{n_names} variables"
            raise InvalidInput(f"the formula has {given}, but the points have {dim} coordinates", *path)
        if dim < n_names:
            raise InvalidInput(f"the formula needs points of at least {n_names} coordinates, not {dim}", *path)
        if self.domain is not None and len(self.domain) not in {dim, n_names}:
            raise InvalidInput(
                f"there are {len(self.domain)} pairs for {dim} coordinates: give one per coordinate or variable",
                "domain",
            )

    def _box(self, dim: int) -> Box | None:
        if self.domain is None or len(self.domain) == dim:
            return self.domain
        vector = self._formula.vector or 0
        n_more = dim - len(self.variables)
        return self.domain[:vector] + self.domain[vector : vector + 1] * n_more + self.domain[vector:]


def _in_expression(error: InvalidInput) -> InvalidInput:
    return error.at("expression")


@lru_cache(maxsize=256)
def _parse(expression: str, variables: tuple[str, ...], constants: _Constants) -> tree.Formula:
    return parse(expression, variables, dict(constants))


@lru_cache(maxsize=16)  # the largest take tens of megabytes
def _bind(expression: str, variables: tuple[str, ...], constants: _Constants, dim: int) -> Bound:
    return bind(_parse(expression, variables, constants), dim)
