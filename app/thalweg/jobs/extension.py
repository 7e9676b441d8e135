"""What takes an ended job further."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from thalweg.errors import InvalidInput
from thalweg.whole_numbers import WHOLE

_Count = Annotated[int, Field(strict=True, ge=1, le=2**53), WHOLE]


class Extension(BaseModel):
    """How far a job goes on: give `steps` or `to_step`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"steps": 500}]})

    steps: _Count | None = Field(None, description="so many steps further than its runs are")
    to_step: _Count | None = Field(None, description="up to this step, counted from the start")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.steps is None) == (self.to_step is None):
            raise InvalidInput("give either steps or to_step", "steps")
        return self

    def end(self, so_far: int) -> int:
        """Return the number of steps, in all, of a job whose runs have done `so_far`.

        Raises:
            InvalidInput: It has done as many already.
        """
        if self.steps is not None:
            return so_far + self.steps
        end = self.to_step or 0
        if end <= so_far:
            raise InvalidInput(f"the job is at step {so_far} already: give a later one", "to_step")
        return end
