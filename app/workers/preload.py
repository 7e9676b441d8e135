"""Imported by every local worker before it takes a task, so that no job waits for torch to be loaded."""

from app.optimizers.catalogue import Adam
from app.optimizers.check import check
from app.workers import run_job

__all__ = ["run_job"]

check(Adam())  # torch's first optimizer takes seconds
