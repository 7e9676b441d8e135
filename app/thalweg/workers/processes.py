"""Starting worker processes: forked from a server that has imported what they need."""

import logging
import os
import tempfile
from collections.abc import Container
from contextlib import suppress
from multiprocessing import forkserver, get_context

import psutil

from thalweg.errors import SettingsError

_log = logging.getLogger(__name__)

START_METHOD = "forkserver"
_MOST_FOLDER_BYTES = 75  # a socket's path has at most 107, and Python adds up to 32
_PRELOADED = ["thalweg.workers.preload"]
_ENVIRONMENT = {
    # a worker computes in one thread; the libraries read these only when they are loaded
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",  # bytes; large arrays go back to the system when they are freed
}


def start_fork_server() -> None:
    """Start the process that workers are forked from, unless it is running; it imports torch in the background.

    Importing takes seconds, forking tens of milliseconds: the earlier this is called, the sooner workers are ready,
    and a lost one is replaced at once. Imported modules are shared memory.

    Raises:
        SettingsError: The path of the folder for temporary files is too long for the server's socket.
    """
    folder = tempfile.gettempdir()
    if len(os.fsencode(folder)) > _MOST_FOLDER_BYTES:
        raise SettingsError(
            f"the path of the folder for temporary files, {folder}, is over {_MOST_FOLDER_BYTES} bytes long, too "
            "long for the socket by which workers are started: set TMPDIR to a shorter one"
        )
    get_context(START_METHOD).set_forkserver_preload(_PRELOADED)
    missing = {name: value for name, value in _ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        forkserver.ensure_running()
    finally:
        for name in missing:
            del os.environ[name]


def wake_stopped(workers: Container[int]) -> None:
    """Resume the fork server and new workers, if something has stopped them.

    Args:
        workers: Running workers, which are left as they are.
    """
    for server in psutil.Process().children():
        with suppress(psutil.Error):
            if "multiprocessing.forkserver" not in " ".join(server.cmdline()):
                continue
            for process in (server, *server.children()):
                if process.pid not in workers and process.status() == psutil.STATUS_STOPPED:
                    _log.warning("process %d, which starts workers, was stopped: it is resumed", process.pid)
                    process.resume()
