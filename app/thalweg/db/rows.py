"""Rows as records, and back. The fields are those that the records list, each a column."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from thalweg.analysis.gradient_check import GradientCheck
from thalweg.jobs.record import Event, JobRecord
from thalweg.jobs.status import Status, Transition
from thalweg.jobs.stored_spec import StoredSpec

_OTHER_NAMES = {"text": "spec", "version": "spec_version"}
_SPEC = tuple(
    (field.name, _OTHER_NAMES.get(field.name, field.name))
    for field in fields(StoredSpec)
    if not field.name.startswith("_")
)
_FIELDS = tuple(field.name for field in fields(JobRecord) if field.name != "spec")
_EVENT = tuple(field.name for field in fields(Event))


def moment(seconds: float) -> datetime:
    """Return a time that is stored in seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)


_FROM_ROW: dict[str, Callable[[Any], Any]] = {
    "status": Status,
    "kind": Transition,
    "gradient_check": GradientCheck.model_validate,
}
_FROM_ROW |= {name: moment for name in (*_FIELDS, *_EVENT) if name == "at" or name.endswith("_at")}
_TO_ROW: dict[str, Callable[[Any], Any]] = {name: datetime.timestamp for name in _FIELDS if name.endswith("_at")}
_TO_ROW["gradient_check"] = GradientCheck.model_dump


def row_of(record: JobRecord) -> dict[str, Any]:
    """Return the values of a record's row."""
    spec = {column: getattr(record.spec, name) for name, column in _SPEC}
    return spec | {name: _converted(_TO_ROW, name, getattr(record, name)) for name in _FIELDS}


def record_of(row: Row[Any]) -> JobRecord:
    """Return the record of a row that holds all columns of `jobs`."""
    values = row._mapping  # noqa: SLF001 its public name
    return JobRecord(spec=stored_spec(row), **{name: _converted(_FROM_ROW, name, values[name]) for name in _FIELDS})


def stored_spec(row: Row[Any]) -> StoredSpec:
    """Return the specification that a row holds."""
    values = row._mapping  # noqa: SLF001
    return StoredSpec(**{name: values[column] for name, column in _SPEC})


def event_of(row: Row[Any]) -> Event:
    """Return the event of a row that holds all columns of `events` but `job_id`."""
    values = row._mapping  # noqa: SLF001
    return Event(**{name: _converted(_FROM_ROW, name, values[name]) for name in _EVENT})


def _converted(conversions: dict[str, Callable[[Any], Any]], name: str, value: Any) -> Any:
    return value if value is None or name not in conversions else conversions[name](value)
