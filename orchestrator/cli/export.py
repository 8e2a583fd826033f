"""`orchestrator export`: a trial as a Serve config."""

from __future__ import annotations

from orchestrator.document import metrics
from orchestrator.errors import UsageError
from orchestrator.names import count_text, describe, figure, headline, short_names
from orchestrator.result import StudyResult, TrialResult
from orchestrator.serve_config import to_yaml
from orchestrator.several import Several
from orchestrator.tracking.port import Tracker, find_comparison


def exported_ref(tracker: Tracker, ref: str | None, number: int | None) -> str:
    """The same of a study, or of several workloads' comparison, that stands in the store.

    Raises:
        UsageError: there is no such thing, or nothing in it to deploy.
    """
    comparison = find_comparison(ref, tracker.comparisons(), tracker.studies())
    if comparison is None:
        return exported(tracker.load_study(ref), number)
    return compromise(tracker.load_comparison(comparison.comparison_id), comparison.name, number)


def compromise(several: Several, name: str, number: int | None = None) -> str:
    """YAML of what is recommended for all workloads of an experiment of that name, or of contender `number`.

    As it is under the first workload, with what was measured there.

    Raises:
        UsageError: there is no such contender, or none kept the SLO under every workload.
    """
    if number is None and several.robust is not None:
        number = several.robust.configuration
    if number is None or not several.compared:
        raise UsageError(
            f"no configuration is recommended for all workloads of {name}: choose one with --trial N, or that of a "
            f"workload: orchestrator export {name}:{next(iter(several.searched))}"
        )
    return exported(next(iter(several.compared.values())), number)


def exported(study: StudyResult, number: int | None) -> str:
    """YAML of the recommended trial, or of trial `number`, with what was measured of it as a comment.

    Raises:
        UsageError: there is no such trial, or no trial kept the SLO.
    """
    trial = _chosen(study, number)
    header = [f"{study.name}, study {study.study_id}, trial {trial.number}"]
    header.append(describe(trial.configuration, short_names(trial.configuration)))
    if study.compromise is not None and number is None:
        header.append(f"recommended for all values of {study.across}, as it was measured under this one")
    if trial.measurement is not None:
        values = metrics(trial)
        figures = (f"{words}{figure(values.get(name), f' {unit}')}" for words, name, unit in headline(trial))
        header.append(f"measured: {', '.join(figures)}, {count_text(trial)}")
    if trial.export_config and "applications" not in trial.export_config:
        header.append("a job, and no Serve config: there is nothing to deploy; call it with these args")
    return to_yaml(dict(trial.export_config), header="\n".join(header))


def _chosen(study: StudyResult, number: int | None) -> TrialResult:
    if number is None:
        if study.recommended is None and study.compromise is not None:
            raise UsageError(
                f"study {study.study_id} recommends nothing for all values of {study.across}: "
                f"{study.compromise.obstacle}; choose one with --trial N"
            )
        if study.recommended is None:
            raise UsageError(f"study {study.study_id} has no winner: no trial kept the SLO; choose one with --trial N")
        return study.recommended
    if (trial := study.trial(number)) is not None:
        return trial
    numbers = ", ".join(str(trial.number) for trial in study.trials)
    raise UsageError(f"study {study.study_id} has no trial {number}; it has {numbers or 'none'}")
