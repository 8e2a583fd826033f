import math

import numpy as np
import pytest

from orchestrator.measure.samples import Outcome
from orchestrator.measure.verdict import Verdict, binomial_verdict, overall, requests_needed, verdicts
from tests.fakes.queues import independent, md1, md1_mean, md1_quantile, to_samples

PASS, FAIL, UNDECIDED = Verdict.PASS, Verdict.FAIL, Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("percentile", "needed"),
    [
        pytest.param(0.50, {0: 7}, id="p50"),
        pytest.param(0.95, {0: 90}, id="p95"),
        pytest.param(0.999, {0: 4603}, id="p99.9"),
        pytest.param(0.90, {0: 44, 1: 64, 5: 127, 10: 197}, id="p90"),
        pytest.param(0.99, {0: 459, 1: 662, 5: 1307, 10: 2010}, id="p99"),
    ],
)
def test_as_many_requests_are_needed_as_mlperf_says(percentile, needed):
    assert {over: requests_needed(over, percentile) for over in needed} == needed
    for over, count in needed.items():
        assert binomial_verdict(over, count, percentile) is PASS
        assert binomial_verdict(over, count - 1, percentile) is UNDECIDED


@pytest.mark.parametrize(
    ("over", "count", "verdict"),
    [
        (0, 10, UNDECIDED),
        (1, 100, UNDECIDED),
        (4, 100, UNDECIDED),
        (5, 100, FAIL),
        (100, 100, FAIL),
        (10, 1000, UNDECIDED),
    ],
)
def test_too_many_over_a_limit_of_99_percent_fail_it(over, count, verdict):
    assert binomial_verdict(over, count, 0.99) is verdict


def answered(count, slow=0, slow_ms=100.0, outcome=Outcome.OK, seconds=10.0, scattered=True):
    """Requests of 10 ms of which `slow` end otherwise, here and there or one after the other."""
    odd = np.arange(count) < slow
    odd = np.random.default_rng(0).permutation(odd) if scattered else np.roll(odd, count // 3)
    latency = np.random.default_rng(1).uniform(9, 10, count)
    latency[odd] = slow_ms
    return to_samples(np.arange(count) * seconds / count, latency / 1e3, np.where(odd, outcome, Outcome.OK))


WINDOW = (0.0, 10.0)


@pytest.mark.parametrize(
    ("samples", "limits", "verdict"),
    [
        pytest.param(answered(2000), {"latency_p99_ms": 50}, PASS, id="all within"),
        pytest.param(answered(300), {"latency_p99_ms": 50}, UNDECIDED, id="all within, but too few for p99"),
        pytest.param(answered(300), {"latency_p90_ms": 50}, PASS, id="enough for p90"),
        pytest.param(answered(2000, slow=100), {"latency_p99_ms": 50}, FAIL, id="5 % over p99"),
        pytest.param(answered(2000, slow=100), {"latency_p90_ms": 50}, PASS, id="5 % over p90"),
        pytest.param(answered(2000, slow=20), {"latency_p99_ms": 50}, UNDECIDED, id="1 % over p99"),
        pytest.param(answered(5), {"latency_p50_ms": 1}, UNDECIDED, id="five requests decide nothing"),
        pytest.param(answered(2000, 100, 1.0, Outcome.HTTP_ERROR), {"latency_p99_ms": 50}, FAIL, id="quick errors"),
        pytest.param(answered(2000, 100, 1.0, Outcome.UNSENT), {"latency_p99_ms": 50}, FAIL, id="unsent"),
        pytest.param(answered(2000, 100, 1.0, Outcome.TIMEOUT), {"latency_p99_ms": 50}, FAIL, id="timed out"),
        pytest.param(answered(2000), {"latency_mean_ms": 12}, PASS, id="mean within"),
        pytest.param(answered(2000), {"latency_mean_ms": 9}, FAIL, id="mean over"),
        pytest.param(answered(2000, 1000), {"latency_mean_ms": 55}, UNDECIDED, id="mean about the limit"),
        pytest.param(answered(50, 50, outcome=Outcome.BROKEN), {"latency_mean_ms": 55}, FAIL, id="no success"),
        pytest.param(answered(9000), {"latency_max_ms": 50}, PASS, id="thousands without one over"),
        pytest.param(answered(3000), {"latency_max_ms": 50}, UNDECIDED, id="too few for never"),
        pytest.param(answered(9000, 1), {"latency_max_ms": 50}, FAIL, id="one over the maximum"),
        pytest.param(answered(9000), {"error_ratio": 0.001}, PASS, id="no errors"),
        pytest.param(answered(9000, 1, outcome=Outcome.BROKEN), {"error_ratio": 0}, FAIL, id="one error too many"),
        pytest.param(answered(9000), {"error_ratio": 0}, PASS, id="never an error"),
        pytest.param(answered(9000, 30, outcome=Outcome.TIMEOUT), {"error_ratio": 0.001}, FAIL, id="errors"),
        pytest.param(answered(9000, 30, outcome=Outcome.TIMEOUT), {"error_ratio": 0.01}, PASS, id="allowed errors"),
        pytest.param(answered(2000, 2000), {"error_ratio": 0.001}, UNDECIDED, id="slow is no error"),
        pytest.param(answered(20, 20, outcome=Outcome.BROKEN), {"error_ratio": 0.001}, FAIL, id="nothing but errors"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_each_limit_has_its_verdict(samples, limits, verdict):
    assert verdicts(samples, WINDOW, limits) == dict.fromkeys(limits, verdict)


def test_requests_over_the_limit_count_for_less_when_they_come_together():
    scattered, together = answered(2000, slow=40), answered(2000, slow=40, scattered=False)
    assert verdicts(scattered, WINDOW, {"latency_p99_ms": 50})["latency_p99_ms"] is FAIL
    assert verdicts(together, WINDOW, {"latency_p99_ms": 50})["latency_p99_ms"] is UNDECIDED


def test_only_the_window_counts():
    assert verdicts(answered(2000, 500, scattered=False), (7.0, 10.0), {"latency_p90_ms": 50}) == {
        "latency_p90_ms": PASS
    }
    assert verdicts(answered(2000), (11.0, 12.0), {"latency_p90_ms": 50}) == {"latency_p90_ms": UNDECIDED}


def share_of(verdict, draw, limits, window, runs=100):
    rng = np.random.default_rng(7)
    found = [verdicts(to_samples(*draw(rng)), window, limits) for _ in range(runs)]
    return {name: np.mean([one[name] is verdict for one in found]) for name in limits}


@pytest.mark.parametrize("utilisation", [0.5, 0.85])
def test_a_waiting_line_at_its_limit_is_hardly_ever_judged_wrongly(utilisation):
    def at_limit(rng):
        return md1(rng, utilisation, 10)

    limits = {f"latency_p{percent}_ms": md1_quantile(utilisation, percent / 100) * 1e3 for percent in (90, 95, 99)}
    limits["latency_mean_ms"] = md1_mean(utilisation) * 1e3
    assert max(share_of(FAIL, at_limit, limits, WINDOW).values()) <= 0.02
    assert max(share_of(PASS, at_limit, limits, WINDOW).values()) <= 0.05


def test_clear_cases_are_decided_within_seconds():
    def exponential(rng):
        return independent(rng, 2, 400, lambda rng, n: rng.exponential(0.01, n))

    p95_ms = -10 * math.log(0.05)
    assert share_of(PASS, exponential, {"latency_p95_ms": 2 * p95_ms}, (0.0, 2.0))["latency_p95_ms"] > 0.9
    assert share_of(FAIL, exponential, {"latency_p95_ms": p95_ms / 2}, (0.0, 2.0))["latency_p95_ms"] > 0.9


@pytest.mark.parametrize(
    ("limit_ms", "verdict"),
    [
        pytest.param(700, PASS, id="far above all of them"),
        pytest.param(140, UNDECIDED, id="just above the mean"),
        pytest.param(60, FAIL, id="far below"),
    ],
)
def test_a_distant_limit_on_the_mean_is_decided_although_neighbours_are_alike(limit_ms, verdict):
    scheduled = np.arange(200) / 10
    wave = 0.11 + 0.04 * np.sin(scheduled / 3)  # in 20 s one wave: hardly a batch is independent of its neighbours
    assert verdicts(to_samples(scheduled, wave), (0.0, 20.0), {"latency_mean_ms": limit_ms}) == {
        "latency_mean_ms": verdict
    }


def test_a_mean_is_not_passed_by_its_percentile_where_a_few_are_very_slow():
    found = verdicts(answered(300, slow=4, slow_ms=5000), WINDOW, {"latency_mean_ms": 30})
    assert found["latency_mean_ms"] is UNDECIDED


def test_an_overloaded_server_fails_every_percentile():
    scheduled = np.arange(2000) / 1000
    growing = to_samples(scheduled, 0.01 + 0.5 * scheduled)
    limits = {"latency_p50_ms": 100, "latency_p99_ms": 100}
    assert set(verdicts(growing, (0.5, 2.0), limits).values()) == {FAIL}


@pytest.mark.parametrize(
    ("each", "together"),
    [([], PASS), ([PASS], PASS), ([PASS, UNDECIDED], UNDECIDED), ([UNDECIDED, FAIL, PASS], FAIL)],
)
def test_the_worst_verdict_is_that_of_all(each, together):
    assert overall(dict(enumerate(each))) is together


@pytest.mark.parametrize("name", ["throughput_rps", "latency_std_ms", "latency_pmax_ms"])
def test_a_figure_without_a_verdict_is_refused(name):
    with pytest.raises(ValueError, match=name):
        verdicts(answered(20), WINDOW, {name: 1.0})
