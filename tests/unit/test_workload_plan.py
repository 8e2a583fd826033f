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
        pytest.param("dynamic_dim", 0, "greater than or equal to 1", id="empty-axis"),
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


def test_a_workload_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        Workload().count = 1
