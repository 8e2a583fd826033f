import math
from itertools import pairwise

import pytest

from orchestrator.result import Status
from orchestrator.search.loss import NOT_MEASURED, distance, loss

COMPLETE = Status.COMPLETE
BEST_TO_WORST = [
    pytest.param([1e300, 1e9, 4000.001, 4000, 1250, 1, 1e-9, 0, -1e-9, -5, -1e300], True, id="maximize"),
    pytest.param([-1e300, -5, 0, 1e-9, 0.5, 50, 50.00001, 1e9, 1e300], False, id="minimize"),
]


@pytest.mark.parametrize(("values", "maximize"), BEST_TO_WORST)
def test_a_better_value_has_a_lower_loss(values, maximize):
    losses = [loss(COMPLETE, value, 0.0, maximize) for value in values]
    assert all(better < worse for better, worse in pairwise(losses))


@pytest.mark.parametrize("maximize", [True, False])
def test_a_violation_is_worse_than_everything_within_the_slo_and_graded(maximize):
    within = max(loss(COMPLETE, value, 0.0, maximize) for value in (-1e308, 0.0, 1e308))
    violations = [1e-6, 0.01, 0.5, 3, 1000, 1e300]
    losses = [loss(COMPLETE, value, violation, maximize) for violation in violations for value in (1e308,)]
    assert within < losses[0]
    assert all(smaller < larger for smaller, larger in pairwise(losses))
    assert losses[-1] <= loss(COMPLETE, 0.0, math.inf, maximize) < NOT_MEASURED


def test_the_value_does_not_count_while_the_slo_is_violated():
    assert loss(COMPLETE, 5.0, 0.5, True) == loss(COMPLETE, 900.0, 0.5, True) == loss(COMPLETE, math.nan, 0.5, True)


@pytest.mark.parametrize(
    ("status", "value", "violation"),
    [
        pytest.param(Status.FAILED, None, None, id="failed"),
        pytest.param(Status.INFEASIBLE, None, None, id="infeasible"),
        pytest.param(Status.INVALID, 9000.0, 0.0, id="invalid in spite of a number"),
        pytest.param(COMPLETE, None, None, id="no score"),
        pytest.param(COMPLETE, math.nan, 0.0, id="NaN"),
        pytest.param(COMPLETE, math.inf, 0.0, id="infinite"),
        pytest.param(COMPLETE, 1.0, math.nan, id="NaN violation"),
    ],
)
def test_what_was_not_measured_is_worst_and_still_finite(status, value, violation):
    assert loss(status, value, violation, True) == NOT_MEASURED
    assert math.isfinite(NOT_MEASURED)


def test_the_distance_from_the_slo_grows_with_the_excess_and_changes_its_sign_at_the_limit():
    within = [distance(0.0, excess) for excess in (-1.0, -0.9, -0.5, -0.1)]
    broken = [distance(violation, violation) for violation in (1e-9, 0.01, 1.0, 1000.0, math.inf)]
    assert all(nearer < farther for nearer, farther in pairwise([*within, *broken]))
    assert -1 < within[0] < within[-1] < 0 < broken[0] < broken[-1] <= 1
    assert distance(None, None) == 1.0, "nothing was measured"


@pytest.mark.parametrize("excess", [None, math.nan])
def test_what_keeps_the_slo_without_saying_how_well_is_within(excess):
    assert distance(0.0, -0.9) < distance(0.0, excess) < distance(0.0, -0.05)


def test_a_limit_that_has_failed_though_the_figures_keep_it_is_broken():
    assert distance(0.001, -0.02) > 0
