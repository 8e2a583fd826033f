import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from orchestrator.load.arrivals import bursts, constant, poisson, ramp, trace

RANDOM = {
    "poisson": partial(poisson, 200.0, 50.0),
    "bursts": partial(bursts, 200.0, 50.0, 0.5, 1.5),
    "ramp": partial(ramp, [(0, 100), (20, 300), (50, 100)]),
}


@pytest.mark.parametrize("arrivals", RANDOM.values(), ids=RANDOM)
def test_arrivals_are_a_function_of_the_seed(arrivals):
    np.testing.assert_array_equal(arrivals(seed=7), arrivals(seed=7))
    assert not np.array_equal(arrivals(seed=7)[:100], arrivals(seed=8)[:100])


@pytest.mark.parametrize("arrivals", RANDOM.values(), ids=RANDOM)
def test_arrivals_are_sorted_seconds_within_the_duration_and_their_number_is_as_stated(arrivals):
    counts = []
    for seed in range(40):
        times = arrivals(seed=seed)
        assert times.dtype == np.float64
        assert (np.diff(times) >= 0).all()
        assert times[0] >= 0
        assert times[-1] < 50
        counts.append(len(times))
    # A Poisson process: 10,000 expected each, and as much variance.
    assert np.mean(counts) == pytest.approx(10_000, abs=4 * math.sqrt(10_000 / 40))
    assert 50 < np.std(counts) < 160


def test_a_longer_load_begins_with_the_same_arrivals():
    short, long = poisson(100, 10, seed=3), poisson(100, 2000, seed=3)
    np.testing.assert_array_equal(long[: len(short)], short)


@pytest.mark.parametrize(
    ("rate_rps", "duration_s", "times"),
    [
        pytest.param(4, 1, [0, 0.25, 0.5, 0.75], id="the end is not included"),
        pytest.param(2, 1.2, [0, 0.5, 1], id="no whole number"),
        pytest.param(0.5, 1, [0], id="less than one"),
    ],
)
def test_constant_arrivals(rate_rps, duration_s, times):
    np.testing.assert_array_equal(constant(rate_rps, duration_s), times)


def test_constant_arrivals_do_not_drift():
    times = constant(3000, 100)
    assert len(times) == 300_000
    assert times[-1] == 299_999 / 3000


def test_poisson_gaps_are_exponential():
    times = poisson(500, 40, seed=0)
    assert stats.kstest(np.diff(times), "expon", args=(0, 1 / 500)).pvalue > 0.01


def test_bursts_come_while_it_is_on_and_keep_the_mean_rate():
    times = bursts(100, 400, on_s=1.0, off_s=3.0, seed=0)
    assert (times % 4 < 1).all()
    assert len(times) / 400 == pytest.approx(100, rel=0.02)
    assert stats.kstest(times % 4, "uniform").pvalue > 0.01


@pytest.mark.parametrize(("duration_s", "on_time_s"), [(0.5, 0.5), (3.0, 1.0), (4.5, 1.5)])
def test_bursts_may_end_within_a_phase(duration_s, on_time_s):
    counts = [len(bursts(100, duration_s, on_s=1.0, off_s=3.0, seed=seed)) for seed in range(50)]
    assert np.mean(counts) == pytest.approx(400 * on_time_s, rel=0.05)


def test_bursts_without_pauses_are_poisson():
    np.testing.assert_allclose(bursts(100, 10, on_s=1.0, off_s=0.0, seed=5), poisson(100, 10, seed=5))


def test_a_ramp_follows_its_rates():
    points = [(0, 0), (10, 1000), (20, 1000), (20, 200), (30, 200), (40, 0)]
    times = ramp(points, seed=0)
    counts, _ = np.histogram(times, bins=np.arange(0, 41, 2))
    middles = np.arange(1, 40, 2)
    at, rate = np.array(points, float).T
    expected = 2 * np.where(middles < 20, np.interp(middles, at[:3], rate[:3]), np.interp(middles, at[3:], rate[3:]))
    assert (np.abs(counts - expected) < 4 * np.sqrt(expected)).all()


def test_a_level_ramp_is_poisson():
    np.testing.assert_allclose(ramp([(0, 50), (3, 50), (10, 50)], seed=1), poisson(50, 10, seed=1))


def test_a_ramp_passes_over_times_without_arrivals():
    times = ramp([(0, 0), (5, 0), (5, 100), (6, 100), (6, 0), (8, 0)], seed=2)
    assert len(times) > 50
    assert times.min() >= 5
    assert times.max() < 6


@given(
    st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 500)), min_size=1, max_size=6),
    st.floats(0.1, 500),
    st.integers(0, 2**32),
)
def test_the_arrivals_of_any_ramp_are_points_of_its_cumulative_rate(pieces, first_rate, seed):
    at = np.concatenate([[0], np.cumsum([length for length, _ in pieces])])
    rates = np.array([first_rate, *(rate for _, rate in pieces)])
    times = ramp(list(zip(at, rates, strict=True)), seed)
    cumulative = np.concatenate([[0], np.cumsum((rates[:-1] + rates[1:]) / 2 * np.diff(at))])
    piece = np.searchsorted(at, times, side="right") - 1
    within = times - at[piece]
    rate_there = np.interp(times, at, rates)
    reached = cumulative[piece] + (rates[piece] + rate_there) / 2 * within
    unit = poisson(1, cumulative[-1], seed)
    np.testing.assert_allclose(reached, unit[: len(reached)], rtol=1e-6, atol=1e-6)
    assert len(unit) - len(reached) <= 1  # the last one may round to the end


@pytest.mark.parametrize(
    ("text", "speed", "times"),
    [
        pytest.param("0\n0.5\n2\n", 1, [0, 0.5, 2], id="plain"),
        pytest.param("1700000000.25\n1700000001.5", 1, [0, 1.25], id="seconds since 1970"),
        pytest.param("timestamp,tokens\n3.5,10\n4.5,7\n", 1, [0, 1], id="csv with a header"),
        pytest.param("\ufeff3\t1\n4\t2\n", 1, [0, 1], id="tab and byte order mark"),
        pytest.param("# made by hand\n\n1\n\n# and\n3\n", 1, [0, 2], id="comments and empty lines"),
        pytest.param('"1.0";x\n"2.5";y\n', 1, [0, 1.5], id="quoted"),
        pytest.param("5\n7\n7\n9", 2, [0, 1, 1, 2], id="twice as fast"),
        pytest.param("-3\n", 1, [0], id="one"),
    ],
)
def test_a_trace_is_shifted_to_begin_at_0(tmp_path, text, speed, times):
    path = tmp_path / "trace.csv"
    path.write_text(text, encoding="utf-8")
    np.testing.assert_allclose(trace(path, speed), times)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"1\n2\nnoon\n3\n", r"trace.csv, line 3: 'noon' is not a time in seconds", id="no number"),
        pytest.param(b"1\ninf\n", r"line 2: 'inf' is not a time", id="infinite"),
        pytest.param(b"time\nseconds\n1\n", r"line 2: 'seconds'", id="two headers"),
        pytest.param(b"1\n,3\n", r"line 2: '' is not a time", id="empty column"),
        pytest.param(b"# a\n1\n3\n2\n", r"trace.csv, line 4: '2' is before the line above", id="out of order"),
        pytest.param(b"", r"trace.csv: there is no time", id="empty"),
        pytest.param(b"time\n", r"trace.csv: there is no time", id="header only"),
        pytest.param(b"\xff\x00\x01", r"trace.csv: not a text file", id="binary"),
    ],
)
def test_what_is_wrong_with_a_trace_is_said_with_file_and_line(tmp_path, content, message):
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        trace(path)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: constant(0, 1), "rate_rps", id="no rate"),
        pytest.param(lambda: constant(math.nan, 1), "rate_rps", id="rate is no number"),
        pytest.param(lambda: poisson(1, math.inf, seed=0), "duration_s", id="endless"),
        pytest.param(lambda: poisson(1e9, 1, seed=0), "at most 100,000,000 arrivals", id="too many"),
        pytest.param(lambda: bursts(1, 1, on_s=0, off_s=1, seed=0), "on_s", id="never on"),
        pytest.param(lambda: bursts(1, 1, on_s=1, off_s=-1, seed=0), "off_s", id="negative pause"),
        pytest.param(lambda: ramp([(0, 1)], seed=0), "at least two points", id="one point"),
        pytest.param(lambda: ramp([(1, 1), (2, 1)], seed=0), "from time 0", id="late start"),
        pytest.param(lambda: ramp([(0, 1), (2, 1), (1, 1)], seed=0), "in order of time", id="back in time"),
        pytest.param(lambda: ramp([(0, 1), (2, -1)], seed=0), "at least 0", id="negative rate"),
        pytest.param(lambda: ramp([(0, 0), (2, 0)], seed=0), "not all 0", id="no rate at all"),
    ],
)
def test_arrivals_that_cannot_be_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
