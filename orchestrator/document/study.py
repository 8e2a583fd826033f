"""The public JSON document of a study, and the record of a trial that it can be rebuilt from. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from orchestrator.document.plain import to_json
from orchestrator.document.standing import across_document
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.verdict import Verdict
from orchestrator.result import (
    Candidate,
    Confirmation,
    Objective,
    Ratio,
    Score,
    Status,
    StudyResult,
    TrialResult,
)


def study_document(study: StudyResult) -> dict[str, Any]:
    """A study as strict JSON values: what was not measured is absent from `metrics`, or null elsewhere."""
    best, baseline = study.best, study.baseline
    return {
        "study_id": study.study_id,
        "name": study.name,
        "algorithm": study.algorithm,
        "seed": study.seed,
        "inputs": study.inputs,
        "objectives": [objective_document(objective) for objective in study.objectives],
        "trials": [trial_document(trial) for trial in study.trials],
        "baseline": trial_document(baseline) if baseline else None,
        "best": trial_document(best) if best else None,
        "pruned": dict(study.pruned),
        "front": [trial.number for trial in study.front],
        "gain": {name: ratio_document(study.gain.get(name)) for name in ("throughput", "p99")},
        "across": across_document(study.compromise) if study.compromise else None,
        "confirmation": _confirmation(study.confirmation) if study.confirmation else None,
        "replications": [trial_document(replication) for replication in study.replications],
    }


def _confirmation(found: Confirmation) -> dict[str, Any]:
    return {
        "candidates": [candidate.number for candidate in found.candidates],
        "replications": found.replications,
        "best": found.best,
        "indistinguishable": list(found.indistinguishable),
        "recommended": found.recommended,
        "reason": found.reason or None,
        "figures": [_candidate(candidate) for candidate in found.candidates],
        "remarks": list(found.remarks),
    }


def _candidate(found: Candidate) -> dict[str, Any]:
    """The objective's figure of one candidate, with its 95 % interval."""
    lo, hi = (found.interval.lo, found.interval.hi) if found.interval else (None, None)
    return {
        "trial": found.number,
        "replications": found.replications,
        "slo_kept": found.kept,
        "slo_shown": found.shown,
        **to_json({"value": found.value, "lo": lo, "hi": hi}),
        "of_best": ratio_document(found.of_best),
    }


def ratio_document(found: Ratio | None) -> dict[str, Any] | None:
    """A ratio with its interval; None where there is none."""
    if found is None or not math.isfinite(found.value):
        return None
    return {name: to_json(value) for name, value in asdict(found).items()}


def objective_document(objective: Objective) -> dict[str, str]:
    """An objective as in the experiment file; `objective_from_document` is the inverse."""
    return {objective.direction: objective.metric}


def objective_from_document(document: Mapping[str, str]) -> Objective:
    """ValueError for more than one figure."""
    ((direction, metric),) = document.items()
    return Objective(metric, maximize=direction == "maximize")


def trial_document(trial: TrialResult) -> dict[str, Any]:
    """A trial or a replication as it stands in the study's document; times in seconds."""
    again = {"confirms": trial.confirms, "replication": trial.replication} if trial.confirms is not None else {}
    return {
        "number": trial.number,
        **again,
        "status": str(trial.status),
        "reasons": list(trial.reasons),
        "verdict": trial.verdict.value if trial.verdict else None,
        "slo": {limit: verdict.value for limit, verdict in trial.verdicts.items()},
        "explanation": trial.explanation or None,
        "config": to_json(trial.configuration),
        "metrics": metrics(trial),
        "batches": {str(size): round(count, 3) for size, count in sorted(trial.batches.items())},
        "wall_s": to_json(trial.wall_s),
        "overhead_s": to_json(trial.overhead_s),
    }


def metrics(trial: TrialResult) -> dict[str, float]:
    """Every finite figure of a trial, its interval as `_lo` and `_hi`, and what it cost to get there (`overhead_s`)."""
    measured = trial.measurement.metrics() if trial.measurement else {}
    every = {**trial.details, **measured, "overhead_s": float(trial.overhead_s)}
    return {name: value for name, value in every.items() if math.isfinite(value)}


def trial_record(trial: TrialResult) -> dict[str, Any]:
    """All of a trial but its samples, as strict JSON values; `trial_from_document` is the inverse."""
    score = None
    if trial.score is not None:
        score = {
            "value": to_json(trial.score.value),
            "violation": to_json(trial.score.violation),
            "shown": trial.score.shown,
            "values": to_json(trial.score.values),
            "half_widths": to_json(trial.score.half_widths),
            "excess": to_json(trial.score.excess),
        }
    return {
        **trial_document(trial),
        "score": score,
        "sorted_ms": list(trial.sorted_ms),
        "serve_config": to_json(trial.serve_config),
        "export_config": to_json(trial.export_config),
    }


def trial_from_document(document: Mapping[str, Any]) -> TrialResult:
    """Rebuild a trial from its record; a null number becomes NaN.

    A study's document has no scores, so its COMPLETE trials cannot be rebuilt: ValueError. KeyError when a
    key of a trial is missing.
    """
    score, figures = document.get("score"), document["metrics"]
    measurement = Measurement.from_metrics(figures) if "requests" in figures else None  # always measured
    own = {*(measurement.metrics() if measurement else ()), "overhead_s"}
    return TrialResult(
        number=document["number"],
        configuration=document["config"],
        status=Status(document["status"]),
        reasons=tuple(document["reasons"]),
        measurement=measurement,
        score=_score(score) if score else None,
        verdicts={limit: Verdict(verdict) for limit, verdict in document.get("slo", {}).items()},
        details={name: value for name, value in figures.items() if name not in own},
        batches={int(size): count for size, count in document.get("batches", {}).items()},
        sorted_ms=tuple(document.get("sorted_ms", ())),
        explanation=document.get("explanation") or "",
        wall_s=_number(document["wall_s"]),
        overhead_s=_number(document["overhead_s"]),
        serve_config=document.get("serve_config", {}),
        export_config=document.get("export_config", {}),
        confirms=document.get("confirms"),
        replication=document.get("replication"),
    )


def _score(document: Mapping[str, Any]) -> Score:
    """Studies of earlier releases have one objective and no more than `value`, `violation` and perhaps `shown`."""
    return Score(
        _number(document["value"]),
        _number(document["violation"]),
        document.get("shown", True),
        values=tuple(map(_number, document.get("values", ()))),
        half_widths=tuple(map(_number, document.get("half_widths", ()))),
        excess=_number(document.get("excess")),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else value
