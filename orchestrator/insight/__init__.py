"""What a study teaches beside its winner: pure functions over its trials and its space."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.insight.batches import BatchCurve, batch_curves
from orchestrator.insight.convergence import Phase, Step, convergence
from orchestrator.insight.flat import FlatRegion, flat_region
from orchestrator.insight.heat import Cell, HeatMap, heat_map
from orchestrator.insight.reading import Reading, read
from orchestrator.insight.sensitivity import Importance, Sensitivity, sensitivity
from orchestrator.insight.times import Times, times
from orchestrator.insight.tradeoff import Point, Tradeoff, tradeoff
from orchestrator.result import StudyResult
from orchestrator.space import Space

__all__ = [
    "BatchCurve",
    "Cell",
    "FlatRegion",
    "HeatMap",
    "Importance",
    "Insight",
    "Phase",
    "Point",
    "Reading",
    "Sensitivity",
    "Step",
    "Times",
    "Tradeoff",
    "batch_curves",
    "convergence",
    "flat_region",
    "heat_map",
    "insight_of",
    "read",
    "sensitivity",
    "times",
    "tradeoff",
]


@dataclass(frozen=True)
class Insight:
    """All that is found out about one study; `flat` and `heat` are None where there is nothing to say or to show.

    `batches` are those of a job alone.
    """

    study: StudyResult
    sensitivity: Sensitivity
    flat: FlatRegion | None
    steps: tuple[Step, ...]
    tradeoff: Tradeoff
    times: tuple[Times, ...]
    heat: HeatMap | None
    batches: tuple[BatchCurve, ...] = ()


def insight_of(study: StudyResult, space: Space, random_trials: int) -> Insight:
    """Everything at once: some seconds on a small machine, nearly all of them for the forests of `sensitivity`.

    The first `random_trials` after the baseline are those that the algorithm drew at random.
    """
    mattered = sensitivity(study, space)
    first, second = (*(one.column for one in mattered.importances[:2]), None, None)[:2]
    return Insight(
        study=study,
        sensitivity=mattered,
        flat=flat_region(study, space),
        steps=convergence(study, random_trials),
        tradeoff=tradeoff(study),
        times=times(study),
        heat=heat_map(study, space, first, second) if first else None,
        batches=batch_curves(study),
    )
