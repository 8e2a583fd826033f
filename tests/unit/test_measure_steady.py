import numpy as np
import pytest

from orchestrator.measure.samples import Outcome, Samples
from orchestrator.measure.steady import DRIFT_BATCHES, Steady, drift
from tests.fakes.queues import md1, to_samples


def until(samples, now):
    """What has ended by then."""
    return samples.where(samples.done_s <= now)


def warm_at(samples, rule, every_s=0.25):
    """When the rule first says that warm-up is over, asked again and again."""
    now = 0.0
    while not rule(until(samples, now), now):
        now += every_s
    return now


def clock(rate, seconds, latency_s=0.01, start_s=0.0):
    scheduled = start_s + np.arange(int(rate * seconds)) / rate
    return to_samples(scheduled, np.broadcast_to(latency_s, len(scheduled)))


def poisson(rate, seconds, seed=0):
    rng = np.random.default_rng(seed)
    scheduled = np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))
    return to_samples(scheduled, rng.exponential(0.01, len(scheduled)))


@pytest.mark.parametrize("rate", [80, 500, 5000])
def test_a_server_that_is_steady_at_once_is_warm_after_the_minimum(rate):
    assert warm_at(clock(rate, 10), Steady(1.0, 10.0)) == 1.0
    assert warm_at(poisson(rate, 10), Steady(2.0, 10.0)) <= 3.0


def test_a_slow_server_is_watched_until_there_are_enough_requests():
    assert 8 <= warm_at(clock(5, 30), Steady(1.0, 30.0)) <= 15


@pytest.mark.parametrize("rate", [200, 2000])
def test_throughput_has_to_settle(rate):
    settling = Samples.concat([clock(rate / 10, 1), clock(rate, 17, start_s=1.0)])
    assert 1.5 <= warm_at(settling, Steady(1.25, 20.0)) <= 3
    climbing = to_samples(np.sqrt(np.arange(rate * 9) / rate * 9), np.full(rate * 9, 0.01))  # the rate grows
    assert not Steady(2.0, 20.0)(until(climbing, 4.0), 4.0)


def test_latency_has_to_settle():
    scheduled = np.arange(20_000) / 1000
    settling = to_samples(scheduled, 0.005 + 0.5 * np.exp(-scheduled))
    assert 4 <= warm_at(settling, Steady(1.0, 20.0)) <= 15
    growing = to_samples(scheduled, 0.005 + 0.3 * scheduled)
    assert warm_at(growing, Steady(1.0, 6.0)) == 6.0


def test_noise_is_no_reason_to_wait():
    rng = np.random.default_rng(1)
    ends = [warm_at(to_samples(*md1(rng, 0.5, 20)), Steady(1.0, 15.0)) for _ in range(20)]
    assert np.median(ends) <= 3


@pytest.mark.parametrize(("now", "over"), [(0.0, False), (0.9, False), (4.9, False), (5.0, True), (6.0, True)])
def test_without_an_answer_only_the_maximum_ends_warm_up(now, over):
    assert Steady(1.0, 5.0)(clock(100, 0), now) is over


def test_a_fixed_warm_up_ends_on_time():
    assert not Steady(2.0, 2.0)(clock(100, 2), 1.9)
    assert Steady(2.0, 2.0)(clock(100, 2), 2.0)
    assert Steady(0.0, 0.0)(clock(100, 0), 0.0)


def test_failures_are_answers_too_but_unsent_requests_are_not():
    rows = clock(100, 4).columns()
    assert Steady(1.0, 9.0)(Samples(**{**rows, "outcome": np.full(400, Outcome.BROKEN, np.uint8)}), 4.0)
    assert not Steady(1.0, 9.0)(Samples(**{**rows, "outcome": np.full(400, Outcome.UNSENT, np.uint8)}), 4.0)


@pytest.mark.parametrize("arguments", [(2.0, 1.0), (-1.0, 1.0), (1.0, float("inf")), (1.0, 2.0, 0.0)])
def test_a_rule_that_never_ends_is_refused(arguments):
    with pytest.raises(ValueError, match=r"min_s|tolerance"):
        Steady(*arguments)


def with_rate(at_start, at_end, seconds=10.0):
    """Completions whose rate changes evenly."""
    seen = np.arange(int((at_start + at_end) / 2 * seconds))
    bend = (at_end - at_start) / seconds
    times = seen / at_start if bend == 0 else (np.sqrt(at_start**2 + 2 * bend * seen) - at_start) / bend
    return to_samples(times, np.zeros(len(times)))


@pytest.mark.parametrize(("at_start", "at_end"), [(1000, 800), (1000, 1300), (100, 60)])
def test_drift_is_the_relative_change_over_the_window(at_start, at_end):
    change = (at_end - at_start) / ((at_start + at_end) / 2)
    assert drift(with_rate(at_start, at_end), (0.0, 10.0)) == pytest.approx(change, rel=0.05)


def test_noise_is_no_drift():
    rng = np.random.default_rng(2)
    runs = [to_samples(*md1(rng, 0.7, 10)) for _ in range(200)]
    assert np.mean([drift(run, (0.5, 9.5)) != 0 for run in runs]) <= 0.03


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("samples", "window"),
    [
        pytest.param(with_rate(1000, 1000), (0.0, 10.0), id="even"),
        pytest.param(with_rate(1000, 500), (4.0, 4.0), id="window without length"),
        pytest.param(with_rate(1000, 500), (20.0, 30.0), id="nothing in it"),
        pytest.param(clock(DRIFT_BATCHES, 1.5), (0.0, 3.0), id="too few"),
    ],
)
def test_what_shows_no_change_has_no_drift(samples, window):
    assert drift(samples, window) == pytest.approx(0.0, abs=0.01)
