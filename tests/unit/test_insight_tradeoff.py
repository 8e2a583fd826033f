"""Two figures against each other, and which trials are on the front."""

import math
from dataclasses import replace

import pytest

from orchestrator.insight.reading import read
from orchestrator.insight.tradeoff import tradeoff
from orchestrator.measure.interval import Interval
from orchestrator.result import Objective, Status
from tests.fakes.studies import study, trial


def numbers(points):
    return [point.trial.number for point in points]


def test_on_the_front_is_what_no_other_trial_outdoes_in_both():
    rows = [(100, 30), (90, 20), (80, 25), (50, 10), (100, 40)]
    found = tradeoff(study(trial(n, {}, value, p99=p99) for n, (value, p99) in enumerate(rows)))
    assert numbers(found.front) == [3, 1, 0]  # by their p99
    assert numbers(found.points) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"p99": math.nan}, id="without a p99"),
        pytest.param({"value": math.nan}, id="without the objective"),
        pytest.param({"value": 1e9, "status": Status.INVALID}, id="INVALID"),
        pytest.param({"status": Status.FAILED}, id="FAILED"),
    ],
)
def test_a_trial_that_does_not_have_both_figures_to_trust_is_left_out(odd):
    assert numbers(tradeoff(study([trial(0, {}), trial(1, {}, **odd)])).points) == [0]


def test_trials_over_the_slo_take_part():
    assert numbers(tradeoff(study([trial(0, {}, violation=2.0)])).front) == [0]


@pytest.mark.parametrize(
    ("objective", "maximize", "y"),
    [
        ("throughput_rps", True, Objective("throughput_rps", True)),
        ("max_rate_rps", True, Objective("max_rate_rps", True)),
        ("cost_per_million", False, Objective("cost_per_million", False)),
        ("latency_p99_ms", False, Objective("throughput_rps", True)),
    ],
)
def test_the_objective_is_set_against_p99_and_throughput_where_it_is_a_latency_itself(objective, maximize, y):
    found = tradeoff(study([trial(0, {}, 7.0)], maximize, objective))
    assert (found.x.metric, found.y) == ("latency_p99_ms", y)


def test_any_two_figures_can_be_set_against_each_other():
    found = tradeoff(study([trial(0, {})]), Objective("latency_mean_ms", False), Objective("goodput_rps", True))
    (point,) = found.points
    assert point.x.value == pytest.approx(10.0)
    assert point.y.value == point.trial.measurement.goodput_rps


def test_a_reading_has_the_value_that_was_scored_and_the_measured_interval():
    one = trial(0, {}, 50.0, spread=0.5)
    scored = replace(one, score=replace(one.score, value=60.0, values=()))
    assert read(study([scored]), scored, "throughput_rps") == (60.0, Interval(25.0, 75.0))
    assert math.isnan(read(study([]), trial(1, {}, status=Status.FAILED), "throughput_rps").value)
    assert math.isnan(read(study([]), one, "no_such_figure").value)
