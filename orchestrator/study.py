"""One study: a searcher suggests, a back end measures, a tracker keeps, an observer watches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from orchestrator.backend.port import Backend, Suggestions
from orchestrator.errors import StudyAbortedError
from orchestrator.experiment import Experiment
from orchestrator.result import Configuration, Status, StudyResult, TrialResult
from orchestrator.tracking.port import Tracker

HOPELESS = 3
"""A study whose first trials, this many and the baseline among them, have all failed ends: nothing works at all."""


class Observer(Protocol):
    """Watches a study as it goes; the live display is one."""

    def study_started(self, study_id: str) -> None:
        """The study is open in the tracker."""

    def trial_started(self, number: int, configuration: Configuration) -> None:
        """A trial begins."""

    def trial_finished(self, result: TrialResult, incumbent: TrialResult | None) -> None:
        """A trial has ended; `incumbent` is the best one within the SLO so far."""


def run_study(
    experiment: Experiment,
    searcher: Suggestions,
    backend: Backend,
    tracker: Tracker,
    observer: Observer,
    environment: Mapping[str, Any],
) -> StudyResult:
    """Runs every trial that the searcher asks for and returns them with what they say.

    However it ends, no run stays open in the tracker: an interrupted or aborted study is marked as killed there.

    Raises:
        StudyAbortedError: the application does not work at all.
    """
    study_id = tracker.start_study(
        experiment_name=experiment.name,
        experiment_file_text=experiment.text,
        experiment_file_name=experiment.file.name,
        algorithm=experiment.search.algorithm,
        seed=experiment.search.seed,
        objective=experiment.objective.metric,
        maximize=experiment.objective.maximize,
        environment=environment,
        further=experiment.objectives[1:],
    )
    record = StudyRecord(experiment, study_id, tracker, observer)
    try:
        observer.study_started(study_id)
        backend.run(experiment, searcher, record)
        result = record.result()
        tracker.finish_study(result)
    except BaseException as error:
        tracker.kill(str(error) or type(error).__name__)
        raise
    return result


class StudyRecord:
    """Keeps each trial once, in the tracker and in memory: the back end's listener."""

    def __init__(self, experiment: Experiment, study_id: str, tracker: Tracker, observer: Observer) -> None:
        self._experiment = experiment
        self._study_id = study_id
        self._tracker = tracker
        self._observer = observer
        self._trials: dict[int, TrialResult] = {}

    def trial_started(self, number: int, configuration: Configuration) -> None:
        """See `Listener`."""
        self._tracker.start_trial(number, configuration)
        self._observer.trial_started(number, configuration)

    def trial_finished(self, result: TrialResult) -> None:
        """See `Listener`."""
        self._tracker.finish_trial(result)
        self._trials[result.number] = replace(result, samples=None)  # the tracker has them
        self._observer.trial_finished(result, self.result().best)
        self._abort_when_hopeless()

    def result(self) -> StudyResult:
        """The study so far, trials in order of their numbers."""
        return StudyResult(
            study_id=self._study_id,
            name=self._experiment.name,
            algorithm=self._experiment.search.algorithm,
            seed=self._experiment.search.seed,
            maximize=self._experiment.objective.maximize,
            objective=self._experiment.objective.metric,
            trials=tuple(self._trials[number] for number in sorted(self._trials)),
            further=self._experiment.objectives[1:],
        )

    def _abort_when_hopeless(self) -> None:
        trials = self._trials.values()
        if len(trials) == HOPELESS and all(trial.status is Status.FAILED for trial in trials):
            last = next(reversed(trials))
            raise StudyAbortedError(
                f"the first {HOPELESS} trials have all failed, so the study ends here. The last one: "
                + "; ".join(last.reasons)
            )
