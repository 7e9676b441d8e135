"""Imported by every local worker before it takes a task, so that no job waits for imports."""

from app.optimizers.catalogue import Adam
from app.optimizers.check import check
from app.workers import run_job  # noqa: F401 for the same reason

check(Adam())  # torch's first optimizer takes seconds
