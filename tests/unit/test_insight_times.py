"""Where the time went, by configuration."""

import pytest

from orchestrator.insight.times import times
from orchestrator.result import Status
from tests.fakes.studies import study, trial

PARTS = {"compute_share": 0.25, "backlog_share": 0.75, "compute_ms_tail": 2.0, "tail_requests": 9.0}


def test_parts_add_up_to_the_mean_response_time_of_the_trial():
    (found,) = times(study([trial(0, {}, details=PARTS)]))
    assert found.mean_ms == {"backlog": pytest.approx(7.5), "compute": pytest.approx(2.5)}
    assert found.tail_ms == {"compute": 2.0}


def test_the_best_stand_first_and_those_over_the_slo_last():
    trials = [
        trial(0, {}, 10, details=PARTS),
        trial(1, {}, 99, violation=0.5, details=PARTS),
        trial(2, {}, 30, details=PARTS),
        trial(3, {}, 98, violation=0.1, details=PARTS),
    ]
    assert [one.trial.number for one in times(study(trials))] == [2, 0, 3, 1]
    assert [one.trial.number for one in times(study(trials, maximize=False))] == [0, 2, 3, 1]


def test_trials_that_do_not_tell_or_cannot_be_trusted_are_left_out():
    trials = [trial(0, {}), trial(1, {}, status=Status.FAILED), trial(2, {}, details=PARTS, status=Status.INVALID)]
    assert times(study(trials)) == ()
