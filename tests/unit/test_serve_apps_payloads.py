"""The requests that the bundled models are measured with."""

import numpy as np
import pytest

from serve_apps import oip
from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.payloads import digits, jpegs

MODEL = ModelSpec(
    "digits", (TensorSpec("image", "FP32", (None, 1, 28, 28)),), (TensorSpec("logits", "FP32", (None, 10)),)
)


def test_every_payload_is_a_valid_binary_request_for_one_image():
    for payload in digits(seed=1):
        assert (payload["path"], payload["method"]) == ("/v2/models/digits/infer", "POST")
        request = oip.parse_request(MODEL, payload["body"], int(payload["headers"]["Inference-Header-Content-Length"]))
        image = request.inputs["image"]
        assert image.shape == (1, 1, 28, 28)
        assert 0 <= image.min() < image.max() <= 1
        assert request.outputs == ((0, True),)
        assert 3000 < len(payload["body"]) < 3500


def test_payloads_are_many_different_real_images():
    bodies = {payload["body"] for payload in digits(seed=1)}
    assert len(bodies) == 64
    assert np.std([body.count(0) for body in bodies]) > 0


def test_the_seed_decides():
    assert digits(seed=1) == digits(seed=1)
    assert digits(seed=1) != digits(seed=2)


def test_photos_are_the_files_of_a_directory_each_about_as_often(tmp_path):
    (tmp_path / "holidays").mkdir()
    files = {"a.jpg": b"\xff\xd8a", "holidays/b.JPEG": b"\xff\xd8b", "notes.txt": b"not a photo"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    bodies = [payload["body"] for payload in jpegs(seed=1, data=tmp_path)]
    assert sorted(map(bodies.count, (b"\xff\xd8a", b"\xff\xd8b"))) == [32, 32]
    assert bodies != [payload["body"] for payload in jpegs(seed=2, data=tmp_path)]


def test_a_directory_without_photos_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} has no file that ends in .jpg or .jpeg"):
        jpegs(seed=1, data=tmp_path)
