"""A searcher that confirms what another one found, as Ray Tune and a study see it."""

from __future__ import annotations

import pytest
from ray.tune.search import Searcher

from orchestrator.search import ConfirmingSearch, make_searcher
from orchestrator.space import Space, parse_knob

SPACE = Space(knobs={"batch": parse_knob({"choice": [1, 2, 4, 8, 16, 32, 64]})})
BASELINE = {"batch": 1}
SEARCHED = {"number", "configuration"}


def searcher(algorithm="random", trials=5, top=2, replications=3, parallel=1, maximize=True):
    inner = make_searcher(SPACE, algorithm, 0, trials, BASELINE, [maximize], parallel)
    return ConfirmingSearch(inner, maximize, top, replications, 2 * replications)


def measured(configuration):
    return {"status": "COMPLETE", "value": 10.0 * configuration["batch"], "violation": 0.0, "shown": True}


def drive(search, outcome=lambda suggestion: measured(suggestion["configuration"])):
    suggestions = []
    while isinstance(suggestion := search.suggest(f"t{len(suggestions)}"), dict):
        suggestions.append(suggestion)
        result = outcome(suggestion)
        search.on_trial_complete(f"t{len(suggestions) - 1}", result, error=result is None)
    assert suggestion == Searcher.FINISHED
    return suggestions


def replications(suggestions):
    return [suggestion for suggestion in suggestions if "confirms" in suggestion]


@pytest.mark.parametrize("algorithm", ["hyperopt", "random", "grid"])
def test_the_search_goes_on_as_it_would_by_itself_and_replications_follow(algorithm):
    suggestions = drive(searcher(algorithm))
    alone = drive(make_searcher(SPACE, algorithm, 0, 5, BASELINE, [True]))
    assert suggestions[:6] == alone
    assert [set(one) for one in suggestions[6:]] == [SEARCHED | {"confirms", "replication"}] * 9
    assert [one["number"] for one in suggestions] == list(range(15)), "numbers go on"


def test_the_best_and_the_baseline_are_measured_again_in_turn_with_their_own_configurations():
    suggestions = drive(searcher())
    ranked = sorted(suggestions[1:6], key=lambda one: -one["configuration"]["batch"])
    first, second = ranked[0]["number"], ranked[1]["number"]
    again = replications(suggestions)
    assert [one["confirms"] for one in again] == [first, second, 0, 0, second, first, first, second, 0]
    assert [one["replication"] for one in again] == [0] * 3 + [1] * 3 + [2] * 3
    assert all(one["configuration"] == suggestions[one["confirms"]]["configuration"] for one in again)


def test_for_all_values_of_a_knob_the_best_compromises_are_measured_again_under_each():
    space = Space(knobs={"model": parse_knob({"choice": ["a", "b"]}), **SPACE.knobs})
    inner = make_searcher(space, "grid", 0, 13, {"model": "a", "batch": 1}, [True], 1)
    suggestions = drive(ConfirmingSearch(inner, True, 2, 3, 6, across="model"))
    assert len(suggestions) == 14 + 2 * 2 * 3
    again = [tuple(suggestions[one["confirms"]]["configuration"].values()) for one in replications(suggestions)[:4]]
    assert again == [("a", 64), ("a", 32), ("b", 64), ("b", 32)]


def test_where_less_is_better_the_lowest_are_measured_again():
    suggestions = drive(searcher(maximize=False, top=1))
    lowest = min(suggestions[1:6], key=lambda one: one["configuration"]["batch"])
    assert {one["confirms"] for one in replications(suggestions)} <= {lowest["number"], 0}


def test_the_last_trials_are_awaited_and_replications_run_one_at_a_time():
    search = searcher(trials=2, parallel=3)
    out = [search.suggest(name) for name in "abc"]
    assert search.suggest("d") is None
    for name, suggestion in zip("abc", out, strict=True):
        assert search.suggest("d") is None
        search.on_trial_complete(name, measured(suggestion["configuration"]))
    first = search.suggest("d")
    assert first["replication"] == 0
    assert search.suggest("e") is None
    search.on_trial_complete("d", measured(first["configuration"]))
    assert search.suggest("e")["number"] == first["number"] + 1


@pytest.mark.parametrize("lost", [None, {}, {"status": "INVALID", "value": 1.0, "violation": 0.0}])
def test_a_replication_that_is_lost_is_repeated_once(lost):
    seen = []

    def outcome(suggestion):
        cell = suggestion.get("confirms"), suggestion.get("replication")
        seen.append(cell)
        return lost if cell == (0, 1) else measured(suggestion["configuration"])

    drive(searcher(top=1), outcome)
    assert seen.count((0, 1)) == 2
    assert seen.count((0, 2)) == 1


@pytest.mark.parametrize(
    ("kind", "confirmed"),
    [
        pytest.param({"status": "FAILED", "value": None, "violation": None}, set(), id="failed"),
        pytest.param({"status": "COMPLETE", "value": 5.0, "violation": 1.0}, {0, 1}, id="breaks the SLO"),
        pytest.param(None, set(), id="lost"),
    ],
)
def test_where_nothing_keeps_the_slo_those_nearest_to_it_are_measured_again(kind, confirmed):
    suggestions = drive(searcher(trials=4), lambda suggestion: kind)
    assert {one["confirms"] for one in replications(suggestions)} <= confirmed
    assert bool(replications(suggestions)) is bool(confirmed)


def test_an_invalid_baseline_has_a_second_chance_and_one_that_failed_has_not():
    def outcome(status):
        bad = {"status": status, "value": None, "violation": None}
        return lambda one: bad if one["number"] == 0 else measured(one["configuration"])

    assert 0 in {one["confirms"] for one in replications(drive(searcher(), outcome("INVALID")))}
    assert 0 not in {one["confirms"] for one in replications(drive(searcher(), outcome("FAILED")))}


def test_it_can_be_switched_off():
    assert replications(drive(searcher(top=0))) == []


def test_a_restored_one_continues_as_if_nothing_had_happened(tmp_path):
    for ended in (3, 9):  # while it searches, and while it confirms
        original = searcher()
        for number in range(ended + 1):
            suggestion = original.suggest(f"t{number}")
            if number < ended:
                original.on_trial_complete(f"t{number}", measured(suggestion["configuration"]))
        original.save(str(tmp_path / "state"))
        restored = searcher()
        restored.restore(str(tmp_path / "state"))
        assert restored.suggest("while one is out") is None
        rest = []
        for search in (original, restored):
            search.on_trial_complete(f"t{ended}", measured(suggestion["configuration"]))
            rest.append([search.suggest("next"), search.suggest("and not yet another")])
        assert repr(rest[0]) == repr(rest[1])  # a half-width is NaN


def test_a_suggestion_belongs_to_its_receiver():
    def outcome(suggestion):
        result = measured(suggestion["configuration"])
        suggestion["configuration"]["batch"] = "changed"
        return result

    search = searcher(trials=2)
    for name in ("a", "b", "c"):
        search.on_trial_complete(name, outcome(search.suggest(name)))
    again = search.suggest("d")
    assert again["configuration"]["batch"] in (1, 2, 4, 8, 16, 32, 64)
    again["configuration"]["batch"] = "changed"
    search.on_trial_complete("d", {"status": "FAILED"})
    assert search.suggest("e")["configuration"]["batch"] != "changed"
