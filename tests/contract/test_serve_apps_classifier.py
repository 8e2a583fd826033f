"""The application, called as Serve calls it, with real ONNX models but without a cluster."""

import asyncio
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from ray import serve
from starlette.requests import Request

from serve_apps.classifier import Classifier, build
from serve_apps.settings import Source
from serve_apps.tensors import RequestError

App = Classifier.func_or_class
ZEROS = "queue;dur=0.000, batch;dur=0.000, compute;dur=0.000, batch-size;desc=0"
INFER = "/v2/models/m/infer"


@pytest.fixture(autouse=True)
def _replica(monkeypatch):
    """@serve.batch asks its replica for one number, to warn about it."""
    context = SimpleNamespace(_deployment_config=SimpleNamespace(max_ongoing_requests=1000))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)


def onnx_file(folder, nodes, inputs, outputs, constants=()):
    def info(name, kind, *shape):
        return helper.make_tensor_value_info(name, kind, shape)

    graph = helper.make_graph(nodes, "g", [info(*i) for i in inputs], [info(*o) for o in outputs], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, folder / "m.onnx")
    return Source("m", folder / "m.onnx")


@pytest.fixture
def doubler(tmp_path):
    """y = x + x for x of shape [any, any]."""
    node = helper.make_node("Add", ["x", "x"], ["y"])
    return onnx_file(tmp_path, [node], [("x", TensorProto.FLOAT, "n", "k")], [("y", TensorProto.FLOAT, "n", "k")])


@pytest.fixture
def table(tmp_path):
    """y = [10, 20, 30][i]: an index out of bounds is found only by the session."""
    rows = helper.make_tensor("t", TensorProto.FLOAT, [3], [10, 20, 30])
    node = helper.make_node("Gather", ["t", "i"], ["y"])
    return onnx_file(tmp_path, [node], [("i", TensorProto.INT64, "n")], [("y", TensorProto.FLOAT, "n")], [rows])


async def send(app, method, path, body=b"", headers=(), root="", pieces=1):
    """One request through `app`, its body in `pieces`; (status, headers, body)."""
    step = -(-len(body) // pieces) or 1
    chunks = [body[i : i + step] for i in range(0, len(body), step)] or [b""]
    messages = [{"type": "http.request", "body": c, "more_body": i + 1 < len(chunks)} for i, c in enumerate(chunks)]
    sent = []

    async def receive():
        return messages.pop(0)

    async def collect(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": root + path,
        "root_path": root,
        "headers": list(headers),
    }
    answer = await app(Request(scope, receive))
    await answer(scope, receive, collect)
    start, content = sent
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, content["body"]


def tensor(data, name="x", datatype="FP32"):
    return {"name": name, "datatype": datatype, "shape": np.shape(data), "data": data}


def infer_body(*inputs, **extra):
    return json.dumps({"inputs": list(inputs), **extra}).encode()


def answers(source, *bodies, user_config=None):
    """All bodies at the same time through one application; [(status, headers, document)]."""

    async def session():
        app = App(source)
        await app.reconfigure(user_config or {})
        return await asyncio.gather(*(send(app, "POST", INFER, body) for body in bodies))

    return [(status, headers, json.loads(body)) for status, headers, body in asyncio.run(session())]


def data_of(document):
    return document["outputs"][0]["data"]


STATIC = {
    "live": ("GET", "/v2/health/live", {"live": True}),
    "ready": ("GET", "/v2/health/ready", {"ready": True}),
    "model ready": ("GET", "/v2/models/m/ready", {"name": "m", "ready": True}),
    "version ready": ("GET", "/v2/models/m/versions/1/ready", {"name": "m", "ready": True}),
    "model": (
        "GET",
        "/v2/models/m",
        {
            "name": "m",
            "versions": ["1"],
            "platform": "onnxruntime_onnx",
            "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, -1]}],
            "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, -1]}],
        },
    ),
    "index": (
        "POST",
        "/v2/repository/index",
        [{"name": "m", "version": "1", "state": "READY", "reason": ""}],
    ),
    "server": (
        "GET",
        "/v2/",
        {"name": "ray-serve-orchestrator classifier", "version": "1", "extensions": ["binary_tensor_data"]},
    ),
}


@pytest.mark.parametrize("root", ["", "/some-slot"], ids=["at the root", "under a prefix"])
@pytest.mark.parametrize(("method", "path", "expected"), STATIC.values(), ids=STATIC)
def test_the_server_and_its_model_describe_themselves(doubler, method, path, expected, root):
    status, headers, body = asyncio.run(send(App(doubler), method, path, root=root))
    assert (status, json.loads(body)) == (200, expected)
    assert headers["content-length"] == str(len(body))
    assert headers["server-timing"] == ZEROS


REFUSED = {
    "an unknown route": ("GET", "/v1/models", 404, "nothing is served at '/v1/models'; known paths: /v2"),
    "an unknown model": (
        "POST",
        "/v2/models/other/infer",
        404,
        "unknown model 'other'; this application serves 'm'",
    ),
    "an unknown version": (
        "POST",
        "/v2/models/m/versions/2/infer",
        404,
        "unknown version '2' of 'm'; served is '1'",
    ),
    "GET on infer": ("GET", INFER, 405, "answers POST, not GET"),
    "POST on health": ("POST", "/v2/health/live", 405, "answers GET, not POST"),
}


@pytest.mark.parametrize(("method", "path", "status", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_served_is_said_with_what_is(doubler, method, path, status, message):
    found, headers, body = asyncio.run(send(App(doubler), method, path))
    assert found == status
    assert message in json.loads(body)["error"]
    assert headers["server-timing"] == ZEROS
    assert headers.get("allow") == ({"GET": "POST", "POST": "GET"}[method] if status == 405 else None)


BAD_HEADERS = {
    "no number": ((b"inference-header-content-length", b"x"), "must be an integer >= 0, found 'x'"),
    "negative": ((b"inference-header-content-length", b"-1"), "must be an integer >= 0, found '-1'"),
    "too long": ((b"inference-header-content-length", b"99"), "is 99, but the body has only 2 bytes"),
    "compressed": ((b"content-encoding", b"gzip"), "Content-Encoding 'gzip' is not supported"),
}


@pytest.mark.parametrize(("header", "message"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_header_that_makes_no_sense_is_a_bad_request(doubler, header, message):
    status, _, body = asyncio.run(send(App(doubler), "POST", INFER, b"{}", [header]))
    assert status == 400
    assert message in json.loads(body)["error"]


def test_a_bad_request_is_answered_before_it_reaches_a_batch(doubler):
    [(status, headers, document)] = answers(doubler, infer_body(tensor([[1]], datatype="FP64")))
    assert (status, headers["server-timing"]) == (400, ZEROS)
    assert "datatype is 'FP64', expected 'FP32'" in document["error"]


def test_a_connection_that_ends_within_the_body_is_a_bad_request(doubler):
    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": INFER, "headers": []}
    answer = asyncio.run(App(doubler)(Request(scope, receive)))
    assert answer.status_code == 400


@pytest.mark.parametrize("pieces", [1, 3], ids=["in one piece", "in three"])
def test_binary_tensors_go_in_and_out(doubler, pieces):
    raw = np.array([[1, 2, 3]], "<f4").tobytes()
    entry = {"name": "x", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": len(raw)}}
    header = infer_body(entry, id="q", parameters={"binary_data_output": True})
    length = (b"inference-header-content-length", b"%d" % len(header))
    status, headers, body = asyncio.run(send(App(doubler), "POST", INFER, header + raw, [length], pieces=pieces))
    split = int(headers["inference-header-content-length"])
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    assert json.loads(body[:split])["id"] == "q"
    assert np.frombuffer(body[split:], "<f4").tolist() == [2, 4, 6]


@pytest.mark.parametrize("compute", ["inline", "executor"])
def test_requests_that_arrive_together_share_a_batch(doubler, compute):
    user_config = {"max_batch_size": 3, "batch_wait_timeout_s": 10, "compute": compute}
    bodies = [infer_body(tensor([[1], [2]])), infer_body(tensor([[3]])), infer_body(tensor([[4, 5]]))]
    results = answers(doubler, *bodies, user_config=user_config)
    assert [data_of(document) for _, _, document in results] == [[2, 4], [6], [8, 10]]
    for _, headers, _ in results:
        queue, batch, compute_ms, size, _ = re.findall(r"(?:dur|desc)=([\d.]+)", headers["server-timing"])
        assert float(batch) <= float(queue)
        assert float(compute_ms) > 0
        assert size == "3"


def test_knobs_change_while_the_application_runs(doubler):
    async def session():
        app, sizes = App(doubler), []
        for knobs in (
            {"max_batch_size": 2, "batch_wait_timeout_s": 10},
            {
                "max_batch_size": 4,
                "batch_wait_timeout_s": 10,
                "compute": "executor",
                "max_concurrent_batches": 2,
            },
            {"intra_op_threads": 2},
        ):
            await app.reconfigure(knobs)
            body = infer_body(tensor([[1]]))
            replies = await asyncio.gather(*(send(app, "POST", INFER, body) for _ in range(4)))
            assert {status for status, _, _ in replies} == {200}
            sizes.append(
                [re.findall(r"batch-size;desc=(\d+)", headers["server-timing"])[0] for _, headers, _ in replies]
            )
        return sizes

    assert asyncio.run(session()) == [["2"] * 4, ["4"] * 4, ["1"] * 4]


def test_a_bad_knob_is_refused_and_changes_nothing(doubler):
    async def session():
        app = App(doubler)
        with pytest.raises(ValueError, match=r"user_config\.max_batch_size is 0"):
            await app.reconfigure({"max_batch_size": 0, "compute": "executor"})
        return await send(app, "POST", INFER, infer_body(tensor([[1]])))

    assert asyncio.run(session())[0] == 200


def test_only_the_guilty_request_of_a_batch_fails(table):
    bodies = [infer_body(tensor([index], "i", "INT64")) for index in (0, 7, 2)]
    results = answers(table, *bodies, user_config={"max_batch_size": 3, "batch_wait_timeout_s": 10})
    assert [status for status, _, _ in results] == [200, 400, 200]
    assert [data_of(results[0][2]), data_of(results[2][2])] == [[10], [30]]
    assert "the model refuses the input" in results[1][2]["error"]
    assert all("batch-size;desc=3" in headers["server-timing"] for _, headers, _ in results)


def test_a_model_with_a_fixed_batch_of_one_is_run_item_by_item(tmp_path):
    node = helper.make_node("Add", ["x", "x"], ["y"])
    fixed = onnx_file(tmp_path, [node], [("x", TensorProto.FLOAT, 1, 1)], [("y", TensorProto.FLOAT, 1, 1)])
    bodies = [infer_body(tensor([[value]])) for value in (1, 2, 3)]
    results = answers(fixed, *bodies, user_config={"max_batch_size": 3, "batch_wait_timeout_s": 10})
    assert [data_of(document) for _, _, document in results] == [[2], [4], [6]]


def test_text_reaches_the_model_and_comes_back(tmp_path):
    node = helper.make_node("Identity", ["x"], ["y"])
    echo = onnx_file(tmp_path, [node], [("x", TensorProto.STRING, "n")], [("y", TensorProto.STRING, "n")])
    [(status, _, document)] = answers(echo, infer_body(tensor(["grün", ""], datatype="BYTES")))
    assert (status, data_of(document)) == (200, ["grün", ""])


def test_bytes_that_are_no_text_are_refused_instead_of_altered(tmp_path):
    node = helper.make_node("Identity", ["x"], ["y"])
    echo = onnx_file(tmp_path, [node], [("x", TensorProto.STRING, "n")], [("y", TensorProto.STRING, "n")])
    raw = b"\1\0\0\0\xff"
    header = infer_body({"name": "x", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 5}})
    length = (b"inference-header-content-length", b"%d" % len(header))
    status, _, body = asyncio.run(send(App(echo), "POST", INFER, header + raw, [length]))
    assert status == 400
    assert "not UTF-8" in json.loads(body)["error"]


def test_an_unforeseen_failure_is_still_answered_in_json(doubler, monkeypatch):
    app = App(doubler)
    monkeypatch.setattr(app._model, "run", lambda inputs: 1 / 0)
    status, _, body = asyncio.run(send(app, "POST", INFER, infer_body(tensor([[1]]))))
    assert status == 500
    assert "internal error" in json.loads(body)["error"]


def test_a_session_that_breaks_is_the_server_s_fault(doubler):
    app = App(doubler)
    with pytest.raises(RequestError, match="the model failed") as caught:
        app._model.run({"nothing": np.zeros(1, "f4")})
    assert caught.value.status == 500


def test_a_file_that_is_no_model_fails_the_start_with_its_path(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"cannot load the model .*m\.onnx"):
        App(Source("m", tmp_path / "m.onnx"))


def test_a_type_that_the_protocol_does_not_know_fails_the_start_by_name(tmp_path):
    node = helper.make_node("Identity", ["x"], ["y"])
    strange = onnx_file(tmp_path, [node], [("x", TensorProto.BFLOAT16, 1)], [("y", TensorProto.BFLOAT16, 1)])
    with pytest.raises(ValueError, match=r"(?i)bfloat16"):
        App(strange)


def test_build_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match=r"args\.prescision is 'fp16', but there is no such key .*'precision'"):
        build({"prescision": "fp16"})


def test_a_replica_imports_nothing_heavy_beyond_what_serve_imports_but_the_engine_that_computes():
    code = (
        "import sys, ray.serve\n"
        "before = set(sys.modules)\n"
        "heavy = {'torch', 'sklearn', 'pandas', 'scipy', 'onnx', 'onnxruntime'}\n"
        "from serve_apps.classifier import ClassifierReplica, Source\n"
        "print(*heavy & (sys.modules.keys() - before))\n"
        "ClassifierReplica(Source('digits', None))\n"
        "print(*heavy & (sys.modules.keys() - before))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["", "onnxruntime"]
