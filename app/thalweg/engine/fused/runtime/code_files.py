"""Machine code on disk, in files named by everything that determines it."""

import hashlib
import json
import logging
import struct
import tempfile
from pathlib import Path
from typing import Any, Final

_log = logging.getLogger(__name__)

_MAGIC: Final = b"thalweg kernel\n"
_DIGEST_BYTES: Final = 32
_HEADER_LENGTH: Final = struct.Struct("<I")


class CodeFiles:
    """A folder of machine code. What cannot be read or written is logged, and compiled again.

    Args:
        directory: The folder; None keeps nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory

    def path(self, key: str) -> Path | None:
        """Return the file for a key."""
        if self._directory is None:
            return None
        return self._directory / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.kernel"

    def load(self, key: str) -> tuple[dict[str, Any], bytes] | None:
        """Return what was said about the code and the code, or None."""
        path = self.path(key)
        if path is None:
            return None
        try:
            return _unpacked(path.read_bytes(), key)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
            self.reject(key, error)
            return None

    def reject(self, key: str, error: Exception) -> None:
        """Note that the file cannot be used."""
        _log.warning("the kernel in %s cannot be used and is compiled again: %s", self.path(key), error)

    def save(self, key: str, about: dict[str, Any], code: bytes) -> None:
        """Keep machine code, and what is to be said about it, as JSON values."""
        path = self.path(key)
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # renamed into place, so that other processes see a whole file or none
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(_packed(key, about, code))
            Path(file.name).replace(path)
        except OSError as error:
            _log.warning("the kernel cannot be saved in %s: %s", path, error)


def _packed(key: str, about: dict[str, Any], code: bytes) -> bytes:
    header = json.dumps({"key": key, **about}).encode()
    body = _HEADER_LENGTH.pack(len(header)) + header + code
    return _MAGIC + hashlib.sha256(body).digest() + body


def _unpacked(data: bytes, key: str) -> tuple[dict[str, Any], bytes]:
    """Return what is packed in `data`. Raises `ValueError` if it is damaged or not of this key."""
    if not data.startswith(_MAGIC):
        raise ValueError("it is not a kernel")
    start = len(_MAGIC) + _DIGEST_BYTES
    body = data[start:]
    if hashlib.sha256(body).digest() != data[len(_MAGIC) : start]:
        raise ValueError("it is damaged")
    (length,) = _HEADER_LENGTH.unpack_from(body)
    code_start = _HEADER_LENGTH.size + length
    header: dict[str, Any] = json.loads(body[_HEADER_LENGTH.size : code_start])
    if header["key"] != key:
        raise ValueError("it is a kernel with another key")
    return header, body[code_start:]
