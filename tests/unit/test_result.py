"""What comes out of trials and studies: which trial wins, and what makes no sense."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from orchestrator.measure.verdict import Verdict
from orchestrator.result import Confirmation, Objective, Ratio, Score, Status, StudyResult, TrialResult, best_of
from tests.fakes.trials import observation, samples

MEASURED = observation(samples(100, 3.0), (1.0, 3.0)).measurement


def trial(number, value, violation=0.0, shown=True, status=Status.COMPLETE):
    reasons = () if status is Status.COMPLETE else ("why",)
    return TrialResult(number, {}, status, reasons, measurement=MEASURED, score=Score(value, violation, shown))


@pytest.mark.parametrize(
    ("trials", "best"),
    [
        pytest.param([], None, id="no trials"),
        pytest.param([trial(0, 10), trial(1, 30), trial(2, 20)], 1, id="the highest"),
        pytest.param([trial(1, 30), trial(0, 30)], 0, id="the earliest of equals"),
        pytest.param([trial(0, 10), trial(1, 30, violation=0.1)], 0, id="none that breaks the SLO"),
        pytest.param([trial(0, 10), trial(1, 30, status=Status.INVALID)], 0, id="none that cannot be trusted"),
        pytest.param([trial(0, 10), trial(1, 30, shown=False)], 0, id="one shown to keep the SLO before all others"),
        pytest.param([trial(0, 10, shown=False), trial(1, 30, shown=False)], 1, id="the highest, where none was shown"),
        pytest.param([trial(0, 10, violation=1), trial(1, 30, status=Status.INVALID)], None, id="nothing to choose"),
    ],
)
def test_the_best_trial_is_the_highest_that_was_shown_to_keep_the_slo(trials, best):
    found = best_of(tuple(trials), maximize=True)
    assert (found.number if found else None) == best


def test_where_less_is_better_the_lowest_wins_and_one_that_was_shown_still_comes_first():
    trials = (trial(0, 30), trial(1, 20), trial(2, 10, shown=False))
    assert best_of(trials, maximize=False).number == 1


def test_a_score_of_one_figure_has_no_others():
    score = Score(10.0, 0.0)
    assert score.values == (10.0,)
    assert [math.isnan(width) for width in score.half_widths] == [True]
    with pytest.raises(ValueError, match="2 values cannot have 1 half-widths"):
        Score(1.0, 0.0, values=(1.0, 2.0), half_widths=(0.1,))


def scored(number, *values, **changes):
    return replace(
        trial(number, values[0], **changes),
        score=Score(values[0], changes.get("violation", 0.0), changes.get("shown", True), values),
    )


@pytest.mark.parametrize(
    ("trials", "front"),
    [
        pytest.param([], [], id="no trials"),
        pytest.param([scored(0, 10, 5), scored(1, 30, 9), scored(2, 20, 9)], [0, 1], id="what no other dominates"),
        pytest.param([scored(0, 10, 5), scored(1, 30, 1, violation=0.1)], [0], id="none that breaks the SLO"),
        pytest.param([scored(0, 10, 5), scored(1, 30, 1, shown=False)], [0], id="none that was not shown to keep it"),
        pytest.param([scored(1, 30, 1, shown=False)], [1], id="but where there is no other"),
        pytest.param([scored(0, 10, 5), scored(1, 30, 1, status=Status.INVALID)], [0], id="none that is not trusted"),
    ],
)
def test_the_front_is_made_of_what_could_win(trials, front):
    study = StudyResult(
        "1", "x", "nsga2", 0, True, "throughput_rps", tuple(trials), (Objective("latency_p99_ms", False),)
    )
    assert [found.number for found in study.front] == front
    assert study.best is None or study.best in study.front


def test_with_one_objective_the_front_is_the_best_and_its_equals():
    study = StudyResult("1", "x", "random", 0, True, "throughput_rps", (trial(0, 5), trial(1, 9), trial(2, 9)))
    assert [str(objective) for objective in study.objectives] == ["maximize throughput_rps"]
    assert [found.number for found in study.front] == [1, 2]


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param({"throughput_rps": 400.0, "items_per_s": 400.0}, id="requests of the same size"),
        pytest.param({"throughput_rps": 50.0, "items_per_s": 400.0}, id="fewer requests of more items"),
    ],
)
def test_the_gain_is_that_of_the_best_over_the_baseline(figures):
    faster = replace(MEASURED, latency_p99_ms=5.0, **figures)
    study = StudyResult(
        "1", "x", "random", 0, True, "throughput_rps", (trial(0, 1), replace(trial(1, 2), measurement=faster))
    )
    assert {name: ratio.value for name, ratio in study.gain.items()} == {
        "throughput": pytest.approx(4),
        "p99": pytest.approx(2),
    }
    assert all(math.isnan(ratio.confidence) for ratio in study.gain.values())


def test_a_confirmation_decides_who_is_best_who_is_recommended_and_what_is_gained():
    gain = {"throughput": Ratio(2.0, 1.9, 2.1, 0.99)}
    trials = (trial(0, 10), trial(1, 30), trial(2, 20), trial(3, 25))
    study = StudyResult("1", "x", "random", 0, True, "throughput_rps", trials)
    assert (study.best.number, study.recommended.number) == (1, 1)
    study = replace(study, confirmation=Confirmation((), 3, 3, (3, 2), 2, "fewer replicas", gain))
    assert (study.best.number, study.recommended.number, study.gain) == (3, 2, gain)
    study = replace(study, confirmation=Confirmation((), 3, None, (), None, "", {}))
    assert (study.best, study.recommended, study.gain) == (None, None, {})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"score": None}, "has a measurement and a score", id="complete without a score"),
        pytest.param({"measurement": None}, "has a measurement and a score", id="complete without figures"),
        pytest.param({"status": Status.FAILED, "reasons": ("x",)}, "FAILED has no score", id="failed with a score"),
        pytest.param({"status": Status.INVALID}, "INVALID states its reasons", id="invalid without a reason"),
        pytest.param({"confirms": 3}, "which trial it confirms, and for which time", id="a replication of no number"),
    ],
)
def test_a_result_that_contradicts_itself_is_an_error(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(trial(1, 10), **changes)


def test_a_verdict_needs_a_measurement():
    measured = replace(trial(1, 10), verdicts={"latency_p99_ms": Verdict.PASS, "error_ratio": Verdict.UNDECIDED})
    assert measured.verdict is Verdict.UNDECIDED
    assert TrialResult(1, {}, Status.INFEASIBLE, ("no room",)).verdict is None
