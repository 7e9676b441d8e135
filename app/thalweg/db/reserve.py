"""Disk space held in reserve, so that jobs can be deleted from a full disk."""

import os
from pathlib import Path

_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_KEEP_FREE = 4  # times the reserve: a nearly full disk has none to spare


class Reserve:
    """A file beside the database that does nothing but take up space.

    SQLite needs space to open a database and to delete from it. On a full disk a piece of the reserve is released
    for each of these, so that the service starts and jobs can be deleted.

    Args:
        database: Path of the database.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(f"{database.name}.reserve")

    def fill(self) -> None:
        """Take the space back, if there is plenty."""
        status = os.statvfs(self._path.parent)
        if status.f_bavail * status.f_frsize < _KEEP_FREE * _BYTES:
            return
        with self._path.open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, _BYTES)

    def release(self) -> bool:
        """Release a piece, and return whether there was any left."""
        try:
            n_bytes = self._path.stat().st_size
        except FileNotFoundError:
            return False
        os.truncate(self._path, max(0, n_bytes - _PIECE_BYTES))
        return n_bytes > 0
