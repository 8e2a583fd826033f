import math

import pytest

from orchestrator.robust import by_top, standings

TIMES = {  # seconds; every configuration is best for somebody but "even"
    "small": {"low": 10.0, "even": 11.0, "high": 20.0},
    "medium": {"low": 30.0, "even": 22.0, "high": 20.0},
    "large": {"low": 90.0, "even": 42.0, "high": 40.0},
}


def test_the_compromise_has_the_least_mean_regret():
    even, high, low = standings(TIMES, maximize=False)
    assert [one.configuration for one in (even, high, low)] == ["even", "high", "low"]
    assert even.mean_regret == pytest.approx((0.1 + 0.1 + 0.05) / 3)
    assert even.worst_regret == pytest.approx(0.1)
    assert high.regrets == pytest.approx({"small": 1.0, "medium": 0.0, "large": 0.0})


def test_rates_are_the_better_the_higher():
    found = standings({"a": {1: 100.0, 2: 80.0}, "b": {1: 50.0, 2: 50.0}}, maximize=True)
    assert [(one.configuration, one.mean_regret) for one in found] == [(1, 0.0), (2, pytest.approx(0.1))]


def test_how_often_each_is_among_the_best_is_counted():
    found = by_top(standings(TIMES, maximize=False, top=1))
    assert [(one.configuration, one.top) for one in found] == [("high", 2), ("low", 1)]
    assert {one.top for one in standings(TIMES, maximize=False, top=3)} == {3}


@pytest.mark.parametrize("missing", [None, math.nan])
def test_what_breaks_the_slo_somewhere_is_no_compromise(missing):
    first, last = standings({"a": {1: 100.0, 2: 90.0}, "b": {1: missing, 2: 90.0}}, maximize=True)
    assert (first.configuration, first.worst_regret) == (2, pytest.approx(0.1))
    assert last.mean_regret == math.inf


def test_what_was_not_measured_everywhere_is_no_compromise_either():
    first, last = standings({"a": {1: 100.0, 2: 90.0}, "b": {2: 90.0}}, maximize=True)
    assert (first.configuration, last.regrets["b"]) == (2, math.inf)


@pytest.mark.parametrize("figures", [{}, {"a": {1: 1.0}, "b": {1: None}}], ids=["no workload", "none keeps the SLO"])
def test_nothing_is_found_where_nothing_can_be(figures):
    assert standings(figures, maximize=True) == []


def test_of_equals_the_first_named_leads():
    assert [one.configuration for one in standings({"a": {"x": 5.0, "y": 5.0}}, maximize=True)] == ["x", "y"]
