"""The public JSON documents of studies, and the record of a trial that it can be rebuilt from. Pure."""

from orchestrator.document.plain import plain, to_json
from orchestrator.document.several import several_document, several_from_document
from orchestrator.document.study import (
    metrics,
    objective_document,
    objective_from_document,
    study_document,
    trial_document,
    trial_from_document,
    trial_record,
)

__all__ = [
    "metrics",
    "objective_document",
    "objective_from_document",
    "plain",
    "several_document",
    "several_from_document",
    "study_document",
    "to_json",
    "trial_document",
    "trial_from_document",
    "trial_record",
]
