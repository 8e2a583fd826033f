import datetime
import math
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.space import KINDS, Condition, KnobRow, Space, parse_knob

NUMERIC = [  # YAML, lowest, highest, number of values (None: no end)
    pytest.param({"uniform": [-1, 2.5]}, -1.0, 2.5, None, id="uniform"),
    pytest.param({"loguniform": [0.0001, 0.02]}, 0.0001, 0.02, None, id="loguniform"),
    pytest.param({"quniform": [0.1, 0.75, 0.1]}, 0.1, 0.7, 7, id="quniform"),
    pytest.param({"quniform": [8, 32, 8]}, 8, 32, 4, id="quniform of whole numbers"),
    pytest.param({"randint": [-2, 5]}, -2, 5, 8, id="randint"),
    pytest.param({"lograndint": [1, 64]}, 1, 64, 64, id="lograndint"),
    pytest.param({"lograndint": [3, 1000]}, 3, 1000, 998, id="lograndint above 1"),
    pytest.param({"choice": [1, 2, 4, 8.5]}, 1, 8.5, 4, id="rising choice"),
    pytest.param({"uniform": [3, 3]}, 3.0, 3.0, 1, id="uniform of one number"),
    pytest.param({"loguniform": [3, 3]}, 3.0, 3.0, 1, id="loguniform of one number"),
    pytest.param({"randint": [3, 3]}, 3, 3, 1, id="randint of one number"),
    pytest.param({"lograndint": [3, 3]}, 3, 3, 1, id="lograndint of one number"),
]

CONDITION = {
    "condition": {
        "int8": {"args.threads": {"randint": [1, 2]}, "args.group": {"choice": [32, 64, 128]}},
        "fp32": {"args.threads": {"choice": [4]}},
        None: None,
    }
}

NESTED = {
    "condition": {
        True: {"app.kind": {"condition": {"a": {"app.x": {"quniform": [0, 1, 0.5]}}, "b": {}}}},
        False: {},
    }
}


def read(knobs):
    return Space(knobs={path: parse_knob(raw) for path, raw in knobs.items()})


def space(**knobs):
    return read({path.replace("__", "."): raw for path, raw in knobs.items()})


@pytest.mark.parametrize(("raw", "lowest", "highest", "size"), NUMERIC)
def test_both_bounds_are_included_exactly(raw, lowest, highest, size):
    knob = parse_knob(raw)
    for unit, end in ((0, lowest), (-0.1, lowest), (1, highest), (1.1, highest)):
        assert knob.decode(unit) == end
        assert type(knob.decode(unit)) is type(end)
    assert knob.contains(lowest)
    assert knob.contains(highest)
    assert knob.size == size
    assert knob.ordinal


@pytest.mark.parametrize(("raw", "lowest", "highest", "size"), NUMERIC)
def test_numbers_rise_with_the_unit_coordinate_and_come_back_from_it(raw, lowest, highest, size):
    knob = parse_knob(raw)
    values = [knob.decode(unit) for unit in np.linspace(0, 1, 8001)]
    assert values == sorted(values)
    assert all(knob.contains(value) and type(value) in (int, float) for value in values)
    if size is not None:
        assert len(set(values)) == size
    for value in values[::40]:
        assert 0 <= knob.encode(value) <= 1
        assert knob.decode(knob.encode(value)) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("raw", "lowest", "highest", "size"), NUMERIC)
def test_what_is_beside_a_range_is_not_in_it(raw, lowest, highest, size):
    knob = parse_knob(raw)
    outside = [lowest - 1e-9, highest + 1e-9, math.nan, math.inf, None, "3", True, [lowest]]
    assert not any(knob.contains(value) for value in outside)


@given(low=st.integers(1, 10**6), span=st.integers(0, 10**6), part=st.floats(0, 1), logarithmic=st.booleans())
def test_every_whole_number_comes_back_from_its_coordinate(low, span, part, logarithmic):
    knob = parse_knob({"lograndint" if logarithmic else "randint": [low, low + span]})
    value = low + round(part * span)
    assert knob.decode(knob.encode(value)) == value


@given(
    low=st.floats(1e-12, 1e12),
    factor=st.floats(1, 1e12),
    unit=st.floats(0, 1),
    kind=st.sampled_from(["uniform", "loguniform"]),
)
def test_rounding_never_leaves_a_range(low, factor, unit, kind):
    knob = parse_knob({kind: [low, low * factor]})
    assert low <= knob.decode(unit) <= low * factor


@pytest.mark.parametrize(
    ("raw", "shares"),
    [
        pytest.param({"randint": [1, 4]}, {1: 0.25, 2: 0.25, 3: 0.25, 4: 0.25}, id="randint"),
        pytest.param({"lograndint": [1, 3]}, {1: 0.5, 2: 0.292, 3: 0.208}, id="lograndint"),
        pytest.param({"quniform": [0, 1, 0.25]}, dict.fromkeys((0, 0.25, 0.5, 0.75, 1), 0.2), id="quniform"),
        pytest.param({"choice": [8, 4, 64]}, dict.fromkeys((8, 4, 64), 1 / 3), id="choice"),
    ],
)
def test_listed_values_have_their_share_of_the_unit_interval(raw, shares):
    knob = parse_knob(raw)
    values = [knob.decode(unit) for unit in (np.arange(10000) + 0.5) / 10000]
    assert {value: values.count(value) / 10000 for value in shares} == pytest.approx(shares, abs=1e-3)


def test_a_logarithmic_range_gives_every_doubling_the_same_share():
    knob = parse_knob({"loguniform": [1, 16]})
    assert [knob.decode(unit) for unit in (0, 0.25, 0.5, 0.75, 1)] == pytest.approx([1, 2, 4, 8, 16])


def test_a_decimal_grid_has_the_numbers_that_people_write():
    grid = parse_knob({"quniform": [0.1, 0.5, 0.1]})
    assert [grid.decode(unit) for unit in (0.1, 0.3, 0.5, 0.7, 0.9)] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert not grid.contains(0.25)


@pytest.mark.parametrize(
    ("values", "ordinal"),
    [
        pytest.param([1, 2, 4], True, id="rising"),
        pytest.param([4, 2.5, 1], True, id="falling"),
        pytest.param([1, 4, 2], False, id="up and down"),
        pytest.param(["a", "b"], False, id="texts"),
        pytest.param([0, 1, None], False, id="with null"),
        pytest.param([False, True], False, id="bools"),
    ],
)
def test_only_numbers_in_order_are_ordinal(values, ordinal):
    assert parse_knob({"choice": values}).ordinal is ordinal


def test_a_choice_keeps_its_values_as_they_are():
    values = [1, 1.5, "1", True, None, [1, 2], {"min_replicas": 1}]
    knob = parse_knob({"choice": values})
    decoded = [knob.decode(knob.encode(value)) for value in values]
    assert decoded == values
    assert list(map(type, decoded)) == list(map(type, values))
    assert knob.contains(1.0)
    assert not knob.contains(0)
    decoded[5].append(3)  # the caller's list, not the knob's
    assert knob.contains([1, 2])


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(5, "found 5, but a knob is one kind with its range", id="no mapping"),
        pytest.param({}, "found {}, but a knob", id="no kind"),
        pytest.param({"choice": [1], "randint": [1, 2]}, "but a knob is one kind", id="two kinds"),
        pytest.param({"randnt": [1, 2]}, f"did you mean 'randint'? allowed: {', '.join(KINDS)}", id="typo"),
        pytest.param({7: [1, 2]}, "unknown kind of knob '7'; allowed", id="number as a kind"),
        pytest.param({"uniform": [1]}, "uniform takes [low, high]; found [1]", id="one bound"),
        pytest.param({"quniform": [1, 2]}, "quniform takes [low, high, step]; found [1, 2]", id="no step"),
        pytest.param({"randint": "1-4"}, 'randint takes a list; found "1-4"', id="bounds as text"),
        pytest.param({"randint": [5, 2]}, "low 5 is above high 2", id="bounds reversed"),
        pytest.param({"quniform": [5, 2, 1]}, "low 5 is above high 2", id="grid reversed"),
        pytest.param({"uniform": ["1e-4", 1]}, 'low is "1e-4", which is not a finite number', id="text"),
        pytest.param({"uniform": [0, math.inf]}, "high is Infinity, which is not a finite number", id="infinity"),
        pytest.param({"uniform": [False, 1]}, "low is false", id="bool"),
        pytest.param({"uniform": [None, 1]}, "low is null", id="null"),
        pytest.param({"uniform": [0, 10**400]}, "not a finite number", id="beyond floats"),
        pytest.param({"randint": [1, 2.5]}, "high is 2.5, which is not a whole number", id="fraction"),
        pytest.param({"loguniform": [0, 1]}, "low is 0, but a logarithmic range starts above 0", id="log of 0"),
        pytest.param({"lograndint": [0, 8]}, "low is 0, but a logarithmic range starts at 1", id="log of whole 0"),
        pytest.param({"quniform": [0, 1, 0]}, "step is 0, but a step is above 0", id="no step forward"),
        pytest.param({"quniform": [0, 1e9, 0.1]}, "use uniform", id="too fine a grid"),
        pytest.param({"choice": []}, "choice is empty", id="empty choice"),
        pytest.param({"choice": 4}, "choice takes a list; found 4", id="choice of no list"),
        pytest.param({"choice": [4, 2, 4]}, "choice has 4 twice", id="value twice"),
        pytest.param({"choice": ["a", "a"]}, 'choice has "a" twice', id="text twice"),
        pytest.param({"choice": [1, math.nan]}, "choice has nan (float)", id="NaN as a value"),
        pytest.param({"choice": [datetime.date(2024, 1, 31)]}, "choice has 2024-01-31 (date)", id="date"),
        pytest.param({"condition": ["a"]}, "condition takes a mapping of values to their knobs", id="list"),
        pytest.param({"condition": {}}, "condition is empty", id="no branches"),
        pytest.param({"condition": {"a": 3}}, "branch a takes a mapping of paths to knobs; found 3", id="branch"),
        pytest.param({"condition": {"a": {7: {"choice": [1]}}}}, "branch a: 7 is not a path", id="path"),
        pytest.param(
            {"condition": {"a": {"x": {"condition": {None: {"y": {"randint": [2, 1]}}}}}}},
            "branch a: x: branch null: y: low 2 is above high 1",
            id="deep inside",
        ),
        pytest.param(
            {"condition": {"a": {"x": {"choice": [1]}, "x.y": {"choice": [1]}}}},
            "x.y is a part of x, which is set as a whole at the same time",
            id="clash in a branch",
        ),
    ],
)
def test_a_knob_that_makes_no_sense_is_refused_in_a_plain_sentence(raw, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        parse_knob(raw)
    assert message in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        pytest.param(
            {"a": {"condition": {"x": {"b": {"choice": [1]}}}}, "b": {"choice": [1]}},
            "b stands in two places",
            id="branch",
        ),
        pytest.param({"a": {"condition": {"x": {"a": {"choice": [1]}}}}}, "a stands in two places", id="itself"),
        pytest.param(
            {
                "a": {"condition": {"x": {"c": {"choice": [1]}}}},
                "b": {"condition": {"x": {"c": {"choice": [1]}}}},
            },
            "c stands in two places",
            id="two conditions",
        ),
        pytest.param({"a__b": {"choice": [1]}, "a": {"choice": [2]}}, "a.b is a part of a", id="part of a whole"),
    ],
)
def test_nothing_is_set_twice_at_the_same_time(knobs, message):
    with pytest.raises(ValueError, match=message):
        space(**knobs)


def test_branches_that_exclude_each_other_may_set_the_same_path():
    assert space(args__precision=CONDITION).paths() == ("args.precision", "args.threads", "args.group")


def test_paths_with_a_common_beginning_are_different_paths():
    assert space(a={"choice": [1]}, ab={"choice": [1]}).paths() == ("a", "ab")


@pytest.mark.parametrize(
    ("knobs", "size"),
    [
        pytest.param({}, 1, id="no knobs"),
        pytest.param({"a": {"choice": [1, 2, 3]}, "b": {"randint": [0, 4]}}, 15, id="product"),
        pytest.param({"a": {"choice": [1, 2]}, "b": {"uniform": [0, 1]}}, None, id="no end of values"),
        pytest.param({"a": {"choice": [1, 2]}, "b": {"uniform": [1, 1]}}, 2, id="a fixed value"),
        pytest.param({"a": CONDITION}, 2 * 3 + 1 + 1, id="condition"),
        pytest.param({"a": NESTED, "b": {"choice": [1, 2]}}, (3 + 1 + 1) * 2, id="nested condition"),
        pytest.param({"a": {"condition": {1: {"b": {"uniform": [0, 1]}}, 2: None}}}, None, id="endless branch"),
    ],
)
def test_the_size_counts_distinct_configurations(knobs, size):
    counted = space(**knobs)
    assert counted.size() == size
    if size is not None:
        rng = np.random.default_rng(0)
        assert len({repr(counted.sample(rng)) for _ in range(50 * size)}) == size


def test_only_the_knobs_of_the_active_branch_are_set():
    conditional = space(a=NESTED, b={"randint": [1, 2]})
    rng = np.random.default_rng(1)
    drawn = {tuple(conditional.sample(rng)) for _ in range(100)}
    assert drawn == {("a", "app.kind", "app.x", "b"), ("a", "app.kind", "b"), ("a", "b")}


def test_samples_are_plain_values_of_the_space_and_depend_on_the_seed_alone():
    everything = space(
        **{f"k{index}": case.values[0] for index, case in enumerate(NUMERIC)},
        c={"choice": ["a", None, True]},
        d=NESTED,
        e=CONDITION,
    )
    first, second = (
        [everything.sample(rng) for _ in range(200)] for rng in (np.random.default_rng(7), np.random.default_rng(7))
    )
    assert first == second
    assert all(everything.contains(configuration) for configuration in first)
    kinds = {type(value) for configuration in first for value in configuration.values()}
    assert kinds == {int, float, str, bool, type(None)}


@pytest.mark.parametrize(
    ("configuration", "contained"),
    [
        pytest.param({"a": "int8", "args.threads": 2, "args.group": 32}, True, id="one branch"),
        pytest.param({"a": "fp32", "args.threads": 4}, True, id="another branch"),
        pytest.param({"a": None}, True, id="branch without knobs"),
        pytest.param({"a": "fp32", "args.threads": 2}, False, id="range of another branch"),
        pytest.param({"a": "int8", "args.threads": 2}, False, id="knob missing"),
        pytest.param({"a": None, "args.threads": 2}, False, id="inactive knob"),
        pytest.param({"a": "int4"}, False, id="no such branch"),
        pytest.param({}, False, id="empty"),
        pytest.param({"a": None, "b": 1}, False, id="unknown path"),
    ],
)
def test_a_space_contains_what_sets_exactly_the_active_knobs(configuration, contained):
    assert space(a=CONDITION).contains(configuration) is contained


def test_labels_tell_apart_what_shares_a_path_in_different_branches():
    conditional = space(a=CONDITION)
    labels = {
        coordinate.label
        for configuration in (
            {"a": "int8", "args.threads": 1, "args.group": 32},
            {"a": "fp32", "args.threads": 4},
        )
        for coordinate in conditional.active(configuration)
    }
    assert labels == {"a", "a[0]/args.threads", "a[0]/args.group", "a[1]/args.threads"}


def test_a_configuration_comes_back_from_its_coordinates():
    conditional = space(a=NESTED, b={"lograndint": [1, 100]}, c={"choice": ["x", 4, None]})
    rng = np.random.default_rng(3)
    for configuration in (conditional.sample(rng) for _ in range(100)):
        units = {
            coordinate.label: coordinate.knob.encode(configuration[coordinate.path])
            for coordinate in conditional.active(configuration)
        }
        assert conditional.configure(units.__getitem__) == configuration


def test_a_space_describes_itself_for_the_table_of_check():
    described = space(batch={"choice": [1, "auto", None]}, wait={"loguniform": [0.0001, 0.02]}, a=NESTED).describe()
    assert described == (
        KnobRow("batch", "choice", "1, auto, null", ""),
        KnobRow("wait", "loguniform", "0.0001 … 0.02", ""),
        KnobRow("a", "condition", "true, false", ""),
        KnobRow("app.kind", "condition", "a, b", "a = true"),
        KnobRow("app.x", "quniform", "0 … 1 by 0.5", "a = true and app.kind = a"),
    )


def test_a_space_is_frozen_and_survives_the_way_to_another_process():
    original = space(a=CONDITION, b={"quniform": [0, 1, 0.1]})
    assert pickle.loads(pickle.dumps(original)) == original
    assert isinstance(original.knobs["a"], Condition)
    with pytest.raises(ValueError, match="frozen"):
        original.knobs["b"].low = 5


GUIDE = Path(__file__).parents[2] / "docs" / "search.md"
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(), re.DOTALL)]


@pytest.mark.parametrize("example", [e["space"] for e in EXAMPLES if "space" in e], ids=lambda e: next(iter(e)))
def test_the_examples_of_the_guide_are_spaces(example):
    described = read(example)
    assert described.contains(described.sample(np.random.default_rng(0)))


def test_the_guide_has_an_example_of_every_kind():
    shown = {row.kind for e in EXAMPLES if "space" in e for row in read(e["space"]).describe()}
    assert shown == set(KINDS)
