from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from thalweg.engine.columns import pack, unpack

BITS = {"float64": np.uint64, "float32": np.uint32, "int64": np.uint64, "uint8": np.uint8}


@st.composite
def any_bits(draw: st.DrawFn) -> np.ndarray:
    """Arrays of arbitrary bit patterns, including NaN payloads, infinities and -0.0."""
    dtype = draw(st.sampled_from(sorted(BITS)))
    shape = draw(st_np.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=7))
    bits: np.ndarray = draw(st_np.arrays(BITS[dtype], shape))
    return bits.view(dtype)


@st.composite
def views(draw: st.DrawFn) -> np.ndarray:
    """Arrays that are not contiguous."""
    array = draw(any_bits())
    view: np.ndarray = array.transpose(draw(st.permutations(range(array.ndim))))
    return view[tuple(slice(None, None, draw(st.sampled_from([1, 2, -1]))) for _ in range(array.ndim))]


def assert_same_bits(one: np.ndarray, other: np.ndarray) -> None:
    assert one.dtype == other.dtype
    assert one.shape == other.shape
    assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("small_bytes", [1, 1024])
@given(arrays=st.dictionaries(st.text(max_size=5), any_bits() | views(), max_size=4))
@settings(deadline=None)
def test_unpacking_restores_every_bit(small_bytes: int, arrays: dict[str, np.ndarray]) -> None:
    with patch("thalweg.engine.columns._SMALL_BYTES", small_bytes):
        unpacked = unpack(pack(arrays))
    assert list(unpacked) == list(arrays)
    for name, array in arrays.items():
        assert_same_bits(unpacked[name], array)


def test_unpacking_restores_every_dtype() -> None:
    payload = np.array([0x7FF8_0000_0000_0001, 0xFFF0_0000_0000_1234], np.uint64).view(np.float64)
    special = np.array([np.nan, -np.nan, np.inf, -np.inf, -0.0, 0.0, 5e-324, -1.7976931348623157e308])
    arrays = {"special": np.concatenate([special, payload]), "ends": np.array([-(2**63), 2**63 - 1])}
    unpacked = unpack(pack(arrays))
    for name, array in arrays.items():
        assert_same_bits(unpacked[name], array)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 5)])
def test_empty_arrays_keep_their_shape(shape: tuple[int, ...]) -> None:
    arrays = {"empty": np.zeros(shape), "full": np.arange(3.0), "none": np.zeros(0, np.float32)}
    unpacked = unpack(pack(arrays))
    for name, array in arrays.items():
        assert_same_bits(unpacked[name], array)


@pytest.mark.parametrize("dtype", ["bool", "int16", "S3", "S200", "complex64", "complex128", ">f8", "<M8[s]"])
def test_unpacking_restores_items_of_other_sizes(dtype: str) -> None:
    items = np.arange(8 * np.dtype(dtype).itemsize * 300, dtype=np.uint8) % 2
    arrays = {"few": items.view(dtype)[:8], "many": items.view(dtype).reshape(4, -1)[:, ::-1]}
    unpacked = unpack(pack(arrays))
    for name, array in arrays.items():
        assert_same_bits(unpacked[name], array)


def test_unpacking_restores_a_scalar() -> None:
    assert_same_bits(unpack(pack({"x": np.array(1.5)}))["x"], np.array(1.5))


def test_unpacked_arrays_are_writable() -> None:
    unpacked = unpack(pack({"few": np.arange(3.0), "many": np.arange(3000.0)}))
    assert all(array.flags.writeable and array.flags.aligned for array in unpacked.values())


@pytest.mark.parametrize("data", [b"", b"TW", b"\x05\x00\x00\x00hello", b"TWC\x02" + pack({})[4:]])
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not packed columns of this version"):
        unpack(data)


def test_packing_does_not_change_the_array() -> None:
    array = np.arange(1000.0)
    pack({"x": array})
    np.testing.assert_array_equal(array, np.arange(1000.0))


def test_the_same_arrays_give_the_same_bytes() -> None:
    arrays: dict[str, Any] = {"x": np.arange(1200.0).reshape(3, 400), "n": np.arange(3)}
    assert pack(arrays) == pack({name: array.copy() for name, array in arrays.items()})


def test_a_smooth_trajectory_is_compressed() -> None:
    smooth = np.exp(-np.linspace(0, 1, 10_000))
    assert len(pack({"f": smooth})) < 0.4 * smooth.nbytes
