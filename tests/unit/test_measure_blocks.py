"""Several configurations, each measured several times in blocks: their ratios, and how sure those are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from orchestrator.measure.blocks import Blocks, each_of, typical

NAN = math.nan


def made(levels, chance, blocks=3, of_a_block=0.05, seed=0):
    """Figures (configurations, blocks) around exp(levels), with blocks and chance that vary by so much."""
    rng = np.random.default_rng(seed)
    levels = np.asarray(levels, dtype=float)[:, None]
    chance = np.broadcast_to(chance, len(levels))[:, None] * rng.normal(size=(len(levels), blocks))
    return np.exp(levels + rng.normal(0, of_a_block, (1, blocks)) + chance)


def test_two_configurations_in_blocks_are_the_paired_t_test_of_logarithms():
    figures = made([1.0, 0.5], 0.03, blocks=5)
    found = Blocks.fit(figures).ratio(0, 1, 0.99)
    expected = stats.ttest_rel(*np.log(figures)).confidence_interval(0.99)
    assert (found.interval.lo, found.interval.hi) == pytest.approx((math.exp(expected.low), math.exp(expected.high)))
    assert found.ratio == pytest.approx(stats.gmean(figures[0] / figures[1]))


def test_chance_is_pooled_over_all_configurations():
    figures = made([1.0, 0.5, 0.2, 0.0], 0.03)
    logs = np.log(figures)
    left = logs - logs.mean(axis=1, keepdims=True) - logs.mean(axis=0) + logs.mean()
    fitted = Blocks.fit(figures)
    found = fitted.ratio(0, 3, 0.99)
    half = stats.t.ppf(0.995, 6) * math.sqrt((left**2).sum() / 6 * 2 / 3)
    assert fitted.freedom == 6
    assert math.log(found.interval.hi / found.interval.lo) / 2 == pytest.approx(half)


def test_what_a_block_has_in_common_makes_no_difference():
    figures = made([1.0, 0.5, 0.2], 0.03)
    calm, slow = (Blocks.fit(one).ratio(0, 2, 0.95) for one in (figures, figures * [1, 0.5, 7]))
    assert (slow.ratio, slow.interval.lo, slow.interval.hi) == pytest.approx(
        (calm.ratio, calm.interval.lo, calm.interval.hi)
    )


def test_a_missing_figure_is_made_up_for_by_those_of_its_block():
    figures = made([2.0, 1.0, 0.0], 0.0)
    figures[1, 2] = NAN
    fitted = Blocks.fit(figures)
    assert fitted.freedom == 3
    assert fitted.ratio(0, 1, 0.95).ratio == pytest.approx(math.e)
    noisy = made([2.0, 1.0, 0.0], 0.03)
    whole = Blocks.fit(noisy).ratio(0, 2, 0.95)
    noisy[1, 2] = NAN
    assert Blocks.fit(noisy).ratio(0, 2, 0.95).ratio == pytest.approx(whole.ratio)  # of those that have all


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param([[1.0], [2.0]], id="one block"),
        pytest.param([[1.0, 2.0, 3.0]], id="one configuration"),
        pytest.param([[1.0, 1.0, NAN, NAN], [NAN, NAN, 2.0, 2.0]], id="never in the same block"),
        pytest.param([[1.0, NAN], [2.0, 2.0]], id="nothing left to show chance"),
        pytest.param([[1.0, 1.0, 1.0], [NAN, NAN, NAN]], id="never measured"),
    ],
)
def test_what_cannot_be_compared_is_not(figures):
    assert Blocks.fit(np.array(figures)) is None


@pytest.mark.parametrize(
    ("chance", "blocks", "least"),
    [
        pytest.param(0.03, 3, 0.98, id="three blocks"),
        pytest.param(0.03, 5, 0.98, id="five blocks"),
        pytest.param([0.03, 0.03, 0.03, 0.06], 3, 0.96, id="a baseline that varies twice as much"),
    ],
)
def test_an_interval_at_99_percent_holds_the_truth(chance, blocks, least):
    held = 0
    for seed in range(300):
        found = Blocks.fit(made([0.7, 0.7, 0.7, 0.0], chance, blocks, seed=seed)).ratio(0, 3, 0.99)
        held += found.interval.lo <= math.exp(0.7) <= found.interval.hi
    assert least <= held / 300 <= 1


def test_several_comparisons_share_the_error():
    assert each_of(5, 0.99) == pytest.approx(0.998)
    assert each_of(1, 0.95) == each_of(0, 0.95) == pytest.approx(0.95)


def test_a_typical_figure_is_the_geometric_mean_with_students_t():
    figures = np.array([100.0, 110.0, 121.0])
    value, interval = typical(figures)
    lo, hi = stats.t.interval(0.95, 2, loc=math.log(110), scale=stats.sem(np.log(figures)))
    assert (value, interval.lo, interval.hi) == pytest.approx((110, math.exp(lo), math.exp(hi)))


def test_a_single_figure_has_no_interval():
    assert typical(np.array([5.0])) == (pytest.approx(5.0), None)
