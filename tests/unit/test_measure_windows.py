import math

import numpy as np
import pytest

from orchestrator.measure.samples import Outcome, Samples
from orchestrator.measure.windows import in_window, measure

NAN = math.nan


def samples(scheduled_s, latency_ms=10.0, outcome=Outcome.OK, **server):
    rows = len(scheduled_s)
    scheduled = np.asarray(scheduled_s, np.float64)
    columns = {
        name: np.broadcast_to(np.asarray(server.get(name, NAN), np.float64), rows)
        for name in ("queue_s", "batch_wait_s", "compute_s", "batch_size")
    }
    return Samples(
        scheduled_s=scheduled,
        sent_s=scheduled,
        done_s=scheduled + np.asarray(latency_ms) / 1e3,
        outcome=np.broadcast_to(np.asarray(outcome, np.uint8), rows),
        status=np.full(rows, 200, np.int16),
        **columns,
    )


@pytest.mark.parametrize(
    ("window", "kept"),
    [
        pytest.param((1.0, 3.0), [1.0, 2.0], id="start included, end not"),
        pytest.param((0.0, 9.0), [0.0, 1.0, 2.0, 3.0], id="everything"),
        pytest.param((1.0, 1.0), [], id="empty window"),
        pytest.param((5.0, 9.0), [], id="nothing scheduled in it"),
    ],
)
def test_requests_count_by_their_scheduled_time(window, kept):
    assert in_window(samples([0.0, 1.0, 2.0, 3.0]), window).scheduled_s.tolist() == kept


def test_a_request_that_ends_after_its_window_counts_in_it():
    late = samples([0.5, 1.5], latency_ms=5_000)
    assert measure(late, (0.0, 1.0), {}).requests == 1
    assert measure(late, (0.0, 1.0), {}).throughput_rps == 1


def test_latencies_are_those_of_the_successes_with_linear_percentiles():
    latency = [10.0, 20.0, 30.0, 40.0, 9_999.0]
    outcome = [Outcome.OK] * 4 + [Outcome.TIMEOUT]
    found = measure(samples([0.0, 0.1, 0.2, 0.3, 0.4], latency, outcome), (0.0, 2.0), {})
    assert found.latency_p50_ms == pytest.approx(25)  # halfway between the second and the third
    assert found.latency_p90_ms == pytest.approx(37)
    assert found.latency_p95_ms == pytest.approx(38.5)
    assert found.latency_p99_ms == pytest.approx(39.7)
    assert found.latency_max_ms == pytest.approx(40)
    assert found.latency_mean_ms == pytest.approx(25)
    assert found.latency_std_ms == pytest.approx(math.sqrt(125))
    assert found.throughput_rps == 2
    assert found.error_ratio == pytest.approx(0.2)
    assert (found.requests, found.duration_s) == (5, 2.0)


@pytest.mark.parametrize(
    ("limits", "good"),
    [
        pytest.param({}, 4, id="without limits every success is good"),
        pytest.param({"latency_p99_ms": 30.5}, 3, id="one limit"),
        pytest.param({"latency_p99_ms": 30.5, "latency_p50_ms": 10.5}, 1, id="the smallest limit"),
        pytest.param({"latency_max_ms": 20.5}, 2, id="limit on the maximum"),
        pytest.param({"latency_mean_ms": 10.5}, 4, id="a mean bounds no single request"),
        pytest.param({"latency_mean_ms": 1.0, "latency_p90_ms": 20.5}, 2, id="mean beside a percentile"),
        pytest.param({"latency_p50_ms": 1.0}, 0, id="none is good enough"),
    ],
)
def test_goodput_counts_the_successes_within_the_smallest_limit(limits, good):
    latency = [10.0, 20.0, 30.0, 40.0, 1.0]
    outcome = [Outcome.OK] * 4 + [Outcome.HTTP_ERROR]
    found = measure(samples([0.0, 0.1, 0.2, 0.3, 0.4], latency, outcome), (0.0, 2.0), limits)
    assert found.goodput_rps == good / 2
    assert found.throughput_rps == 4 / 2


def test_the_limit_itself_is_within_the_limit():
    exact = samples([0.0], latency_ms=[0.0])
    assert measure(exact, (0.0, 1.0), {"latency_max_ms": 0.0}).goodput_rps == 1


def test_server_times_are_means_over_the_successes_that_have_them():
    timed = samples(
        [0.0, 0.1, 0.2, 0.3],
        outcome=[Outcome.OK, Outcome.OK, Outcome.OK, Outcome.HTTP_ERROR],
        queue_s=[0.001, 0.003, NAN, 9.0],
        batch_wait_s=[0.002, 0.002, NAN, 9.0],
        compute_s=[0.004, 0.006, NAN, 9.0],
        batch_size=[4, 8, NAN, 999],
    )
    found = measure(timed, (0.0, 1.0), {})
    assert found.queue_ms_mean == pytest.approx(2)
    assert found.batch_wait_ms_mean == pytest.approx(2)
    assert found.compute_ms_mean == pytest.approx(5)
    assert found.batch_size_mean == pytest.approx(6)


def test_without_server_timing_the_server_times_are_unknown():
    assert "compute_ms_mean" not in measure(samples([0.0]), (0.0, 1.0), {}).metrics()


@pytest.mark.parametrize(
    ("outcomes", "window", "error_ratio", "requests"),
    [
        pytest.param([], (0.0, 1.0), NAN, 0, id="no samples"),
        pytest.param([Outcome.OK], (5.0, 6.0), NAN, 0, id="none in the window"),
        pytest.param([Outcome.OK], (0.0, 0.0), NAN, 0, id="window without length"),
        pytest.param([Outcome.BROKEN, Outcome.TIMEOUT], (0.0, 1.0), 1.0, 2, id="no success"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_without_a_success_there_is_no_latency_and_no_throughput(outcomes, window, error_ratio, requests):
    found = measure(samples([0.0] * len(outcomes), outcome=outcomes), window, {"latency_p99_ms": 1.0})
    assert (found.throughput_rps, found.goodput_rps, found.requests) == (0, 0, requests)
    assert found.error_ratio == pytest.approx(error_ratio, nan_ok=True)
    known = {"throughput_rps", "goodput_rps", "requests", "duration_s", "error_ratio"}
    assert set(found.metrics()) <= known


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="before its start"):
        measure(samples([0.0]), (2.0, 1.0), {})
