"""One study: a searcher suggests, a back end measures, a tracker keeps, an observer watches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from orchestrator.backend.port import Backend, Suggestions
from orchestrator.confirmation import confirmed
from orchestrator.errors import StudyAbortedError
from orchestrator.experiment import Experiment
from orchestrator.result import Configuration, Status, StudyResult, TrialResult, best_of
from orchestrator.tracking.port import Origin, Tracker

HOPELESS = 3
"""A study whose first trials, this many and the baseline among them, have all failed ends: nothing works at all."""


class Observer(Protocol):
    """Watches a study as it goes; the live display is one."""

    def study_started(self, study_id: str) -> None:
        """The study is open in the tracker."""

    def trial_started(self, number: int, configuration: Configuration, confirms: int | None) -> None:
        """A trial begins, or a replication of the trial `confirms`."""

    def trial_finished(self, result: TrialResult, incumbent: TrialResult | None) -> None:
        """A trial has ended; `incumbent` is the best one within the SLO so far."""


def run_study(
    experiment: Experiment,
    searcher: Suggestions,
    backend: Backend,
    tracker: Tracker,
    observer: Observer,
    environment: Mapping[str, Any],
    earlier: StudyResult | None = None,
    warm_start: str | None = None,
) -> StudyResult:
    """Runs every trial that the searcher asks for and returns them with what they say.

    With `earlier` that study is gone on with: its trials count, and the searcher knows of them; `warm_start` is the id
    of a study whose trials the searcher knows of and that do not count. `environment` may say under `inputs` where the
    requests come from. However it ends, no run stays open in the
    tracker: an interrupted or aborted study is marked as killed there.

    Raises:
        StudyAbortedError: the application does not work at all.
    """
    if earlier is not None:
        study_id = earlier.study_id
        tracker.resume_study(study_id)
    else:
        study_id = _start(experiment, tracker, environment, warm_start)
    record = StudyRecord(experiment, study_id, searcher, tracker, observer, earlier)
    try:
        observer.study_started(study_id)
        backend.run(experiment, searcher, record)
        result = confirmed(replace(record.result(), inputs=str(environment.get("inputs", ""))))
        tracker.finish_study(result)
    except BaseException as error:
        tracker.kill(str(error) or type(error).__name__)
        raise
    return result


def _start(experiment: Experiment, tracker: Tracker, environment: Mapping[str, Any], warm_start: str | None) -> str:
    search = experiment.search.model_dump(exclude_unset=True)
    return tracker.start_study(
        experiment_name=experiment.name,
        origin=Origin(
            experiment.file,
            experiment.text,
            search,
            warm_start,
            experiment.variant,
            experiment.across,
            experiment.is_quick,
        ),
        algorithm=experiment.search.algorithm,
        seed=experiment.search.seed,
        objective=experiment.objective.metric,
        maximize=experiment.objective.maximize,
        environment=environment,
        further=experiment.objectives[1:],
    )


class StudyRecord:
    """Keeps each trial and each replication once, in the tracker and in memory: the back end's listener."""

    def __init__(
        self,
        experiment: Experiment,
        study_id: str,
        searcher: Suggestions,
        tracker: Tracker,
        observer: Observer,
        earlier: StudyResult | None = None,
    ) -> None:
        self._experiment = experiment
        self._study_id = study_id
        self._searcher = searcher
        self._tracker = tracker
        self._observer = observer
        before = earlier.trials if earlier else ()
        self._trials = {trial.number: trial for trial in before}
        self._incumbent = best_of(before, experiment.objective.maximize)
        self._pruned_before = Counter(earlier.pruned if earlier else {})
        self._replications: list[TrialResult] = []

    def trial_started(self, number: int, configuration: Configuration, confirms: int | None = None) -> None:
        """See `Listener`."""
        self._tracker.start_trial(number, configuration, confirms)
        self._observer.trial_started(number, configuration, confirms)

    def trial_finished(self, result: TrialResult) -> None:
        """See `Listener`."""
        self._tracker.finish_trial(result)
        kept = replace(result, samples=None)  # the tracker has them
        if result.confirms is not None:
            self._replications.append(kept)
        else:
            self._trials[result.number] = kept
            rivals = (kept,) if self._incumbent is None else (self._incumbent, kept)  # all of them would be quadratic
            self._incumbent = best_of(rivals, self._experiment.objective.maximize)
        self._observer.trial_finished(result, self._incumbent)
        self._abort_when_hopeless()

    def result(self) -> StudyResult:
        """The study so far, trials and replications in order of their numbers."""
        return StudyResult(
            study_id=self._study_id,
            name=self._experiment.title,
            algorithm=self._experiment.search.algorithm,
            seed=self._experiment.search.seed,
            maximize=self._experiment.objective.maximize,
            objective=self._experiment.objective.metric,
            trials=tuple(self._trials[number] for number in sorted(self._trials)),
            further=self._experiment.objectives[1:],
            replications=tuple(self._replications),
            pruned=dict(self._pruned_before + Counter(self._searcher.pruned)),
            across=self._experiment.across or "",
        )

    def _abort_when_hopeless(self) -> None:
        trials = self._trials.values()
        if len(trials) == HOPELESS and all(trial.status is Status.FAILED for trial in trials):
            last = next(reversed(trials))
            raise StudyAbortedError(
                f"the first {HOPELESS} trials have all failed, so the study ends here. The last one: "
                + "; ".join(last.reasons)
            )
