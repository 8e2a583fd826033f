"""The flat region: what may be said of it, and that nothing is said beyond what was measured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.insight.extent import extent_of
from orchestrator.insight.flat import flat_region
from orchestrator.insight.table import Column
from orchestrator.result import Status
from orchestrator.space import parse_knob
from tests.fakes.studies import space, study, trial

BATCH_WAIT = space(batch={"choice": [1, 2, 4, 8, 16, 32]}, wait={"loguniform": [0.001, 1.0]})
FLAT = [
    (1, 0.001, 50),
    (4, 0.001, 80),
    (16, 0.001, 99),
    (16, 0.02, 100),
    (32, 0.001, 99),
    (32, 0.02, 98.5),
    (32, 1.0, 40),
]


def grid(rows, **changes):
    return [trial(number, {"batch": b, "wait": w}, v, **changes) for number, (b, w, v) in enumerate(rows, start=1)]


def sentence(trials, knobs=BATCH_WAIT, **kind):
    found = flat_region(study(trials, **kind), knobs)
    return found.sentence if found else None


def test_a_plateau_is_told_by_the_sides_that_bound_it():
    assert sentence(grid(FLAT)) == (
        "batch ≥ 16 and wait ≤ 0.02: all 4 trials measured there are within 2% of the best. "
        "Measured: batch 16 … 32 and wait 0.001 … 0.02."
    )


def test_where_less_is_better_the_plateau_is_at_the_bottom():
    rows = [(b, w, 1000 / v) for b, w, v in FLAT]
    assert sentence(grid(rows), maximize=False).startswith("batch ≥ 16 and wait ≤ 0.02: all 4 trials")


def test_what_intervals_cannot_tell_from_the_best_belongs_to_it_and_the_sentence_says_so():
    assert sentence(grid([(1, 0.001, 50), (8, 0.02, 90), (16, 0.02, 95), (32, 1.0, 100)], spread=0.2)) == (
        "batch ≥ 8 and wait ≥ 0.02: none of the 3 trials measured there was shown to be more than 2% worse than the"
        " best; the lowest figure is 10% worse (their intervals are ±20%). Measured: batch 8 … 32 and wait 0.02 … 1."
    )


def test_narrow_intervals_keep_the_same_figures_out():
    found = flat_region(
        study(grid([(1, 0.001, 50), (8, 0.02, 90), (16, 0.02, 95), (32, 1.0, 100)], spread=0.01)), BATCH_WAIT
    )
    assert found.trials == (4,)
    assert found.sentence == "No flat region: no other trial was found to be as good as the best, trial 4."


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param({"violation": 0.1}, id="over the SLO"),
        pytest.param({"status": Status.FAILED}, id="FAILED"),
        pytest.param({"status": Status.INFEASIBLE}, id="INFEASIBLE"),
    ],
)
def test_a_fast_trial_that_cannot_be_used_bounds_the_region(bad):
    trials = [*grid(FLAT), trial(8, {"batch": 32, "wait": 0.01}, 200.0, **bad)]
    found = flat_region(study(trials), BATCH_WAIT)
    assert found.best == 4
    assert set(found.trials) < {2, 3, 4, 5, 6, 7}
    assert len(found.trials) < 4


def test_a_trial_that_cannot_be_trusted_neither_bounds_nor_supports():
    trials = [*grid(FLAT), trial(8, {"batch": 16, "wait": 0.01}, 1.0, status=Status.INVALID)]
    assert sentence(trials) == sentence(grid(FLAT))


def test_a_knob_that_made_no_difference_is_named_as_such():
    knobs = space(batch={"choice": [1, 2, 4]}, replicas={"randint": [1, 2]})
    rows = [(1, 1, 10), (1, 2, 10), (2, 1, 100), (2, 2, 99), (4, 1, 99), (4, 2, 99)]
    trials = [trial(n, {"batch": b, "replicas": r}, v) for n, (b, r, v) in enumerate(rows)]
    assert sentence(trials, knobs).startswith("batch ≥ 2, whatever replicas: all 4 trials")


def test_where_nothing_is_worse_the_whole_space_is_flat():
    knobs = space(batch={"choice": [1, 2, 4]})
    assert sentence([trial(n, {"batch": b}, 100) for n, b in enumerate([1, 2, 4])], knobs) == (
        "Anywhere in the space: all 3 trials measured there are within 2% of the best. Measured: batch 1 … 4."
    )


def test_values_without_an_order_are_listed():
    knobs = space(precision={"choice": ["fp32", "int8", "fp16"]})
    trials = [
        trial(n, {"precision": p}, v)
        for n, (p, v) in enumerate([("fp32", 10), ("int8", 100), ("fp16", 99), ("int8", 99)])
    ]
    assert sentence(trials, knobs).startswith("precision = int8 or fp16: all 3 trials")


def test_of_a_conditional_space_the_branch_of_the_best_is_looked_at():
    knobs = space(mode={"condition": {"off": {}, "on": {"batch": {"choice": [1, 2, 4]}}}})
    on = [trial(n, {"mode": "on", "batch": b}, v) for n, (b, v) in enumerate([(1, 50), (2, 100), (4, 99), (4, 99)])]
    found = flat_region(study([*on, trial(9, {"mode": "off"}, 99)]), knobs)
    assert found.trials == (1, 2, 3)
    assert found.sentence.startswith("mode = on and batch ≥ 2: all 3 trials")


@pytest.mark.parametrize(
    "trials",
    [
        pytest.param([], id="no trials"),
        pytest.param([trial(1, {"batch": 1, "wait": 0.1}, violation=1.0)], id="none within the SLO"),
        pytest.param([trial(0, {"batch": 1, "wait": 0.0}), *grid([(1, 0.1, 5)])], id="the best outside the space"),
    ],
)
def test_without_a_best_configuration_in_the_space_there_is_no_region(trials):
    assert sentence(trials) is None


def test_the_best_alone_is_no_region_though_its_own_configuration_did_worse_another_time():
    found = flat_region(study(grid([(16, 0.1, 100), (16, 0.1, 50)])), BATCH_WAIT)
    assert found.trials == (1,)


def test_rates_of_zero_have_no_ratio_and_do_no_harm():
    assert flat_region(study(grid([(1, 0.1, 0.0), (2, 0.1, 0.0)])), BATCH_WAIT).trials == (1, 2)
    assert flat_region(study(grid([(1, 0.1, 0.0), (2, 0.1, 5.0)])), BATCH_WAIT).trials == (2,)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 25))
def test_the_region_holds_the_best_nothing_worse_and_no_value_that_was_not_measured(seed, count):
    rng = np.random.default_rng(seed)
    knobs = space(a={"uniform": [0, 1]}, b={"choice": ["x", "y", "z"]}, c={"randint": [1, 3]})
    trials = [trial(n, knobs.sample(rng), float(rng.choice([50, 99, 100]))) for n in range(count)]
    found = flat_region(study(trials), knobs)
    inside = [one for one in trials if all(_within(extent, one.configuration) for extent in found.extents)]
    assert found.best in found.trials
    assert {one.number for one in inside} == set(found.trials)
    assert min(one.score.value for one in inside) >= 0.98 * max(one.score.value for one in trials)


def _within(extent, configuration):
    value = configuration[extent.column.path]
    return extent.values[0] <= value <= extent.values[-1] if extent.column.knob.ordinal else value in extent.values


@pytest.mark.parametrize(
    ("knob", "values", "words", "free"),
    [
        pytest.param({"choice": [1, 2, 4]}, [4, 2], "k ≥ 2", False, id="to the upper end"),
        pytest.param({"choice": [4, 2, 1]}, [4, 2], "k ≥ 2", False, id="a list that falls"),
        pytest.param({"choice": [1, 2, 4]}, [1, 2, 2], "k ≤ 2", False, id="from the lower end"),
        pytest.param({"choice": [1, 2, 4, 8]}, [2, 4], "k from 2 to 4", False, id="in the middle"),
        pytest.param({"choice": [1, 2, 4]}, [4], "k = 4", False, id="one value"),
        pytest.param({"choice": [1, 2, 4]}, [1, 4], "k from 1 to 4", True, id="end to end"),
        pytest.param({"choice": ["a", "b", "c"]}, ["c", "a"], "k = c or a", False, id="without an order"),
        pytest.param({"choice": ["a", "b"]}, ["b", "a"], "k = b or a", True, id="without an order, all"),
        pytest.param({"uniform": [0, 1]}, [0.04, 0.5], "k ≤ 0.5", False, id="nearly at the end"),
        pytest.param({"uniform": [0, 1]}, [0.06, 0.5], "k from 0.06 to 0.5", False, id="not at the end"),
        pytest.param({"randint": [3, 3]}, [3], "k = 3", True, id="a knob with one value"),
    ],
)
def test_an_extent_claims_an_end_only_if_it_was_reached(knob, values, words, free):
    extent = extent_of(Column("k", "k", "k", parse_knob(knob)), values)
    assert str(extent) == words
    assert extent.free is free
