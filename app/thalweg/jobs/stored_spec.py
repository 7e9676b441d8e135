"""A specification as it is stored: a document, readable even if today's rules would refuse it."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
import orjson
from pydantic import TypeAdapter, ValidationError

from thalweg.engine.fused.runtime.libraries import unlike_torch
from thalweg.errors import InvalidInput, NotUnderstood
from thalweg.spec.job import SPEC_VERSION, JobSpec
from thalweg.spec.starts import Grid, Init, Points, Random

NETWORK = "mlp"

_RECORD = '"record":{'
_CACHED_CHARACTERS = 20_000
_INIT: TypeAdapter[Points | Grid | Random] = TypeAdapter(Init)


@dataclass(frozen=True, slots=True)
class StoredSpec:
    """A document of some version, with the facts that lists and results need.

    The facts were taken from the document when it was posted, so a job stays readable after a later version drops
    its function, its optimizer or a field. Only `parsed` validates the document.
    """

    text: str
    version: int
    function: str  # its name; "expression" and "mlp" are defined by the client
    optimizer: str
    n_runs: int
    dim: int
    steps: int
    record_every: int
    engine_reason: str | None  # why `auto` chose eager, or where fused may differ from torch in the last digit
    _parsed: JobSpec | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, spec: JobSpec) -> Self:
        """Return a specification in the form that is stored."""
        return cls(
            text=spec.text,
            version=SPEC_VERSION,
            function=spec.function.name,
            optimizer=spec.optimizer.name,
            n_runs=spec.n_runs,
            dim=spec.dim,
            steps=spec.steps,
            record_every=spec.record_every,
            engine_reason=_engine_reason(spec),
            _parsed=spec,
        )

    @property
    def document(self) -> dict[str, Any]:
        """The document as it was stored."""
        found: dict[str, Any] = orjson.loads(self.text)
        return found

    @property
    def trains_network(self) -> bool:
        """Whether the function is the loss of a network."""
        return self.function == NETWORK

    @property
    def records_losses(self) -> bool:
        """Whether the loss at every step is recorded beside a sparser trajectory."""
        return self.record_every > 1 and self.trains_network

    @property
    def details(self) -> dict[str, int]:
        """What is recorded of an entry beside its point and value, see `JobSpec.details`."""
        if _RECORD not in self.text:
            return {}
        spec = self.understood()
        return {} if spec is None else spec.details

    @property
    def entry_values(self) -> int:
        """How many numbers are recorded of an entry."""
        return 1 + self.dim + sum(self.details.values())

    def parsed(self) -> JobSpec:
        """Return the specification, validated by today's rules.

        Raises:
            NotUnderstood: It is not valid; the message says why.
        """
        if self._parsed is not None:
            return self._parsed
        if len(self.text) <= _CACHED_CHARACTERS:
            return _parsed(self.version, self.text)
        return _parse(self.version, self.text)

    def understood(self) -> JobSpec | None:
        """Return the specification, or None if this version does not understand it."""
        try:
            return self.parsed()
        except NotUnderstood:
            return None

    def starts(self) -> np.ndarray:
        """Return the starts in the job's dtype, `(n_runs, dim)`; NaN if this version cannot tell."""
        if (spec := self.understood()) is not None:
            return spec.starts()
        document = self.document
        dtype = np.float32 if document.get("dtype") == "float32" else np.float64
        try:
            starts = _INIT.validate_python(document.get("init")).array()
        except (ValidationError, InvalidInput):
            starts = np.zeros((0, 0))
        if starts.shape != (self.n_runs, self.dim):
            return np.full((self.n_runs, self.dim), np.nan, dtype)
        return starts.astype(dtype)

    def extended(self, steps: int) -> Self:
        """Return it with another total number of steps. Raises `NotUnderstood`."""
        spec = self.parsed().model_copy(update={"steps": steps})
        return replace(self, text=spec.text, version=SPEC_VERSION, steps=steps, _parsed=spec)


def _parse(version: int, text: str) -> JobSpec:
    if version > SPEC_VERSION:
        raise NotUnderstood(
            f"the job's specification is of version {version}, and this service knows those up to {SPEC_VERSION}: "
            "it was posted to a later one"
        )
    try:
        return JobSpec.model_validate_json(text)
    except ValidationError as error:
        raise NotUnderstood(
            f"this version of the service does not understand the job's specification: {_complaint(error)}"
        ) from error


_parsed = lru_cache(maxsize=1024)(_parse)


def _complaint(error: ValidationError) -> str:
    issue = error.errors(include_url=False, include_input=False)[0]
    cause = issue.get("ctx", {}).get("error")
    detail, rest = (cause.detail, cause.path) if isinstance(cause, InvalidInput) else (issue["msg"], ())
    place = ".".join(str(part) for part in (*issue["loc"], *rest))
    return f"{place}: {detail}" if place else detail


def _engine_reason(spec: JobSpec) -> str | None:
    if spec.chosen_engine == "fused":
        return unlike_torch()
    return spec.obstacle if spec.engine == "auto" else None
