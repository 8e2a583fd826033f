"""Tensors in the protocol's two encodings: JSON lists and raw little-endian bytes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serve_apps import tensors
from serve_apps.tensors import DTYPES, RequestError

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
NUMERIC = [datatype for datatype in DTYPES if datatype != "BYTES"]


@st.composite
def any_tensor(draw):
    datatype = draw(st.sampled_from(sorted(DTYPES)))
    elements = st.binary(max_size=5) if datatype == "BYTES" else None
    return datatype, draw(hnp.arrays(DTYPES[datatype], draw(SHAPES), elements=elements))


@given(any_tensor())
def test_raw_data_survives_the_round_trip_bit_for_bit(case):
    datatype, array = case
    raw = tensors.to_raw(array, datatype)
    back = tensors.from_raw(memoryview(raw), datatype, array.shape, "x")
    assert back.shape == array.shape
    assert back.dtype == DTYPES[datatype]
    assert tensors.to_raw(back, datatype) == raw


@given(any_tensor(), st.booleans())
def test_json_data_survives_the_round_trip_flat_or_nested(case, nested):
    datatype, array = case
    if datatype == "BYTES":
        array = tensors.from_json([e.hex() for e in array.ravel()], "BYTES", array.shape, "x")
    elif datatype.startswith("FP"):
        array = np.nan_to_num(array)
    data = tensors.to_json(array, datatype, "x")
    if nested and array.ndim:
        data = np.array(data, object).reshape(array.shape).tolist()
    back = tensors.from_json(data, datatype, array.shape, "x")
    assert back.shape == array.shape
    assert tensors.to_raw(back, datatype) == tensors.to_raw(array, datatype)


def test_raw_numbers_are_read_without_a_copy():
    raw = np.arange(6, dtype="<f4").tobytes()
    assert np.shares_memory(tensors.from_raw(memoryview(raw), "FP32", [2, 3], "x"), np.frombuffer(raw, np.uint8))


def test_raw_data_is_little_endian_and_bytes_elements_carry_their_length():
    assert tensors.to_raw(np.array([1], ">i4"), "INT32") == b"\1\0\0\0"
    assert tensors.to_raw(np.array([b"ab", b""], object), "BYTES") == b"\2\0\0\0ab\0\0\0\0"


RAW_MISTAKES = {
    "too few bytes": (b"\0" * 7, "FP32", [2], "7 bytes of binary data, but FP32 [2] takes 8"),
    "too many bytes": (b"\0" * 9, "FP32", [2], "9 bytes of binary data, but FP32 [2] takes 8"),
    "a BOOL that is neither 0 nor 1": (b"\0\2", "BOOL", [2], "0 or 1"),
    "a BYTES length cut short": (b"\1\0\0", "BYTES", [1], "element 0 of its BYTES data is cut short"),
    "a BYTES element cut short": (
        b"\1\0\0\0a\5\0\0\0ab",
        "BYTES",
        [2],
        "element 1 of its BYTES data is cut short",
    ),
    "too few BYTES elements": (b"\0\0\0\0", "BYTES", [2], "1 BYTES elements, but shape [2] takes 2"),
    "too many BYTES elements": (b"\0\0\0\0" * 3, "BYTES", [2], "more than 2 BYTES elements"),
}


@pytest.mark.parametrize(("raw", "datatype", "shape", "message"), RAW_MISTAKES.values(), ids=RAW_MISTAKES)
def test_raw_data_that_does_not_fit_is_refused(raw, datatype, shape, message):
    with pytest.raises(RequestError) as caught:
        tensors.from_raw(memoryview(raw), datatype, shape, "input 'x'")
    assert message in str(caught.value)
    assert "input 'x'" in str(caught.value)


JSON_MISTAKES = {
    "not a list": (3, "INT8", [1], "data must be a list, found int"),
    "too few elements": ([1, 2], "INT8", [3], "expected a flat list of 3"),
    "nested unlike the shape": ([[1, 2, 3], [4, 5, 6]], "INT8", [3, 2], "or a list of 3 at depth 0; found 2"),
    "ragged": ([[1, 2], [3]], "INT8", [2, 2], "or a list of 2 at depth 1; found 1 elements"),
    "a number where a list belongs": ([[1, 2], 3], "INT8", [2, 2], "at depth 1; found int"),
    "nested too deep": ([[[1], [2]]], "INT8", [1, 2], "INT8 data holds int elements, found list"),
    "text for a float": (["1.5"], "FP32", [1], "FP32 data holds float or int elements, found str"),
    "a fraction for an integer": ([1.5], "INT32", [1], "INT32 data holds int elements, found float"),
    "a boolean for an integer": ([True], "INT32", [1], "found bool"),
    "a number for a boolean": ([1], "BOOL", [1], "BOOL data holds bool elements, found int"),
    "null": ([None], "FP32", [1], "found NoneType"),
    "a number for BYTES": ([1], "BYTES", [1], "BYTES data holds str elements, found int"),
    "half a surrogate pair": (["\ud800"], "BYTES", [1], "not valid Unicode"),
    "above the range": ([256], "UINT8", [1], "out of the range of UINT8"),
    "below the range": ([-1], "UINT64", [1], "out of the range of UINT64"),
    "a float too large for FP16": ([1e5], "FP16", [1], "out of the range of FP16"),
    "an integer too large for any float": ([10**400], "FP64", [1], "out of the range of FP64"),
}


@pytest.mark.parametrize(("data", "datatype", "shape", "message"), JSON_MISTAKES.values(), ids=JSON_MISTAKES)
def test_json_data_that_does_not_fit_is_refused(data, datatype, shape, message):
    with pytest.raises(RequestError) as caught:
        tensors.from_json(data, datatype, shape, "input 'x'")
    assert message in str(caught.value)


@pytest.mark.parametrize("datatype", [d for d in NUMERIC if "INT" in d])
def test_the_limits_of_every_integer_type_are_within_its_range(datatype):
    limits = np.iinfo(DTYPES[datatype])
    array = tensors.from_json([int(limits.min), int(limits.max)], datatype, [2], "x")
    assert array.tolist() == [limits.min, limits.max]


UNWRITABLE = {
    "NaN": (np.array([math.nan], "f4"), "FP32", "NaN or infinity"),
    "infinity": (np.array([math.inf], "f8"), "FP64", "NaN or infinity"),
    "bytes that are not UTF-8": (np.array([b"\xff"], object), "BYTES", "not UTF-8"),
}


@pytest.mark.parametrize(("array", "datatype", "message"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_json_cannot_hold_is_offered_as_binary_data(array, datatype, message):
    with pytest.raises(RequestError, match=message) as caught:
        tensors.to_json(array, datatype, "output 'y'")
    assert "binary data" in str(caught.value)
