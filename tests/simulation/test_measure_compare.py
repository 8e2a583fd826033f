import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.measure.compare import FREEDOM, RUN_TO_RUN, compare
from orchestrator.measure.interval import Interval
from orchestrator.measure.windows import measure
from tests.fakes.queues import independent, md1, to_samples

SECONDS = 15.0
T = float(stats.t.ppf(0.975, FREEDOM))


def interval(value, relative_error):
    """As `measure` would give it for a figure with this standard error."""
    return Interval(value * math.exp(-T * relative_error), value * math.exp(T * relative_error))


def seen(draw, rng, figure):
    measured = measure(to_samples(*draw(rng)), (0.0, SECONDS), {})
    return getattr(measured, figure), measured.intervals[figure]


def share_that_differ(one, other, figure, pairs=50):
    rng = np.random.default_rng(11)
    found = [compare(*seen(one, rng, figure), *seen(other, rng, figure)) for _ in range(pairs)]
    return sum(comparison.differ for comparison in found) / pairs


def test_it_is_welchs_test_on_the_logarithms_with_what_runs_differ_by_on_top():
    first, second = (100.0, 0.02), (110.0, 0.04)
    found = compare(first[0], interval(*first), second[0], interval(*second))
    error = math.hypot(0.02, 0.04, RUN_TO_RUN)
    freedom = error**4 / (0.02**4 / FREEDOM + 0.04**4 / FREEDOM)
    half = float(stats.t.ppf(0.975, freedom)) * error
    assert found.ratio == pytest.approx(1.1)
    assert (found.interval.lo, found.interval.hi) == pytest.approx((1.1 * math.exp(-half), 1.1 * math.exp(half)))


@pytest.mark.parametrize(
    ("second", "error", "confidence", "differ"),
    [
        (110.0, 0.01, 0.95, True),
        (90.0, 0.01, 0.95, True),
        (100.0, 0.01, 0.95, False),
        (110.0, 0.04, 0.95, False),
        (105.0, 0.014, 0.95, True),
        (105.0, 0.014, 0.99, False),
        (101.9, 0.0, 0.95, False),  # within what two runs of the same differ by
        (102.1, 0.0, 0.95, True),
    ],
)
def test_they_differ_when_being_the_same_is_ruled_out(second, error, confidence, differ):
    found = compare(100.0, interval(100.0, error), second, interval(second, error), confidence)
    assert found.differ is differ


def test_which_of_them_is_first_does_not_matter():
    one, other = (4.0, Interval(3.6, 4.6)), (5.0, Interval(4.7, 5.2))
    there, back = compare(*one, *other), compare(*other, *one)
    assert there.ratio * back.ratio == pytest.approx(1)
    assert there.interval.lo * back.interval.hi == pytest.approx(1)
    assert there.interval.hi * back.interval.lo == pytest.approx(1)


def test_only_the_sides_towards_each_other_count_for_the_nearer_end():
    near = compare(100.0, Interval(50.0, 101.0), 110.0, Interval(109.0, 220.0))
    assert near.differ
    far = compare(100.0, Interval(99.0, 200.0), 110.0, Interval(55.0, 111.0))
    assert not far.differ


def test_an_interval_that_reaches_0_leaves_the_ratio_open():
    found = compare(3.0, Interval(0.0, 9.0), 6.0, Interval(5.9, 6.1))
    assert found.interval.hi == math.inf
    assert not found.differ
    assert compare(6.0, Interval(5.9, 6.1), 3.0, Interval(0.0, 9.0)).interval.lo == 0


@pytest.mark.parametrize("figure", [0.0, -1.0, math.nan, math.inf])
def test_a_figure_without_a_ratio_is_refused(figure):
    with pytest.raises(ValueError, match="positive"):
        compare(figure, Interval(0.0, 1.0), 1.0, Interval(0.5, 1.5))


def noise(slower=1.0):
    return lambda rng: independent(rng, SECONDS, 300, lambda rng, n: rng.exponential(0.01 * slower, n))


def queue(utilisation):
    return lambda rng: md1(rng, utilisation, SECONDS)


@pytest.mark.parametrize(("draw", "figure"), [(noise(), "latency_mean_ms"), (queue(0.7), "latency_mean_ms")])
def test_the_same_is_seldom_called_different(draw, figure):
    assert share_that_differ(draw, draw, figure) <= 0.05


def test_a_slower_one_is_found():
    assert share_that_differ(noise(), noise(1.1), "latency_mean_ms") >= 0.9
