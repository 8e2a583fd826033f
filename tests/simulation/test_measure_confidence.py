"""Intervals must hold the truth as often as they say, and be no wider than they must."""

import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.measure.batches import Batches, sum_error
from orchestrator.measure.confidence import (
    MIN_VALUES,
    clopper_pearson,
    mean_interval,
    quantile_intervals,
    quantiles,
    rate_interval,
    share_interval,
    std_interval,
)
from orchestrator.measure.interval import Interval
from tests.fakes.queues import independent, md1, md1_mean, md1_quantile

SECONDS, RUNS = 15.0, 200
WINDOW = (0.0, SECONDS)
SHARES = (0.5, 0.95, 0.99)


def waiting_line(utilisation):
    truth = (md1_mean(utilisation), *(md1_quantile(utilisation, share) for share in SHARES))
    return pytest.param(lambda rng: md1(rng, utilisation, SECONDS), truth, 0.75, id=f"M/D/1 at {utilisation}")


def draws(name, draw, truth, widest):
    return pytest.param(lambda rng: independent(rng, SECONDS, 200, draw), truth, widest, id=name)


def two_modes(rng, count):
    return np.where(rng.random(count) < 0.8, rng.uniform(0.004, 0.006, count), rng.uniform(0.02, 0.03, count))


LAWS = [
    *(waiting_line(utilisation) for utilisation in (0.5, 0.7, 0.85)),
    draws("exponential", lambda rng, n: rng.exponential(0.01, n), (0.01, *stats.expon.ppf(SHARES, scale=0.01)), 0.2),
    draws("constant", lambda rng, n: rng.normal(0.01, 1e-6, n), (0.01, *stats.norm.ppf(SHARES, 0.01, 1e-6)), 1e-4),
    draws("two modes", two_modes, (0.009, 0.004 + 0.002 * 0.625, 0.0275, 0.0295), 0.1),
]


@pytest.mark.parametrize(("draw", "truth", "widest"), LAWS)
def test_intervals_hold_the_truth_and_are_not_absurdly_wide(draw, truth, widest):
    rng = np.random.default_rng(33)
    hits, widths = [], []
    for _ in range(RUNS):
        times_s, values = draw(rng)
        batches = Batches.cut(times_s, WINDOW)
        intervals = [mean_interval(batches, values), *quantile_intervals(batches, values, np.sort(values), SHARES)]
        hits.append([interval.lo <= true <= interval.hi for interval, true in zip(intervals, truth, strict=True)])
        widths.append([one.relative_half_width(true) for one, true in zip(intervals, truth, strict=True)])
    assert (np.mean(hits, axis=0) >= 0.9).all(), np.mean(hits, axis=0)
    assert (np.median(widths, axis=0) <= widest).all(), np.median(widths, axis=0)


def test_the_interval_of_a_rate_holds_it():
    rng = np.random.default_rng(1)
    runs = [np.sort(rng.uniform(0, SECONDS, rng.poisson(100 * SECONDS))) for _ in range(200)]
    intervals = [rate_interval(run, WINDOW) for run in runs]
    assert 0.92 <= np.mean([one.lo <= 100 <= one.hi for one in intervals]) <= 0.995
    assert np.median([one.relative_half_width(100) for one in intervals]) < 0.08


def test_the_rate_of_a_perfect_clock_is_known_to_one_event():
    interval = rate_interval(np.arange(1000) / 100, (0.0, 10.0))
    assert (interval.lo, interval.hi) == pytest.approx((99.9, 100.1), abs=0.15)


def test_the_interval_of_a_standard_deviation_holds_it():
    rng = np.random.default_rng(2)
    hits = []
    for _ in range(200):
        times_s, values = independent(rng, SECONDS, 100, lambda rng, n: rng.exponential(0.01, n))
        interval = std_interval(Batches.cut(times_s, WINDOW), values)
        hits.append(interval.lo <= 0.01 <= interval.hi)
    assert np.mean(hits) >= 0.9


def test_correlated_batches_raise_the_error():
    rng = np.random.default_rng(3)
    walk = np.convolve(rng.normal(size=40), np.ones(8))[:20]
    deviations = walk - walk.mean()
    shuffled = rng.permutation(deviations)
    assert sum_error(deviations) > 1.5 * sum_error(shuffled)
    assert sum_error(np.zeros(10)) == 0


@pytest.mark.parametrize("events", [0, 5, 1000])
def test_a_share_of_independent_requests_has_the_binomial_interval_or_a_little_more(events):
    rng = np.random.default_rng(4)
    happened = rng.permutation(np.arange(1000) < events)
    batches = Batches.cut(np.arange(1000) / 100, (0.0, 10.0))
    found = share_interval(batches, happened, np.zeros(1000, bool))
    exact = stats.binomtest(events, 1000).proportion_ci(0.95, "exact")
    assert found.lo <= exact.low + 1e-9
    assert found.hi >= exact.high - 1e-9
    assert found.hi - found.lo <= 1.7 * (exact.high - exact.low)


def test_failures_never_seen_are_as_uncertain_as_the_slowest_requests_are_clustered():
    batches, none = Batches.cut(np.arange(1000) / 100, (0.0, 10.0)), np.zeros(1000, bool)
    scattered = np.random.default_rng(5).permutation(np.arange(1000) < 20)
    clustered = (np.arange(1000) >= 400) & (np.arange(1000) < 420)
    assert share_interval(batches, none, clustered).hi > 2 * share_interval(batches, none, scattered).hi


@pytest.mark.parametrize(("events", "count"), [(0, 30), (3, 30), (30, 30), (1, 1000)])
def test_whole_counts_have_the_exact_binomial_interval(events, count):
    exact = stats.binomtest(events, count).proportion_ci(0.99, "exact")
    found = clopper_pearson(events, count, 0.99)
    assert (found.lo, found.hi) == pytest.approx((exact.low, exact.high))


def test_quantiles_are_numpys():
    ordered = np.sort(np.random.default_rng(6).exponential(1, 37))
    shares = (0.0, 0.013, 0.5, 0.99, 1.0)
    assert quantiles(ordered, shares) == pytest.approx(np.quantile(ordered, shares).tolist())


@pytest.mark.parametrize("rows", [0, 1, MIN_VALUES - 1])
def test_too_few_values_have_no_interval(rows):
    times_s, values = np.linspace(0, 0.9, rows), np.ones(rows)
    batches, never = Batches.cut(times_s, (0.0, 1.0)), np.zeros(rows, bool)
    assert rate_interval(times_s, (0.0, 1.0)) is None
    assert mean_interval(batches, values) is None
    assert std_interval(batches, values) is None
    assert share_interval(batches, never, never) is None
    assert quantile_intervals(batches, values, values, (0.5, 0.9)) == [None, None]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, 7.0])
def test_values_that_are_all_the_same_are_known_exactly(value):
    batches, values = Batches.cut(np.linspace(0, 0.9, 50), (0.0, 1.0)), np.full(50, value)
    same = Interval(value, value)
    assert mean_interval(batches, values) == same
    assert std_interval(batches, values) == Interval(0, 0)
    assert quantile_intervals(batches, values, values, (0.5, 0.99)) == [same, same]


@pytest.mark.parametrize("window", [(1.0, 1.0), (2.0, 1.0)])
def test_what_cannot_be_cut_into_batches_is_refused(window):
    with pytest.raises(ValueError, match="cannot cut"):
        Batches.cut(np.zeros(1), window)


@pytest.mark.parametrize(("figure", "width"), [(10.0, 0.1), (-10.0, 0.1), (0.0, math.inf), (math.nan, math.inf)])
def test_a_relative_half_width_is_that_of_the_figure(figure, width):
    assert Interval(9.0, 11.0).relative_half_width(figure) == pytest.approx(width)


def test_an_interval_scales_with_its_figure():
    assert Interval(1.0, 2.0).times(4) == Interval(4.0, 8.0)
