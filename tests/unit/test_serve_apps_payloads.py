"""The requests that the bundled models are measured with."""

import numpy as np

from serve_apps import oip
from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.payloads import digits

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
