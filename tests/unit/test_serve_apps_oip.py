"""Requests and responses of the Open Inference Protocol."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from serve_apps import oip, tensors
from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.tensors import DTYPES, RequestError

MODEL = ModelSpec(
    "pair",
    inputs=(TensorSpec("a", "FP32", (None, 2)), TensorSpec("b", "BYTES", (None,))),
    outputs=(TensorSpec("y", "FP32", (None, 2)), TensorSpec("z", "BYTES", (None,))),
)
A = {"name": "a", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
B = {"name": "b", "datatype": "BYTES", "shape": [1], "data": ["ü"]}
Y, Z = np.array([[1.5, -2]], "f4"), np.array([b"ok"], object)


def parse(document, raw=None, model=MODEL):
    header = json.dumps(document).encode()
    return oip.parse_request(model, header + (raw or b""), None if raw is None else len(header))


def binary(tensor, size):
    return {key: value for key, value in tensor.items() if key != "data"} | {"parameters": {"binary_data_size": size}}


def test_json_and_binary_tensors_may_be_mixed_in_one_request():
    request = parse({"id": "7", "inputs": [B, binary(A, 8)]}, np.array([3, 4], "<f4").tobytes())
    assert request.id == "7"
    assert request.inputs["a"].tolist() == [[3, 4]]
    assert request.inputs["b"].tolist() == ["ü".encode()]
    assert request.outputs == ((0, False), (1, False))


def test_binary_tensors_are_taken_in_the_order_in_which_the_inputs_are_named():
    raw = b"\1\0\0\0x" + np.array([3, 4], "<f4").tobytes()
    request = parse({"inputs": [binary(B, 5), binary(A, 8)]}, raw)
    assert request.inputs["a"].tolist() == [[3, 4]]
    assert request.inputs["b"].tolist() == [b"x"]


OUTPUTS = {
    "nothing asked for: all, as JSON": ({}, ((0, False), (1, False))),
    "an empty list: all": ({"outputs": []}, ((0, False), (1, False))),
    "all as binary": ({"parameters": {"binary_data_output": True}}, ((0, True), (1, True))),
    "one by name": ({"outputs": [{"name": "z"}]}, ((1, False),)),
    "in the order asked for": ({"outputs": [{"name": "z"}, {"name": "y"}]}, ((1, False), (0, False))),
    "one as binary": (
        {"outputs": [{"name": "y", "parameters": {"binary_data": True}}, {"name": "z"}]},
        ((0, True), (1, False)),
    ),
    "one kept out of binary": (
        {
            "outputs": [{"name": "y", "parameters": {"binary_data": False}}, {"name": "z"}],
            "parameters": {"binary_data_output": True},
        },
        ((0, False), (1, True)),
    ),
}


@pytest.mark.parametrize(("extra", "expected"), OUTPUTS.values(), ids=OUTPUTS)
def test_outputs_are_those_that_were_asked_for(extra, expected):
    assert parse({"inputs": [A, B], **extra}).outputs == expected


def test_a_json_response_repeats_the_id_and_holds_the_data():
    request = parse({"id": "x", "inputs": [A, B]})
    body, header_length = oip.build_response(MODEL, request, [Y, Z])
    assert header_length is None
    assert json.loads(body) == {
        "model_name": "pair",
        "model_version": "1",
        "id": "x",
        "outputs": [
            {"name": "y", "datatype": "FP32", "shape": [1, 2], "data": [1.5, -2.0]},
            {"name": "z", "datatype": "BYTES", "shape": [1], "data": ["ok"]},
        ],
    }


def test_a_binary_response_has_the_raw_tensors_behind_its_header():
    request = parse({"inputs": [A, B], "parameters": {"binary_data_output": True}})
    body, header_length = oip.build_response(MODEL, request, [Y, Z])
    document = json.loads(body[:header_length])
    assert "id" not in document
    assert [output["parameters"] for output in document["outputs"]] == [
        {"binary_data_size": 8},
        {"binary_data_size": 6},
    ]
    assert body[header_length:] == Y.tobytes() + b"\2\0\0\0ok"


BROKEN_BODIES = {
    "no JSON": (b"{", None, "not valid JSON"),
    "not UTF-8": (b'{"id": "\xff"}', None, "not valid JSON"),
    "nested without end": (b"[" * 100_000, None, "not valid JSON"),
    "an empty body": (b"", None, "not valid JSON"),
    "no object": (b"[]", None, "must be a JSON object, found list"),
    "a header length beyond the body": (b"{}", 3, "is 3, but the body has only 2 bytes"),
}

MISTAKES = {
    "an id that is no string": ({"id": 7}, None, "id must be a string, found 7"),
    "inputs that are no list": ({"inputs": {}}, None, "inputs must be a list of objects, found dict"),
    "an input that is no object": ({"inputs": ["a"]}, None, "inputs must be a list of objects"),
    "no inputs": ({}, None, "missing input 'a', 'b'; model 'pair' takes 'a', 'b'"),
    "a missing input": ({"inputs": [A]}, None, "missing input 'b'; model 'pair' takes 'a', 'b'"),
    "an unknown input": (
        {"inputs": [A | {"name": "c"}]},
        None,
        "unknown input 'c'; the model's inputs are 'a', 'b'",
    ),
    "an input without a name": ({"inputs": [{}]}, None, "unknown input None"),
    "an input given twice": ({"inputs": [A, A]}, None, "input 'a' is given twice"),
    "a wrong data type": (
        {"inputs": [A | {"datatype": "FP64"}]},
        None,
        "datatype is 'FP64', expected 'FP32'",
    ),
    "a wrong dimension": ({"inputs": [A | {"shape": [1, 3]}]}, None, "shape is [1, 3], expected [-1, 2]"),
    "a missing dimension": ({"inputs": [A | {"shape": [2]}]}, None, "shape is [2], expected [-1, 2]"),
    "no items": ({"inputs": [A | {"shape": [0, 2]}]}, None, "at least 1"),
    "a negative length": ({"inputs": [A | {"shape": [-1, 2]}]}, None, "shape must hold integers from 0 to"),
    "a shape that is no list": (
        {"inputs": [A | {"shape": 2}]},
        None,
        "shape must be a list of integers, found 2",
    ),
    "a fraction as a length": (
        {"inputs": [A | {"shape": [1.0, 2]}]},
        None,
        "shape must hold integers from 0 to",
    ),
    "a length beyond all memory": (
        {"inputs": [A | {"shape": [2**62, 2]}]},
        None,
        "shape must hold integers from 0 to",
    ),
    "no data at all": ({"inputs": [binary(A, None)]}, None, "either data or parameters.binary_data_size"),
    "data in both ways": (
        {"inputs": [A | {"parameters": {"binary_data_size": 8}}]},
        None,
        "either data or parameters.binary_data_size",
    ),
    "parameters that are no object": (
        {"inputs": [A | {"parameters": 1}]},
        None,
        "parameters must be an object",
    ),
    "binary data without the header": ({"inputs": [binary(A, 8)]}, None, "Inference-Header-Content-Length"),
    "a size that is no integer": (
        {"inputs": [binary(A, "8")]},
        b"",
        "binary_data_size must be an integer >= 0",
    ),
    "a negative size": ({"inputs": [binary(A, -8)]}, b"", "binary_data_size must be an integer >= 0"),
    "a truncated body": (
        {"inputs": [binary(A, 8)]},
        b"\0" * 7,
        "binary_data_size is 8, but only 7 bytes are left",
    ),
    "a size unlike the shape": (
        {"inputs": [binary(A, 4)]},
        b"\0" * 4,
        "4 bytes of binary data, but FP32 [1, 2] takes 8",
    ),
    "bytes left over": ({"inputs": [binary(A, 8), B]}, b"\0" * 9, "1 bytes are left over"),
    "an unknown output": ({"inputs": [A, B], "outputs": [{"name": "a"}]}, None, "outputs are 'y', 'z'"),
    "an output asked for twice": (
        {"inputs": [A, B], "outputs": [{"name": "y"}] * 2},
        None,
        "'y' is given twice",
    ),
    "a flag that is no boolean": (
        {"inputs": [A, B], "parameters": {"binary_data_output": 1}},
        None,
        "binary_data_output must be true or false, found 1",
    ),
}


@pytest.mark.parametrize(("body", "header_length", "message"), BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_a_body_that_holds_no_json_object_is_refused(body, header_length, message):
    with pytest.raises(RequestError) as caught:
        oip.parse_request(MODEL, body, header_length)
    assert message in str(caught.value)


@pytest.mark.parametrize(("document", "raw", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_what_is_expected(document, raw, message):
    with pytest.raises(RequestError) as caught:
        parse(document, raw)
    assert message in str(caught.value)
    assert caught.value.status == 400


def test_a_model_with_a_fixed_first_dimension_takes_exactly_that():
    model = ModelSpec("one", (TensorSpec("x", "INT8", (1,)),), (TensorSpec("y", "INT8", (1,)),))
    assert not model.batchable
    entry = {"name": "x", "datatype": "INT8", "shape": [2], "data": [1, 2]}
    with pytest.raises(RequestError, match=r"shape is \[2\], expected \[1\]"):
        parse({"inputs": [entry]}, model=model)


@pytest.mark.parametrize("shape", [[1] * 33, [0, 2**31, 2**31]], ids=["too many dimensions", "empty, but vast"])
def test_a_shape_that_numpy_cannot_hold_is_refused(shape):
    model = ModelSpec("any", (TensorSpec("x", "INT8", None),), ())
    with pytest.raises(RequestError, match="shape"):
        parse({"inputs": [{"name": "x", "datatype": "INT8", "shape": shape, "data": []}]}, model=model)


def test_a_model_that_does_not_state_its_shape_takes_any():
    model = ModelSpec("any", (TensorSpec("x", "INT8", None),), ())
    for shape, data in (([], [5]), ([0, 3], []), ([1, 2], [1, 2])):
        entry = {"name": "x", "datatype": "INT8", "shape": shape, "data": data}
        assert parse({"inputs": [entry]}, model=model).inputs["x"].shape == tuple(shape)


@given(st.data())
def test_what_a_client_writes_is_what_the_model_gets_and_back(data):
    specs, arrays = [], []
    for index in range(data.draw(st.integers(1, 3))):
        datatype = data.draw(st.sampled_from(sorted(DTYPES)))
        elements = st.binary(max_size=4) if datatype == "BYTES" else None
        shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=3))
        arrays.append(data.draw(hnp.arrays(DTYPES[datatype], shape, elements=elements)))
        specs.append(TensorSpec(f"t{index}", datatype, (None, *shape[1:])))
    model = ModelSpec("echo", tuple(specs), tuple(specs))
    raw = [tensors.to_raw(array, spec.datatype) for spec, array in zip(specs, arrays, strict=True)]
    inputs = [
        spec.metadata() | {"shape": array.shape, "parameters": {"binary_data_size": len(chunk)}}
        for spec, array, chunk in zip(specs, arrays, raw, strict=True)
    ]
    document = {"inputs": inputs, "parameters": {"binary_data_output": True}}
    request = parse(document, b"".join(raw), model)
    body, header_length = oip.build_response(model, request, list(request.inputs.values()))
    assert body[header_length:] == b"".join(raw)
    assert [output["shape"] for output in json.loads(body[:header_length])["outputs"]] == [
        list(array.shape) for array in arrays
    ]
