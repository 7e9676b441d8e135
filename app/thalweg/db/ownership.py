"""Locking a database file against a second service."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thalweg.errors import SettingsError

_SQLITE_BEGINS = b"SQLite format 3\0"

_held: set[tuple[int, int]] = set()  # (device, inode) of the files that this process holds


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Lock an SQLite file against other services until the block ends; create it if it is missing.

    The lock (`flock`) is on the file itself, whatever path leads to it, and is released when the process ends.
    SQLite's own locks are of another kind (`fcntl`) and do not conflict with it.

    Raises:
        SettingsError: Another service holds the file, it is not an SQLite database, or it cannot be written.
    """
    if not path.parent.is_dir():
        raise SettingsError(f"there is no folder {path.parent} for the database {path.name}: make it")
    _refuse_if_held_here(path)
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SettingsError(f"the database {path} cannot be opened for writing: {error.strerror}") from error
    try:
        identity = _identity(os.fstat(file))
        _check_kind(file, path)
        _lock(file, path)
        _held.add(identity)
        try:
            yield
        finally:
            _held.discard(identity)
    finally:
        os.close(file)


def _refuse_if_held_here(path: Path) -> None:
    # closing a second descriptor of the file would release the locks that SQLite holds on it in this process
    try:
        identity = _identity(path.stat())
    except OSError:
        return
    if identity in _held:
        raise _in_use(path)


def _check_kind(file: int, path: Path) -> None:
    try:
        begins = os.pread(file, len(_SQLITE_BEGINS), 0)
    except OSError as error:
        raise SettingsError(f"the database {path} cannot be read: {error.strerror}") from error
    if begins not in (b"", _SQLITE_BEGINS):
        raise SettingsError(f"{path} is not an SQLite database: name another file in DATABASE_URL")


def _lock(file: int, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(path) from None
    except OSError as error:
        raise SettingsError(
            f"the file system of {path} cannot lock files ({error.strerror}): keep the database on a local disk"
        ) from error


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _in_use(path: Path) -> SettingsError:
    return SettingsError(
        f"another service uses the database {path}: stop it, or give this one a data directory of its own"
    )
