"""The search for the highest rate that keeps the SLO, against servers that fail above a known rate."""

from __future__ import annotations

import math

import pytest

from orchestrator.measure.verdict import Verdict
from orchestrator.rate_search import MOST_RATES, RateSearch


def search(start, limit, precision=0.05, highest=math.inf, undecided=1.0):
    """Tells PASS up to `limit`, FAIL above `limit * undecided`, UNDECIDED between; returns the search and its rates."""
    asked, found = [], RateSearch(start, precision, highest)
    while (rate := found.next_rps) is not None:
        asked.append(rate)
        verdict = Verdict.PASS if rate <= limit else Verdict.FAIL if rate > limit * undecided else Verdict.UNDECIDED
        found.tell(rate, verdict)
    return found, asked


@pytest.mark.parametrize("start", [10, 100, 400, 700, 5_000])
@pytest.mark.parametrize("precision", [0.01, 0.05, 0.2])
def test_the_answer_is_bracketed_to_the_precision_wherever_the_search_starts(start, precision):
    found, asked = search(start, limit=500, precision=precision)
    assert found.holds_rps <= 500 < found.fails_rps
    assert found.fails_rps / found.holds_rps <= 1 + precision
    assert len(asked) <= MOST_RATES


def test_rates_double_until_one_fails_and_are_then_bisected_by_their_geometric_mean():
    _, asked = search(100, limit=500, precision=0.2)
    assert asked == pytest.approx([100, 200, 400, 800, 565.7, 475.7], rel=1e-3)


def test_an_undecided_rate_is_neither_shown_to_hold_nor_to_fail():
    found, _ = search(100, limit=500, undecided=1.1)
    assert 500 / 1.05 <= found.holds_rps <= 500
    assert 550 < found.fails_rps < 550 * 1.1


def test_an_upper_end_far_above_what_is_undecided_is_brought_down():
    found, asked = search(100, limit=210, undecided=1.2)  # fails at 800, is undecided somewhat above 210
    assert 252 < found.fails_rps < 252 * 1.2
    assert len(asked) <= MOST_RATES


def test_no_rate_above_the_highest_is_asked_for():
    found, asked = search(100, limit=10_000, highest=300)
    assert asked == [100, 200, 300]
    assert (found.holds_rps, found.fails_rps) == (300, math.inf)


def test_a_server_that_fails_at_any_rate_ends_the_search():
    found, asked = search(640, limit=1)
    assert found.holds_rps == 0
    assert asked == [640, 320, 160, 80, 40, 20, 10]


def test_rates_that_stay_undecided_end_the_search_too():
    found = RateSearch(100, 0.05)
    while (rate := found.next_rps) is not None:
        found.tell(rate, Verdict.UNDECIDED)
    assert (found.holds_rps, found.fails_rps) == (0, math.inf)


def test_a_pass_above_a_rate_that_failed_is_luck_and_does_not_count():
    found = RateSearch(100, 0.05)
    found.tell(100, Verdict.FAIL)
    found.tell(200, Verdict.PASS)
    assert found.holds_rps == 0


@pytest.mark.parametrize("wrong", [{"start_rps": 0}, {"precision": 1}, {"highest_rps": 0}], ids=str)
def test_what_makes_no_sense_is_an_error(wrong):
    with pytest.raises(ValueError, match="above 0"):
        RateSearch(**{"start_rps": 1, "precision": 0.1, **wrong})
