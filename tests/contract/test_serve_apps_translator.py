"""Sentences in, translations out, in the replica's own code; the network has its true form and has learnt nothing."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from ray import serve

from serve_apps.datasets.text import made_up_lines
from serve_apps.nets import build, translator
from serve_apps.payloads import sentences
from serve_apps.settings import Source, Translation
from serve_apps.translation import LONGEST, TranslationModel
from serve_apps.translator import Translator
from tests.fakes.replicas import answered_together

LIMIT = 12
URL = "/v2/models/translator/infer"
LINES = made_up_lines(24, seed=7)


@pytest.fixture(autouse=True)
def _replica(monkeypatch):
    """@serve.batch asks its replica for one number, to warn about it."""
    context = SimpleNamespace(_deployment_config=SimpleNamespace(max_ongoing_requests=1000))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    untaught = SimpleNamespace(SEED=0, network=translator.Translator, parts=translator.parts)
    path = tmp_path_factory.mktemp("model") / "translator.onnx"
    build._make(untaught, path)
    return Source("translator", path)


@pytest.fixture(scope="module")
def model(source):
    return TranslationModel(source.name, source.path(), 1, LIMIT)


def translated(model, lines):
    """The model's outputs for one batch."""
    texts = np.array([line.encode() for line in lines], object)
    return [output.tolist() for output in model.run(model.prepare({"text": texts}))]


def answered(source, bodies, user_config):
    """(status, document, Server-Timing) of requests that come together."""
    return answered_together(lambda: Translator.func_or_class(source, Translation(LIMIT)), user_config, URL, bodies)


def body(lines):
    return json.dumps(
        {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [len(lines)], "data": lines}]}
    ).encode()


def test_both_files_are_kept_together(source):
    assert sorted(file.name for file in source.path().parent.iterdir()) == ["translator.onnx", "translator.step.onnx"]


def test_a_sentence_is_translated_alike_alone_and_in_any_batch(model):
    together = translated(model, LINES)[0]
    assert [translated(model, [line])[0][0] for line in LINES] == together
    assert len(set(together)) > 12, "what is said depends on the sentence"


def test_tokens_and_padding_are_those_of_the_rectangle_that_was_computed(model):
    _, tokens, padding = translated(model, ["the dog", "the old dog sees the cat .", "dog"])
    assert tokens == [2, 7, 1]
    assert padding == [5, 0, 6]


def test_a_translation_is_never_longer_than_the_limit_nor_than_its_sentence_gives_cause_for(model):
    for line, said in zip(LINES, translated(model, LINES)[0], strict=True):
        words = len(re.findall(r"\w+|[^\w\s]", said.decode()))
        assert words <= min(LIMIT, 2 * len(line.split()) + 4)
    assert len(translated(model, ["dog"])[0][0].split()) <= 6


@pytest.mark.parametrize("most", [1, 5, 64])
def test_sentences_join_batches_by_themselves_and_come_back_in_the_order_of_their_requests(source, model, most):
    requests = [LINES[0:4], LINES[4:12], LINES[12:13]]
    user_config = {"max_batch_size": most, "batch_wait_timeout_s": 0.05}
    for lines, (status, document, timing) in zip(
        requests, answered(source, [body(lines) for lines in requests], user_config), strict=True
    ):
        assert status == 200
        found = {output["name"]: output["data"] for output in document["outputs"]}
        assert found["translation"] == [said.decode() for said in translated(model, lines)[0]]
        assert found["tokens"] == [len(line.split()) for line in lines]
        told = {name: float(value) for name, value in re.findall(r"([\w-]+);\w+=([\d.]+)", timing)}
        assert told["batch-size"] <= most
        assert (told["tokens"], told["padding"]) == (sum(found["tokens"]), sum(found["padding"]))
        assert told["padding"] > 0 or most == 1


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["the dog .", " "], "sentence 2: it has 0 words and marks; 1 to 200 can be translated"),
        (["dog " * (LONGEST + 1)], "sentence 1: it has 201 words"),
    ],
    ids=["empty", "too long"],
)
def test_a_sentence_that_cannot_be_translated_is_named(source, lines, words):
    ((status, document, _),) = answered(source, [body(lines)], {})
    assert status == 400
    assert words in document["error"]


def test_text_that_is_not_utf8_is_the_requests_fault(model):
    with pytest.raises(ValueError, match="sentence 1: it is not UTF-8"):
        model.prepare({"text": np.array([b"\xff"], object)})


def test_the_payloads_are_requests_that_the_application_answers(source):
    asked = sentences(seed=2, items_per_request=4)[:3]
    assert {payload["path"] for payload in asked} == {URL}
    for status, document, _ in answered(source, [payload["body"] for payload in asked], {"max_batch_size": 8}):
        assert status == 200
        (output,) = document["outputs"]
        assert (output["name"], output["shape"]) == ("translation", [4])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"length_limit": 0}, "args.length_limit is 0; it must be an integer from 1 to 1000"),
        ({"length_limit": True}, "it must be an integer"),
        ({"length": 5}, "did you mean 'length_limit'"),
    ],
)
def test_an_argument_that_cannot_be_is_named(args, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Translation.from_args(args)
