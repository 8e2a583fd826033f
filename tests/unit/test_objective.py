import math
import pickle
from dataclasses import replace

import pytest

from orchestrator.measure.measurement import Measurement
from orchestrator.measure.verdict import Verdict
from orchestrator.objective import (
    MAXIMIZE,
    MINIMIZE,
    SMALLEST_VIOLATION,
    UNMEASURED_VIOLATION,
    Objective,
    Slo,
    score,
)

MEASURED = Measurement.from_metrics(
    {
        "throughput_rps": 1000.0,
        "goodput_rps": 900.0,
        "latency_mean_ms": 10.0,
        "latency_p50_ms": 8.0,
        "latency_p90_ms": 20.0,
        "latency_p95_ms": 30.0,
        "latency_p99_ms": 60.0,
        "latency_max_ms": 100.0,
        "max_rate_rps": 1200.0,
        "error_ratio": 0.01,
        "requests": 5000,
        "duration_s": 5.0,
    }
)
THROUGHPUT = Objective(maximize="throughput_rps")


@pytest.mark.parametrize(
    ("yaml", "metric", "maximize"),
    [({"maximize": name}, name, True) for name in MAXIMIZE] + [({"minimize": name}, name, False) for name in MINIMIZE],
)
def test_an_objective_names_a_figure_and_a_direction(yaml, metric, maximize):
    objective = Objective.model_validate(yaml)
    assert (objective.metric, objective.maximize) == (metric, maximize)
    assert math.isfinite(score(MEASURED, Slo(), objective).value)


def test_an_objective_survives_the_way_to_another_process():
    objective = Objective(minimize="latency_p99_ms")
    assert pickle.loads(pickle.dumps(objective)) == objective
    assert objective != Objective(minimize="latency_p50_ms")
    assert repr(objective) == "Objective(minimize='latency_p99_ms')"


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        pytest.param({}, "found neither", id="empty"),
        pytest.param({"maximize": "throughput_rps", "minimize": "latency_p99_ms"}, "found both", id="two directions"),
        pytest.param({"maximize": "througput_rps"}, "did you mean 'throughput_rps'", id="typo"),
        pytest.param({"minimize": "p99_ms"}, "did you mean 'latency_p99_ms'", id="the SLO's name of a figure"),
        pytest.param({"maximize": "latency_p99_ms"}, "allowed: throughput_rps, goodput_rps", id="a senseless goal"),
        pytest.param({"minimize": ["latency_p99_ms"]}, "unknown figure to minimize", id="a list"),
        pytest.param({"maximise": "throughput_rps"}, "maximise", id="unknown key"),
    ],
)
def test_an_objective_that_makes_no_sense_is_refused(yaml, message):
    with pytest.raises(ValueError, match=message):
        Objective.model_validate(yaml)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        pytest.param({"p99_ms": 0}, "p99_ms is 0, but takes a number of milliseconds above 0", id="zero latency"),
        pytest.param({"mean_ms": -1.5}, "mean_ms is -1.5", id="negative latency"),
        pytest.param({"p99_ms": "50"}, 'p99_ms is "50"', id="text"),
        pytest.param({"p99_ms": True}, "p99_ms is true", id="bool"),
        pytest.param({"max_ms": math.nan}, "max_ms is NaN", id="NaN"),
        pytest.param({"error_ratio": 1.1}, "error_ratio is 1.1, but takes a number from 0 to 1", id="ratio above 1"),
        pytest.param({"error_ratio": -0.1}, "error_ratio is -0.1", id="ratio below 0"),
        pytest.param({"p98_ms": 50}, "p98_ms", id="unknown key"),
    ],
)
def test_an_slo_that_makes_no_sense_is_refused(yaml, message):
    with pytest.raises(ValueError, match=message):
        Slo.model_validate(yaml)


def test_latency_limits_are_named_by_the_figures_that_they_limit():
    limits = Slo(mean_ms=20, p99_ms=50, error_ratio=0.5).latency_limits_ms()
    assert limits == {"latency_mean_ms": 20.0, "latency_p99_ms": 50.0}
    every = Slo(mean_ms=1, p50_ms=1, p90_ms=1, p95_ms=1, p99_ms=1, max_ms=1).latency_limits_ms()
    assert len(every) == 6
    assert set(every) <= set(MEASURED.metrics())
    assert Slo().latency_limits_ms() == {}


def test_the_limits_are_those_on_latencies_and_on_errors():
    assert Slo(p99_ms=50, error_ratio=0).limits() == {"latency_p99_ms": 50.0, "error_ratio": 0.0}
    assert Slo(error_ratio=0.001).limits() == {"error_ratio": 0.001}
    assert Slo().limits() == {}


@pytest.mark.parametrize(
    ("slo", "violation"),
    [
        pytest.param({}, 0.0, id="no limits"),
        pytest.param({"p99_ms": 61, "error_ratio": 0.02}, 0.0, id="all limits hold"),
        pytest.param({"p99_ms": 60, "error_ratio": 0.01}, 0.0, id="exactly at the limits"),
        pytest.param({"p99_ms": 40}, 0.5, id="half above"),
        pytest.param({"p99_ms": 40, "mean_ms": 5, "p50_ms": 8}, 1.0, id="the worst limit counts"),
        pytest.param({"error_ratio": 0.004}, 1.5, id="errors"),
        pytest.param({"error_ratio": 0}, 10.0, id="no errors allowed"),
    ],
)
def test_the_violation_is_the_worst_relative_excess(slo, violation):
    result = score(MEASURED, Slo(**slo), THROUGHPUT)
    assert result.value == 1000.0
    assert result.violation == pytest.approx(violation)
    assert result.feasible is (violation == 0)


def test_no_errors_satisfy_a_limit_of_none():
    assert score(replace(MEASURED, error_ratio=0.0), Slo(error_ratio=0), THROUGHPUT).feasible


@pytest.mark.parametrize(
    ("slo", "objective", "unmeasured"),
    [
        pytest.param(Slo(p99_ms=50), THROUGHPUT, "latency_p99_ms", id="a limited latency"),
        pytest.param(Slo(error_ratio=0.5), THROUGHPUT, "error_ratio", id="the error ratio"),
        pytest.param(Slo(), Objective(minimize="latency_p99_ms"), "latency_p99_ms", id="the objective"),
    ],
)
def test_what_is_needed_but_was_not_measured_violates(slo, objective, unmeasured):
    result = score(replace(MEASURED, **{unmeasured: math.nan}), slo, objective)
    assert result.violation == UNMEASURED_VIOLATION


def test_a_figure_that_nobody_asked_for_may_be_missing():
    assert score(replace(MEASURED, latency_p99_ms=math.nan), Slo(mean_ms=20), THROUGHPUT).feasible


KEPT, BROKEN = Slo(p99_ms=100), Slo(p99_ms=50)  # measured: 60 ms
P, U, F = Verdict.PASS, Verdict.UNDECIDED, Verdict.FAIL


@pytest.mark.parametrize(
    ("slo", "verdicts", "violation", "shown"),
    [
        pytest.param(KEPT, None, 0.0, True, id="no verdicts"),
        pytest.param(Slo(), {}, 0.0, True, id="no limits"),
        pytest.param(KEPT, {"latency_p99_ms": P}, 0.0, True, id="kept, and shown"),
        pytest.param(KEPT, {"latency_p99_ms": U}, 0.0, False, id="kept, as far as one knows"),
        pytest.param(KEPT, {"latency_p99_ms": F}, SMALLEST_VIOLATION, True, id="broken by what is not in the figure"),
        pytest.param(BROKEN, {"latency_p99_ms": F}, 0.2, True, id="broken, and shown"),
        pytest.param(BROKEN, {"latency_p99_ms": U}, 0.2, False, id="broken, as far as one knows"),
        pytest.param(KEPT, {"latency_p99_ms": P, "error_ratio": U}, 0.0, False, id="one limit is open"),
        pytest.param(KEPT, {"latency_p99_ms": U, "error_ratio": F}, SMALLEST_VIOLATION, True, id="one is broken"),
    ],
)
def test_verdicts_say_whether_the_figures_are_to_be_believed(slo, verdicts, violation, shown):
    found = score(MEASURED, slo, THROUGHPUT, verdicts)
    assert (found.value, found.shown) == (1000, shown)
    assert found.violation == pytest.approx(violation)
    assert found.feasible is (violation == 0)
