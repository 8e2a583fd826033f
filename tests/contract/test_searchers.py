"""What a study and Ray Tune expect of every searcher."""

import math
import statistics

import pytest
from ray.tune.search import Searcher

from orchestrator import experiment
from orchestrator.search import ALGORITHMS, make_searcher
from orchestrator.space import Space, parse_knob


def space(knobs):
    return Space(knobs={path: parse_knob(raw) for path, raw in knobs.items()})


def measured(value, violation=0.0):
    return {"status": "COMPLETE", "value": value, "violation": violation}


FAILED = {"status": "FAILED", "value": None, "violation": None}

MIXED = space(
    {
        "batch": {"choice": [1, 2, 4, 8, 16, 32, 64]},
        "wait": {"loguniform": [0.0001, 0.02]},
        "precision": {
            "condition": {
                "int8": {"threads": {"lograndint": [1, 16]}, "group": {"choice": ["row", None, [2, 2]]}},
                "fp32": {"threads": {"randint": [1, 4]}},
            }
        },
        "share": {"quniform": [0.25, 1, 0.25]},
    }
)
MIXED_BASELINE = {"batch": 1, "wait": 0.0, "precision": "fp32", "threads": 1, "share": 1.0}
INSIDE = {**MIXED_BASELINE, "wait": 0.001}

SURFACE = space({"x": {"uniform": [0, 1]}, "y": {"loguniform": [1, 1000]}, "n": {"randint": [1, 8]}})
SURFACE_BASELINE = {"x": 0.95, "y": 900.0, "n": 1}


def height(point):
    """A smooth hill with its top, 0, at x = 0.3, y = 10, n = 6."""
    return -((point["x"] - 0.3) ** 2) - (math.log10(point["y"] / 10) / 3) ** 2 - ((point["n"] - 6) / 7) ** 2


def mixed_outcome(number, configuration):
    """Every kind of result, in turn: (result, error)."""
    outcomes = [
        (measured(configuration["batch"] / (1 + configuration["wait"])), False),
        (measured(5.0, violation=configuration["batch"] / 10), False),
        (FAILED, False),
        ({"status": "INFEASIBLE", "value": None, "violation": None}, False),
        ({"status": "INVALID", "value": 9000.0, "violation": 0.0}, False),
        (None, True),
        (None, False),
        ({}, False),
        (measured(math.nan), False),
        (measured(1.0, violation=math.inf), False),
    ]
    return outcomes[number % len(outcomes)]


def drive(searcher, outcome):
    """All configurations that the searcher suggests, one after another; outcome(number, configuration)."""
    configurations = []
    while (suggestion := searcher.suggest(f"trial_{len(configurations)}")) != Searcher.FINISHED:
        assert set(suggestion) == {"number", "configuration"}
        assert suggestion["number"] == len(configurations)
        configurations.append(suggestion["configuration"])
        result, error = outcome(suggestion["number"], suggestion["configuration"])
        searcher.on_trial_complete(f"trial_{suggestion['number']}", result, error)
    return configurations


pytestmark = pytest.mark.parametrize("algorithm", ALGORITHMS)
BLIND = ("random", "grid")  # algorithms that do not learn


def test_an_experiment_may_name_the_algorithm(algorithm):
    assert algorithm in experiment.ALGORITHMS


@pytest.mark.parametrize("baseline", [MIXED_BASELINE, INSIDE], ids=["outside the space", "inside the space"])
def test_the_baseline_comes_first_and_is_not_counted(algorithm, baseline):
    configurations = drive(make_searcher(MIXED, algorithm, 0, 5, baseline, True), mixed_outcome)
    assert configurations[0] == baseline
    assert len(configurations) == 1 + 5
    assert baseline not in configurations[1:]


def test_a_study_without_trials_measures_the_baseline_alone(algorithm):
    assert drive(make_searcher(MIXED, algorithm, 0, 0, INSIDE, True), mixed_outcome) == [INSIDE]


def test_a_finished_searcher_stays_finished(algorithm):
    searcher = make_searcher(MIXED, algorithm, 0, 1, INSIDE, True, parallel=3)
    assert [searcher.suggest(name)["number"] for name in "ab"] == [0, 1]
    assert searcher.suggest("c") == Searcher.FINISHED
    searcher.on_trial_complete("a", measured(1.0))
    assert searcher.suggest("d") == Searcher.FINISHED


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_than_parallel_trials_are_out(algorithm, parallel):
    searcher = make_searcher(SURFACE, algorithm, 0, 10, SURFACE_BASELINE, True, parallel)
    out = [searcher.suggest(f"t{index}") for index in range(parallel)]
    assert [suggestion["number"] for suggestion in out] == list(range(parallel))
    assert searcher.suggest("too early") is None
    searcher.on_trial_complete("somebody else's", measured(1.0))
    assert searcher.suggest("still too early") is None
    searcher.on_trial_complete("t0", measured(1.0))
    assert searcher.suggest("next")["number"] == parallel
    assert searcher.suggest("too early again") is None
    searcher.on_trial_complete("t0", measured(1.0))  # ended before
    assert searcher.suggest("not twice") is None


def test_the_same_seed_and_results_give_the_same_suggestions(algorithm):
    first, second, other = (
        drive(make_searcher(MIXED, algorithm, seed, 24, INSIDE, True), mixed_outcome) for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other


def test_a_restored_searcher_continues_as_if_nothing_had_happened(algorithm, tmp_path):
    original = make_searcher(MIXED, algorithm, 3, 24, INSIDE, True)
    for number in range(12):
        configuration = original.suggest(f"trial_{number}")["configuration"]
        if number < 11:
            original.on_trial_complete(f"trial_{number}", *mixed_outcome(number, configuration))
    original.save(str(tmp_path / "searcher"))
    restored = make_searcher(MIXED, algorithm, 3, 24, INSIDE, True)
    restored.restore(str(tmp_path / "searcher"))
    assert restored.suggest("while one is out") is None
    rest = []
    for searcher in (original, restored):
        searcher.on_trial_complete("trial_11", *mixed_outcome(11, configuration))
        rest.append(drive_from(searcher, 12))
    assert rest[0] == rest[1]
    assert len(rest[0]) == 13


def drive_from(searcher, number):
    configurations = []
    while (suggestion := searcher.suggest(f"trial_{number}")) != Searcher.FINISHED:
        assert suggestion["number"] == number
        configurations.append(suggestion["configuration"])
        searcher.on_trial_complete(f"trial_{number}", *mixed_outcome(number, configurations[-1]))
        number += 1
    return configurations


@pytest.mark.parametrize("maximize", [True, False], ids=["pulled up", "pulled down"])
@pytest.mark.parametrize(
    "raw",
    [
        {"uniform": [-1, 2.5]},
        {"loguniform": [0.0001, 0.02]},
        {"quniform": [0.1, 0.75, 0.1]},
        {"randint": [-2, 5]},
        {"lograndint": [1, 64]},
        {"choice": [1, 2, 4, 8]},
        {"choice": [8, 4, 2]},
    ],
    ids=lambda raw: next(iter(raw)),
)
def test_bounds_hold_even_if_the_best_value_is_at_the_end(algorithm, raw, maximize):
    knob = parse_knob(raw)
    one = Space(knobs={"k": knob})
    configurations = drive(
        make_searcher(one, algorithm, 0, 30, {"k": knob.decode(0.5)}, maximize),
        lambda number, configuration: (measured(configuration["k"]), False),
    )
    assert all(one.contains(configuration) for configuration in configurations)
    assert all(type(configuration["k"]) in (int, float) for configuration in configurations)


@pytest.mark.parametrize(
    "knobs",
    [
        {"k": {"randint": [1, 6]}},
        {"k": {"lograndint": [1, 6]}},
        {"k": {"quniform": [0, 1, 0.2]}},
        {"k": {"choice": ["a", None, True, 4, 2.5, [1]]}},
        {"k": {"choice": [1, 2]}, "m": {"choice": ["a", "b", "c"]}},
        {"k": {"condition": {"a": {"n": {"randint": [1, 4]}}, "b": None, "c": {}}}},
    ],
    ids=["randint", "lograndint", "quniform", "choice", "two knobs", "condition"],
)
def test_nothing_is_measured_twice_before_everything_was_measured_once(algorithm, knobs):
    finite = space(knobs)
    assert finite.size() == 6
    searcher = make_searcher(finite, algorithm, 0, 8, {"k": "elsewhere"}, True)
    configurations = drive(searcher, lambda number, configuration: (measured(1.0), False))[1:]
    assert len({repr(configuration) for configuration in configurations[:6]}) == 6
    assert all(finite.contains(configuration) for configuration in configurations)
    assert len(configurations) == 8  # a space that is used up is measured again


def test_trials_that_are_out_are_not_suggested_again(algorithm):
    pair = space({"k": {"choice": ["a", "b", "c"]}})
    searcher = make_searcher(pair, algorithm, 0, 2, {"k": "a"}, True, parallel=3)
    assert {searcher.suggest(name)["configuration"]["k"] for name in "xyz"} == {"a", "b", "c"}


def test_only_active_knobs_are_suggested(algorithm):
    configurations = drive(make_searcher(MIXED, algorithm, 1, 30, INSIDE, True), mixed_outcome)
    assert all(MIXED.contains(configuration) for configuration in configurations)
    assert {configuration["precision"] for configuration in configurations} == {"int8", "fp32"}
    assert all(("group" in c) == (c["precision"] == "int8") for c in configurations)


def test_values_are_plain_python(algorithm):
    configurations = drive(make_searcher(MIXED, algorithm, 2, 30, INSIDE, True), mixed_outcome)
    kinds = {type(value) for configuration in configurations for value in configuration.values()}
    assert kinds == {int, float, str, list, type(None)}


def test_a_suggestion_belongs_to_its_receiver(algorithm):
    lists = space({"k": {"choice": [[1], [2]]}})
    baseline = {"k": [1]}
    searcher = make_searcher(lists, algorithm, 0, 1, baseline, True)
    searcher.suggest("a")["configuration"]["k"].append("changed")
    searcher.on_trial_complete("a", measured(1.0))
    assert searcher.suggest("b")["configuration"] == {"k": [2]}
    assert baseline == {"k": [1]}


@pytest.mark.parametrize("maximize", [True, False], ids=["maximize", "minimize"])
def test_the_top_of_a_hill_is_found(algorithm, maximize):
    def best(name, seed):
        searcher = make_searcher(SURFACE, name, seed, 40, SURFACE_BASELINE, maximize)
        sign = 1 if maximize else -1
        found = drive(searcher, lambda _, configuration: (measured(sign * height(configuration)), False))
        return max(map(height, found))

    regret = -statistics.mean(best(algorithm, seed) for seed in range(8))
    by_chance = -statistics.mean(best("random", seed) for seed in range(100, 120))
    assert regret < (1.5 if algorithm in BLIND else 0.5) * by_chance


@pytest.mark.parametrize("broken", [FAILED, None, measured(9.0, violation=2.0)], ids=["failed", "lost", "SLO"])
def test_a_searcher_that_learns_leaves_the_part_that_does_not_work(algorithm, broken):
    def outcome(number, configuration):
        works = configuration["x"] < 0.5
        return (measured(1.0), False) if works else (broken, broken is None)

    suggested = [
        configuration["x"]
        for seed in range(4)
        for configuration in drive(make_searcher(SURFACE, algorithm, seed, 40, SURFACE_BASELINE, True), outcome)[20:]
    ]
    share_broken = statistics.mean(x >= 0.5 for x in suggested)
    assert share_broken < (0.65 if algorithm in BLIND else 0.45)


def test_the_baseline_teaches_if_it_lies_in_the_space(algorithm):
    def after(value):
        searcher = make_searcher(SURFACE, algorithm, 0, 20, SURFACE_BASELINE, True)
        outcome = lambda number, c: (measured(value if number == 0 else height(c)), False)  # noqa: E731
        return drive(searcher, outcome)

    learned = after(-100.0) != after(100.0)
    assert learned is (algorithm not in BLIND)


def test_an_empty_space_and_an_unknown_algorithm_are_refused(algorithm):
    with pytest.raises(ValueError, match="no knobs"):
        make_searcher(space({}), algorithm, 0, 1, {}, True)
    with pytest.raises(ValueError, match=f"unknown algorithm '{algorithm}x'; did you mean '{algorithm}'"):
        make_searcher(MIXED, f"{algorithm}x", 0, 1, {}, True)
