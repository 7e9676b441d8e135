"""The application on a real socket, in a thread of the test process."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from tests.contract import check_answer
from thalweg.api.connections import options
from thalweg.jobs.ports import Dispatcher
from thalweg.main import create_app
from thalweg.settings import Settings


class NoWorkers:
    """A dispatcher without workers: jobs stay queued."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None: ...

    def n_workers(self) -> int:
        return 0


@contextmanager
def served(settings: Settings, dispatcher: Dispatcher | None = None) -> Iterator[httpx.Client]:
    """Serve the application on a free port of 127.0.0.1, and yield a client.

    Whatever JSON it is answered is held against the OpenAPI document.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(create_app(settings, dispatcher), log_level="error", **options(settings))
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            address = "http://{}:{}".format(*listener.getsockname())
            with httpx.Client(base_url=address, timeout=90, event_hooks={"response": [check_answer]}) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()
