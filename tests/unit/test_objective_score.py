"""How a measurement scores, and that violations lead back to where the SLO holds."""

import math

import numpy as np
import pytest

from orchestrator.measure.verdict import Verdict
from orchestrator.objective import SMALLEST_VIOLATION, UNMEASURED_VIOLATION, Slo, accuracy_verdict, score
from orchestrator.result import Objective

MEASURED = {
    "throughput_rps": 1000.0,
    "throughput_rps_lo": 950.0,
    "throughput_rps_hi": 1060.0,
    "latency_mean_ms": 10.0,
    "latency_p50_ms": 8.0,
    "latency_p99_ms": 60.0,
    "latency_p999_ms": 90.0,
    "latency_max_ms": 100.0,
    "error_ratio": 0.001,
    "cost_per_million": 0.25,
    "cost_per_million_lo": 0.2,
    "cost_per_million_hi": math.inf,
}
THROUGHPUT = (Objective("throughput_rps", True),)


def violation(slo, verdicts=None, objectives=THROUGHPUT, **changes):
    return score({**MEASURED, **changes}, slo, objectives, verdicts).violation


@pytest.mark.parametrize(
    ("slo", "expected"),
    [
        pytest.param({}, 0.0, id="no limits"),
        pytest.param({"p99_ms": 61, "error_ratio": 0.02}, 0.0, id="all limits hold"),
        pytest.param({"p99_ms": 60, "error_ratio": 0.001}, 0.0, id="exactly at the limits"),
        pytest.param({"p99_ms": 40}, 0.5, id="half above"),
        pytest.param({"p99.9_ms": 45}, 1.0, id="any percentile"),
        pytest.param({"p99_ms": 40, "mean_ms": 5, "p50_ms": 8}, 1.0, id="the worst limit counts"),
        pytest.param({"error_ratio": 0.0004}, 0.6, id="errors"),
        pytest.param({"error_ratio": 0}, 1.0, id="no errors allowed"),
    ],
)
def test_the_violation_is_the_worst_relative_excess(slo, expected):
    found = score(MEASURED, Slo(**slo), THROUGHPUT)
    assert found.value == 1000.0
    assert found.violation == pytest.approx(expected)
    assert found.feasible is (expected == 0)


@pytest.mark.parametrize(
    ("slo", "expected"),
    [
        pytest.param({}, math.nan, id="no limits"),
        pytest.param({"p99_ms": 80}, -0.25, id="a quarter of room"),
        pytest.param({"p99_ms": 80, "mean_ms": 11}, -1 / 11, id="the limit with the least room"),
        pytest.param({"p99_ms": 40, "mean_ms": 11}, 0.5, id="above"),
    ],
)
def test_the_excess_says_how_much_room_is_left(slo, expected):
    assert score(MEASURED, Slo(**slo), THROUGHPUT).excess == pytest.approx(expected, nan_ok=True)


def test_no_errors_at_all_keep_a_limit_of_none_with_room():
    assert score({**MEASURED, "error_ratio": 0.0}, Slo(p99_ms=80, error_ratio=0), THROUGHPUT).excess == -0.25


@pytest.mark.parametrize(
    ("slo", "error_ratio", "expected"),
    [
        pytest.param({"p99_ms": 100}, 0.01, 0.0, id="as many as a p99 allows"),
        pytest.param({"p99_ms": 100}, 0.03, 2.0, id="three times as many"),
        pytest.param({"p99_ms": 40}, 0.011, 0.5, id="the latency is worse"),
        pytest.param({"p99.9_ms": 100}, 0.003, 2.0, id="a p99.9 allows fewer"),
        pytest.param({"max_ms": 100}, 0.003, 3.0, id="a maximum none"),
        pytest.param({"mean_ms": 100}, 0.9, 0.0, id="a mean says nothing of them"),
        pytest.param({"p99_ms": 100, "error_ratio": 0.05}, 0.03, 2.0, id="the stricter of two"),
        pytest.param({"p50_ms": 100, "error_ratio": 0.02}, 0.03, 0.5, id="or the other"),
    ],
)
def test_requests_that_fail_do_not_keep_a_limit_on_latency_either(slo, error_ratio, expected):
    assert violation(Slo(**slo), error_ratio=error_ratio) == pytest.approx(expected)


SLO = Slo(p99_ms=50, mean_ms=20, error_ratio=0.002)
GRADED = {
    "latency_p99_ms": np.linspace(30, 500, 400),
    "latency_mean_ms": np.linspace(10, 200, 400),
    "error_ratio": np.linspace(0, 1, 2000),
}


@pytest.mark.parametrize("figure", GRADED)
def test_the_violation_grows_with_each_figure_and_has_no_steps(figure):
    kept = {"latency_p99_ms": 50.0, "latency_mean_ms": 20.0, "error_ratio": 0.002}  # exactly at the limits
    found = np.array([violation(SLO, **{**kept, figure: value}) for value in GRADED[figure]])
    limit = SLO.limits()[figure]
    assert np.all(found[GRADED[figure] <= limit] == 0)
    over = found[GRADED[figure] > limit]
    assert np.all(np.diff(over) > 0)
    steepest = (GRADED[figure][1] - GRADED[figure][0]) / limit
    assert np.max(np.diff(found)) <= steepest * (1 + 1e-9)


def test_no_errors_satisfy_a_limit_of_none():
    assert violation(Slo(error_ratio=0), error_ratio=0.0) == 0


@pytest.mark.parametrize(
    ("slo", "objectives", "unmeasured"),
    [
        pytest.param(Slo(p99_ms=50), THROUGHPUT, "latency_p99_ms", id="a limited latency"),
        pytest.param(Slo(error_ratio=0.5), THROUGHPUT, "error_ratio", id="the error ratio"),
        pytest.param(Slo(), THROUGHPUT, "throughput_rps", id="the objective"),
        pytest.param(Slo(), (*THROUGHPUT, Objective("latency_p99_ms", False)), "latency_p99_ms", id="the second one"),
    ],
)
def test_what_is_needed_but_was_not_measured_violates(slo, objectives, unmeasured):
    left = {name: value for name, value in MEASURED.items() if name != unmeasured}
    assert score(left, slo, objectives).violation == UNMEASURED_VIOLATION


def test_a_figure_that_nobody_asked_for_may_be_missing():
    assert score({"throughput_rps": 1.0, "latency_mean_ms": 1.0}, Slo(mean_ms=20), THROUGHPUT).feasible


KEPT, BROKEN = Slo(p99_ms=100), Slo(p99_ms=50)  # measured: 60 ms
P, U, F = Verdict.PASS, Verdict.UNDECIDED, Verdict.FAIL


@pytest.mark.parametrize(
    ("slo", "verdicts", "expected", "shown"),
    [
        pytest.param(KEPT, None, 0.0, True, id="no verdicts"),
        pytest.param(Slo(), {}, 0.0, True, id="no limits"),
        pytest.param(KEPT, {"latency_p99_ms": P}, 0.0, True, id="kept, and shown"),
        pytest.param(KEPT, {"latency_p99_ms": U}, 0.0, False, id="kept, as far as one knows"),
        pytest.param(KEPT, {"latency_p99_ms": F}, SMALLEST_VIOLATION, True, id="broken, though not by the figures"),
        pytest.param(BROKEN, {"latency_p99_ms": F}, 0.2, True, id="broken, and shown"),
        pytest.param(BROKEN, {"latency_p99_ms": U}, 0.2, False, id="broken, as far as one knows"),
        pytest.param(KEPT, {"latency_p99_ms": P, "error_ratio": U}, 0.0, False, id="one limit is open"),
        pytest.param(KEPT, {"latency_p99_ms": U, "error_ratio": F}, SMALLEST_VIOLATION, True, id="one is broken"),
    ],
)
def test_verdicts_say_whether_the_figures_are_to_be_believed(slo, verdicts, expected, shown):
    found = score(MEASURED, slo, THROUGHPUT, verdicts)
    assert (found.value, found.shown) == (1000, shown)
    assert found.violation == pytest.approx(expected)
    assert found.feasible is (expected == 0)


COST = (Objective("cost_per_million", False),)


@pytest.mark.parametrize(
    ("slo", "expected"),
    [
        pytest.param(KEPT, SMALLEST_VIOLATION, id="though the lowest rate tried looked well"),
        pytest.param(BROKEN, 0.2, id="graded by the lowest rate tried"),
    ],
)
def test_what_costs_infinitely_much_is_not_within_the_slo(slo, expected):
    assert violation(slo, objectives=COST, cost_per_million=math.inf) == pytest.approx(expected)


def test_every_objective_has_its_figure_and_half_of_its_interval():
    found = score(MEASURED, Slo(), (*THROUGHPUT, Objective("latency_p99_ms", False), *COST))
    assert found.values == (1000.0, 60.0, 0.25)
    assert found.half_widths[0] == 55.0
    assert [math.isnan(width) for width in found.half_widths] == [False, True, True]  # none known, no end


@pytest.mark.parametrize(
    ("told", "expected", "verdict"),
    [
        pytest.param({"accuracy": 0.995}, 0.0, Verdict.PASS, id="above"),
        pytest.param({"accuracy": 0.99}, 0.0, Verdict.PASS, id="exactly"),
        pytest.param({"accuracy": 0.891}, 0.1, Verdict.FAIL, id="a tenth below"),
        pytest.param({}, UNMEASURED_VIOLATION, Verdict.FAIL, id="not told"),
    ],
)
def test_an_accuracy_below_the_least_is_a_graded_violation(told, expected, verdict):
    slo = Slo(p99_ms=80, min_accuracy=0.99)
    found = score({**MEASURED, **told}, slo, THROUGHPUT)
    assert found.violation == pytest.approx(expected)
    assert found.excess == -0.25, "no room has to be left below a figure that does not vary"
    assert accuracy_verdict(told, slo) == {"accuracy": verdict}


def test_where_no_accuracy_is_asked_for_none_is_judged():
    assert accuracy_verdict({"accuracy": 0.5}, Slo(p99_ms=80)) == {}
    assert violation(Slo(p99_ms=80), accuracy=0.5) == 0
