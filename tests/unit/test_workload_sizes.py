"""Lengths of free axes: a number, or a distribution in the words of knobs."""

import pickle
from collections import Counter

import numpy as np
import pytest

from orchestrator.workload.plan import Workload
from orchestrator.workload.sizes import Sizes, parse_size

DRAWS = 1000


def drawn(raw, seed=0):
    rng, sizes = np.random.default_rng(seed), parse_size(raw)
    return [sizes.draw(rng) for _ in range(DRAWS)]


def shares(lengths):
    return {length: count / DRAWS for length, count in sorted(Counter(lengths).items())}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param({"randint": [3, 6]}, {3: 0.25, 4: 0.25, 5: 0.25, 6: 0.25}, id="all alike, both ends included"),
        pytest.param({"lograndint": [1, 3]}, {1: 0.5, 2: 0.2925, 3: 0.2075}, id="doublings alike"),
        pytest.param({"choice": [16, 64]}, {16: 0.5, 64: 0.5}, id="a choice"),
        pytest.param({"choice": [64, 16, 8], "weights": [1, 6, 3]}, {8: 0.3, 16: 0.6, 64: 0.1}, id="weights"),
        pytest.param({"randint": [7, 7]}, {7: 1.0}, id="a single length"),
    ],
)
def test_lengths_are_drawn_as_their_distribution_says(raw, expected):
    found = shares(drawn(raw))
    assert found == pytest.approx(expected, abs=0.06)
    assert all(type(length) is int for length in found)


def test_lengths_depend_on_the_seed_alone():
    raw = {"choice": [64, 16, 8], "weights": [1, 6, 3]}
    assert drawn(raw, seed=1) == drawn(raw, seed=1) != drawn(raw, seed=2)


def test_a_workload_with_a_distribution_survives_the_way_to_another_process():
    workload = Workload(dynamic_dim={"lograndint": [8, 512]})
    assert isinstance(workload.dynamic_dim, Sizes)
    assert pickle.loads(pickle.dumps(workload)) == workload
    assert Workload.model_validate(dict(workload)) == workload


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        pytest.param("many", "expected a whole number of at least 1 or a distribution .*, found 'many'", id="text"),
        pytest.param(1.5, "found 1.5", id="half"),
        pytest.param({}, "a distribution is one of randint, lograndint, choice; found an empty mapping", id="nothing"),
        pytest.param({"weights": [1]}, "a distribution is one of", id="weights alone"),
        pytest.param({"randint": [1, 2], "choice": [1]}, "a distribution is one of", id="two"),
        pytest.param({"randit": [1, 2]}, "unknown kind of distribution 'randit'; did you mean 'randint'", id="typo"),
        pytest.param({"uniform": [1, 2]}, "allowed: randint, lograndint, choice", id="fractions"),
        pytest.param({"randint": [9, 3]}, "low 9 is above high 3", id="wrong order"),
        pytest.param({"randint": 5}, "randint takes a list; found 5", id="no list"),
        pytest.param({"randint": [0, 3]}, "lengths are whole numbers of at least 1, found 0", id="empty axis"),
        pytest.param({"choice": [8, "x"]}, "of at least 1, found 'x'", id="text in a choice"),
        pytest.param({"choice": [8, True]}, "of at least 1, found true", id="truth in a choice"),
        pytest.param({"choice": []}, "choice is empty", id="empty choice"),
        pytest.param({"choice": [1, 2], "weights": [1]}, "weights are a list of 2 numbers", id="too few weights"),
        pytest.param({"choice": [1, 2], "weights": [1, 0]}, "a weight is a number above 0, found 0", id="no weight"),
        pytest.param({"randint": [1, 2], "weights": [1, 1]}, "go with a choice, not with randint", id="weighted range"),
    ],
)
def test_a_size_that_makes_no_sense_is_refused(raw, says):
    with pytest.raises(ValueError, match=says):
        parse_size(raw)
