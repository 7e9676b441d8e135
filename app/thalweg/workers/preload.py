"""Imported by every worker before its first task, or once by the fork server, so that no job waits for imports."""

import gc

from thalweg.optimizers.catalogue import Adam
from thalweg.optimizers.check import check
from thalweg.workers import run_job  # noqa: F401 for the same reason

check(Adam())  # torch's first optimizer takes seconds
gc.freeze()  # a collection in a forked worker would write to, and so copy, every shared page
