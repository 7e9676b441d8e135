"""The socket that the service listens on, taken before anything slow begins."""

import errno
import logging
import socket

import uvicorn

from thalweg.errors import SettingsError

_log = logging.getLogger(__name__)


class Server(uvicorn.Server):
    """A server that says where it listens also when it was given its sockets."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say where."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            _log.info("serving at http://%s:%s (Ctrl+C stops it)", f"[{host}]" if ":" in host else host, port)


def bound(host: str, port: int) -> list[socket.socket]:
    """Return sockets bound to every address of `host`; they do not listen yet.

    Raises:
        SettingsError: The host has no address here, or the port cannot be had.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        raise SettingsError(f"there is no address for the host {host!r}: {error.strerror}") from error
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
    """Return why an address cannot be listened on, in a sentence."""
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"port {port} of {host} is in use: stop what listens there, or choose another (--port)"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return SettingsError(f"{host} is not an address of this machine: choose one that is (--host)")
    if error.errno == errno.EACCES:
        return SettingsError(f"port {port} is for privileged processes: choose one from 1024 on (--port)")
    return SettingsError(f"port {port} of {host} cannot be listened on: {error.strerror}")


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # 0.0.0.0 is an address of its own
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener
