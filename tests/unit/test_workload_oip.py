"""Tensors in the Open Inference Protocol v2, with its binary tensor data extension."""

import json

import numpy as np
import pytest

from orchestrator.workload.oip import DATATYPES, TensorSpec, infer_request, random_tensor


def split(body, headers):
    """The JSON head and the bytes after it, as a server splits them."""
    length = int(headers["Inference-Header-Content-Length"])
    return json.loads(body[:length]), body[length:]


@pytest.mark.parametrize(
    ("array", "datatype", "raw"),
    [
        pytest.param(np.array([True, False]), "BOOL", b"\x01\x00", id="bool"),
        pytest.param(np.array([1, 255], np.uint8), "UINT8", b"\x01\xff", id="uint8"),
        pytest.param(np.array([258], np.uint16), "UINT16", b"\x02\x01", id="uint16"),
        pytest.param(np.array([1], np.uint32), "UINT32", b"\x01\x00\x00\x00", id="uint32"),
        pytest.param(np.array([1], np.uint64), "UINT64", b"\x01" + b"\x00" * 7, id="uint64"),
        pytest.param(np.array([-1], np.int8), "INT8", b"\xff", id="int8"),
        pytest.param(np.array([-2], np.int16), "INT16", b"\xfe\xff", id="int16"),
        pytest.param(np.array([1], np.int32), "INT32", b"\x01\x00\x00\x00", id="int32"),
        pytest.param(np.array([-1]), "INT64", b"\xff" * 8, id="int64"),
        pytest.param(np.array([1], np.float16), "FP16", b"\x00\x3c", id="fp16"),
        pytest.param(np.array([1], np.float32), "FP32", b"\x00\x00\x80\x3f", id="fp32"),
        pytest.param(np.array([1.0]), "FP64", b"\x00" * 6 + b"\xf0\x3f", id="fp64"),
        pytest.param(np.array([1], ">f4"), "FP32", b"\x00\x00\x80\x3f", id="big-endian-is-turned"),
        pytest.param(np.array([[1, 2], [3, 4]], np.uint8).T, "UINT8", b"\x01\x03\x02\x04", id="column-major-is-turned"),
        pytest.param(np.array(["né"]), "BYTES", b"\x03\x00\x00\x00n\xc3\xa9", id="text-as-utf-8"),
        pytest.param(np.array([b"a\x00", b""], object), "BYTES", b"\x02\x00\x00\x00a\x00\x00\x00\x00\x00", id="bytes"),
    ],
)
def test_a_tensor_travels_as_its_little_endian_bytes(array, datatype, raw):
    head, rest = split(*infer_request({"x": array}))
    size = {"binary_data_size": len(raw)}
    entry = {"name": "x", "datatype": datatype, "shape": list(array.shape), "parameters": size}
    assert head["inputs"] == [entry]
    assert rest == raw


def test_several_tensors_follow_the_head_in_its_order_and_binary_outputs_are_asked_for():
    body, headers = infer_request({"ids": np.array([[1, 0]]), "mask": np.array([[True, False]])})
    head, rest = split(body, headers)
    assert [entry["name"] for entry in head["inputs"]] == ["ids", "mask"]
    assert rest == np.array([1, 0]).astype("<i8").tobytes() + b"\x01\x00"
    assert head["parameters"] == {"binary_data_output": True}
    assert headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("array", "says"),
    [
        pytest.param(np.array([1j]), "'x' is of type complex128", id="complex"),
        pytest.param(np.array(["2026-01-01"], "datetime64[D]"), "'x' is of type datetime64", id="dates"),
        pytest.param(np.array([{"a": 1}], object), "'x' holds dict", id="objects"),
    ],
)
def test_what_the_protocol_cannot_carry_is_refused_by_name(array, says):
    with pytest.raises(ValueError, match=says):
        infer_request({"x": array})


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param((-1, 1, 8, 8), (1, 1, 8, 8), id="free-batch"),
        pytest.param((-1, -1), (1, 5), id="free-batch-and-length"),
        pytest.param((4, 3), (4, 3), id="fixed-batch-stays"),
        pytest.param((1, -1), (1, 5), id="fixed-batch-free-length"),
        pytest.param((-1,), (1,), id="batch-alone"),
        pytest.param((), (), id="scalar"),
    ],
)
def test_free_axes_get_a_length(shape, expected):
    assert TensorSpec("x", "FP32", shape).concrete(dynamic_dim=5) == expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        pytest.param((-1, -1), (3, 5), id="free-batch"),
        pytest.param((4, -1), (4, 5), id="fixed-batch-stays"),
        pytest.param((), (), id="scalar"),
    ],
)
def test_a_free_first_axis_counts_the_items_of_a_request(shape, expected):
    spec = TensorSpec("x", "FP32", shape)
    assert spec.concrete(dynamic_dim=5, items=3) == expected
    assert spec.batched is (expected[:1] == (3,))


@pytest.mark.parametrize("datatype", DATATYPES)
def test_a_random_tensor_is_valid_for_its_input_and_can_be_sent(datatype):
    tensor = random_tensor(TensorSpec("x", datatype, (-1, 500)), (1, 500), np.random.default_rng(0))
    head, _ = split(*infer_request({"x": tensor}))
    assert head["inputs"][0]["datatype"] == datatype
    assert tensor.shape == (1, 500)
    assert len(set(tensor.ravel().tolist())) > 1
    if datatype.startswith("FP"):
        assert tensor.min() >= 0
        assert tensor.max() < 1
    elif datatype != "BYTES":
        assert set(np.unique(tensor)) == {0, 1}


def test_a_float_never_rounds_up_to_one():
    class AlmostOne:
        def random(self, shape):
            return np.full(shape, np.nextafter(1.0, 0.0))

    for datatype in ("FP16", "FP32", "FP64"):
        assert random_tensor(TensorSpec("x", datatype, (3,)), (3,), AlmostOne()).max() < 1


def test_random_tensors_depend_on_the_seed_alone():
    spec = TensorSpec("x", "FP32", (-1, 4))
    first, again, other = (random_tensor(spec, (1, 4), np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_an_input_is_read_from_metadata_even_with_lengths_as_text():
    metadata = {"name": "x", "datatype": "INT64", "shape": ["-1", 128]}  # protobuf's JSON has int64 as text
    assert TensorSpec.parse(metadata) == TensorSpec("x", "INT64", (-1, 128))


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        pytest.param({"name": "x", "shape": [1]}, "not the description", id="no-datatype"),
        pytest.param({"name": "x", "datatype": "FP32", "shape": None}, "not the description", id="no-shape"),
        pytest.param("x", "not the description", id="not-a-mapping"),
        pytest.param({"name": "x", "datatype": "BF16", "shape": [1]}, "datatype BF16; known: BOOL", id="bf16"),
        pytest.param({"name": "x", "datatype": "FP32", "shape": [-2]}, r"shape \[-2\]", id="impossible-shape"),
    ],
)
def test_metadata_that_cannot_be_used_is_refused(metadata, says):
    with pytest.raises(ValueError, match=says):
        TensorSpec.parse(metadata)


def test_as_json_every_input_is_a_flat_list_in_row_major_order():
    tensors = {"x": np.array([[1, 2], [3, 4]], np.float32).T, "name": np.array([["né"], [b"b"]], object)}
    body, headers = infer_request(tensors, "json")
    assert headers == {"Content-Type": "application/json"}
    assert json.loads(body) == {
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [1, 3, 2, 4]},
            {"name": "name", "datatype": "BYTES", "shape": [2, 1], "data": ["né", "b"]},
        ]
    }


def test_bytes_that_are_no_text_cannot_be_json():
    with pytest.raises(ValueError, match="tensor 'x' holds bytes that are no text"):
        infer_request({"x": np.array([b"\xff"], object)}, "json")
