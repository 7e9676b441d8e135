"""Named numpy arrays as compressed bytes and back, without loss.

Neighbours along a trajectory have nearly the same bits, and so have their differences. So the second differences of
the bit patterns along the last axis are compressed, with bytes of equal weight side by side. The trajectory of an
Adam run under way shrinks to well under half of its float64 size, in a tenth of the time of writing it to disk
(`benchmarks/columns.py`, `benchmarks/storing.py`).
"""

import struct
from collections.abc import Mapping

import numpy as np
import orjson
from numcodecs import blosc

blosc.use_threads = False  # its thread pool is global to the process; callers bring threads of their own

_FORMAT = b"TWC\x01"
_HEADER = struct.Struct("<4sI")  # format, length of the JSON that follows
_FAST_LEVEL = 1
_DIFFERENCED_SIZES = (1, 2, 4, 8)
_SMALL_BYTES = 1024  # smaller arrays are not worth compressing


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays of any shape, with items of 1 to 8 bytes, as bytes for `unpack`."""
    columns, bodies = [], []
    for name, array in arrays.items():
        compressed = _compressible(array)
        body = _compressed(array) if compressed else array.tobytes()
        columns.append([name, array.dtype.str, array.shape, len(body), compressed])
        bodies.append(body)
    header = orjson.dumps(columns)
    return b"".join([_HEADER.pack(_FORMAT, len(header)), header, *bodies])


def unpack(data: bytes) -> dict[str, np.ndarray]:
    """Return the arrays given to `pack`, equal to the last bit.

    Raises:
        ValueError: The bytes are not from `pack`, or from another version of it.
    """
    if data[: len(_FORMAT)] != _FORMAT:
        raise ValueError(f"not packed columns of this version: they begin with {data[:4]!r}")
    _, length = _HEADER.unpack_from(data)
    offset = _HEADER.size + length
    view = memoryview(data)
    arrays = {}
    for name, dtype, shape, n_bytes, compressed in orjson.loads(view[_HEADER.size : offset]):
        body = view[offset : offset + n_bytes]
        offset += n_bytes
        arrays[name] = (
            _decompressed(body, dtype, shape) if compressed else np.frombuffer(body, dtype).reshape(shape).copy()
        )
    return arrays


def _compressible(array: np.ndarray) -> bool:
    return _SMALL_BYTES <= array.nbytes <= blosc.MAX_BUFFERSIZE and array.itemsize in _DIFFERENCED_SIZES


def _compressed(array: np.ndarray) -> bytes:
    contiguous = array if array.strides[-1] == array.itemsize else np.ascontiguousarray(array)
    differences = _differences(_differences(contiguous.view(f"u{array.itemsize}")))
    packed: bytes = blosc.compress(differences, b"lz4", _FAST_LEVEL, blosc.SHUFFLE)
    return packed


def _decompressed(body: memoryview, dtype: str, shape: list[int]) -> np.ndarray:
    bits = np.empty(shape, f"u{np.dtype(dtype).itemsize}")
    blosc.decompress(body, bits)
    for _ in range(2):
        np.add.accumulate(bits, axis=-1, dtype=bits.dtype, out=bits)
    return bits.view(dtype)


def _differences(bits: np.ndarray) -> np.ndarray:
    differences = np.empty(bits.shape, bits.dtype)
    differences[..., 0] = bits[..., 0]
    np.subtract(bits[..., 1:], bits[..., :-1], out=differences[..., 1:])
    return differences
