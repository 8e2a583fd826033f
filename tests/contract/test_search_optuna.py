"""What the adapter to Optuna adds to the promises of all searchers."""

import math
import statistics
import sys

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from orchestrator.experiment.plan import SearchPlan
from orchestrator.search import make_searcher
from orchestrator.search.optuna_samplers import distribution_of, number_of, population, unit_of
from orchestrator.space import Space, parse_knob


@pytest.mark.parametrize(
    ("raw", "distribution"),
    [
        ({"uniform": [-1, 2.5]}, FloatDistribution(-1, 2.5)),
        ({"loguniform": [0.0001, 0.02]}, FloatDistribution(0.0001, 0.02, log=True)),
        ({"randint": [-2, 5]}, IntDistribution(-2, 5)),
        ({"lograndint": [1, 64]}, IntDistribution(1, 64, log=True)),
        ({"quniform": [0.1, 0.75, 0.1]}, IntDistribution(0, 6)),
        ({"choice": [8, 4, 2]}, IntDistribution(0, 2)),
        ({"choice": ["a", 4, None]}, CategoricalDistribution(range(3))),
        ({"condition": {"a": {"n": {"randint": [1, 4]}}, "b": None}}, CategoricalDistribution(range(2))),
    ],
)
def test_a_knob_has_its_own_scale_with_both_ends(raw, distribution):
    knob = parse_knob(raw)
    assert distribution_of(knob) == distribution
    values = [knob.decode(unit / 16) for unit in range(17)]
    assert [knob.decode(unit_of(knob, number_of(knob, value))) for value in values] == pytest.approx(values)
    for value in (values[0], values[-1]):
        assert knob.decode(unit_of(knob, number_of(knob, value))) == value
        assert distribution._contains(distribution.to_internal_repr(number_of(knob, value)))


TRADE = Space(knobs={path: parse_knob({"uniform": [0, 1]}) for path in "xabc"})


def covered(algorithm, seed, broken):
    """Area below the front of two objectives that pull x to both ends, and the other knobs to 0.4; at most 2/3."""
    searcher = make_searcher(TRADE, algorithm, seed, 80, dict.fromkeys("xabc", 0.9), [True, False])
    points = []
    for number in range(81):
        found = searcher.suggest(str(number))["configuration"]
        off = sum((found[path] - 0.4) ** 2 for path in "abc")
        gain, cost = math.sqrt(found["x"]) - off, found["x"] + off
        works = not broken(found)
        report = {"status": "COMPLETE", "value": gain, "violation": 0.0 if works else 1.0, "values": [gain, cost]}
        searcher.on_trial_complete(str(number), report)
        if works and gain > 0 and cost < 1:
            points.append((gain, cost))
    area, least = 0.0, 1.0
    for gain, cost in sorted(points, reverse=True):
        area, least = area + gain * max(least - cost, 0.0), min(least, cost)
    return area


@pytest.mark.parametrize("broken", [lambda c: False, lambda c: c["a"] > 0.6], ids=["no SLO", "with an SLO"])
def test_nsga2_finds_the_front_of_several_objectives(broken):
    bred, drawn = (
        statistics.mean(covered(algorithm, seed, broken) for seed in (0, 1)) for algorithm in ("nsga2", "random")
    )
    assert bred > 1.1 * drawn


def test_an_experiment_that_names_an_algorithm_of_optuna_needs_optuna(monkeypatch):
    assert SearchPlan(algorithm="gp").algorithm == "gp"
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ValueError, match=r"gp needs Optuna: pip install 'ray-serve-orchestrator\[optuna\]'"):
        SearchPlan(algorithm="gp")
    assert SearchPlan(algorithm="hyperopt").algorithm == "hyperopt"


@pytest.mark.parametrize(("trials", "size"), [(1, 20), (120, 30), (10_000, 50)])
def test_the_population_grows_with_the_trials(trials, size):
    assert population(trials) == size
