"""Imported by every worker before it takes a task, and once for all where they are forked: no job waits for it."""

import gc

from thalweg.optimizers.catalogue import Adam
from thalweg.optimizers.check import check
from thalweg.workers import run_job  # noqa: F401 for the same reason

check(Adam())  # torch's first optimizer takes seconds
gc.freeze()  # a collection in a forked worker would write to, and so copy, every page that it shares
