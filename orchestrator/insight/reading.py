"""One figure of one trial, with its interval."""

from __future__ import annotations

import math
from typing import NamedTuple

from orchestrator.measure.interval import Interval
from orchestrator.result import StudyResult, TrialResult


class Reading(NamedTuple):
    """NaN where the trial does not have the figure, None where the figure has no interval."""

    value: float
    interval: Interval | None


def read(study: StudyResult, trial: TrialResult, metric: str) -> Reading:
    """A figure of a trial's measurement; of an objective that by which the trial was scored."""
    if trial.measurement is None:
        return Reading(math.nan, None)
    interval = trial.measurement.intervals.get(metric)
    places = [place for place, objective in enumerate(study.objectives) if objective.metric == metric]
    if trial.score is None or not places:
        return Reading(float(getattr(trial.measurement, metric, math.nan)), interval)
    value, half_width = trial.score.values[places[0]], trial.score.half_widths[places[0]]
    if interval is None and math.isfinite(half_width):
        interval = Interval(value - half_width, value + half_width)
    return Reading(float(value), interval)
