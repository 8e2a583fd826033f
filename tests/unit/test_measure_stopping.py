import numpy as np
import pytest

from orchestrator.measure.samples import Outcome
from orchestrator.measure.stopping import MIN_SUCCESSES_PER_BATCH, PrecisionReached
from tests.unit.test_measure_windows import samples


def steady(rate, seconds, start=0.0):
    return start + np.arange(int(rate * seconds)) / rate


@pytest.mark.parametrize(
    ("scheduled", "precise"),
    [
        pytest.param(steady(1_000, 5), True, id="steady"),
        pytest.param(np.r_[steady(1_800, 2.5), steady(200, 2.5, 2.5)], False, id="slows down half-way"),
        pytest.param(np.r_[steady(1_000, 2.5)], False, id="falls silent"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_it_is_enough_when_batches_agree(scheduled, precise):
    assert PrecisionReached(0.05)(samples(scheduled), 0.0, 5.0) is precise


def test_a_noisy_server_is_measured_longer_than_a_steady_one():
    noise = np.sort(np.random.default_rng(0).uniform(0, 5, 2_000))
    assert not PrecisionReached(0.01)(samples(noise), 0.0, 5.0)
    assert PrecisionReached(0.10)(samples(noise), 0.0, 5.0)


def test_it_is_never_enough_with_too_few_successes():
    minimum = 10 * MIN_SUCCESSES_PER_BATCH
    rule = PrecisionReached(1e9)
    assert not rule(samples(steady(minimum - 1, 1)), 0.0, 1.0)
    assert rule(samples(steady(minimum, 1)), 0.0, 1.0)


def test_failures_do_not_count_towards_the_minimum():
    failed = samples(steady(1_000, 5), outcome=Outcome.HTTP_ERROR)
    assert not PrecisionReached(1e9)(failed, 0.0, 5.0)


def test_the_warm_up_is_left_out():
    stormy_warm_up = samples(np.r_[steady(5_000, 1), steady(1_000, 4, start=1.0)])
    assert not PrecisionReached(0.05)(stormy_warm_up, 0.0, 5.0)
    assert PrecisionReached(0.05)(stormy_warm_up, 1.0, 5.0)


def test_requests_too_young_to_be_answered_do_not_look_like_a_slow_down():
    answered = steady(1_000, 4.5)  # with a response time of half a second, nothing later has ended by 5 s
    assert PrecisionReached(0.05)(samples(answered, latency_ms=500), 0.0, 5.0)


def test_answers_slower_than_the_window_are_never_enough():
    assert not PrecisionReached(1e9)(samples(steady(1_000, 1), latency_ms=2_000), 0.0, 1.0)


@pytest.mark.parametrize("arguments", [{"precision": 0.0}, {"precision": -1.0}, {"precision": 0.1, "batches": 4}])
def test_a_rule_that_says_nothing_is_refused(arguments):
    with pytest.raises(ValueError, match=r"precision|batch"):
        PrecisionReached(**arguments)
