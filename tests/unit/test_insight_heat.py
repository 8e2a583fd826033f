"""The map of two knobs: which trial stands where."""

import pytest

from orchestrator.insight.heat import heat_map
from orchestrator.insight.table import tabulate
from orchestrator.result import Status
from tests.fakes.studies import space, study, trial

KNOBS = space(batch={"choice": [1, 2, 4]}, wait={"uniform": [0, 6]})


def mapped(trials, knobs=KNOBS, single=False, **kind):
    made = study(trials, **kind)
    x, *others = tabulate(made.trials, knobs).columns
    return heat_map(made, knobs, x, None if single else others[0])


def test_a_place_shows_the_best_of_its_trials_and_how_many_there_are():
    found = mapped([trial(1, {"batch": 4, "wait": 0.1}, 10), trial(2, {"batch": 4, "wait": 0.9}, 20)])
    assert {place: (cell.best.number, cell.trials) for place, cell in found.cells.items()} == {(2, 0): (2, 2)}


def test_where_less_is_better_it_shows_the_least():
    found = mapped([trial(1, {"batch": 1, "wait": 0}, 10), trial(2, {"batch": 1, "wait": 0}, 20)], maximize=False)
    assert found.cells[0, 0].best.number == 1


def test_a_trial_within_the_slo_goes_before_a_better_one_over_it():
    here = {"batch": 1, "wait": 0}
    assert mapped([trial(1, here, 10), trial(2, here, 99, violation=1)]).cells[0, 0].best.number == 1
    assert mapped([trial(1, here, 10, violation=2), trial(2, here, 99, violation=1)]).cells[0, 0].best.number == 2


@pytest.mark.parametrize(("wait", "row"), [(0, 0), (0.99, 0), (1.01, 1), (5.99, 5), (6, 5)])
def test_a_knob_of_many_values_is_cut_into_equal_stretches(wait, row):
    found = mapped([trial(1, {"batch": 1, "wait": wait})])
    assert list(found.cells) == [(0, row)]
    assert found.y.labels[:2] == ("0 – 1", "1 – 2")


def test_a_knob_of_few_values_has_a_place_for_each_measured_or_not():
    assert mapped([trial(1, {"batch": 4, "wait": 0})]).x.labels == ("1", "2", "4")
    replicas = space(a={"randint": [2, 4]})
    assert mapped([trial(1, {"a": 4})], replicas, single=True).x.labels == ("2", "3", "4")


def test_a_single_knob_makes_a_map_of_one_row():
    found = mapped([trial(1, {"batch": 2, "wait": 0})], single=True)
    assert (found.y, list(found.cells)) == (None, [(1, 0)])


def test_trials_that_lack_one_of_the_knobs_are_counted():
    knobs = space(mode={"condition": {"off": {}, "on": {"batch": {"choice": [1, 2]}}}})
    found = mapped([trial(1, {"mode": "on", "batch": 1}), trial(2, {"mode": "off"})], knobs)
    assert (list(found.cells), found.elsewhere) == ([(1, 0)], 1)


def test_only_complete_trials_within_the_space_have_a_place():
    inside = {"batch": 1, "wait": 0}
    trials = [trial(0, {"batch": 1, "wait": 9}), trial(1, inside, status=Status.INVALID), trial(2, inside)]
    assert mapped(trials).cells[0, 0].trials == 1
