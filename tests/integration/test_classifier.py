"""The application in a real Serve cluster, asked by a client that others wrote and by plain HTTP."""

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
import ray
from onnx import helper
from ray import serve

from serve_apps.classifier import Classifier, build
from serve_apps.nets import images
from serve_apps.nets.store import TRANSLATOR, ensure_built
from serve_apps.onnx_model import OnnxModel
from serve_apps.payloads import digits
from serve_apps.settings import Source, Translation
from serve_apps.translator import Translator

pytestmark = pytest.mark.integration

GUIDE = (Path(__file__).parents[2] / "docs" / "application.md").read_text(encoding="utf-8")
PREFIXES = ["", "/some-slot"]
Free = Classifier.options(ray_actor_options={"num_cpus": 0})  # as many as there are tests
KNOBS = {"max_batch_size": 8, "batch_wait_timeout_s": 0.2}


@pytest.fixture(scope="module")
def address():
    """host:port of a cluster with the application at `/` and, with batching, at `/some-slot`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # A cluster of its own, even where another one runs on this machine.
    ray.init("local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    try:
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(build({"model": "digits"}), name="root", route_prefix="/")
        batching = Classifier.options(user_config=KNOBS).bind(Source("digits", None))
        serve.run(batching, name="slot", route_prefix="/some-slot")
        yield f"127.0.0.1:{port}"
    finally:
        serve.shutdown()
        ray.shutdown()


def post(url, payload):
    request = urllib.request.Request(url + payload["path"], payload["body"], payload["headers"])
    with urllib.request.urlopen(request) as answer:
        return answer.status, answer.headers, answer.read()


@pytest.mark.parametrize("prefix", PREFIXES, ids=["at the root", "under a prefix"])
def test_the_standard_client_finds_the_model_and_reads_digits(address, prefix):
    http = pytest.importorskip("tritonclient.http")
    client = http.InferenceServerClient(address + prefix)
    assert client.is_server_live()
    assert client.is_server_ready()
    [entry] = client.get_model_repository_index()
    assert client.is_model_ready(entry["name"])
    assert client.is_model_ready(entry["name"], "1")
    [spec] = client.get_model_metadata(entry["name"])["inputs"]
    pixels, labels = images.load()
    for binary in (True, False):
        tensor = http.InferInput(spec["name"], [200, *spec["shape"][1:]], spec["datatype"])
        tensor.set_data_from_numpy(pixels[:200], binary_data=binary)
        output = http.InferRequestedOutput("logits", binary_data=binary)
        result = client.infer(entry["name"], [tensor], outputs=[output], request_id="r1")
        assert result.get_response()["id"] == "r1"
        assert (result.as_numpy("logits").argmax(axis=1) == labels[:200]).mean() > 0.95


@pytest.mark.parametrize("model", ["clothing", "svhn", "resnet_cifar"])
def test_the_standard_client_gets_from_every_model_what_it_computes(address, model):
    http = pytest.importorskip("tritonclient.http")
    serve.run(Free.bind(Source(model, None)), name="asked", route_prefix="/asked")
    client = http.InferenceServerClient(f"{address}/asked")
    assert client.is_server_live()
    assert client.is_server_ready()
    [spec] = client.get_model_metadata(model)["inputs"]
    pixels = np.random.default_rng(0).random((3, *spec["shape"][1:]), np.float32)
    [expected] = OnnxModel(model, ensure_built(model), 1).run({spec["name"]: pixels})
    for binary in (True, False):
        tensor = http.InferInput(spec["name"], list(pixels.shape), spec["datatype"])
        tensor.set_data_from_numpy(pixels, binary_data=binary)
        [output] = client.infer(model, [tensor]).get_response()["outputs"]  # who asks for none gets all, in binary
        result = client.infer(model, [tensor], outputs=[http.InferRequestedOutput(output["name"], binary_data=binary)])
        np.testing.assert_allclose(result.as_numpy(output["name"]), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_the_standard_client_sends_sentences_and_gets_their_translations(address, binary):
    http = pytest.importorskip("tritonclient.http")
    translator = Translator.options(ray_actor_options={"num_cpus": 0})
    serve.run(translator.bind(Source(TRANSLATOR, None), Translation(100)), name="asked", route_prefix="/asked")
    client = http.InferenceServerClient(f"{address}/asked")
    assert client.is_server_ready()
    [spec] = client.get_model_metadata(TRANSLATOR)["inputs"]
    sentences = np.array([b"the dog sees the cat .", b"the house"], object)
    tensor = http.InferInput(spec["name"], [2], spec["datatype"])
    tensor.set_data_from_numpy(sentences, binary_data=binary)
    wanted = [http.InferRequestedOutput(name, binary_data=binary) for name in ("translation", "tokens")]
    result = client.infer(TRANSLATOR, [tensor], outputs=wanted)
    assert result.as_numpy("tokens").tolist() == [6, 2]
    assert all(result.as_numpy("translation").tolist())


VALUES = {
    "BOOL": np.array([[True, False]]),
    "INT8": np.array([[-128, 127]], np.int8),
    "UINT64": np.array([[0, 2**64 - 1]], np.uint64),
    "FP16": np.array([[0.5, -2.0]], np.float16),
    "FP64": np.array([[1e-300, 0.1]]),
    "BYTES": np.array([["né", ""]], object),
}


def mirror(folder):
    """A model that answers with what it is sent, in every kind of tensor."""
    kinds = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in VALUES.items()}
    inputs, outputs = (
        [helper.make_tensor_value_info(f"{name}{ending}", kind, ["n", 2]) for name, kind in kinds.items()]
        for ending in ("", "_same")
    )
    nodes = [helper.make_node("Identity", [name], [f"{name}_same"]) for name in VALUES]
    graph = helper.make_graph(nodes, "g", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, folder / "mirror.onnx")
    return Source("mirror", folder / "mirror.onnx")


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_the_standard_client_sends_and_receives_every_kind_of_tensor(address, tmp_path, binary):
    http = pytest.importorskip("tritonclient.http")
    serve.run(Free.bind(mirror(tmp_path)), name="asked", route_prefix="/asked")
    tensors, wanted = [], []
    for name, value in VALUES.items():
        as_binary = binary or name == "FP16"  # of which the client knows no JSON
        tensors.append(http.InferInput(name, [1, 2], name))
        tensors[-1].set_data_from_numpy(value, binary_data=as_binary)
        wanted.append(http.InferRequestedOutput(f"{name}_same", binary_data=as_binary))
    result = http.InferenceServerClient(f"{address}/asked").infer("mirror", tensors, outputs=wanted)
    for name, value in VALUES.items():
        found = result.as_numpy(f"{name}_same")
        texts = [[e.decode() if isinstance(e, bytes) else e for e in row] for row in found.tolist()]
        assert texts == value.tolist(), name


def test_the_standard_client_is_told_what_is_wrong(address):
    http = pytest.importorskip("tritonclient.http")
    client = http.InferenceServerClient(address)
    tensor = http.InferInput("image", [1, 1, 8, 8], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 1, 8, 8), np.float32))
    with pytest.raises(http.InferenceServerException, match=r"shape is \[1, 1, 8, 8\], expected \[-1, 1, 28, 28\]"):
        client.infer("digits", [tensor])


@pytest.mark.parametrize("prefix", PREFIXES, ids=["at the root", "under a prefix"])
def test_payloads_are_answered_with_their_timing(address, prefix):
    status, headers, body = post(f"http://{address}{prefix}", digits(seed=3)[0])
    header_length = int(headers["Inference-Header-Content-Length"])
    assert status == 200
    assert json.loads(body[:header_length])["outputs"][0]["shape"] == [1, 10]
    assert len(body) == header_length + 40
    pattern = r"queue;dur=[\d.]+, batch;dur=[\d.]+, compute;dur=[\d.]+, batch-size;desc=1, accuracy;desc=0\.\d+"
    assert re.fullmatch(pattern, headers["Server-Timing"])


def test_requests_at_the_same_time_share_batches(address):
    payloads = digits(seed=4)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda payload: post(f"http://{address}/some-slot", payload), payloads))
    sizes = [int(re.search(r"batch-size;desc=(\d+)", headers["Server-Timing"])[1]) for _, headers, _ in answers]
    assert 1 < max(sizes) <= KNOBS["max_batch_size"]


def test_an_unknown_model_is_not_found(address):
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(f"http://{address}", digits(seed=5)[0] | {"path": "/v2/models/resnet/infer"})
    assert caught.value.code == 404
    assert "this application serves 'digits'" in json.load(caught.value)["error"]


def test_the_guide_s_curl_example_is_answered(address):
    [code] = re.findall(r"<<'EOF' \| curl -s localhost:8000(\S+) -d @-\n(.*?)\nEOF", GUIDE, re.DOTALL)
    path, script = code
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    status, _, body = post(f"http://{address}", {"path": path, "body": made.stdout, "headers": {}})
    assert (status, json.loads(body)["outputs"][0]["shape"]) == (200, [1, 10])


def test_the_guide_s_own_application_sends_its_timing(address):
    code, *_ = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    namespace = {"__name__": "__main__"}  # classes of __main__ travel to the replica by value
    exec(code, namespace)
    serve.run(namespace["app"], name="doubler", route_prefix="/doubler")
    _, headers, body = post(f"http://{address}/doubler", {"path": "", "body": b"21", "headers": {}})
    assert json.loads(body) == 42
    assert re.fullmatch(r"queue;dur=[\d.]+, compute;dur=[\d.]+, batch-size;desc=1", headers["Server-Timing"])
