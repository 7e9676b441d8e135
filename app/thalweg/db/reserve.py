"""Disk space kept back, so that a full disk can still be made room on."""

import os
from pathlib import Path

_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_KEEP_FREE = 4  # times the reserve: what a nearly full disk has left is not for this


class Reserve:
    """A file beside the database that only holds space.

    SQLite needs some to open a database and to delete from it. On a full disk a piece of the reserve is released
    for each of these, so the service starts and jobs can be deleted.

    Args:
        database: Path of the database.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.reserve")

    def fill(self) -> None:
        """Take the space again, if there is plenty."""
        status = os.statvfs(self._path.parent)
        if status.f_bavail * status.f_frsize < _KEEP_FREE * _BYTES:
            return
        with self._path.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, _BYTES)

    def release(self) -> bool:
        """Release a piece, and return whether there was one left."""
        try:
            n_bytes = self._path.stat().st_size
        except FileNotFoundError:
            return False
        os.truncate(self._path, max(0, n_bytes - _PIECE_BYTES))
        return n_bytes > 0
