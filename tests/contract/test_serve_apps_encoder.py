"""Sentences in, vectors out, in the replica's own code, with a small encoder whose weights are drawn from a seed."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from ray import serve

from serve_apps.datasets.text import made_up_lines
from serve_apps.encoder import Encoder, build
from serve_apps.encoding import Encoding, EncodingModel, bucket
from serve_apps.nets import build as built
from serve_apps.onnx_model import OnnxModel
from serve_apps.payloads import texts
from serve_apps.settings import Source
from serve_apps.tokens import by_checksum
from serve_apps.variant import Variant
from tests.fakes.replicas import answered_together

NAME = "encoder_tiny"
URL = f"/v2/models/{NAME}/infer"
LINES = made_up_lines(24, seed=7)


@pytest.fixture(autouse=True)
def _replica(monkeypatch):
    """@serve.batch asks its replica for one number, to warn about it."""
    context = SimpleNamespace(_deployment_config=SimpleNamespace(max_ongoing_requests=1000))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATOR_MODEL_DIR", str(folder))
        return built.build(NAME)[0]


def model(file, **asked):
    return EncodingModel(OnnxModel(NAME, file, 1), by_checksum, Encoding(**asked), "drawn from a seed")


def encoded(model, lines):
    """The model's outputs for one batch."""
    return model.run(model.prepare({"text": np.array([line.encode() for line in lines], object)}))


def answered(file, bodies, asked, user_config):
    """(status, document, Server-Timing) of requests that come together."""
    return answered_together(
        lambda: Encoder.func_or_class(Source(NAME, file), asked, Variant()), user_config, URL, bodies
    )


def body(lines):
    entry = {"name": "text", "datatype": "BYTES", "shape": [len(lines)], "data": lines}
    return json.dumps({"inputs": [entry]}).encode()


def told(timing):
    return {name: float(value) for name, value in re.findall(r"([\w-]+);\w+=([\d.]+)", timing)}


@pytest.mark.parametrize("padding", ["max", "longest", "bucketed"])
def test_a_sentence_has_the_same_vector_alone_and_in_any_batch(file, padding):
    mine = model(file, padding=padding, max_length=80)
    vectors, tokens, _ = encoded(mine, LINES)
    alone = np.concatenate([encoded(mine, [line])[0] for line in LINES])
    np.testing.assert_allclose(vectors, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert tokens.tolist() == [len(by_checksum(line)) for line in LINES]


@pytest.mark.parametrize(("padding", "width"), [("max", 40), ("longest", 9), ("bucketed", 9)])
def test_a_batch_is_padded_to_the_most_or_to_its_longest_sentence(file, padding, width):
    _, tokens, padded = encoded(model(file, padding=padding, max_length=40), ["the dog", "the old dog sees the cat ."])
    assert tokens.tolist() == [4, 9]
    assert padded.tolist() == [width - 4, width - 9]


@pytest.mark.parametrize(("length", "most"), [(1, 16), (16, 16), (17, 32), (32, 32), (33, 64), (512, 512)])
def test_sentences_wait_with_those_of_at_most_twice_their_length(length, most):
    assert bucket(length) == most


def test_only_sentences_of_like_length_come_into_a_batch_when_bucketed(file):
    short, long = "the dog sees the cat .", "the dog sees the cat , and " * 5
    lines = [body([short]), body([long])] * 4
    user_config = {"max_batch_size": 8, "batch_wait_timeout_s": 0.05}
    waste = {}
    for padding in ("longest", "bucketed"):
        times = [told(timing) for _, _, timing in answered(file, lines, Encoding(padding), user_config)]
        assert {time["batch-size"] for time in times} == {8 if padding == "longest" else 4}
        waste[padding] = sum(time["padding"] for time in times) / sum(time["tokens"] for time in times)
    assert waste["bucketed"] == 0
    assert waste["longest"] > 0.5


def test_an_answer_tells_tokens_padding_and_the_accuracy_of_the_model(file):
    ((status, document, timing),) = answered(file, [body(LINES[:3])], Encoding(), {"max_batch_size": 8})
    assert status == 200
    found = {output["name"]: output for output in document["outputs"]}
    assert found["vector"]["shape"] == [3, 128]
    times = told(timing)
    assert times["accuracy"] == 1, "as it is, a model agrees with itself"
    assert (times["tokens"], times["padding"]) == (sum(found["tokens"]["data"]), sum(found["padding"]["data"]))


def test_the_model_says_where_its_weights_come_from(file):
    assert model(file).spec.metadata()["parameters"] == {"weights": "drawn from a seed"}


def test_the_payloads_are_requests_that_the_application_answers(file):
    asked = texts(seed=2, items_per_request=4, model=NAME)[:3]
    assert {payload["path"] for payload in asked} == {URL}
    for status, document, _ in answered(file, [one["body"] for one in asked], Encoding(), {"max_batch_size": 8}):
        assert status == 200
        assert document["outputs"][0]["shape"] == [4, 128]


@pytest.mark.parametrize(
    ("line", "words"),
    [("dog " * 20, "sentence 1: it has 22 tokens; 16 can be read (args.max_length)")],
)
def test_a_sentence_that_cannot_be_read_is_named(file, line, words):
    ((status, document, _),) = answered(file, [body([line])], Encoding(max_length=16), {})
    assert status == 400
    assert words in document["error"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"padding": "none"}, "args.padding is 'none'; it must be 'max' or 'longest' or 'bucketed'"),
        ({"max_length": 600}, "args.max_length is 600; it must be an integer from 8 to 512"),
        ({"paddin": "max"}, "did you mean 'padding'"),
        ({"model": "digits"}, "args.model is 'digits'; it must be 'encoder_tiny'"),
        ({"engine": "torch", "precision": "int8"}, "infeasible: args.precision is 'int8' and args.engine is 'torch'"),
    ],
)
def test_an_argument_that_cannot_be_is_named(args, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        build(args)
