"""A whole study with a fake back end: what is kept, when it ends, and that a seed repeats it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from orchestrator.backend.port import report
from orchestrator.errors import DeploymentFailedError, StudyAbortedError
from orchestrator.experiment import load_experiment
from orchestrator.result import Status, StudyResult, TrialResult
from orchestrator.search import ConfirmingSearch, make_searcher
from orchestrator.study import StudyRecord, run_study
from tests.fakes.tracker import MemoryTracker
from tests.fakes.trials import SerialBackend

DIGITS = Path(__file__).parents[2] / "search_spaces" / "digits.yaml"


class Watcher:
    def __init__(self) -> None:
        self.events: list[tuple] = []

    def study_started(self, study_id):
        self.events.append(("study", study_id))

    def trial_started(self, number, configuration, confirms):
        self.events.append(("started", number) if confirms is None else ("again", number, confirms))

    def trial_finished(self, result, incumbent):
        self.events.append(("finished", result.number, incumbent.number if incumbent else None))


def surface(application: dict) -> float:
    """More is better up to a batch of 16; a second replica helps by a tenth."""
    deployment = application["deployments"][0]
    batch = deployment["user_config"]["max_batch_size"]
    return (100 + 50 * min(batch, 16) - 2 * max(0, batch - 16)) * (1 + 0.1 * (deployment["num_replicas"] - 1))


def study(backend=None, tracker=None, watcher=None, seed=0, algorithm="hyperopt", trials=12, top=0) -> StudyResult:
    experiment = load_experiment(DIGITS).with_overrides(trials=trials, seed=seed, algorithm=algorithm)
    searcher = make_searcher(
        space=experiment.space,
        algorithm=algorithm,
        seed=seed,
        trials=trials,
        baseline=experiment.baseline(),
        maximize=[True],
    )
    return run_study(
        experiment,
        ConfirmingSearch(searcher, True, top, 3, 9),
        backend or SerialBackend(surface),
        tracker or MemoryTracker(),
        watcher or Watcher(),
        {},
    )


def test_the_baseline_is_measured_first_and_every_trial_once():
    watcher = Watcher()
    result = study(watcher=watcher)
    assert [trial.number for trial in result.trials] == list(range(13))
    assert [event[1] for event in watcher.events if event[0] == "started"] == list(range(13))
    assert result.baseline.configuration["Classifier.user_config.max_batch_size"] == 1


def test_the_best_trial_is_the_highest_within_the_slo_and_the_gain_is_over_the_baseline():
    result = study()
    assert result.best.score.value == max(trial.score.value for trial in result.trials)
    assert result.gain["throughput"].value == pytest.approx(result.best.score.value / result.baseline.score.value)
    assert result.gain["throughput"].value > 4
    assert result.gain["p99"].value == pytest.approx(1)


@pytest.mark.parametrize("algorithm", ["hyperopt", "random"])
def test_the_same_seed_and_the_same_numbers_give_the_same_sequence_of_configurations(algorithm):
    first, second, other = (study(algorithm=algorithm, seed=seed) for seed in (7, 7, 8))
    sequence = [trial.configuration for trial in first.trials]
    assert sequence == [trial.configuration for trial in second.trials]
    assert sequence != [trial.configuration for trial in other.trials]


def test_the_tracker_holds_what_the_study_returns():
    tracker = MemoryTracker()
    result = study(tracker=tracker)
    assert tracker.load_study(result.study_id).trials == result.trials
    assert tracker.studies()[0].status == "FINISHED"


class Listed:
    """Suggests these batch sizes with two replicas, and keeps what it is told."""

    pruned: ClassVar = {}

    def __init__(self, *sizes):
        self.left, self.heard = list(enumerate(sizes)), []

    def suggest(self, trial_id):
        if not self.left:
            return None
        number, size = self.left.pop(0)
        knobs = {"Classifier.num_replicas": 2, "Classifier.user_config.max_batch_size": size}
        return {"number": number, "configuration": knobs}

    def on_trial_complete(self, trial_id, result=None, error=False):
        self.heard.append(result)


TWO_OBJECTIVES = """\
objective:
  - {maximize: throughput_rps}
  - {minimize: cost_per_million}
prices: {cpu_hour: 0.36}
"""


def test_with_several_objectives_the_searcher_and_the_tracker_hear_of_each(tmp_path):
    text = DIGITS.read_text(encoding="utf-8").replace("objective: {maximize: throughput_rps}\n", TWO_OBJECTIVES)
    (tmp_path / "digits.yaml").write_text(text, encoding="utf-8")
    experiment, tracker, searcher = load_experiment(tmp_path / "digits.yaml"), MemoryTracker(), Listed(1, 2, 64)
    result = run_study(experiment, searcher, SerialBackend(surface), tracker, Watcher(), {})
    assert [str(goal) for goal in result.objectives] == ["maximize throughput_rps", "minimize cost_per_million"]
    assert tracker.load_study(result.study_id).objectives == result.objectives
    for trial, told in zip(result.trials, searcher.heard, strict=True):
        cost = 0.72e6 / 3600 / trial.measurement.throughput_rps
        assert told["values"] == [told["value"], pytest.approx(cost)] == list(trial.score.values)
        assert told["half_widths"] == list(trial.score.half_widths)
        assert 0 < told["half_widths"][1] < cost


def test_a_trial_without_a_score_reports_no_figures():
    told = report(TrialResult(1, {}, Status.FAILED, ("boom",)))
    assert told == {
        "status": "FAILED",
        "reasons": ["boom"],
        **dict.fromkeys(("value", "violation", "values", "half_widths", "excess", "shown")),
    }


def test_samples_go_to_the_tracker_and_are_not_held_in_memory():
    assert all(trial.samples is None for trial in study().trials)


def test_a_failed_trial_is_kept_with_its_reason_and_the_study_goes_on():
    backend = SerialBackend(surface)
    backend.serving.fails = lambda application: (
        DeploymentFailedError("boom") if application["deployments"][0]["num_replicas"] == 2 else None
    )
    result = study(backend)
    failed = [trial for trial in result.trials if trial.status is Status.FAILED]
    assert failed
    assert len(failed) < len(result.trials) == 13
    assert {trial.reasons for trial in failed} == {("boom",)}
    assert result.best.configuration["Classifier.num_replicas"] == 1


def test_a_winner_is_confirmed_by_fresh_deployments_that_are_kept_apart_from_the_trials():
    backend, tracker, watcher = SerialBackend(surface), MemoryTracker(), Watcher()
    result = study(backend, tracker, watcher, top=2)
    assert [trial.number for trial in result.trials] == list(range(13))
    assert [trial.number for trial in result.replications] == list(range(13, 22))
    assert len(backend.serving.cleared) == 9
    assert [assignment.replication for assignment in backend.load.assignments[13:]] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [event[0] for event in watcher.events].count("again") == 9
    assert {trial.confirms for trial in result.replications} == {one.number for one in result.confirmation.candidates}
    assert all(trial.samples is None for trial in result.replications)
    assert tracker.load_study(result.study_id) == result


def test_the_confirmed_winner_and_its_gain_are_those_of_the_replications():
    def slower_again(application):
        rate_rps = surface(application)
        return rate_rps**0.5 if backend.serving.cleared else rate_rps

    backend = SerialBackend(slower_again)
    result = study(backend, top=2)
    in_the_search = max(trial.score.value for trial in result.trials) / result.baseline.score.value
    assert result.gain["throughput"].value == pytest.approx(in_the_search**0.5, rel=0.05)
    assert result.gain["throughput"].confidence == 0.99


def test_failed_replications_do_not_end_a_study():
    backend = SerialBackend(surface)
    backend.serving.fails = lambda application: DeploymentFailedError("boom") if backend.serving.cleared else None
    result = study(backend, top=1)
    assert len(result.replications) == 12  # each twice
    assert result.confirmation.best is None


def test_a_study_ends_early_when_nothing_works_at_all():
    backend, tracker = SerialBackend(surface), MemoryTracker()
    backend.serving.fails = lambda application: DeploymentFailedError("No module named 'nope'")
    with pytest.raises(StudyAbortedError, match=r"first 3 trials have all failed.*No module named 'nope'"):
        study(backend, tracker)
    assert tracker.studies()[0].status == "KILLED"
    assert len(tracker.load_study(None).trials) == 3


def test_an_interrupted_study_is_marked_killed_and_keeps_what_was_finished():
    class Interrupting(Watcher):
        def trial_started(self, number, configuration, confirms):
            if number == 4:
                raise KeyboardInterrupt

    tracker = MemoryTracker()
    with pytest.raises(KeyboardInterrupt):
        study(tracker=tracker, watcher=Interrupting())
    assert tracker.studies()[0].status == "KILLED"
    assert [trial.number for trial in tracker.load_study(None).trials] == [0, 1, 2, 3]


def test_what_was_pruned_before_a_study_was_gone_on_with_still_counts():
    searcher = SimpleNamespace(pruned={"no room": 2, "same as another": 1})
    earlier = replace(study(trials=1), pruned={"no room": 3})
    record = StudyRecord(load_experiment(DIGITS), "1", searcher, MemoryTracker(), Watcher(), earlier)
    assert record.result().pruned == {"no room": 5, "same as another": 1}
    assert [trial.number for trial in record.result().trials] == [0, 1]
