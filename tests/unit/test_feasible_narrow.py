"""A space, narrowed to what can run, and the file that it stands in."""

import pytest
import yaml

from orchestrator.experiment.rewrite import rewritten
from orchestrator.feasible import Cap, narrow

REPLICAS, QUEUED = "Model.num_replicas", "Model.max_queued_requests"


@pytest.mark.parametrize(
    ("knob", "cap", "after"),
    [
        pytest.param({"randint": [1, 8]}, Cap(4, ""), [1, 4], id="a range ends there"),
        pytest.param({"randint": [1, 8]}, Cap(4.9, ""), [1, 4], id="whole numbers below it"),
        pytest.param({"uniform": [0.5, 8.0]}, Cap(4.5, ""), [0.5, 4.5], id="real numbers up to it"),
        pytest.param({"quniform": [1, 9, 2]}, Cap(6, ""), [1, 6, 2], id="the step stays"),
        pytest.param({"choice": [1, 2, 4, 8]}, Cap(4, ""), [1, 2, 4], id="larger choices go"),
        pytest.param({"choice": [8, "auto", 2]}, Cap(4, ""), ["auto", 2], id="what is no number stays"),
        pytest.param({"choice": [2, 8, 32]}, Cap(5, "", reach=True), [2, 8], id="the first that is enough stays"),
        pytest.param({"choice": [2, 4]}, Cap(5, "", reach=True), None, id="none is enough, so all stay"),
        pytest.param({"randint": [8, 64]}, Cap(5, "", reach=True), [8, 8], id="the lowest is enough"),
        pytest.param({"randint": [1, 64]}, Cap(4.2, "", reach=True), [1, 5], id="enough is rounded up"),
        pytest.param({"randint": [1, 4]}, Cap(4, ""), None, id="what fits is not changed"),
        pytest.param({"choice": [1, 2]}, Cap(4, ""), None, id="nor what fits easily"),
    ],
)
def test_the_values_of_a_knob_end_at_its_cap(knob, cap, after):
    changes = narrow({REPLICAS: knob}, {REPLICAS: cap}).changes
    assert [list(change.after) for change in changes] == ([] if after is None else [after])


def test_a_queue_without_a_limit_is_the_longest():
    (change,) = narrow({QUEUED: {"choice": [-1, 8, 64]}}, {QUEUED: Cap(9, "", reach=True)}).changes
    assert change.after == (8, 64)


def test_a_knob_of_which_no_value_is_left_is_told_and_stays():
    found = narrow({REPLICAS: {"randint": [4, 8]}}, {REPLICAS: Cap(3, "3 fit by memory")})
    assert found.changes == ()
    assert found.impossible == ("Model.num_replicas: none of its values is left below 3: 3 fit by memory",)


def test_knobs_within_conditions_are_narrowed_at_their_place():
    space = {"Model.user_config.mode": {"condition": {"a": None, "b": {REPLICAS: {"randint": [1, 8]}}}}}
    (change,) = narrow(space, {REPLICAS: Cap(2, "why")}).changes
    assert change.place == ("space", "Model.user_config.mode", "condition", "b", REPLICAS, "randint")
    assert (change.before, change.after, change.why) == ((1, 8), (1, 2), "why")


TEXT = """\
# what this is about
space:
  Model.num_replicas: {randint: [ 1, 8 ]}  # as many as fit
  Model.max_queued_requests: {choice: [8, 1e2, "no"]}
  Model.max_ongoing_requests:
    choice:
      - 4    # the smallest
      - 16
      # the largest
      - 64
search: {trials: 3}
"""
RANGE = ("space", "Model.num_replicas", "randint")
CHOICE = ("space", "Model.max_queued_requests", "choice")
LINES = ("space", "Model.max_ongoing_requests", "choice")


@pytest.mark.parametrize(
    ("place", "before", "after", "old", "new"),
    [
        pytest.param(RANGE, (1, 8), (1, 2), "[ 1, 8 ]", "[ 1, 2 ]", id="one number"),
        pytest.param(CHOICE, (8, 100.0, "no"), (8, "no"), '[8, 1e2, "no"]', '[8, "no"]', id="an item of a row"),
        pytest.param(CHOICE, (8, 100.0, "no"), (100.0,), '[8, 1e2, "no"]', "[1e2]", id="what stays is as it was"),
        pytest.param(LINES, (4, 16, 64), (4, 16), "      - 64\n", "", id="an item with a line of its own"),
        pytest.param(LINES, (4, 16, 64), (16, 64), "      - 4    # the smallest\n", "", id="with its comment"),
    ],
)
def test_nothing_else_of_the_file_is_touched(place, before, after, old, new):
    assert TEXT.count(old) == 1
    assert rewritten(TEXT, {place: (before, after)}) == TEXT.replace(old, new)


def test_several_lists_are_rewritten_at_once():
    text = rewritten(TEXT, {RANGE: ((1, 8), (1, 2)), LINES: ((4, 16, 64), (4,)), CHOICE: ((8, 1e2, "no"), (8,))})
    assert yaml.safe_load(text)["space"] == {
        "Model.num_replicas": {"randint": [1, 2]},
        "Model.max_queued_requests": {"choice": [8]},
        "Model.max_ongoing_requests": {"choice": [4]},
    }


@pytest.mark.parametrize(
    "place", [("space", "Other", "choice"), ("search",), LINES[:-1]], ids=["no such knob", "a mapping", "its parent"]
)
def test_a_list_that_is_not_there_cannot_be_rewritten(place):
    with pytest.raises(ValueError, match="there is no list of 3 items"):
        rewritten(TEXT, {place: ((4, 16, 64), (4,))})
