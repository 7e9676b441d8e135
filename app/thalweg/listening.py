"""The sockets that the service listens on, bound before anything slow starts."""

import errno
import logging
import socket

import uvicorn

from thalweg.errors import SettingsError

_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """A server that logs its address even if it is given bound sockets."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and log the address."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            _log.info("serving at http://%s:%s (press Ctrl+C to stop)", f"[{host}]" if ":" in host else host, port)


def bound(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to every address of `host`, not yet listening.

    Raises:
        SettingsError: The host has no address on this machine, or the port is unavailable.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise SettingsError(
            f"cannot resolve host {host!r}: {error.strerror}. Check the name, or use an IP address (--host)"
        ) from error
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            sockets.append(_bound(family, address))
    except OSError as error:
        for each in sockets:
            each.close()
        raise refusal(error, host, port) from error
    return sockets


def refusal(error: OSError, host: str, port: int) -> SettingsError:
    """Return why the service cannot listen on an address."""
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"port {port} on {host} is in use: stop the process that listens there, or choose another port (--port)"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return SettingsError(f"{host} is not an address of this machine: choose one of its own (--host)")
    if error.errno == errno.EACCES:
        return SettingsError(
            f"port {port} is reserved for privileged processes: choose a port from 1024 up (--port)"
        )
    return SettingsError(f"cannot listen on port {port} of {host}: {error.strerror}")


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # 0.0.0.0 is bound separately
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
