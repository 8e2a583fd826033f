import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.measure.confidence import relative_half_width, throughput_by_batch
from orchestrator.measure.samples import Outcome
from tests.unit.test_measure_windows import samples


@pytest.mark.parametrize(
    ("scheduled", "window", "rates"),
    [
        pytest.param([0.0, 0.1, 0.6], (0.0, 1.0), [4, 2], id="by scheduled time"),
        pytest.param([0.5], (0.0, 1.0), [0, 2], id="a batch begins with its start"),
        pytest.param([0.9, 1.0, 2.5, 3.0], (1.0, 3.0), [1, 1], id="only the window, end excluded"),
        pytest.param([], (0.0, 4.0), [0, 0], id="nothing"),
    ],
)
def test_throughput_is_counted_batch_by_batch(scheduled, window, rates):
    assert throughput_by_batch(samples(scheduled), window, 2).tolist() == rates


def test_failures_are_no_throughput():
    mixed = samples([0.1, 0.2, 0.7], outcome=[Outcome.OK, Outcome.TIMEOUT, Outcome.BROKEN])
    assert throughput_by_batch(mixed, (0.0, 1.0), 2).tolist() == [2, 0]


@pytest.mark.parametrize(("window", "batches"), [((0.0, 1.0), 0), ((1.0, 1.0), 5), ((2.0, 1.0), 5)])
def test_what_cannot_be_cut_into_batches_is_refused(window, batches):
    with pytest.raises(ValueError, match="cannot cut"):
        throughput_by_batch(samples([0.0]), window, batches)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_half_width_is_students(confidence):
    values = np.random.default_rng(0).normal(100, 5, 12)
    low, high = stats.t.interval(confidence, 11, loc=values.mean(), scale=stats.sem(values))
    assert relative_half_width(values, confidence) == pytest.approx((high - low) / 2 / values.mean())


def test_the_interval_holds_the_truth_as_often_as_it_says():
    runs = np.random.default_rng(1).normal(100, 20, (4_000, 10))
    hits = [abs(run.mean() - 100) <= relative_half_width(run) * run.mean() for run in runs]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([7.0, 7.0, 7.0], 0.0, id="no spread"),
        pytest.param([-1.0, -1.0], 0.0, id="negative mean"),
        pytest.param([], math.inf, id="no value"),
        pytest.param([5.0], math.inf, id="one value"),
        pytest.param([0.0, 0.0], math.inf, id="mean of zero"),
        pytest.param([1.0, math.nan], math.inf, id="unknown value"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_edges_have_an_honest_answer(values, expected):
    assert relative_half_width(values) == expected


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_is_a_probability(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        relative_half_width([1.0, 2.0], confidence)
