"""Configurations in the order in which they were given."""

from __future__ import annotations

import math

from ray.tune.search import Searcher

from orchestrator.search import ListedSearch

LISTED = [{"batch": 1}, {"batch": 8}]


def test_they_come_one_at_a_time_and_then_it_is_over():
    search = ListedSearch(LISTED)
    assert search.suggest("a") == {"number": 0, "configuration": {"batch": 1}}
    assert search.suggest("b") is None
    search.on_trial_complete("a", None, error=True)
    assert search.suggest("b") == {"number": 1, "configuration": {"batch": 8}}
    search.on_trial_complete("b", {"status": "COMPLETE"})
    assert search.suggest("c") == Searcher.FINISHED


def test_when_its_time_is_over_none_follows():
    search = ListedSearch(LISTED, until=-math.inf)
    assert search.suggest("a") == Searcher.FINISHED


def test_it_goes_on_from_a_checkpoint(tmp_path):
    search, again = ListedSearch(LISTED), ListedSearch([])
    search.suggest("a")
    search.save(str(tmp_path / "state"))
    again.restore(str(tmp_path / "state"))
    assert again.suggest("b") is None
    again.on_trial_complete("a", None)
    assert again.suggest("b")["number"] == 1
