"""The directory of a data set, which a payload function is told."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest

from orchestrator.errors import PayloadError
from orchestrator.workload.inputs import inputs_text
from orchestrator.workload.payloads import make_payloads
from orchestrator.workload.plan import Workload

NOWHERE = "http://127.0.0.1:9/nobody"


def idx(array):
    return struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def fashion(tmp_path):
    """Two pictures, black and white, as Fashion-MNIST is distributed; the directory of the experiment's file."""
    (tmp_path / "data").mkdir()
    pictures = np.stack([np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)])
    for name, array in (("images-idx3", pictures), ("labels-idx1", np.array([3, 7], np.uint8))):
        (tmp_path / "data" / f"t10k-{name}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
    return tmp_path


def bodies(directory, items=1, **workload):
    return [payload.body for payload in make_payloads(Workload(**workload), NOWHERE, directory, items)]


def pixels(body):
    return np.frombuffer(body[-4 * 28 * 28 :], np.float32)


def test_pictures_come_from_the_files_in_the_directory(fashion):
    found = {
        float(value)
        for body in bodies(fashion, payloads="serve_apps.payloads:clothing", data="data")
        for value in pixels(body)
    }
    assert found == {0.0, 1.0}


def test_without_a_directory_they_are_made_up_and_the_seed_says_which(tmp_path):
    first, again, other = (bodies(tmp_path, payloads="serve_apps.payloads:clothing", seed=s) for s in (1, 1, 2))
    assert first == again != other
    assert len(np.unique(pixels(first[0]))) > 50


def test_a_request_holds_as_many_pictures_as_are_asked_for(fashion):
    one, three = (bodies(fashion, n, payloads="serve_apps.payloads:clothing", data="data")[0] for n in (1, 3))
    assert len(three) - len(one) == pytest.approx(2 * 4 * 28 * 28, abs=10)


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        ({"payloads": "serve_apps.payloads:clothing", "data": "gone"}, "workload.data is 'gone', but there is no such"),
        ({"payloads": "serve_apps.payloads:svhn", "data": "data"}, "has no SVHN.*there should be test_32x32.mat"),
        ({"payloads": "serve_apps.payloads:digits", "data": "data"}, "has no parameter data: leave workload.data out"),
    ],
)
def test_a_directory_that_does_not_fit_is_named(fashion, workload, words):
    with pytest.raises(PayloadError, match=words):
        bodies(fashion, **workload)


@pytest.mark.parametrize(
    ("workload", "text"),
    [
        ({}, "random tensors in the shape of the model's inputs"),
        ({"payloads": "requests.jsonl"}, "requests.jsonl"),
        ({"payloads": "serve_apps.payloads:digits"}, "serve_apps.payloads:digits"),
        (
            {"payloads": "serve_apps.payloads:clothing"},
            "made up by serve_apps.payloads:clothing, as workload.data names no data set",
        ),
        ({"payloads": "serve_apps.payloads:clothing", "data": "data"}, "data, by serve_apps.payloads:clothing"),
        ({"mix": [{"payloads": "a.jsonl"}, {"payloads": "b.jsonl"}, {"payloads": "a.jsonl"}]}, "a.jsonl, b.jsonl"),
    ],
    ids=["generated", "file", "function", "made up", "data set", "mix"],
)
def test_the_results_say_where_the_requests_come_from(fashion, workload, text):
    assert inputs_text(Workload(**workload), fashion) == text
