"""The section `objective`: which figures may be wanted, and how they are written."""

import pickle

import pytest

from orchestrator.objective import MAXIMIZE, MINIMIZE, read_objectives
from orchestrator.result import Objective


@pytest.mark.parametrize(
    ("raw", "metric", "maximize"),
    [({"maximize": name}, name, True) for name in MAXIMIZE]
    + [({"minimize": name}, name, False) for name in MINIMIZE]
    + [
        ({"minimize": "latency_p75_ms"}, "latency_p75_ms", False),
        ({"minimize": "latency_p99.9_ms"}, "latency_p999_ms", False),
        ({"minimize": "latency_p999_ms"}, "latency_p999_ms", False),
        ({"minimize": "latency_p99.0_ms"}, "latency_p99_ms", False),
    ],
    ids=str,
)
def test_an_objective_names_a_figure_and_a_direction(raw, metric, maximize):
    assert read_objectives(raw) == ((Objective(metric, maximize),), [])


def test_several_objectives_keep_their_order():
    objectives, findings = read_objectives([{"minimize": "cost_per_million"}, {"maximize": "goodput_rps"}])
    assert findings == []
    assert [str(objective) for objective in objectives] == ["minimize cost_per_million", "maximize goodput_rps"]
    assert pickle.loads(pickle.dumps(objectives)) == objectives


@pytest.mark.parametrize(
    ("raw", "path", "message"),
    [
        pytest.param({}, (), "found neither", id="empty"),
        pytest.param({"maximize": "throughput_rps", "minimize": "latency_p99_ms"}, (), "found both", id="both"),
        pytest.param({"maximize": "througput_rps"}, ("maximize",), "did you mean 'throughput_rps'", id="typo"),
        pytest.param({"minimize": "p99_ms"}, ("minimize",), "did you mean 'latency_p99_ms'", id="the SLO's name"),
        pytest.param({"minimize": "latency_p5_ms"}, ("minimize",), "such as latency_p99.9_ms", id="p5 or p50?"),
        pytest.param({"minimize": "latency_p100_ms"}, ("minimize",), "unknown figure to minimize", id="p100"),
        pytest.param(
            {"maximize": "latency_p99_ms"},
            ("maximize",),
            "allowed: throughput_rps, items_per_s",
            id="senseless",
        ),
        pytest.param({"minimize": ["latency_p99_ms"]}, ("minimize",), "unknown figure to minimize", id="a list"),
        pytest.param({"minimize": None}, ("minimize",), "unknown figure to minimize", id="nothing"),
        pytest.param({"maximise": "throughput_rps"}, ("maximise",), "did you mean 'maximize'", id="unknown key"),
        pytest.param("throughput_rps", (), "expected a mapping with the keys maximize, minimize", id="text"),
        pytest.param([], (), "found an empty list", id="no objective"),
        pytest.param([{"maximize": "goodput_rps"}, "cost"], (1,), "expected a mapping", id="the second is text"),
        pytest.param(
            [{"maximize": "goodput_rps"}, {"minimize": "cost"}], (1, "minimize"), "unknown figure", id="the second"
        ),
        pytest.param(
            [{"minimize": "latency_p99_ms"}, {"minimize": "latency_p99.0_ms"}],
            (1, "minimize"),
            "latency_p99_ms is an objective already",
            id="twice",
        ),
    ],
)
def test_an_objective_that_makes_no_sense_is_refused(raw, path, message):
    objectives, findings = read_objectives(raw)
    assert objectives is None
    assert any(where == path and message in sentence for where, sentence in findings), findings
