"""`orchestrator show`: a study of the store, or what several workloads came to."""

from __future__ import annotations

import json

from rich.console import Console

from orchestrator.cli.lessons import print_lessons, recalled
from orchestrator.cli.several import print_several
from orchestrator.cli.tables import print_outcome
from orchestrator.document import several_document, study_document
from orchestrator.tracking.port import Comparison, Tracker, find_comparison


def show(console: Console, tracker: Tracker, ref: str | None, as_json: bool) -> None:
    """Prints what `ref` names; UsageError where it names nothing."""
    comparison = find_comparison(ref, tracker.comparisons(), tracker.studies())
    if comparison is not None:
        _show_comparison(console, tracker, comparison, as_json)
        return
    study = tracker.load_study(ref)
    if as_json:
        print(json.dumps(study_document(study), indent=2))
        return
    print_outcome(console, study)
    if lessons := recalled(study, tracker):
        print_lessons(console, lessons)


def _show_comparison(console: Console, tracker: Tracker, comparison: Comparison, as_json: bool) -> None:
    several = tracker.load_comparison(comparison.comparison_id)
    if as_json:
        print(json.dumps(several_document(several), indent=2))
        return
    print_several(console, several)
    for workload, one in several.searched.items():
        console.print(f"Study of {workload}:  orchestrator show {one.study.study_id[:8]}", highlight=False)
