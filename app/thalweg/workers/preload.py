"""Imported by every worker before its first task, or once by the fork server, so that no job waits for imports."""

import gc

from thalweg.optimizers.check import warm_up
from thalweg.workers import run_job  # noqa: F401 for the same reason

warm_up()
gc.freeze()  # a collection in a forked worker would write to, and so copy, every shared page
