"""A checklist as strict JSON values. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.checklist.answer import Answer, Tried, ranked
from orchestrator.plain import is_number
from orchestrator.result import Ratio


def checklist_document(
    name: str, study_id: str, objective: str, answers: Sequence[Answer], experiment_file: str | None
) -> dict[str, Any]:
    """Every answer in the order of the items, what to do first, and the file that was written, null without one."""
    return {
        "name": name,
        "study_id": study_id,
        "objective": objective,
        "items": [_answer(one) for one in answers],
        "first": [one.item.name for one in ranked(answers)],
        "experiment": experiment_file,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "item": answer.item.name,
        "question": answer.item.question,
        "settled_by": answer.item.settled_by,
        "answer": str(answer.kind),
        "finding": answer.finding,
        "figures": {name: value for name, value in answer.figures.items() if math.isfinite(value)},
        "gain": _ratio(answer.gain),
        "change": dict(answer.change),
        "tried": [_tried(one) for one in answer.tried],
    }


def _tried(one: Tried) -> dict[str, Any]:
    return {
        "change": dict(one.candidate.changes),
        "end": str(one.end),
        "gain": _ratio(one.gain),
        "measured": one.measured,
        "accuracy": None if math.isnan(one.accuracy) else one.accuracy,
        "why": one.why or None,
        "trial": one.trial,
    }


def _ratio(found: Ratio | None) -> Mapping[str, Any] | None:
    """Null, or the ratio with what it is sure to lie between; an end that nobody knows is null too."""
    if found is None:
        return None
    values = {"value": found.value, "lo": found.lo, "hi": found.hi, "confidence": found.confidence}
    return {name: value if is_number(value) else None for name, value in values.items()}
