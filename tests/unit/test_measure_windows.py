import math

import numpy as np
import pytest

from orchestrator.measure.measurement import FIGURES, Measurement
from orchestrator.measure.samples import Outcome, Samples
from orchestrator.measure.windows import in_window, measure

NAN = math.nan


def samples(scheduled_s, latency_ms=10.0, outcome=Outcome.OK, sent_s=None, **server):
    rows = len(scheduled_s)
    scheduled = np.asarray(scheduled_s, np.float64)
    columns = {
        name: np.broadcast_to(np.asarray(server.get(name, NAN), np.float64), rows)
        for name in ("queue_s", "batch_wait_s", "compute_s", "batch_size")
    }
    return Samples(
        scheduled_s=scheduled,
        sent_s=scheduled if sent_s is None else np.asarray(sent_s, np.float64),
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
    assert not [name for name in found.metrics() if "latency" in name or "uncorrected" in name]


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="before its start"):
        measure(samples([0.0]), (2.0, 1.0), {})


def test_what_a_client_without_a_schedule_would_say_stands_beside_it():
    late = samples([0.0, 0.1, 0.2], latency_ms=[10.0, 20.0, 40.0], sent_s=[0.0, 0.105, 0.22])
    found = measure(late, (0.0, 1.0), {})
    assert found.latency_mean_ms == pytest.approx(70 / 3)
    assert found.uncorrected_mean_ms == pytest.approx(45 / 3)
    assert found.uncorrected_p50_ms == pytest.approx(15)
    assert found.send_lag_mean_ms == pytest.approx(25 / 3)
    assert found.send_lag_p99_ms == pytest.approx(19.7)


def test_unsent_and_timed_out_requests_count_against_the_slo():
    outcome = [Outcome.OK, Outcome.OK, Outcome.TIMEOUT, Outcome.UNSENT]
    found = measure(
        samples([0.0, 0.1, 0.2, 0.3], [10.0, 60.0, 900.0, 900.0], outcome, sent_s=[0.0, 0.1, 0.2, NAN]),
        (0.0, 2.0),
        {"latency_p99_ms": 50.0},
    )
    assert (found.requests, found.successes) == (4, 2)
    assert (found.error_ratio, found.slo_attainment) == (0.5, 0.25)
    assert (found.offered_rps, found.sent_rps, found.throughput_rps, found.goodput_rps) == (2.0, 1.5, 1.0, 0.5)


def test_an_error_limit_bounds_no_latency():
    assert measure(samples([0.0]), (0.0, 1.0), {"error_ratio": 0.001}).goodput_rps == 1


def test_a_request_may_carry_several_items():
    found = measure(samples(np.arange(100) / 100), (0.0, 1.0), {}, items_per_request=8)
    assert found.items_per_s == 800
    assert found.intervals["items_per_s"] == found.intervals["throughput_rps"].times(8)


def test_what_is_neither_queue_nor_compute_is_the_network():
    timed = samples(
        [0.0, 0.1], latency_ms=10.0, queue_s=[0.004, NAN], batch_wait_s=[0.001, NAN], compute_s=[0.005, NAN]
    )
    assert measure(timed, (0.0, 1.0), {}).network_ms_mean == pytest.approx(1.0)


def busy(rows=2_000):
    rng = np.random.default_rng(0)
    server = {name: rng.uniform(0.001, 0.002, rows) for name in ("queue_s", "batch_wait_s", "compute_s", "batch_size")}
    outcome = np.where(rng.random(rows) < 0.01, Outcome.TIMEOUT, Outcome.OK)
    scheduled = np.arange(rows) / 200
    return samples(scheduled, rng.uniform(5, 15, rows), outcome, sent_s=scheduled + 1e-4, **server)


def test_every_figure_but_the_maximum_has_an_interval_around_it():
    found = measure(busy(), (0.0, 10.0), {"latency_p99_ms": 14.0})
    assert set(FIGURES) - set(found.intervals) == {"latency_max_ms", "max_rate_rps"}
    for name, interval in found.intervals.items():
        assert interval.lo <= getattr(found, name) + 1e-9, name
        assert getattr(found, name) <= interval.hi + 1e-9, name


@pytest.mark.parametrize(
    ("limits", "asked", "further"),
    [
        pytest.param({}, (), {}, id="none"),
        pytest.param({"latency_p99_ms": 1.0}, ("latency_p50_ms", "throughput_rps"), {}, id="usual figures"),
        pytest.param({"latency_p75_ms": 1.0}, (), {"latency_p75_ms": 75}, id="by a limit"),
        pytest.param({}, ("latency_p999_ms",), {"latency_p999_ms": 99.9}, id="by an objective"),
        pytest.param(
            {"latency_p05_ms": 1.0}, ("latency_p05_ms",), {"latency_p05_ms": 5}, id="by both, and with a leading zero"
        ),
    ],
)
def test_any_percentile_is_measured_that_is_asked_for(limits, asked, further):
    everything = busy()
    found = measure(everything, (0.0, 10.0), limits, asked=asked)
    ok_ms = everything.response_time_s[everything.ok] * 1e3
    expected = {name: pytest.approx(np.percentile(ok_ms, percent)) for name, percent in further.items()}
    assert found.percentiles == expected
    for name in further:
        assert found.intervals[name].lo <= found.metrics()[name] <= found.metrics()[f"{name}_hi"]


@pytest.mark.parametrize("rows", [0, 1, 5, 2_000])
def test_a_measurement_is_rebuilt_from_its_metrics(rows):
    found = measure(busy(rows), (0.0, 10.0), {"latency_p999_ms": 14.0})
    flat = found.metrics()
    assert ("latency_p99_ms_lo" in flat) is (rows > 5)
    assert all(math.isfinite(value) for value in flat.values())
    assert Measurement.from_metrics(flat) == found


def test_a_stored_measurement_without_intervals_is_read():
    found = Measurement.from_metrics({"throughput_rps": 10.0, "requests": 100})
    assert (found.throughput_rps, found.requests, found.successes) == (10.0, 100, 0)
    assert math.isnan(found.latency_p99_ms)
    assert not found.intervals
