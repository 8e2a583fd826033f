"""`orchestrator export`: a trial as a Serve config."""

from __future__ import annotations

from orchestrator.errors import UsageError
from orchestrator.names import describe, figure, short_names
from orchestrator.result import StudyResult, TrialResult
from orchestrator.serve_config import to_yaml


def exported(study: StudyResult, number: int | None) -> str:
    """YAML of the recommended trial, or of trial `number`, with what was measured of it as a comment.

    Raises:
        UsageError: there is no such trial, or no trial kept the SLO.
    """
    trial = _chosen(study, number)
    header = [f"{study.name}, study {study.study_id}, trial {trial.number}"]
    header.append(describe(trial.configuration, short_names(trial.configuration)))
    if trial.measurement is not None:
        measured = trial.measurement
        header.append(
            f"measured: {figure(measured.throughput_rps, ' req/s')}, p99 {figure(measured.latency_p99_ms, ' ms')}, "
            f"{measured.requests:,} requests"
        )
    return to_yaml(dict(trial.export_config), header="\n".join(header))


def _chosen(study: StudyResult, number: int | None) -> TrialResult:
    if number is None:
        if study.recommended is None:
            raise UsageError(f"study {study.study_id} has no winner: no trial kept the SLO; choose one with --trial N")
        return study.recommended
    if (trial := study.trial(number)) is not None:
        return trial
    numbers = ", ".join(str(trial.number) for trial in study.trials)
    raise UsageError(f"study {study.study_id} has no trial {number}; it has {numbers or 'none'}")
