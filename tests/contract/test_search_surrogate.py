"""Where the search's own model goes."""

import math
from itertools import pairwise

import numpy as np
import pytest

from orchestrator.search.algorithm import Task
from orchestrator.search.history import History, observe
from orchestrator.search.surrogate import SPREAD_OUT, Surrogate, last_lesson
from tests.fakes.spaces import LINE, MIXED

HILL = [({"x": x}, 100 * math.exp(-8 * (x - 0.7) ** 2)) for x in (0.0, 0.25, 0.5, 0.85, 1.0)]


def task(space=LINE, **more):
    return Task(space=space, seed=0, trials=20, baseline={}, maximize=[True], **more)


def told(space, figures, excess=lambda configuration: math.nan):
    """A history of (configuration, figure)."""
    history = History()
    for configuration, figure in figures:
        assert space.contains(configuration)
        over = excess(configuration)
        report = {"status": "COMPLETE", "value": figure, "violation": max(0.0, over), "excess": over}
        history.finish(observe(configuration, report, [True]))
    return history


def proposals(history, space=LINE, **more):
    return Surrogate(task(space, **more)).proposals(history, np.random.default_rng(0))


def first(history, **more):
    return next(iter(proposals(history, **more)))["x"]


def test_at_first_it_goes_where_it_has_not_been():
    assert first(told(LINE, [({"x": 0.1}, 5.0)])) > 0.95


def test_then_it_climbs():
    assert len(HILL) == SPREAD_OUT
    assert 0.6 < first(told(LINE, HILL)) < 0.8


@pytest.mark.parametrize("trials", [6, 12])
def test_it_stays_within_the_slo(trials):
    slope = [({"x": x}, 100 * math.exp(2 * x)) for x in np.linspace(0, 1, trials).tolist()]
    assert 0.3 < first(told(LINE, slope, excess=lambda configuration: 2 * configuration["x"] - 1)) < 0.6


def test_without_anything_within_the_slo_it_goes_to_where_it_is_most_likely_kept():
    slope = [({"x": x}, 100.0) for x in (0.4, 0.5, 0.6, 0.8, 1.0)]
    assert first(told(LINE, slope, excess=lambda configuration: configuration["x"])) < 0.15


def test_it_goes_on_when_nothing_was_measured():
    history = History()
    for place in range(SPREAD_OUT + 1):
        history.finish(observe({"x": place / 10}, {"status": "FAILED"}, [True]))
    assert first(history) > 0.95


def test_it_keeps_away_from_what_is_under_way():
    alone, beside = told(LINE, HILL), told(LINE, HILL)
    beside.start({"x": first(alone)})
    assert abs(first(beside) - first(alone)) > 0.02


def test_of_much_the_same_promise_it_takes_what_is_reached_in_place():
    anywhere = first(told(LINE, HILL))
    above = first(told(LINE, HILL), in_place=lambda before, after: after["x"] > anywhere)
    below = first(told(LINE, HILL), in_place=lambda before, after: after["x"] < anywhere)
    far = first(told(LINE, HILL), in_place=lambda before, after: after["x"] < 0.2)
    assert below < anywhere < above
    assert above - below < 0.2
    assert far == anywhere, "what promises little is not taken because it is near"


def test_it_proposes_nothing_that_is_pruned_or_stands_for_nothing():
    chosen = {
        repr(one)
        for one in proposals(
            History(),
            MIXED,
            prune=lambda configuration: "too large" if configuration["batch"] > 8 else None,
            canonical=lambda configuration: {**configuration, "layout": "nchw"},
        )
    }
    assert len(chosen) == 6 * 4  # five numbers of threads and torch, four batches, one layout
    assert not [one for one in chosen if "'batch': 16" in one or "nhwc" in one]


def test_it_learns_less_and_less_often():
    lessons = [last_lesson(measured) for measured in range(1, 4097)]
    assert lessons[:16] == list(range(1, 17))
    assert all(later - earlier <= max(1, earlier / 8) for earlier, later in pairwise(sorted(set(lessons))))
    assert len(set(lessons)) == 16 + 8 * 8
    assert all(lesson <= measured for measured, lesson in enumerate(lessons, start=1))
