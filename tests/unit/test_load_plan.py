import math

import numpy as np
import pytest

from orchestrator.load.arrivals import poisson
from orchestrator.load.plan import ClosedLoop, OpenLoop, share


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_of_a_closed_loop_are_the_whole(count):
    parts = [share(ClosedLoop(10, think_time_s=0.5), index, count) for index in range(count)]
    assert sum(part.concurrency for part in parts) == 10
    assert max(part.concurrency for part in parts) - min(part.concurrency for part in parts) <= 1
    assert {part.think_time_s for part in parts} == {0.5}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_of_an_open_loop_are_the_whole_and_equally_loaded_at_every_moment(count):
    whole = OpenLoop(poisson(100, 5, seed=0), max_connections=100)
    parts = [share(whole, index, count) for index in range(count)]
    np.testing.assert_array_equal(np.sort(np.concatenate([part.arrivals_s for part in parts])), whole.arrivals_s)
    assert sum(part.max_connections for part in parts) == 100
    for moment in np.linspace(0, 5, 20):
        so_far = [np.searchsorted(part.arrivals_s, moment) for part in parts]
        assert max(so_far) - min(so_far) <= 1


def test_a_part_may_have_no_arrivals():
    parts = [share(OpenLoop(np.array([1.0])), index, 2) for index in range(2)]
    assert [len(part.arrivals_s) for part in parts] == [1, 0]


@pytest.mark.parametrize(
    ("traffic", "ends_s"),
    [(ClosedLoop(1), math.inf), (OpenLoop(np.array([0.5, 2.5])), 2.5), (OpenLoop(np.array([])), 0.0)],
)
def test_when_a_load_ends_by_itself(traffic, ends_s):
    assert traffic.ends_s == ends_s


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: ClosedLoop(0), "concurrency", id="no clients"),
        pytest.param(lambda: ClosedLoop(1, think_time_s=-1), "think_time_s", id="negative think time"),
        pytest.param(lambda: ClosedLoop(1, think_time_s=math.nan), "think_time_s", id="think time is no number"),
        pytest.param(lambda: OpenLoop(np.array([1.0]), max_connections=0), "max_connections", id="no connections"),
        pytest.param(lambda: OpenLoop(np.array([2.0, 1.0])), "in order", id="out of order"),
        pytest.param(lambda: OpenLoop(np.array([-1.0, 1.0])), "before 0", id="before the start"),
        pytest.param(lambda: OpenLoop(np.array([0.0, math.nan])), "finite", id="no number"),
        pytest.param(lambda: OpenLoop(np.zeros((2, 2))), "a row", id="a table"),
        pytest.param(lambda: share(ClosedLoop(2), 0, 3), "2 clients", id="more processes than clients"),
        pytest.param(lambda: share(OpenLoop(np.array([]), 2), 0, 3), "2 connections", id="than connections"),
        pytest.param(lambda: share(ClosedLoop(2), 2, 2), "no part 2 of 2", id="no such part"),
    ],
)
def test_a_load_that_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
