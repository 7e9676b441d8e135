"""The application on a real socket, in a thread of the test process."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn

from app.api.connections import options
from app.main import create_app
from app.settings import Settings
from tests.contract import check_answer


@contextmanager
def served(settings: Settings) -> Iterator[httpx.Client]:
    """Serve the application on a free port of 127.0.0.1, and give a client of it.

    Whatever JSON it is answered is held against the OpenAPI document.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="error", **options(settings)))
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
