"""Studies of the store that are gone on with, or learned from: what is taken over, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.cli.plan import StudyPlan
from orchestrator.errors import UsageError
from orchestrator.experiment import Experiment, load_experiment, read_experiment
from orchestrator.plain import identity
from orchestrator.result import BASELINE, StudyResult
from orchestrator.several import contenders
from orchestrator.tracking.port import (
    COMPARED,
    FINISHED,
    Origin,
    StudySummary,
    Tracker,
    find_study,
    latest_run,
    of_workloads,
)

TERMS = ("mode", "app", "load", "workload", "measure", "slo", "objectives", "prices")
"""What the figures of a study depend on; two studies that differ in one cannot be compared."""


def resumed(tracker: Tracker, reference: str, file: Path | None, more: int | None) -> StudyPlan:
    """What `reference` names, to be gone on with: to its end, or with `more` trials than it has.

    A study, or the name of an experiment with several workloads: the latest run of it, with those of its studies that
    it did not come to.

    UsageError: there is nothing left to do, or the experiment has changed.
    """
    studies = tracker.studies()
    if begun := of_workloads(reference, studies):
        return _several(tracker, begun, file, more)
    plan = _single(tracker, find_study(reference, studies), file, more)
    if plan.finished and plan.resumed is not None:
        done = _count(plan.resumed)
        raise UsageError(f"study {plan.resumed.study_id} has all of its {done} trials: --more N adds some")
    return plan


def _several(tracker: Tracker, studies: Sequence[StudySummary], file: Path | None, more: int | None) -> StudyPlan:
    """Each workload's study as far as it came, and those that are not begun; they are compared at the end."""
    origin = tracker.origin(studies[0].study_id)
    whole = _experiment(origin, file).with_overrides(**origin.search)
    begun = latest_run([one.title for one in whole.workloads], studies)
    parts = [
        _single(tracker, begun[one.title], file, more) if one.title in begun else StudyPlan(one)
        for one in whole.workloads
    ]
    if all(part.finished for part in parts):
        if _is_compared(tracker, whole.name, {study.study_id for study in begun.values()}):
            raise UsageError(
                f"{whole.name}: all {len(parts)} workloads are searched and compared: --more N adds trials"
            )
        parts = [replace(part, compared=_compared(tracker, part.experiment, begun.values())) for part in parts]
    return StudyPlan(whole, parts=tuple(parts))


def _compared(tracker: Tracker, experiment: Experiment, run: Iterable[StudySummary]) -> StudyResult | None:
    """What the run has compared under one of its workloads, to the end."""
    wanted, last = f"{experiment.title}.{COMPARED}", max(study.started for study in run)
    done = (one for one in tracker.studies() if one.name == wanted and one.status == FINISHED and one.started >= last)
    return next((tracker.load_study(one.study_id) for one in done), None)


def _is_compared(tracker: Tracker, name: str, studies: set[str]) -> bool:
    """Whether the latest comparison is of these studies, as they are by now, and all of it can be trusted."""
    kept = next((one for one in tracker.comparisons() if one.name == name), None)
    if kept is None:
        return False
    several = tracker.load_comparison(kept.comparison_id)
    of_these = {one.study.study_id for one in several.searched.values()} == studies
    of_all = identity(several.contenders) == identity(contenders(several.searched.values()))
    return of_these and of_all and several.trusted


def _single(tracker: Tracker, summary: StudySummary, file: Path | None, more: int | None) -> StudyPlan:
    """One study, to its end or beyond it; finished if there is nothing left to do."""
    study = tracker.load_study(summary.study_id)
    origin = tracker.origin(summary.study_id)
    before = _experiment(origin, None).of_workload(origin.workload)
    experiment = _experiment(origin, file).of_workload(origin.workload)
    changed = list(_changed(before, experiment, (*TERMS, "space", "across")))
    if changed:
        raise UsageError(
            f"{experiment.file}: {', '.join(changed)} changed since study {study.study_id} was started, so that its "
            f"trials and new ones cannot be compared: leave the file out to go on as it was, or start a new study "
            f"with --warm-start {study.study_id[:8]}"
        )
    done = _count(study)
    trials = done + more if more else origin.search.get("trials", experiment.search.trials)
    search = {**origin.search, "trials": trials, "algorithm": study.algorithm, "seed": study.seed}
    known = tracker.load_study(origin.warm_start) if origin.warm_start else None
    finished = trials <= done and summary.status == FINISHED
    return StudyPlan(experiment.with_overrides(**search), study, known, finished)


def _count(study: StudyResult) -> int:
    return sum(trial.number != BASELINE for trial in study.trials)


def _experiment(origin: Origin, file: Path | None) -> Experiment:
    """As it was when the study was started, or as a file has it now; a first look stays one."""
    found = read_experiment(origin.text, origin.file) if file is None else load_experiment(file)
    return found.quick() if origin.quick else found


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
