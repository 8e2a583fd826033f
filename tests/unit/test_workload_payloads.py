"""From a workload to payloads: generated, from files, from a function."""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from orchestrator.errors import PayloadError
from orchestrator.workload.payloads import make_payloads
from orchestrator.workload.plan import Workload

NOWHERE = "http://127.0.0.1:9/nobody"  # for workloads that need not ask
INPUTS = [
    {"name": "ids", "datatype": "INT64", "shape": [-1, -1]},
    {"name": "scale", "datatype": "FP32", "shape": [-1, 2]},
]
MODEL = {"GET /slot-0/v2/models/digits": {"name": "digits", "inputs": INPUTS}}
INDEX = {"POST /slot-0/v2/repository/index": [{"name": "digits", "version": "1"}, {"name": "digits"}]}


class Application:
    """A server that gives the scripted answers and 404 to anything else; an answer may be (status, bytes)."""

    def __init__(self, answers):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = f"{self.command} {self.path}"
                outer.asked.append(request)
                scripted = answers.get(request, (404, b"not found"))
                status, body = scripted if isinstance(scripted, tuple) else (200, json.dumps(scripted).encode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer  # noqa: N815 - the names that http.server looks for

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/slot-0"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def head_of(payload):
    return json.loads(payload.body[: int(payload.headers["Inference-Header-Content-Length"])])


def test_payloads_are_generated_for_the_only_model_of_the_application(tmp_path):
    workload = Workload(count=5, dynamic_dim=3, headers={"X-Tenant": "a"})
    with Application({**MODEL, **INDEX}) as application:
        payloads = make_payloads(workload, application.url, tmp_path)
    assert application.asked == ["POST /slot-0/v2/repository/index", "GET /slot-0/v2/models/digits"]
    assert len({payload.body for payload in payloads}) == 5
    shapes = [(entry["name"], entry["datatype"], entry["shape"]) for entry in head_of(payloads[0])["inputs"]]
    assert shapes == [("ids", "INT64", [1, 3]), ("scale", "FP32", [1, 2])]
    assert (payloads[0].path, payloads[0].method) == ("/v2/models/digits/infer", "POST")
    assert payloads[0].headers["X-Tenant"] == "a"


def test_generated_payloads_depend_on_the_seed_alone(tmp_path):
    with Application(MODEL) as application:
        first, again, other = (
            make_payloads(Workload(model="digits", count=2, seed=seed), application.url, tmp_path) for seed in (1, 1, 2)
        )
    assert first == again
    assert first != other


def test_the_model_and_the_path_can_be_given(tmp_path):
    workload = Workload(model="digits", path="/custom", count=1)
    with Application(MODEL) as application:
        (payload,) = make_payloads(workload, application.url + "/", tmp_path)
    assert application.asked == ["GET /slot-0/v2/models/digits"]
    assert payload.path == "/custom"


@pytest.mark.parametrize(
    ("workload", "answers", "says"),
    [
        pytest.param({}, {}, "does not speak OIP v2; give workload.payloads", id="another-protocol"),
        pytest.param({"model": "ghost"}, INDEX, "HTTP 404: no such model", id="unknown-model"),
        pytest.param({}, {"POST /slot-0/v2/repository/index": []}, "serves no model: say which", id="serves-nothing"),
        pytest.param(
            {},
            {"POST /slot-0/v2/repository/index": [{"name": "b"}, {"name": "a"}]},
            "serves a, b: say which with workload.model",
            id="several-models",
        ),
        pytest.param({}, {"POST /slot-0/v2/repository/index": {"models": 1}}, "list of models is not", id="odd-index"),
        pytest.param(
            {}, {"POST /slot-0/v2/repository/index": (200, b"<html>")}, "the answer is not JSON", id="no-json"
        ),
        pytest.param({}, {"POST /slot-0/v2/repository/index": (500, b"boom")}, "HTTP 500: boom", id="server-error"),
        pytest.param(
            {"model": "m"},
            {"GET /slot-0/v2/models/m": {"name": "m"}},
            "'m' at .* does not say what inputs it takes",
            id="no-inputs",
        ),
        pytest.param(
            {"model": "m"},
            {"GET /slot-0/v2/models/m": {"inputs": [{"name": "x", "datatype": "BF16", "shape": [1]}]}},
            "datatype BF16",
            id="datatype-that-cannot-be-made",
        ),
    ],
)
def test_an_application_that_cannot_be_asked_is_one_clear_error(tmp_path, workload, answers, says):
    with Application(answers) as application, pytest.raises(PayloadError, match=says):
        make_payloads(Workload(**workload), application.url, tmp_path)


def test_an_application_that_does_not_listen_is_an_error_with_its_address(tmp_path):
    with pytest.raises(PayloadError, match=r"127\.0\.0\.1:9/nobody/v2/repository/index: no answer"):
        make_payloads(Workload(), NOWHERE, tmp_path)


def test_an_application_that_never_answers_is_an_error_after_the_time_out(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(PayloadError, match=r"no answer within 0\.05 s"):
            make_payloads(Workload(timeout_s=0.05), url, tmp_path)


def test_each_item_of_an_npz_is_one_request(tmp_path):
    images = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.savez(tmp_path / "digits.npz", image=images, name=np.array(["a", "b", "c"]))
    workload = Workload(payloads="digits.npz", model="digits")
    payloads = make_payloads(workload, NOWHERE, tmp_path)
    assert len(payloads) == 3
    entries = head_of(payloads[1])["inputs"]
    assert [(entry["name"], entry["datatype"], entry["shape"]) for entry in entries] == [
        ("image", "FP32", [1, 4]),
        ("name", "BYTES", [1]),
    ]
    assert payloads[1].body.endswith(images[1].tobytes() + b"\x01\x00\x00\x00b")
    assert payloads[1].path == "/v2/models/digits/infer"


def test_an_npz_without_a_model_asks_the_application_which_one_it_serves(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.zeros((1, 2)))
    with Application(INDEX) as application:
        (payload,) = make_payloads(Workload(payloads="x.npz"), application.url, tmp_path)
    assert payload.path == "/v2/models/digits/infer"


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        pytest.param({"x": np.zeros((2, 1)), "y": np.zeros((3, 1))}, "'x': 2, 'y': 3", id="lengths-differ"),
        pytest.param({"x": np.zeros((0, 1))}, "'x': 0", id="no-items"),
        pytest.param({"x": np.float32(1)}, "'x': None", id="a-scalar"),
        pytest.param({}, "found no array", id="no-arrays"),
        pytest.param({"x": np.array([{}])}, "not a .npz of plain arrays", id="python-objects"),
        pytest.param({"x": np.zeros(2, complex)}, "of type complex128", id="type-without-a-datatype"),
    ],
)
def test_an_npz_that_cannot_be_sent_is_refused(tmp_path, arrays, says):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(PayloadError, match=says) as caught:
        make_payloads(Workload(payloads="x.npz", model="m"), NOWHERE, tmp_path)
    assert "x.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        pytest.param("x.npz", None, "No such file", id="no-npz"),
        pytest.param("x.npz", b"", "not a .npz", id="empty-npz"),
        pytest.param("x.npz", b"PK\x03\x04 cut off", "not a .npz", id="cut-npz"),
        pytest.param("x.npz", b"some text", "not a .npz", id="text-npz"),
        pytest.param("x.jsonl", None, "No such file", id="no-jsonl"),
        pytest.param("x.jsonl", b"\n \n", "has no lines", id="empty-jsonl"),
        pytest.param("x.jsonl", b'{"a": 1}\n{"a": \n', "line 2: not JSON", id="broken-line"),
        pytest.param("x.jsonl", b"\xff\xfe\n", "line 1: not JSON", id="not-text"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, says):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(PayloadError, match=says) as caught:
        make_payloads(Workload(payloads=name, model="m"), NOWHERE, tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_each_line_of_a_jsonl_is_one_body_as_it_stands(tmp_path):
    (tmp_path / "asks.jsonl").write_bytes(b'{"q":  "a"}\n\n{"q": "\xc3\xbc"}\r\n')
    workload = Workload(payloads="asks.jsonl", path="/ask", method="PUT", headers={"X-Tenant": "a"})
    payloads = make_payloads(workload, NOWHERE, tmp_path)
    assert [payload.body for payload in payloads] == [b'{"q":  "a"}', b'{"q": "\xc3\xbc"}']
    assert {(payload.path, payload.method) for payload in payloads} == {("/ask", "PUT")}
    assert payloads[0].headers == {"Content-Type": "application/json", "X-Tenant": "a"}


def function(tmp_path, request, body):
    """A module of its own with this function body; returns what the workload says of it."""
    module = "payloads_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    (tmp_path / f"{module}.py").write_text(f"def make(seed):\n    {body}\n")
    return f"{module}:make"


def test_a_function_next_to_the_experiment_file_is_called_with_the_seed(tmp_path, request):
    source = function(tmp_path, request, "return [{'body': str(seed).encode()}, {'body': bytearray(b'x')}]")
    workload = Workload(payloads=source, seed=42, path="/run", headers={"X-Tenant": "a"})
    first, second = make_payloads(workload, NOWHERE, tmp_path)
    assert (first.body, second.body) == (b"42", b"x")
    assert (first.path, first.method, first.headers) == ("/run", "POST", {"X-Tenant": "a"})


def test_what_an_entry_says_goes_before_what_the_workload_says(tmp_path, request):
    entry = {"body": b"", "path": "/own", "method": "put", "headers": {"X-Tenant": "b"}}
    workload = Workload(
        payloads=function(tmp_path, request, f"return ({entry!r},)"), path="/run", headers={"X-Tenant": "a"}
    )
    (payload,) = make_payloads(workload, NOWHERE, tmp_path)
    assert (payload.path, payload.method, payload.headers) == ("/own", "PUT", {"X-Tenant": "b"})


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param("return []", "it returned an empty list", id="nothing"),
        pytest.param("return {'body': b''}", "it returned a dict", id="not-a-list"),
        pytest.param("raise RuntimeError('no data')", "raised RuntimeError: no data", id="it-raises"),
        pytest.param("return [{'body': b''}, b'x']", "payload 1 is a bytes", id="entry-is-no-dict"),
        pytest.param("return [{'path': '/'}]", "payload 0: 'body' has to be bytes, not NoneType", id="no-body"),
        pytest.param("return [{'body': 'text'}]", "'body' has to be bytes, not str", id="body-is-text"),
        pytest.param("return [{'body': b'', 'path': 'x'}]", "'path' has to .* '/', not 'x'", id="relative-path"),
        pytest.param("return [{'body': b'', 'method': None}]", "'method' has to be", id="bad-method"),
        pytest.param("return [{'body': b'', 'headers': {'a': 1}}]", "'headers' has to be", id="bad-headers"),
        pytest.param("return [{'body': b'', 'url': '/'}]", "unknown key 'url'; allowed: path", id="unknown-key"),
    ],
)
def test_what_a_function_may_not_return_is_refused_by_name_and_entry(tmp_path, request, body, says):
    source = function(tmp_path, request, body)
    with pytest.raises(PayloadError, match=says) as caught:
        make_payloads(Workload(payloads=source), NOWHERE, tmp_path)
    assert source in str(caught.value)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        pytest.param("no_such_module:make", "cannot import no_such_module", id="no-module"),
        pytest.param("json:no_such_function", "json has no function 'no_such_function'", id="no-function"),
        pytest.param("json:__name__", "json has no function '__name__'", id="not-callable"),
        pytest.param("json:dumps", r"json:dumps\(seed=0\) raised TypeError", id="does-not-take-a-seed"),
    ],
)
def test_a_function_that_cannot_be_called_is_named(tmp_path, source, says):
    with pytest.raises(PayloadError, match=says):
        make_payloads(Workload(payloads=source), NOWHERE, tmp_path)


def test_looking_for_a_function_leaves_the_import_path_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", ["here"])
    with pytest.raises(PayloadError):
        make_payloads(Workload(payloads="no_such_module:make"), NOWHERE, tmp_path)
    assert sys.path == ["here"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"headers": {"X-Id": "1\r\nX-Other: 2"}}, "payload 0: not a valid header", id="header-smuggling"),
        pytest.param({"headers": {"Content-Length": "3"}}, "set by the load client", id="framing-header"),
        pytest.param({"path": "/a b"}, "URL-encoded", id="space-in-the-path"),
        pytest.param({"method": "HEAD"}, "method 'HEAD'", id="method-without-an-answer"),
    ],
)
def test_what_cannot_stand_in_a_request_is_refused_before_any_is_sent(tmp_path, changes, says):
    (tmp_path / "x.jsonl").write_bytes(b"{}\n")
    with pytest.raises(PayloadError, match=says):
        make_payloads(Workload(payloads="x.jsonl", **changes), NOWHERE, tmp_path)
