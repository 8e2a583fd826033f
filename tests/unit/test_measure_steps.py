"""Steps of a job as figures: what is known of many steps, of few, and of hardly any."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orchestrator.measure.steps import FEWEST, Steps, are_steady, is_precise, measure_steps, step_figures
from tests.fakes.jobs import steps_of


def uneven(count):
    """Times around 10 ms, with nothing regular about them."""
    return np.random.default_rng(0).normal(10, 0.5, count)


def test_rates_are_those_of_the_steps_own_time():
    measured = measure_steps(steps_of([10.0] * 50, items=4))
    assert measured.throughput_rps == pytest.approx(100)
    assert measured.items_per_s == pytest.approx(400)
    assert measured.latency_mean_ms == pytest.approx(10)
    assert measured.batch_size_mean == 4
    assert (measured.requests, measured.successes, measured.error_ratio) == (50, 50, 0)
    assert measured.duration_s == pytest.approx(0.5)


def test_a_pause_between_two_steps_is_nobodys_time():
    rows = [(start, start + 0.01, 1, {}, None) for start in (0.0, 5.0, 9.0)]
    assert measure_steps(Steps.of(rows)).items_per_s == pytest.approx(100)


def test_the_time_of_an_item_is_a_ratio_of_sums():
    steps = steps_of([10, 10, 5], items=[2, 2, 1])
    assert step_figures(steps)["item_ms"] == pytest.approx(5)
    assert measure_steps(steps).items_per_s == pytest.approx(200)
    assert step_figures(steps)["item_ms_lo"] == pytest.approx(step_figures(steps)["item_ms_hi"])  # each takes 5 ms


def test_items_per_second_and_the_time_of_an_item_have_the_same_interval():
    steps = steps_of(uneven(40), items=3)
    interval, figures = measure_steps(steps).intervals["items_per_s"], step_figures(steps)
    assert interval.lo == pytest.approx(1e3 / figures["item_ms_hi"])
    assert interval.hi == pytest.approx(1e3 / figures["item_ms_lo"])
    assert interval.lo < measure_steps(steps).items_per_s < interval.hi


def test_fewer_steps_make_wider_intervals():
    widths = []
    for count in (3, 6, 30, 300):
        interval = measure_steps(steps_of(np.resize([9.8, 10.3, 9.9, 10.0, 10.2, 9.7], count))).intervals
        widths.append(interval["latency_mean_ms"].hi - interval["latency_mean_ms"].lo)
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("count", [1, 2])
def test_of_hardly_any_steps_nothing_is_claimed(count):
    assert count < FEWEST
    measured = measure_steps(steps_of([10.0] * count))
    assert measured.intervals == {}
    assert "item_ms_lo" not in step_figures(steps_of([10.0] * count))


PERCENTILES = {
    3: {"latency_p50_ms"},
    10: {"latency_p50_ms", "latency_p90_ms"},
    20: {"latency_p50_ms", "latency_p90_ms", "latency_p95_ms"},
    100: {"latency_p50_ms", "latency_p90_ms", "latency_p95_ms", "latency_p99_ms"},
}


@pytest.mark.parametrize(("count", "known"), PERCENTILES.items())
def test_a_percentile_needs_steps_beyond_it(count, known):
    found = {name for name in measure_steps(steps_of(uneven(count))).metrics() if name in PERCENTILES[100]}
    assert found == known


def test_further_percentiles_are_measured_when_they_are_asked_for():
    measured = measure_steps(steps_of(uneven(500)), ("latency_p995_ms", "items_per_s"))
    assert set(measured.percentiles) == {"latency_p995_ms"}
    assert measure_steps(steps_of(uneven(20)), ("latency_p995_ms",)).percentiles == {}


def test_nothing_is_said_of_what_only_requests_have():
    measured = measure_steps(steps_of([10.0] * 20))
    assert math.isnan(measured.goodput_rps)
    assert math.isnan(measured.queue_ms_mean)
    assert "send_lag_mean_ms" not in measured.metrics()


def test_parts_are_means_over_the_steps_that_tell():
    told, silent = steps_of([10.0] * 3, parts={"load_ms": 4.0}), steps_of([10.0] * 3)
    figures = step_figures(told.then(silent))
    assert figures["part_load_ms"] == 4.0
    assert {"part_load_ms_lo", "part_load_ms_hi"} <= figures.keys()


STEADY = {
    "even": ([10.0] * 6, True),
    "three are the least": ([10.0] * 2, False),
    "slow at first, and a while ago": ([50.0] * 3 + [10.0] * 4, True),
    "slow at first, and just now": ([50.0] * 5 + [10.0] * 2, False),
    "slower and slower": ([10.0 * 1.2**n for n in range(12)], False),
}


@pytest.mark.parametrize(("times_ms", "steady"), STEADY.values(), ids=STEADY)
def test_steps_have_settled_when_the_latter_half_agrees(times_ms, steady):
    assert are_steady(np.array(times_ms)) is steady


def test_few_steps_are_not_believed_however_alike_they_are():
    assert not is_precise(steps_of([10.0] * 9), "items_per_s", 0.05)
    assert is_precise(steps_of([10.0] * 10), "items_per_s", 0.05)
    assert not is_precise(steps_of(uneven(10)), "items_per_s", 0.001)


def test_the_samples_of_steps_are_one_request_each():
    steps = steps_of([10.0, 20.0], items=7)
    samples = steps.samples(origin_s=-1.0)
    assert samples.scheduled_s.tolist() == pytest.approx([1.0, 1.01])
    assert samples.response_time_s.tolist() == pytest.approx([0.01, 0.02])
    assert samples.batch_size.tolist() == [7, 7]
    assert samples.ok.all()
