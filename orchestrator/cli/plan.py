"""What a study starts from: its file, an earlier study that it goes on with, or one that it learns from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestrator.backend.port import report
from orchestrator.errors import UsageError
from orchestrator.experiment import Experiment, load_experiment, read_experiment
from orchestrator.result import BASELINE, Configuration, StudyResult
from orchestrator.tracking.port import FINISHED, Tracker, find_study

TERMS = ("mode", "app", "load", "workload", "measure", "slo", "objectives", "prices")
"""What the figures of a study depend on; two studies that differ in one cannot be compared."""

STOPS = ("budget", "stop_early")
"""Settings of the search that may change when a study is gone on with, `--more` aside."""


@dataclass(frozen=True)
class StudyPlan:
    """An experiment, the study of it that is gone on with if there is one, and the one that it learns from."""

    experiment: Experiment
    resumed: StudyResult | None = None
    warm_start: StudyResult | None = None

    def of_each_workload(self) -> list[StudyPlan]:
        """The studies that this one consists of: itself, or one for each workload."""
        return [replace(self, experiment=one) for one in self.experiment.workloads] or [self]


def plan_study(
    file: Path | None,
    overrides: dict[str, Any],
    resume: str | None,
    more: int | None,
    warm_start: str | None,
    tracking_uri: str | None,
    workload: str | None = None,
    quick: bool = False,
) -> StudyPlan:
    """What the arguments of `orchestrator run` ask for; UsageError where they contradict each other."""
    if resume is None:
        if file is None:
            raise UsageError("name an experiment file, or a study to go on with: --resume STUDY")
        if more is not None:
            raise UsageError("--more adds trials to an earlier study: name it with --resume STUDY")
        experiment = load_experiment(file)
        experiment = (experiment.quick() if quick else experiment).with_overrides(**overrides).of_workload(workload)
        if warm_start is None:
            return StudyPlan(experiment)
        if experiment.workloads:
            raise UsageError("--warm-start is for one workload: name it with --workload")
        return StudyPlan(experiment, warm_start=earlier(_tracker(tracking_uri), warm_start, experiment))
    stops = {key: value for key, value in overrides.items() if key in STOPS}
    given = {**overrides, "workload": workload, "quick": quick or None}
    fixed = [f"--{key}" for key, value in given.items() if value is not None and key not in STOPS]
    if fixed or warm_start:
        raise UsageError(
            f"{' and '.join([*fixed, *(['--warm-start'] if warm_start else [])])} cannot be changed in a study that is "
            "gone on with; --more N adds trials"
        )
    plan = resumed(_tracker(tracking_uri), resume, file, more)
    return replace(plan, experiment=plan.experiment.with_overrides(**stops))


def resumed(tracker: Tracker, reference: str, file: Path | None, more: int | None) -> StudyPlan:
    """The study that `reference` names, to be gone on with: to its end, or with `more` trials than it has.

    UsageError: there is nothing left to do, or the experiment has changed.
    """
    study = tracker.load_study(reference)
    origin = tracker.origin(study.study_id)
    before = read_experiment(origin.text, origin.file).of_workload(origin.workload)
    experiment = load_experiment(file).of_workload(origin.workload) if file is not None else before
    changed = list(_changed(before, experiment, (*TERMS, "space", "across")))
    if changed:
        raise UsageError(
            f"{experiment.file}: {', '.join(changed)} changed since study {study.study_id} was started, so that its "
            f"trials and new ones cannot be compared: leave the file out to go on as it was, or start a new study "
            f"with --warm-start {study.study_id[:8]}"
        )
    done = sum(trial.number != BASELINE for trial in study.trials)
    trials = done + more if more else origin.search.get("trials", experiment.search.trials)
    if trials <= done and find_study(study.study_id, tracker.studies()).status == FINISHED:
        raise UsageError(f"study {study.study_id} has all of its {done} trials: --more N adds some")
    search = {**origin.search, "trials": trials, "algorithm": study.algorithm, "seed": study.seed}
    known = tracker.load_study(origin.warm_start) if origin.warm_start else None
    return StudyPlan(experiment.with_overrides(**search), study, known)


def observations(study: StudyResult) -> list[tuple[int, Configuration, dict[str, Any]]]:
    """Number, configuration and report of the trials that ended, as searchers take them."""
    return [(trial.number, trial.configuration, report(trial)) for trial in study.trials]


def earlier(tracker: Tracker, reference: str, experiment: Experiment) -> StudyResult:
    """A study of the same application, to learn from; UsageError when it was about something else."""
    study = tracker.load_study(reference)
    origin = tracker.origin(study.study_id)
    before = read_experiment(origin.text, origin.file).of_workload(origin.workload)
    if before.app.get("import_path") != experiment.app.get("import_path"):
        raise UsageError(
            f"--warm-start {reference}: that study was about {before.app.get('import_path')}, and {experiment.file} is "
            f"about {experiment.app.get('import_path')}"
        )
    if changed := list(_changed(before, experiment, ("mode", "load", "workload", "slo", "objectives", "prices"))):
        raise UsageError(
            f"--warm-start {reference}: {', '.join(changed)} of that study and of {experiment.file} differ, so that "
            "its figures say nothing here"
        )
    return study


def _changed(before: Experiment, after: Experiment, terms: tuple[str, ...] = TERMS) -> Iterator[str]:
    return (term for term in terms if getattr(before, term) != getattr(after, term))


def _tracker(tracking_uri: str | None) -> Tracker:
    from orchestrator.tracking import open_tracker  # slow to import

    return open_tracker(tracking_uri, Path.cwd())
