"""Trials as a table of numbers, and knobs by names that a reader can tell apart."""

import numpy as np

from orchestrator.insight.table import tabulate
from tests.fakes.studies import space, trial

BRANCHES = {"off": {}, "on": {"A.batch": {"choice": [2, 4]}}, "big": {"A.batch": {"choice": [32, 64]}}}


def test_a_row_has_the_coordinates_of_its_active_knobs_and_gaps_for_the_others():
    table = tabulate(
        [trial(1, {"A.mode": "on", "A.batch": 4}), trial(2, {"A.mode": "off"})],
        space(**{"A.mode": {"condition": BRANCHES}}),
    )
    np.testing.assert_allclose(table.units, [[0.5, 0.75], [1 / 6, np.nan]])
    assert table.values(1) == [4]


def test_a_path_that_branches_share_is_a_knob_of_its_own_in_each_with_a_name_of_its_own():
    trials = [trial(1, {"A.mode": "on", "A.batch": 4}), trial(2, {"A.mode": "big", "A.batch": 64})]
    table = tabulate(trials, space(**{"A.mode": {"condition": BRANCHES}}))
    assert [column.name for column in table.columns] == ["mode", "batch (on)", "batch (big)"]


def test_knobs_stand_in_the_order_of_the_file_whatever_the_trials_say_first():
    table = tabulate([trial(1, {"b": 1, "a": 1})], space(a={"randint": [1, 2]}, b={"randint": [1, 2]}))
    assert [column.name for column in table.columns] == ["a", "b"]


def test_a_baseline_outside_the_space_has_no_row():
    table = tabulate([trial(0, {"wait": 0.0}), trial(1, {"wait": 0.1})], space(wait={"loguniform": [0.1, 1.0]}))
    assert [one.number for one in table.trials] == [1]


def test_without_trials_there_is_an_empty_table():
    table = tabulate([], space(a={"randint": [1, 2]}))
    assert (table.columns, table.units.shape) == ((), (0, 0))
