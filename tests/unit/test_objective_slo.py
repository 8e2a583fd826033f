"""The section `slo`: the limits, by the figures that they are set to."""

import math
import pickle

import pytest

from orchestrator.measure.verdict import verdicts
from orchestrator.objective import Slo, read_slo
from tests.fakes.trials import samples


@pytest.mark.parametrize(
    ("raw", "limits"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"p99_ms": 50, "error_ratio": 0}, {"latency_p99_ms": 50.0, "error_ratio": 0.0}, id="two"),
        pytest.param(
            {"mean_ms": 20, "max_ms": 0.5}, {"latency_mean_ms": 20.0, "latency_max_ms": 0.5}, id="no percents"
        ),
        pytest.param({"p99.9_ms": 200, "p75_ms": 5}, {"latency_p999_ms": 200.0, "latency_p75_ms": 5.0}, id="any"),
        pytest.param({"p99_ms": None, "p95_ms": 9}, {"latency_p95_ms": 9.0}, id="null is no limit"),
    ],
)
def test_limits_are_named_by_the_figures_that_they_limit(raw, limits):
    slo, findings = read_slo(raw)
    assert (slo.limits(), findings) == (limits, [])
    assert slo == Slo(**raw)
    assert pickle.loads(pickle.dumps(slo)) == slo
    latencies = {name: limit for name, limit in limits.items() if name != "error_ratio"}
    assert slo.latency_limits_ms() == latencies
    assert set(verdicts(samples(100, 1.0), (0.0, 1.0), limits)) == set(limits)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param({"p99_ms": 0}, "p99_ms is 0, but takes a number of milliseconds above 0", id="zero latency"),
        pytest.param({"mean_ms": -1.5}, "mean_ms is -1.5", id="negative latency"),
        pytest.param({"p99.9_ms": "50"}, 'p99.9_ms is "50"', id="text"),
        pytest.param({"p99_ms": True}, "p99_ms is true", id="bool"),
        pytest.param({"max_ms": math.nan}, "max_ms is NaN", id="NaN"),
        pytest.param({"error_ratio": 1.1}, "error_ratio is 1.1, but takes a number from 0 to 1", id="ratio above 1"),
        pytest.param({"error_ratio": -0.1}, "error_ratio is -0.1", id="ratio below 0"),
        pytest.param({"min_accuracy": 99}, "min_accuracy is 99, but takes a number from 0 to 1", id="percent"),
        pytest.param({"p99": 50}, "unknown key 'p99'; did you mean 'p99_ms'?", id="no unit"),
        pytest.param({"p5_ms": 50}, "and any other percentile, such as p99.9_ms", id="p5 or p50?"),
        pytest.param({5: 50}, "unknown key '5'", id="no text"),
        pytest.param({"p99_ms": 50, "p99.0_ms": 60}, "p99.0_ms has a limit already", id="the same by another name"),
    ],
)
def test_an_slo_that_makes_no_sense_is_refused_where_it_does_not(raw, message):
    slo, findings = read_slo(raw)
    assert slo is None
    ((path, sentence),) = findings
    assert path == (list(raw)[-1],)
    assert message in sentence
    with pytest.raises(ValueError, match=r"key|takes|already"):
        Slo.model_validate(raw)


def test_all_that_is_wrong_is_told():
    _, findings = read_slo({"p99_ms": 0, "p95_ms": 5, "p98": 50})
    assert [path for path, _ in findings] == [("p99_ms",), ("p98",)]
    assert read_slo([50])[1] == [
        ((), "expected a mapping with the keys mean_ms, p50_ms, p90_ms, p95_ms, p99_ms, max_ms, error_ratio, "
             "min_accuracy; found a list of 1")
    ]  # fmt: skip


def test_the_least_accuracy_is_no_limit_on_what_was_measured():
    slo, findings = read_slo({"p99_ms": 50, "min_accuracy": 0.99})
    assert (slo.limits(), slo.min_accuracy, findings) == ({"latency_p99_ms": 50.0}, 0.99, [])
    assert pickle.loads(pickle.dumps(slo)) == slo == Slo(p99_ms=50, min_accuracy=0.99)
    assert Slo(p99_ms=50).min_accuracy is None
