"""JPEG pictures in, classes out, in the replica's own code; the model is a small one with known weights."""

from __future__ import annotations

import asyncio
import io
import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image
from ray import serve
from starlette.requests import Request

from serve_apps.decoding import DECODERS, DEVIATION, MEAN
from serve_apps.jpegs import Jpegs, build
from serve_apps.payloads import JPEG_SIZE, jpegs
from serve_apps.settings import Source
from serve_apps.tensors import RequestError


@pytest.fixture(autouse=True)
def _replica(monkeypatch):
    """@serve.batch asks its replica for one number, to warn about it."""
    context = SimpleNamespace(_deployment_config=SimpleNamespace(max_ongoing_requests=1000))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)


def jpeg(colour, size=(64, 48), mode="RGB"):
    written = io.BytesIO()
    Image.new(mode, size, colour).save(written, "JPEG", quality=95)
    return written.getvalue()


@pytest.fixture
def model(tmp_path):
    """The mean of each channel as its logit."""
    nodes = [helper.make_node("ReduceMean", ["image"], ["logits"], axes=[2, 3], keepdims=0)]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 8, 12])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])
    graph = helper.make_graph(nodes, "means", [image], [logits])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "m.onnx")
    return Source("means", tmp_path / "m.onnx")


def asked(source, body, user_config=None):
    """(status, document) of a POST."""

    async def ask():
        replica = Jpegs.func_or_class(source)
        await replica.reconfigure(user_config or {})
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            return messages.pop(0)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
        answer = await replica(Request(scope, receive))
        return answer.status_code, json.loads(answer.body)

    return asyncio.run(ask())


@pytest.mark.parametrize(("colour", "found"), [("red", 0), ("lime", 1), ("blue", 2)])
@pytest.mark.parametrize("threads", [1, 4])
def test_a_picture_is_answered_with_its_class(model, colour, found, threads):
    status, document = asked(model, jpeg(colour), {"decode_threads": threads, "max_batch_size": 2})
    assert (status, document["class"]) == (200, found)
    assert 0.5 < document["score"] <= 1


@pytest.fixture(params=DECODERS)
def decode(request):
    return DECODERS[request.param]


@pytest.mark.parametrize("size", [(12, 8), (500, 375), (3, 200)])
def test_a_picture_of_any_size_becomes_one_of_the_models(decode, size):
    pixels = decode(jpeg((255, 0, 0), size), 8, 12)
    assert (pixels.shape, pixels.dtype) == ((3, 8, 12), np.float32)
    expected = (np.array([1, 0, 0]) - MEAN) / DEVIATION
    np.testing.assert_allclose(pixels.mean(axis=(1, 2)), expected, atol=0.05)


def test_a_grey_picture_has_three_equal_channels(decode):
    pixels = decode(jpeg(128, mode="L"), 8, 12) * DEVIATION[:, None, None] + MEAN[:, None, None]
    np.testing.assert_allclose(pixels, 128 / 255, atol=0.01)


@pytest.mark.parametrize(
    "body", [b"", b"no picture", jpeg("red", (500, 375))[:400]], ids=["empty", "text", "cut short"]
)
def test_what_is_no_jpeg_is_the_requests_fault(decode, model, body):
    with pytest.raises(RequestError, match="no JPEG picture that can be read"):
        decode(body, 8, 12)
    assert asked(model, body)[0] == 400


def test_both_libraries_see_the_same_picture():
    photo = jpegs(seed=3)[0]["body"]
    pillow, turbo = (by(photo, 224, 224) for by in DECODERS.values())
    assert np.abs(pillow - turbo).mean() < 0.05, "of a range of more than four"


def test_a_decoder_that_is_not_known_is_named():
    with pytest.raises(ValueError, match=r"args\.decoder is 'opencv'; it must be 'pillow' or 'turbo'"):
        build({"model": "resnet50", "decoder": "opencv"})
    assert build({"model": "resnet50", "decoder": "turbo", "precision": "int8"}) is not None


@pytest.mark.parametrize("threads", [0, 65, "2", True])
def test_a_number_of_threads_that_cannot_be_is_named(model, threads):
    with pytest.raises(ValueError, match=r"user_config.decode_threads is .*; it must be an integer from 1 to 64"):
        asked(model, jpeg("red"), {"decode_threads": threads})


def test_a_model_without_pictures_is_refused(tmp_path):
    tensor = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "same",
        [tensor],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), tmp_path / "m.onnx")
    with pytest.raises(ValueError, match="has to have one input of pictures"):
        Jpegs.func_or_class(Source("same", tmp_path / "m.onnx"))


def test_the_payloads_are_photos_that_can_be_decoded_and_differ(decode):
    payloads = jpegs(seed=1)
    assert Image.open(io.BytesIO(payloads[0]["body"])).size == JPEG_SIZE
    assert len({payload["body"] for payload in payloads}) == len(payloads)
    assert jpegs(seed=1)[5]["body"] == payloads[5]["body"]
    assert decode(payloads[0]["body"], 224, 224).std() > 0.3
