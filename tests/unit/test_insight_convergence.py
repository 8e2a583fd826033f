"""The best so far: what counts for it, and where each trial came from."""

import math

import pytest

from orchestrator.insight.convergence import Phase, convergence
from orchestrator.result import Status
from tests.fakes.studies import study, trial

NAN = math.nan


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        pytest.param([], [], id="no trials"),
        pytest.param([trial(0, {}, 10), trial(1, {}, 30), trial(2, {}, 20)], [10, 30, 30], id="it only rises"),
        pytest.param([trial(0, {}, 10, violation=1), trial(1, {}, 5)], [NAN, 5], id="none before the SLO is kept"),
        pytest.param([trial(0, {}, status=Status.FAILED), trial(1, {}, 5)], [NAN, 5], id="a failed baseline"),
        pytest.param(
            [trial(0, {}, 10), trial(1, {}, 99, status=Status.INVALID)], [10, 10], id="INVALID does not count"
        ),
        pytest.param(
            [trial(0, {}, 30, shown=False), trial(1, {}, 10)], [30, 10], id="what is shown outdoes what is not"
        ),
    ],
)
def test_the_best_so_far_is_the_study_s_own(trials, best):
    assert [step.best for step in convergence(study(trials), 0)] == pytest.approx(best, nan_ok=True)


def test_where_less_is_better_the_best_so_far_falls():
    steps = convergence(study([trial(0, {}, 30), trial(1, {}, 10), trial(2, {}, 20)], maximize=False), 0)
    assert [step.best for step in steps] == [30, 10, 10]


@pytest.mark.parametrize(
    ("random_trials", "phases"),
    [(0, "model model model"), (2, "random random model"), (9, "random random random")],
)
def test_the_first_trials_after_the_baseline_are_the_random_ones(random_trials, phases):
    steps = convergence(study([trial(number, {}) for number in range(4)]), random_trials)
    assert [step.phase for step in steps] == [Phase.BASELINE, *map(Phase, phases.split())]
