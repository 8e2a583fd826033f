"""What a reference names where a store has studies and comparisons of workloads."""

from datetime import datetime, timezone

import pytest

from orchestrator.errors import UsageError
from orchestrator.tracking.port import Comparison, StudySummary, find_comparison, find_study


def at(minute):
    return datetime(2026, 1, 1, 12, minute, tzinfo=timezone.utc)


def study(study_id, name, minute):
    return StudySummary(study_id, name, at(minute), "FINISHED")


def comparison(comparison_id, name, minute):
    return Comparison(comparison_id, name, at(minute))


FEW, MANY = study("a1", "clothing:few", 1), study("a2", "clothing:many", 2)
STUDIES = [study("b7", "digits", 8), MANY, FEW, study("b1", "clothing", 0)]
COMPARISONS = [comparison("c2", "svhn", 6), comparison("c1", "clothing", 4), comparison("d9", "clothing", 3)]


@pytest.mark.parametrize(
    ("ref", "found"),
    [
        pytest.param("clothing", "c1", id="an experiment's latest, and not an earlier study of that name"),
        pytest.param("clothing.compared", "c1", id="the name in the store"),
        pytest.param("d9", "d9", id="an id"),
        pytest.param("d", "d9", id="the beginning of an id"),
        pytest.param("c", None, id="the beginning of two ids"),
        pytest.param("clothing:few", None, id="a study of one workload"),
        pytest.param("digits", None, id="an experiment without workloads"),
        pytest.param("b", None, id="the beginning of ids of studies"),
        pytest.param("nothing", None, id="nothing"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="the latest of all, a study"),
    ],
)
def test_a_comparison_is_found_where_no_study_is_meant(ref, found):
    comparison = find_comparison(ref, COMPARISONS, STUDIES)
    assert (comparison and comparison.comparison_id) == found


def test_the_latest_of_all_may_be_a_comparison():
    assert find_comparison(None, COMPARISONS, STUDIES[1:]) is COMPARISONS[0]
    assert find_comparison(None, [], []) is None


def test_a_study_that_came_after_the_comparison_of_its_name_is_meant():
    assert find_comparison("clothing", COMPARISONS, [study("b9", "clothing", 5), *STUDIES]) is None


def test_of_an_experiment_that_has_workloads_and_no_comparison_the_studies_are_listed():
    with pytest.raises(UsageError, match="'clothing' has a study for each workload") as caught:
        find_study("clothing", [MANY, FEW])
    assert "clothing:many" in str(caught.value)
    assert "clothing:few" in str(caught.value)
