"""The public JSON document of a study, and the record of a trial that it can be rebuilt from. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any

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
from orchestrator.robust import Standing
from orchestrator.several import Searched, Several


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
        "gain": {name: _ratio(study.gain.get(name)) for name in ("throughput", "p99")},
        "confirmation": _confirmation(study.confirmation) if study.confirmation else None,
        "replications": [trial_document(replication) for replication in study.replications],
    }


def several_document(several: Several) -> dict[str, Any]:
    """The studies of several workloads: each one's own document, the comparison, and what is recommended for all."""
    robust = several.robust
    return {
        "workloads": {workload: study_document(one.study) for workload, one in several.searched.items()},
        "random_trials": {workload: one.random_trials for workload, one in several.searched.items()},
        "contenders": to_json(several.contenders),
        "compared": {workload: study_document(study) for workload, study in several.compared.items()},
        "gain": {
            workload: {
                "over_baseline": _ratio(several.gain(workload, several.baseline)),
                "over_random": _ratio(several.gain(workload, one.best_of_random)),
            }
            for workload, one in several.searched.items()
        },
        "standings": [_standing(one) for one in several.standings],
        "robust": _standing(robust) if robust is not None else None,
    }


def several_from_document(document: Mapping[str, Any], study: Callable[[str], StudyResult]) -> Several:
    """The inverse of `several_document`; `study` reads a study by its id."""
    random_trials = document["random_trials"]
    return Several(
        {w: Searched(study(of_it["study_id"]), random_trials[w]) for w, of_it in document["workloads"].items()},
        tuple(document["contenders"]),
        {w: study(of_it["study_id"]) for w, of_it in document["compared"].items()},
    )


def _standing(found: Standing[int]) -> dict[str, Any]:
    """Regrets as shares, null where the configuration breaks the SLO."""
    return {
        "contender": found.configuration,
        "regret": to_json(dict(found.regrets)),
        "regret_mean": to_json(found.mean_regret),
        "regret_worst": to_json(found.worst_regret),
        "top": found.top,
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
        "of_best": _ratio(found.of_best),
    }


def _ratio(found: Ratio | None) -> dict[str, Any] | None:
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


def to_json(value: Any) -> Any:
    """The nearest strict JSON value: `plain`, and numbers that JSON has no word for become null."""
    value = plain(value)
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(value: Any) -> Any:
    """The nearest value made of dict, list, str, int, float, bool and None; numpy's values too."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without asking for numpy
        return plain(value.tolist())
    return str(value)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
