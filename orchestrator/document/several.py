"""The public JSON document of several workloads. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orchestrator.document.plain import to_json
from orchestrator.document.standing import standing_document
from orchestrator.document.study import ratio_document, study_document
from orchestrator.result import StudyResult
from orchestrator.several import Searched, Several

CONTENDER = "contender"


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
                "over_baseline": ratio_document(several.gain(workload, several.baseline)),
                "over_random": ratio_document(several.gain(workload, one.best_of_random)),
            }
            for workload, one in several.searched.items()
        },
        "standings": [standing_document(one, CONTENDER) for one in several.standings],
        "robust": standing_document(robust, CONTENDER) if robust is not None else None,
    }


def several_from_document(document: Mapping[str, Any], study: Callable[[str], StudyResult]) -> Several:
    """The inverse of `several_document`; `study` reads a study by its id."""
    random_trials = document["random_trials"]
    return Several(
        {w: Searched(study(of_it["study_id"]), random_trials[w]) for w, of_it in document["workloads"].items()},
        tuple(document["contenders"]),
        {w: study(of_it["study_id"]) for w, of_it in document["compared"].items()},
    )
