"""A whole study with a fake back end: what is kept, when it ends, and that a seed repeats it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import DeploymentFailedError, StudyAbortedError
from orchestrator.experiment import ALGORITHMS, load_experiment
from orchestrator.result import Status, StudyResult
from orchestrator.search import make_searcher
from orchestrator.study import run_study
from tests.fakes.tracker import MemoryTracker
from tests.fakes.trials import SerialBackend

DIGITS = Path(__file__).parents[2] / "search_spaces" / "digits.yaml"


class Watcher:
    def __init__(self) -> None:
        self.events: list[tuple] = []

    def study_started(self, study_id):
        self.events.append(("study", study_id))

    def trial_started(self, number, configuration):
        self.events.append(("started", number))

    def trial_finished(self, result, incumbent):
        self.events.append(("finished", result.number, incumbent.number if incumbent else None))


def surface(application: dict) -> float:
    """More is better up to a batch of 16; a second replica helps by a tenth."""
    deployment = application["deployments"][0]
    batch = deployment["user_config"]["max_batch_size"]
    return (100 + 50 * min(batch, 16) - 2 * max(0, batch - 16)) * (1 + 0.1 * (deployment["num_replicas"] - 1))


def study(backend=None, tracker=None, watcher=None, seed=0, algorithm="hyperopt", trials=12) -> StudyResult:
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
        searcher,
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
    assert result.gain["throughput"] == pytest.approx(result.best.score.value / result.baseline.score.value)
    assert result.gain["throughput"] > 4
    assert result.gain["p99"] == pytest.approx(1)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
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


def test_a_study_ends_early_when_nothing_works_at_all():
    backend, tracker = SerialBackend(surface), MemoryTracker()
    backend.serving.fails = lambda application: DeploymentFailedError("No module named 'nope'")
    with pytest.raises(StudyAbortedError, match=r"first 3 trials have all failed.*No module named 'nope'"):
        study(backend, tracker)
    assert tracker.studies()[0].status == "KILLED"
    assert len(tracker.load_study(None).trials) == 3


def test_an_interrupted_study_is_marked_killed_and_keeps_what_was_finished():
    class Interrupting(Watcher):
        def trial_started(self, number, configuration):
            if number == 4:
                raise KeyboardInterrupt

    tracker = MemoryTracker()
    with pytest.raises(KeyboardInterrupt):
        study(tracker=tracker, watcher=Interrupting())
    assert tracker.studies()[0].status == "KILLED"
    assert [trial.number for trial in tracker.load_study(None).trials] == [0, 1, 2, 3]
