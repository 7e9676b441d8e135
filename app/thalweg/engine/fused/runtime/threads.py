"""The threads that native code runs in: it leaves the interpreter free."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def pool() -> ThreadPoolExecutor:
    """Return the threads of this process, one for each available processor."""
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="descend")
