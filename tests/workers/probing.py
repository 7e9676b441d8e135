"""How long a service takes to say that it is alive, asked by a process that does nothing else."""

import select
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_QUESTION = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
_PAUSE_SECONDS = 0.02
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Found:
    """What was found: the longest answer, and how many times longer than alone the machine took for anything."""

    n_answers: int
    worst_seconds: float
    slowdown: float


class Probe:
    """Asks a service on 127.0.0.1 again and again, each time over a new connection."""

    def __init__(self, port: int) -> None:
        self._port = port

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", __name__, str(self._port)]
        self._process = subprocess.Popen(
            command, text=True, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        answer, _ = self._process.communicate()
        assert self._process.returncode == 0, "an answer was not 200, or did not come"
        n_answers, worst, slowdown = answer.split()
        self.found = Found(int(n_answers), float(worst), float(slowdown))


def _ask(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(_QUESTION)
        answer = b""
        while part := connection.recv(4096):
            answer += part
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"not well: {answer!r}")


def _main(port: int) -> None:
    n_answers, worst = 0, 0.0
    worked, alone = 0.0, 0.0
    while not n_answers or not select.select([sys.stdin], [], [], _PAUSE_SECONDS)[0]:
        asked = time.perf_counter()
        _ask(port)
        answered = time.perf_counter()
        n_answers, worst = n_answers + 1, max(worst, answered - asked)
        processor = time.process_time()
        sum(range(200_000))
        alone += time.process_time() - processor
        worked += time.perf_counter() - answered
    sys.stdout.write(f"{n_answers} {worst} {max(1.0, worked / alone)}")


if __name__ == "__main__":
    _main(int(sys.argv[1]))
