"""The most that was reached for a while, however the rest of the load went."""

import numpy as np
import pytest

from orchestrator.measure.peak import peak_rps
from orchestrator.measure.samples import Outcome
from tests.fakes.queues import to_samples


def at(*done_s):
    done = np.asarray(done_s, np.float64)
    return to_samples(done - 0.01, np.full(len(done), 0.01))


def steady(rate, start_s, end_s):
    return start_s + np.arange(round(rate * (end_s - start_s))) / rate


@pytest.mark.parametrize(
    ("done_s", "rps"),
    [
        pytest.param(steady(200, 0, 4), 200, id="steady"),
        pytest.param([*steady(200, 0, 1.5), *steady(20, 1.5, 5)], 200, id="a slow machine after a second and a half"),
        pytest.param([*steady(20, 0, 3), *steady(200, 3, 4.5)], 200, id="a slow one before"),
        pytest.param([*steady(200, 0, 2), *steady(200, 4, 4.5)], 200, id="a pause"),
        pytest.param([*steady(100, 0, 2), *steady(300, 2, 2.5), *steady(100, 2.5, 4)], 200, id="half a second's burst"),
        pytest.param(steady(200, 0, 0.5), 0, id="shorter than a second"),
        pytest.param([], 0, id="nothing"),
    ],
)
def test_the_best_second_counts(done_s, rps):
    assert peak_rps(at(*done_s)) == pytest.approx(rps, rel=0.01)


def test_only_successes_count():
    samples = at(*steady(200, 0, 4))
    samples.outcome[::2] = Outcome.HTTP_ERROR
    assert peak_rps(samples) == pytest.approx(100, rel=0.02)


def test_requests_may_end_in_any_order():
    samples = at(*np.random.default_rng(0).permutation(steady(200, 0, 4)))
    assert peak_rps(samples) == pytest.approx(200, rel=0.01)
