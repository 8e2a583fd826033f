"""What a study and Ray Tune expect of every searcher."""

import math
import statistics
from itertools import pairwise

import pytest
from ray.tune.search import Searcher

from orchestrator import experiment
from orchestrator.search import ALGORITHMS, make_searcher
from orchestrator.search.improvement import FEWEST
from orchestrator.space import Space, parse_knob


def space(knobs):
    return Space(knobs={path: parse_knob(raw) for path, raw in knobs.items()})


def measured(value, violation=0.0, **more):
    return {"status": "COMPLETE", "value": value, "violation": violation, **more}


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

GRID = space({"a": {"choice": ["p", "q", "r"]}, "b": {"randint": [1, 3]}, "c": {"choice": [True, False]}})
GRID_BASELINE = {"a": "p", "b": 1, "c": True}


def make(algorithm, of=MIXED, trials=24, baseline=INSIDE, seed=0, maximize=(True,), **more):
    return make_searcher(of, algorithm, seed, trials, baseline, maximize, **more)


def height(point):
    """A smooth hill with its top, 1, at x = 0.3, y = 10, n = 6."""
    return 1 - (point["x"] - 0.3) ** 2 - (math.log10(point["y"] / 10) / 3) ** 2 - ((point["n"] - 6) / 7) ** 2


def on_the_hill(number, configuration):
    return measured(height(configuration)), False


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


def drive(searcher, outcome, first=0):
    """All configurations that the searcher suggests, one after another; outcome(number, configuration)."""
    configurations = []
    while (suggestion := searcher.suggest(f"trial_{len(configurations)}")) != Searcher.FINISHED:
        assert set(suggestion) == {"number", "configuration", "rival"}
        assert suggestion["number"] == first + len(configurations)
        result, error = outcome(suggestion["number"], suggestion["configuration"])
        searcher.on_trial_complete(f"trial_{len(configurations)}", result, error)
        configurations.append(suggestion["configuration"])
    return configurations


def recorded(configurations, outcome):
    """What is known of a study's trials: (number, configuration, report)."""
    return [
        (number, configuration, outcome(number, configuration)[0] or FAILED)
        for number, configuration in enumerate(configurations)
    ]


pytestmark = pytest.mark.parametrize("algorithm", ALGORITHMS)
BLIND = ("random", "grid")  # algorithms that do not learn


def affordable(algorithm, trials):
    """So many trials, or fewer: a suggestion of the Gaussian process costs tenths of a second."""
    return min(trials, 6) if algorithm == "gp" else trials


EFFORT = {
    "gp": (14, 2),
    "surrogate": (40, 4),
    "nsga2": (120, 4),
}  # (trials, seeds) in which it has learned something; otherwise (40, 8)


def test_an_experiment_may_name_the_algorithm(algorithm):
    assert algorithm in experiment.ALGORITHMS


@pytest.mark.parametrize("baseline", [MIXED_BASELINE, INSIDE], ids=["outside the space", "inside the space"])
def test_the_baseline_comes_first_and_is_not_counted(algorithm, baseline):
    configurations = drive(make(algorithm, trials=5, baseline=baseline), mixed_outcome)
    assert configurations[0] == baseline
    assert len(configurations) == 1 + 5
    assert baseline not in configurations[1:]


def test_a_study_without_trials_measures_the_baseline_alone(algorithm):
    assert drive(make(algorithm, trials=0), mixed_outcome) == [INSIDE]


def test_a_finished_searcher_stays_finished(algorithm):
    searcher = make(algorithm, trials=1, parallel=3)
    assert [searcher.suggest(name)["number"] for name in "ab"] == [0, 1]
    assert searcher.suggest("c") == Searcher.FINISHED
    searcher.on_trial_complete("a", measured(1.0))
    assert searcher.suggest("d") == Searcher.FINISHED


@pytest.mark.parametrize("parallel", [1, 3])
def test_no_more_than_parallel_trials_are_out(algorithm, parallel):
    searcher = make(algorithm, SURFACE, 10, SURFACE_BASELINE, parallel=parallel)
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
        drive(make(algorithm, trials=affordable(algorithm, 24), seed=seed), mixed_outcome) for seed in (3, 3, 4)
    )
    assert first == second
    assert first != other


def same_share(before, after):
    return before["share"] == after["share"]


@pytest.mark.parametrize("in_place", [None, same_share], ids=["one by one", "in batches"])
def test_a_restored_searcher_continues_as_if_nothing_had_happened(algorithm, in_place, tmp_path):
    trials = affordable(algorithm, 24)
    original = make(algorithm, trials=trials, in_place=in_place)
    half = trials // 2
    for number in range(half):
        configuration = original.suggest(f"t{number}")["configuration"]
        if number < half - 1:
            original.on_trial_complete(f"t{number}", *mixed_outcome(number, configuration))
    original.save(str(tmp_path / "searcher"))
    restored = make(algorithm, trials=trials, in_place=in_place)
    restored.restore(str(tmp_path / "searcher"))
    assert restored.suggest("while one is out") is None
    rest = []
    for searcher in (original, restored):
        searcher.on_trial_complete(f"t{half - 1}", *mixed_outcome(half - 1, configuration))
        rest.append(drive(searcher, mixed_outcome, first=half))
    assert rest[0] == rest[1]
    assert len(rest[0]) == trials + 1 - half


@pytest.mark.parametrize("in_place", [None, same_share], ids=["one by one", "in batches"])
def test_a_resumed_search_suggests_what_an_uninterrupted_one_would_have(algorithm, in_place):
    trials = affordable(algorithm, 24)
    whole = drive(make(algorithm, trials=trials, in_place=in_place), mixed_outcome)
    for done in (1, trials // 2, trials, trials + 1):
        resumed = make(algorithm, trials=trials, in_place=in_place)
        resumed.replay(recorded(whole[:done], mixed_outcome))
        assert drive(resumed, mixed_outcome, first=done) == whole[done:]


def test_a_trial_that_was_interrupted_leaves_its_number_behind_and_is_made_up_for(algorithm):
    resumed = make(algorithm, SURFACE, 6, SURFACE_BASELINE, parallel=2)
    points = [SURFACE_BASELINE, *({"x": index / 10, "y": 10.0, "n": 6} for index in range(1, 5))]
    done = recorded(points, on_the_hill)
    resumed.replay([done[0], done[1], done[2], done[4]])  # 3 was under way beside 4
    rest = [resumed.suggest(f"trial_{number}") for number in (5, 6)]
    resumed.on_trial_complete("trial_5", measured(1.0))
    rest.append(resumed.suggest("trial_7"))
    assert [suggestion["number"] for suggestion in rest] == [5, 6, 7]
    resumed.on_trial_complete("trial_6", measured(1.0))
    assert resumed.suggest("trial_8") == Searcher.FINISHED, "six trials beside the baseline have ended or are out"


def test_when_its_time_is_over_a_search_ends_but_not_before_the_baseline(algorithm):
    over = iter([False, False, True])
    searcher = make(algorithm, SURFACE, 20, SURFACE_BASELINE, is_over=lambda: next(over))
    assert len(drive(searcher, on_the_hill)) == 1 + 2
    late = make(algorithm, SURFACE, 20, SURFACE_BASELINE, is_over=lambda: True)
    assert drive(late, on_the_hill) == [SURFACE_BASELINE]


def test_a_search_that_can_gain_no_more_than_is_asked_for_ends(algorithm):
    flat = drive(make(algorithm, SURFACE, 40, SURFACE_BASELINE, least_gain=0.5), lambda *_: (measured(100.0), False))
    assert FEWEST <= len(flat) < 1 + 40
    steep = drive(make(algorithm, SURFACE, 14, SURFACE_BASELINE, least_gain=1e-9), on_the_hill)
    assert len(steep) == 1 + 14
    failing = drive(make(algorithm, SURFACE, 14, SURFACE_BASELINE, least_gain=0.5), lambda *_: (FAILED, False))
    assert len(failing) == 1 + 14, "nothing is known of what never worked"


def test_a_resumed_search_learns_from_trials_that_it_would_not_have_suggested(algorithm):
    others = [{"x": 0.3 + index / 100, "y": 10.0, "n": 6} for index in range(24)]
    resumed = make(algorithm, SURFACE, 28, SURFACE_BASELINE)
    resumed.replay(recorded([SURFACE_BASELINE, *others], on_the_hill))
    rest = drive(resumed, on_the_hill, first=25)
    assert len(rest) == 28 - 24
    assert not [configuration for configuration in rest if configuration in others]
    untaught = drive(make("random", SURFACE, 28, SURFACE_BASELINE), on_the_hill)[25:]
    assert (rest == untaught) is (algorithm == "random")


def test_what_earlier_studies_say_is_learned_from_and_not_counted(algorithm):
    earlier = [{"x": x / 10, "y": 10.0, "n": 6} for x in range(10)]
    outside = ({"x": 0.3, "y": 10.0, "n": 60}, measured(1e6))
    informed = make(algorithm, SURFACE, 8, SURFACE_BASELINE)
    informed.inform([outside, *((configuration, measured(height(configuration))) for configuration in earlier)])
    found = drive(informed, on_the_hill)
    assert found[0] == SURFACE_BASELINE
    assert len(found) == 1 + 8
    if algorithm in BLIND:
        assert found == drive(make(algorithm, SURFACE, 8, SURFACE_BASELINE), on_the_hill)
    else:
        assert found[1] == earlier[3], "the best of earlier studies is where to start"


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
        make(algorithm, one, affordable(algorithm, 30), {"k": knob.decode(0.5)}, maximize=[maximize]),
        lambda number, configuration: (measured(configuration["k"]), False),
    )
    assert all(one.contains(configuration) for configuration in configurations)
    assert all(type(configuration["k"]) in (int, float) for configuration in configurations)


@pytest.mark.parametrize("end", [0.0, 1.0], ids=["low", "high"])
def test_both_ends_of_a_range_are_suggested(algorithm, end):
    ends = space({"k": {"randint": [1, 4]}, "m": {"choice": [10, 20, 30]}})
    wanted = {path: knob.decode(end) for path, knob in ends.knobs.items()}
    assert wanted in drive(make(algorithm, ends, 12, {"k": 2, "m": 20}), mixed_kind)


def mixed_kind(number, configuration):
    return measured(configuration["k"] + configuration["m"]), False


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
    configurations = drive(make(algorithm, finite, 8, {"k": "elsewhere"}), lambda *_: (measured(1.0), False))[1:]
    assert len({repr(configuration) for configuration in configurations[:6]}) == 6
    assert all(finite.contains(configuration) for configuration in configurations)
    assert len(configurations) == 8  # a space that is used up is measured again


def test_trials_that_are_out_are_not_suggested_again(algorithm):
    searcher = make(algorithm, space({"k": {"choice": ["a", "b", "c"]}}), 2, {"k": "a"}, parallel=3)
    assert {searcher.suggest(name)["configuration"]["k"] for name in "xyz"} == {"a", "b", "c"}


def test_only_active_knobs_are_suggested(algorithm):
    configurations = drive(make(algorithm, trials=affordable(algorithm, 30), seed=1), mixed_outcome)
    assert all(MIXED.contains(configuration) for configuration in configurations)
    assert {configuration["precision"] for configuration in configurations} == {"int8", "fp32"}
    assert all(("group" in c) == (c["precision"] == "int8") for c in configurations)


def test_values_are_plain_python(algorithm):
    configurations = drive(make(algorithm, trials=affordable(algorithm, 30), seed=2), mixed_outcome)
    kinds = {type(value) for configuration in configurations for value in configuration.values()}
    assert kinds <= {int, float, str, list, type(None)}


def test_a_suggestion_belongs_to_its_receiver(algorithm):
    baseline = {"k": [1]}
    searcher = make(algorithm, space({"k": {"choice": [[1], [2]]}}), 1, baseline)
    searcher.suggest("a")["configuration"]["k"].append("changed")
    searcher.on_trial_complete("a", measured(1.0))
    assert searcher.suggest("b")["configuration"] == {"k": [2]}
    assert baseline == {"k": [1]}


@pytest.mark.parametrize("maximize", [True, False], ids=["maximize", "minimize"])
def test_the_top_of_a_hill_is_found(algorithm, maximize):
    def depth(name, seed, trials):
        searcher = make(name, SURFACE, trials, SURFACE_BASELINE, seed, [maximize])
        sign = 1 if maximize else -1
        found = drive(searcher, lambda _, configuration: (measured(sign * height(configuration)), False))
        return 1 - max(map(height, found))

    trials, seeds = EFFORT.get(algorithm, (40, 8))
    regret = statistics.mean(depth(algorithm, seed, trials) for seed in range(seeds))
    by_chance = statistics.mean(depth("random", seed, trials) for seed in range(100, 120))
    assert regret < (1.5 if algorithm in BLIND else 0.5) * by_chance


@pytest.mark.parametrize("broken", [FAILED, None, measured(9.0, violation=2.0)], ids=["failed", "lost", "SLO"])
def test_a_searcher_that_learns_leaves_the_part_that_does_not_work(algorithm, broken):
    def outcome(number, configuration):
        works = configuration["x"] < 0.5
        return (measured(1.0), False) if works else (broken, broken is None)

    trials, seeds = EFFORT.get(algorithm, (40, 4))
    suggested = [
        configuration["x"]
        for seed in range(seeds)
        for configuration in drive(make(algorithm, SURFACE, trials, SURFACE_BASELINE, seed), outcome)[trials // 2 :]
    ]
    share_broken = statistics.mean(x >= 0.5 for x in suggested)
    assert share_broken < (0.65 if algorithm in BLIND else 0.45)


def test_the_baseline_teaches_if_it_lies_in_the_space(algorithm):
    def after(value):
        searcher = make(algorithm, SURFACE, affordable(algorithm, 26), SURFACE_BASELINE)
        return drive(searcher, lambda number, c: (measured(value if number == 0 else height(c)), False))

    learned = after(-100.0) != after(100.0)
    assert learned is (algorithm not in BLIND)


def test_what_is_pruned_is_never_suggested_and_counted_by_its_reason(algorithm):
    def prune(configuration):
        return "no batch forms" if configuration["b"] == 3 else "no room" if configuration["a"] == "p" else None

    searcher = make(algorithm, GRID, 8, GRID_BASELINE, prune=prune)
    found = drive(searcher, lambda *_: (measured(1.0), False))
    assert found[0] == GRID_BASELINE, "the baseline is measured whatever the rules say"
    assert len(found) == 1 + 8
    assert {(c["a"], c["b"], c["c"]) for c in found[1:]} == {
        (a, b, c) for a in "qr" for b in (1, 2) for c in (True, False)
    }
    assert set(searcher.pruned) <= {"no batch forms", "no room"}
    assert sum(searcher.pruned.values()) <= GRID.size() - 8 - 1


def test_of_configurations_with_the_same_effect_one_is_measured(algorithm):
    def canonical(configuration):  # beside "p", "b" has no effect
        return {**configuration, "b": 1} if configuration["a"] == "p" else configuration

    searcher = make(algorithm, GRID, 13, {"a": "p", "b": 2, "c": True}, canonical=canonical)
    found = drive(searcher, lambda *_: (measured(1.0), False))
    assert found[0] == {"a": "p", "b": 2, "c": True}, "the baseline stands for all that equal it"
    assert sorted((c["a"], c["b"], c["c"]) for c in found[1:]) == sorted(
        [("p", 1, False), *((a, b, c) for a in "qr" for b in (1, 2, 3) for c in (True, False))]
    )
    assert set(searcher.pruned) <= {"same as another"}


def test_a_search_ends_when_all_that_is_left_is_pruned(algorithm):
    searcher = make(algorithm, GRID, 8, {"a": "elsewhere"}, prune=lambda c: "no room")
    assert drive(searcher, lambda *_: (measured(1.0), False)) == [{"a": "elsewhere"}]
    assert searcher.pruned == {"no room": GRID.size()}


def test_the_order_of_a_batch_keeps_what_is_deployed(algorithm):
    def in_place(before, after):
        return before["a"] == after["a"]

    def restarts(configurations):
        return sum(not in_place(before, after) for before, after in pairwise(configurations))

    as_they_come, ordered = (
        drive(make(algorithm, GRID, 8, GRID_BASELINE, seed=5, in_place=rule), lambda *_: (measured(1.0), False))
        for rule in (None, in_place)
    )
    if algorithm in BLIND:
        assert sorted(map(str, ordered)) == sorted(map(str, as_they_come)), "the same are measured"
        assert restarts(ordered) < restarts(as_they_come)
    elif algorithm != "surrogate":  # which prefers what is near in its own way
        assert ordered == as_they_come, "who learns from every trial does not look ahead"


def test_the_rival_is_the_best_trial_within_the_slo(algorithm):
    reports = [
        (FAILED, None),
        (measured(50.0, half_widths=[2.0, 0.1]), (50.0, 2.0)),
        (measured(90.0, violation=0.1, half_widths=[1.0]), (50.0, 2.0)),
        ({"status": "INVALID", "value": 99.0, "violation": 0.0}, (50.0, 2.0)),
        (measured(40.0), (50.0, 2.0)),
        (measured(60.0), (60.0, pytest.approx(math.nan, nan_ok=True))),
    ]
    searcher = make(algorithm, trials=len(reports))
    assert searcher.suggest("0")["rival"] is None
    for number, (report, expected) in enumerate(reports):
        searcher.on_trial_complete(str(number), report)
        rival = searcher.suggest(str(number + 1))["rival"]
        assert rival == (expected and {"value": expected[0], "half_width": expected[1]})


def test_with_several_objectives_nobody_is_a_rival_by_one_of_them(algorithm):
    searcher = make(algorithm, maximize=[False, True])
    for number, value in enumerate((8.0, 5.0, 6.0)):
        searcher.suggest(str(number))
        searcher.on_trial_complete(str(number), measured(value, values=[value, 1.0], half_widths=[0.5, 0.1]))
    assert searcher.suggest("3")["rival"] is None


def test_values_that_are_missing_are_a_gap_and_no_error(algorithm):
    searcher = make(algorithm, trials=affordable(algorithm, 24), maximize=[True, False])
    configurations = drive(searcher, mixed_outcome)  # which says nothing of the second objective
    assert len({repr(configuration) for configuration in configurations}) == len(configurations)


def test_an_empty_space_and_an_unknown_algorithm_are_refused(algorithm):
    with pytest.raises(ValueError, match="no knobs"):
        make(algorithm, space({}), 1, {})
    with pytest.raises(ValueError, match=f"unknown algorithm '{algorithm}x'; did you mean '{algorithm}'"):
        make(f"{algorithm}x", trials=1)
