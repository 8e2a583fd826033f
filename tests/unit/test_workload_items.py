"""Several items in a request, from every kind of source; and requests of different lengths."""

import json
from itertools import pairwise

import numpy as np
import pytest

from orchestrator.errors import PayloadError
from orchestrator.workload import model_server
from orchestrator.workload.oip import TensorSpec
from orchestrator.workload.payloads import make_payloads
from orchestrator.workload.plan import Workload
from orchestrator.workload.precheck import check_payloads

NOWHERE = "http://127.0.0.1:9/nobody"


def head_of(payload):
    return json.loads(payload.body[: int(payload.headers["Inference-Header-Content-Length"])])


def shapes_of(payload):
    return [entry["shape"] for entry in head_of(payload)["inputs"]]


@pytest.fixture
def model(monkeypatch):
    """Lets the application's model have these inputs, {name: shape}."""

    def model(**shapes):
        specs = tuple(TensorSpec(name, "INT64", shape) for name, shape in shapes.items())
        monkeypatch.setattr(model_server, "model_inputs", lambda *_: specs)
        return "m"

    return model


@pytest.mark.parametrize(
    ("items", "rows"),
    [
        pytest.param(1, [[0], [1], [2]], id="one"),
        pytest.param(2, [[0, 1], [2, 0]], id="the last is filled up from the beginning"),
        pytest.param(3, [[0, 1, 2]], id="all"),
        pytest.param(5, [[0, 1, 2, 0, 1]], id="more than there are"),
    ],
)
def test_the_rows_of_an_npz_are_stacked(tmp_path, items, rows):
    array = np.arange(6, dtype=np.uint8).reshape(3, 2)
    np.savez(tmp_path / "x.npz", x=array, name=np.array(["a", "b", "c"]))
    payloads = make_payloads(Workload(payloads="x.npz", model="m"), NOWHERE, tmp_path, items)
    assert [shapes_of(payload) for payload in payloads] == [[[len(row), 2], [len(row)]] for row in rows]
    for payload, row in zip(payloads, rows, strict=True):
        names = b"".join(b"\x01\x00\x00\x00" + b"abc"[index : index + 1] for index in row)
        assert payload.body.endswith(array[row].tobytes() + names)


def test_the_lines_of_a_jsonl_become_one_array(tmp_path):
    (tmp_path / "x.jsonl").write_bytes(b'{"q": 1}\n2\n\n[3]\n')
    payloads = make_payloads(Workload(payloads="x.jsonl"), NOWHERE, tmp_path, items_per_request=2)
    assert [json.loads(payload.body) for payload in payloads] == [[{"q": 1}, 2], [[3], {"q": 1}]]


def test_generated_requests_have_as_many_rows_as_items(tmp_path, model):
    workload = Workload(model=model(ids=(-1, -1), scale=(2,)), count=2, dynamic_dim=5)
    payloads = make_payloads(workload, NOWHERE, tmp_path, items_per_request=4)
    assert [shapes_of(payload) for payload in payloads] == [[[4, 5], [2]]] * 2


def test_a_model_that_takes_one_item_is_not_given_more(tmp_path, model):
    workload = Workload(model=model(x=(1, 3), scale=()))
    assert len(make_payloads(workload, NOWHERE, tmp_path)) == 64
    with pytest.raises(PayloadError, match=r"^workload: model 'm': none .* load\.items_per_request has to be 1, not 2"):
        make_payloads(workload, NOWHERE, tmp_path, items_per_request=2)


def function(tmp_path, request, parameters):
    module = "items_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    body = "return [{'body': str(locals()).encode()}]"
    (tmp_path / f"{module}.py").write_text(f"def make({parameters}):\n    {body}\n")
    return f"{module}:make"


@pytest.mark.parametrize(
    ("parameters", "items", "given"),
    [
        pytest.param("seed, items_per_request", 4, {"seed": 0, "items_per_request": 4}, id="taken"),
        pytest.param("seed, items_per_request=9", 1, {"seed": 0, "items_per_request": 1}, id="one is told too"),
        pytest.param("seed", 1, {"seed": 0}, id="not taken"),
    ],
)
def test_a_function_is_told_the_number_of_items_if_it_asks(tmp_path, request, parameters, items, given):
    source = function(tmp_path, request, parameters)
    (payload,) = make_payloads(Workload(payloads=source), NOWHERE, tmp_path, items)
    assert payload.body == str(given).encode()


def test_a_function_that_knows_nothing_of_items_makes_requests_with_one(tmp_path, request):
    workload = Workload(payloads=function(tmp_path, request, "seed"))
    says = r"^workload\.payloads: .*:make has no parameter items_per_request, so .* has to be 1, not 2$"
    for make in (lambda: make_payloads(workload, NOWHERE, tmp_path, 2), lambda: check_payloads(workload, tmp_path, 2)):
        with pytest.raises(PayloadError, match=says):
            make()


@pytest.mark.parametrize(
    ("parameters", "encoding", "given"),
    [
        pytest.param("seed, encoding", "json", {"seed": 0, "encoding": "json"}, id="taken"),
        pytest.param("seed, encoding", "binary", {"seed": 0, "encoding": "binary"}, id="the default is told too"),
        pytest.param("seed", "binary", {"seed": 0}, id="not taken"),
    ],
)
def test_a_function_is_told_the_encoding_if_it_asks(tmp_path, request, parameters, encoding, given):
    workload = Workload(payloads=function(tmp_path, request, parameters), encoding=encoding)
    (payload,) = make_payloads(workload, NOWHERE, tmp_path)
    assert payload.body == str(given).encode()


def test_a_function_that_knows_nothing_of_encodings_is_not_asked_for_json(tmp_path, request):
    workload = Workload(payloads=function(tmp_path, request, "seed"), encoding="json")
    says = r"^workload\.payloads: .*:make has no parameter encoding: leave workload\.encoding out, not json$"
    for make in (lambda: make_payloads(workload, NOWHERE, tmp_path), lambda: check_payloads(workload, tmp_path)):
        with pytest.raises(PayloadError, match=says):
            make()


def test_lengths_are_drawn_for_each_payload_and_are_the_same_for_all_inputs(tmp_path, model):
    workload = Workload(model=model(ids=(-1, -1), mask=(-1, -1)), dynamic_dim={"randint": [2, 40]}, count=30)
    payloads = make_payloads(workload, NOWHERE, tmp_path)
    lengths = [{shape[1] for shape in shapes_of(payload)} for payload in payloads]
    assert all(len(of_one) == 1 for of_one in lengths)
    assert set.union(*lengths) <= set(range(2, 41))
    assert any(one != other for one, other in pairwise(lengths))
    assert payloads == make_payloads(workload, NOWHERE, tmp_path)
