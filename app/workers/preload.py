"""Imported by every local worker before it takes a task, so that no job waits for torch to be loaded."""

from app.optimizers.catalogue import Adam
from app.optimizers.check import check

check(Adam())  # torch's first optimizer takes seconds
