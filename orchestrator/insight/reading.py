"""One figure of one trial, with its interval."""

from __future__ import annotations

import math
from typing import NamedTuple

from orchestrator.measure.interval import Interval
from orchestrator.result import StudyResult, TrialResult


class Goal(NamedTuple):
    """A figure by its name, and whether more of it is better."""

    metric: str
    maximize: bool


class Reading(NamedTuple):
    """NaN where the trial does not have the figure, None where the figure has no interval."""

    value: float
    interval: Interval | None


def objective(study: StudyResult) -> Goal:
    """What the study was after."""
    return Goal(study.objective, study.maximize)


def read(study: StudyResult, trial: TrialResult, metric: str) -> Reading:
    """A figure of a trial's measurement; of the objective that by which the trial was scored."""
    if trial.measurement is None:
        return Reading(math.nan, None)
    scored = metric == study.objective and trial.score is not None
    value = trial.score.value if scored and trial.score else getattr(trial.measurement, metric, math.nan)
    return Reading(float(value), trial.measurement.intervals.get(metric))
