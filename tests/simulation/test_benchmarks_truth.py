"""What the benchmarks of measuring are held against: the laws, checked by other means, and what wrk measured."""

import numpy as np
import pytest

from benchmarks.trust.laws import (
    Bimodal,
    Constant,
    Exponential,
    OneWorker,
    requests_in_system,
    through_a_freeze_s,
)
from benchmarks.trust.peers import without_made_up

PERCENTS = (50, 95, 99)


def lindley_ms(law, requests, seed):
    """Response times of a first-come-first-served worker: W = max(0, W + D - gap), unrolled into a running minimum."""
    gaps = np.random.default_rng(seed).exponential(law.service_ms / law.utilisation, requests)
    walk = np.cumsum(law.service_ms - gaps)
    lowest = np.minimum.accumulate(np.minimum(walk, 0.0))
    return law.service_ms + walk - lowest


@pytest.mark.parametrize(("utilisation", "tolerance"), [(0.5, 0.01), (0.7, 0.01), (0.85, 0.02)])
def test_one_worker_agrees_with_a_long_simulation(utilisation, tolerance):
    law = OneWorker(2.0, utilisation)
    simulated = lindley_ms(law, 2_000_000, seed=1)
    assert law.mean_ms == pytest.approx(simulated.mean(), rel=tolerance)
    expected = np.percentile(simulated, PERCENTS)
    assert [law.percentile_ms(percent) for percent in PERCENTS] == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("utilisation", [0.05, 0.5, 0.7, 0.85, 0.95])
def test_the_waiting_times_of_one_worker_have_the_mean_of_pollaczek_and_khinchine(utilisation):
    law = OneWorker(1.0, utilisation)
    nodes, weights = np.polynomial.legendre.leggauss(6)  # on each service time: the distribution is smooth in between
    waits = (np.arange(300)[:, None] + (nodes + 1) / 2).ravel()
    longer = np.array([1 - law.waits_at_most(wait) for wait in waits])
    assert law.service_ms + longer @ np.tile(weights / 2, 300) == pytest.approx(law.mean_ms, rel=1e-9)


@pytest.mark.parametrize("utilisation", [0.05, 0.5, 0.85, 0.95])
def test_one_worker_is_free_so_often(utilisation):
    assert OneWorker(3.0, utilisation).waits_at_most(0) == pytest.approx(1 - utilisation, rel=1e-12)


def test_the_distribution_of_one_worker_rises_without_a_jump_where_a_service_ends():
    law = OneWorker(1.0, 0.85)
    waits = np.linspace(0, 60, 4001)
    shares = [law.waits_at_most(wait) for wait in waits]
    assert (np.diff(shares) >= -1e-12).all()
    for services in (1, 2, 7, 30):
        assert law.waits_at_most(services - 1e-9) == pytest.approx(law.waits_at_most(services), abs=1e-8)


def test_the_numbers_in_the_system_are_a_distribution_without_lost_digits():
    p = requests_in_system(0.85)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert p[1] == pytest.approx(0.15 * (np.exp(0.85) - 1), rel=1e-12)
    assert (p > 0).all()
    ratios = p[200:300] / p[199:299]
    assert ratios == pytest.approx(ratios[0], rel=1e-9), "the tail is geometric"


@pytest.mark.parametrize("utilisation", [0, -1, 0.96, 1.0, float("nan")])
def test_one_worker_refuses_a_utilisation_without_an_answer(utilisation):
    with pytest.raises(ValueError, match="utilisation"):
        OneWorker(1.0, utilisation)


@pytest.mark.parametrize(
    ("law", "mean", "percentiles"),
    [
        (Constant(5.0), 5.0, [5.0, 5.0, 5.0]),
        (Exponential(1.0, 10.0), 11.0, [1 + 10 * np.log(2), 1 + 10 * np.log(20), 1 + 10 * np.log(100)]),
        (Bimodal(2.0, 20.0, 0.1), 3.8, [2.0, 20.0, 20.0]),
        (Bimodal(2.0, 20.0, 0.02), 2.36, [2.0, 2.0, 20.0]),
    ],
)
def test_laws_without_a_queue(law, mean, percentiles):
    assert law.mean_ms == pytest.approx(mean)
    assert [law.percentile_ms(percent) for percent in PERCENTS] == pytest.approx(percentiles)


def test_a_percentile_on_the_jump_of_a_bimodal_law_is_refused():
    with pytest.raises(ValueError, match="p95"):
        Bimodal(2.0, 20.0, 0.05).percentile_ms(95)


def test_a_freeze_delays_what_was_due_in_it():
    scheduled = np.array([0.0, 0.95, 1.0, 1.5, 1.95, 2.0])
    seen = through_a_freeze_s(scheduled, delay_s=0.1, begins_s=1.0, lasts_s=1.0)
    assert seen == pytest.approx([0.1, 1.05, 1.0, 0.5, 0.1, 0.1])


def test_the_p99_through_a_freeze_of_a_steady_stream():
    scheduled = np.arange(0, 20, 1 / 200)
    seen = through_a_freeze_s(scheduled, delay_s=0.005, begins_s=10.0, lasts_s=1.0)
    assert np.percentile(seen, 99) == pytest.approx(
        0.805, abs=0.006
    )  # the first falls due as it begins; 40 of the 200 frozen ones took longer


def test_what_wrk_makes_up_is_taken_away_again():
    measured = {1000: 500, 1100: 3, 2500: 2, 2600: 1, 7000: 1, 9001: 4}
    shown = dict(measured)
    for latency_us, count in measured.items():  # as wrk's source does it, with a usual time of 1 ms
        if latency_us >= 2000:
            for made_up_us in range(latency_us - 1000, 1000, -1000):
                shown[made_up_us] = shown.get(made_up_us, 0) + count
    assert sum(shown.values()) > sum(measured.values())
    assert without_made_up(shown, 1000) == measured
    assert without_made_up(measured | {1000: 5}, 10_000) == measured | {1000: 5}
