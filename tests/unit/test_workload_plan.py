"""The `workload` of an experiment file."""

import pytest
from pydantic import ValidationError

from orchestrator.workload.plan import Workload


def test_everything_has_a_default():
    workload = Workload()
    assert (workload.payloads, workload.model, workload.path) == (None, None, None)
    assert (workload.method, workload.headers) == ("POST", {})
    assert (workload.count, workload.dynamic_dim, workload.timeout_s, workload.seed) == (64, 16, 10, 0)


@pytest.mark.parametrize(
    "source",
    ["serve_apps.payloads:digits", "mine:make", "data/digits.npz", "../requests.jsonl", "/abs/x.npz"],
)
def test_payloads_come_from_a_function_or_a_file(source):
    assert Workload(payloads=source).payloads == source


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        pytest.param("payloads", "digits.csv", "'module:function' or a .npz or .jsonl", id="unknown-kind-of-file"),
        pytest.param("payloads", "serve_apps.payloads", "'module:function'", id="no-function"),
        pytest.param("payloads", "", "found ''", id="empty"),
        pytest.param("path", "v2/infer", "begins with '/'", id="relative-path"),
        pytest.param("method", "post it", "pattern", id="method-with-a-space"),
        pytest.param("count", 0, "greater than or equal to 1", id="no-payload"),
        pytest.param("count", "64", "valid integer", id="quoted-number"),
        pytest.param("dynamic_dim", 0, "expected a whole number of at least 1 or a dist.*, found 0", id="empty-axis"),
        pytest.param("dynamic_dim", True, "found true", id="axis-that-is-no-number"),
        pytest.param("mix", [], "at least 1 item", id="empty-mix"),
        pytest.param("mix", [{"weight": 0}], "greater than 0", id="no-weight"),
        pytest.param("mix", [{"timeout_s": 3}], "Extra inputs", id="time-out-of-a-part"),
        pytest.param("timeout_s", 0, "greater than 0", id="no-time"),
        pytest.param("timeout_s", float("inf"), "finite", id="no-time-out"),
        pytest.param("seed", -1, "greater than or equal to 0", id="negative-seed"),
        pytest.param("model", "", "at least 1 character", id="empty-model"),
        pytest.param("headers", {"X-Id": 1}, "valid string", id="header-that-is-no-text"),
        pytest.param("payload", "x:y", "Extra inputs", id="unknown-key"),
    ],
)
def test_a_wrong_value_is_refused(key, value, says):
    with pytest.raises(ValidationError, match=says):
        Workload(**{key: value})


def test_beside_a_mix_stands_only_what_is_of_the_whole():
    mix = [{"payloads": "a.npz", "weight": 3, "path": "/a"}, {"payloads": "b:c"}]
    workload = Workload(mix=mix, seed=5, timeout_s=3)
    assert [(part.payloads, part.weight, part.path) for part in workload.mix] == [("a.npz", 3, "/a"), ("b:c", 1, None)]
    with pytest.raises(ValidationError, match="path, headers cannot stand beside mix; put it into the parts"):
        Workload(mix=mix, path="/a", headers={})


def test_a_part_that_would_hardly_ever_be_sent_is_refused():
    with pytest.raises(ValidationError, match=r"the weight 0\.001 is less than 0\.0001 of all weights \(100\.001\)"):
        Workload(mix=[{"weight": 0.001}, {"weight": 100}])


def test_the_parts_of_a_mix_have_the_seed_of_the_workload_or_their_own():
    assert Workload(seed=5).sources() == {"workload": Workload(seed=5)}
    sources = Workload(mix=[{}, {"seed": 0}], seed=5).sources()
    assert {place: source.seed for place, source in sources.items()} == {"workload.mix[0]": 5, "workload.mix[1]": 0}


@pytest.mark.parametrize(
    ("workload", "asks"),
    [
        pytest.param({}, True, id="generated"),
        pytest.param({"model": "m"}, True, id="inputs-of-a-given-model"),
        pytest.param({"payloads": "x.npz"}, True, id="tensors-for-an-unknown-model"),
        pytest.param({"payloads": "x.npz", "model": "m"}, False, id="tensors-for-a-given-model"),
        pytest.param({"payloads": "x.npz", "path": "/p"}, False, id="tensors-for-a-given-path"),
        pytest.param({"payloads": "x.jsonl"}, False, id="lines"),
        pytest.param({"payloads": "a:b"}, False, id="function"),
        pytest.param({"mix": [{"payloads": "a:b"}, {}]}, True, id="a-part-of-a-mix"),
        pytest.param({"mix": [{"payloads": "a:b"}]}, False, id="no-part-of-a-mix"),
    ],
)
def test_the_application_is_asked_for_what_is_left_open(workload, asks):
    assert Workload(**workload).asks_the_application is asks


def test_a_workload_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Workload().count = 1
