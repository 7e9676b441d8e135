"""Extending an ended job by more steps."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from thalweg.engine.outcome import Outcome, Results
from thalweg.errors import Conflict, InvalidInput
from thalweg.jobs.idempotency import Key, digest
from thalweg.jobs.ports import Dispatcher, JobStore
from thalweg.jobs.record import JobRecord
from thalweg.jobs.status import EXTENDABLE
from thalweg.settings import Limits
from thalweg.spec.limits import check_limits
from thalweg.whole_numbers import WHOLE

_Count = Annotated[int, Field(strict=True, ge=1, le=2**53), WHOLE]


class Extension(BaseModel):
    """How far to extend a job: give `steps` or `to_step`."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"steps": 500}]})

    steps: _Count | None = Field(None, description="so many steps further than its runs are")
    to_step: _Count | None = Field(None, description="up to this step, counted from the start")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.steps is None) == (self.to_step is None):
            raise InvalidInput("give either steps or to_step", "steps")
        return self

    def end(self, done: int) -> int:
        """Return the new total number of steps of a job that has done `done`.

        Raises:
            InvalidInput: The job is at `to_step` already.
        """
        if self.steps is not None:
            return done + self.steps
        end = self.to_step or 0
        if end <= done:
            raise InvalidInput(f"the job is at step {done} already: give a later one", "to_step")
        return end


class Extend:
    """Queues an ended job again, to go on from where it is, and wakes the dispatcher."""

    def __init__(self, store: JobStore, limits: Limits, dispatcher: Dispatcher) -> None:
        self._store = store
        self._limits = limits
        self._dispatcher = dispatcher

    def __call__(self, job_id: str, extension: Extension, *, key: Key | None = None) -> tuple[JobRecord, bool]:
        """Extend a job and return it with whether it was extended: a known `key` has no further effect.

        Raises:
            NotFound: There is no such job.
            Conflict: It has not ended, it failed, or this version does not understand its specification.
            InvalidInput: It would be over a limit or is that far already, or the key came with another request.
        """
        asked = digest([job_id, extension.model_dump()])
        with self._store.writing() as jobs:
            record = jobs.get(job_id)
            if key is not None and jobs.answered(key, asked) is not None:
                return record, False
            if record.status not in EXTENDABLE:
                raise Conflict(
                    f"the job is {record.status}; a job can be extended when it has succeeded or was cancelled"
                )
            stored = record.spec.extended(extension.end(_steps_done(record, jobs.results(job_id))))
            spec = stored.parsed()
            spec.check_schedule(spec.steps)
            check_limits(spec, self._limits)
            jobs.extend(job_id, stored)
            if key is not None:
                jobs.remember(key, asked, job_id)
            record = jobs.get(job_id)
        self._dispatcher.wake()
        return record, True


def _steps_done(record: JobRecord, results: Results | None) -> int:
    """Return the step that an extension adds to: where the runs are, or where all would have been."""
    if results is None:
        return 0
    results = results.resumed()
    goes_on = (results.outcome == Outcome.running).any()
    return int(results.n_steps.max()) if goes_on else record.spec.steps
