"""The Pareto front: by hand, and against the definition on random points."""

import math
import random

import pytest

from orchestrator.pareto import pareto_front

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("points", "maximize", "front"),
    [
        pytest.param([], (True, False), [], id="nothing"),
        pytest.param([(3,), (5,), (4,), (5,)], (True,), [1, 3], id="one figure: the best, and its equals"),
        pytest.param([(3,), (5,), (4,)], (False,), [0], id="one figure of which less is better"),
        pytest.param([(1, 1), (2, 2), (3, 3)], (True, False), [0, 1, 2], id="more of one costs more of the other"),
        pytest.param([(1, 3), (2, 2), (3, 1)], (True, False), [2], id="best in both"),
        pytest.param([(1, 1), (1, 2), (1, 1)], (True, False), [0, 2], id="equals stay, the one that is worse goes"),
        pytest.param([(1, 1), (2, 1)], (True, False), [1], id="better in one, equal in the other"),
        pytest.param([(NAN, 1), (1, 9)], (True, False), [1], id="what is not known is on no front"),
        pytest.param([(INF, 1), (1, 0), (0, INF)], (True, False), [0, 1], id="infinite figures have their place"),
        pytest.param([(1, 5, 2), (1, 4, 2), (0, 9, 9)], (True, True, False), [0, 2], id="three figures"),
    ],
)
def test_the_front_is_what_nothing_dominates(points, maximize, front):
    assert pareto_front(points, maximize) == front


@pytest.mark.parametrize("figures", [1, 2, 3])
def test_it_agrees_with_the_definition(figures):
    rng = random.Random(figures)
    for _ in range(30):
        points = [tuple(rng.randrange(6) for _ in range(figures)) for _ in range(25)]
        maximize = [rng.random() < 0.5 for _ in range(figures)]
        assert pareto_front(points, maximize) == by_definition(points, maximize)


def by_definition(points, maximize):
    def at_least(one, other):
        return all((a >= b) if more else (a <= b) for a, b, more in zip(one, other, maximize, strict=True))

    return [
        index
        for index, point in enumerate(points)
        if not any(at_least(other, point) and not at_least(point, other) for other in points)
    ]


def test_points_have_as_many_figures_as_there_are_directions():
    with pytest.raises(ValueError, match="zip"):
        pareto_front([(1, 2), (1,)], (True, True))
