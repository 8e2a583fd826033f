"""The section `measure` against the goals: whether so many requests can say what is asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.experiment.plan import MeasurePlan
from orchestrator.measure.needed import needed
from orchestrator.objective import Slo
from orchestrator.result import Objective
from orchestrator.validation import Finding


def against_goals(measure: MeasurePlan | None, slo: Slo | None, objectives: Iterable[Objective]) -> Iterator[Finding]:
    """Whether `requests` are too few for an objective or a limit (None: it cannot be read); paths are the file's."""
    if measure is None or measure.requests is None:
        return
    wanted = needed((objective.metric for objective in objectives), slo.limits() if slo is not None else {})
    what, count = max(wanted.items(), key=lambda entry: entry[1])
    if measure.requests < count:
        yield ("measure", "requests"), f"{measure.requests:,} are too few: {what} takes {count:,} at least"
