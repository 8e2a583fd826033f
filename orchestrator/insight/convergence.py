"""How the best trial so far came about, trial by trial."""

from __future__ import annotations

import math
from enum import Enum
from typing import NamedTuple

from orchestrator.result import BASELINE, StudyResult, TrialResult, best_of


class Phase(str, Enum):
    """Where a trial's configuration comes from."""

    BASELINE = "baseline"  # the file's own
    RANDOM = "random"  # drawn before the algorithm had learnt enough
    MODEL = "model"  # proposed by the algorithm


class Step(NamedTuple):
    """A trial, and the objective's figure of the best one up to it; NaN as long as there is none within the SLO."""

    trial: TrialResult
    phase: Phase
    best: float


def convergence(study: StudyResult, random_trials: int) -> tuple[Step, ...]:
    """A step for each trial in order of the numbers; the first `random_trials` after the baseline are drawn at random.

    The best so far is the study's own notion: a trial that is shown to keep the SLO takes the place of a better one
    that is not, so that its figure can also fall back.
    """
    steps, incumbent = [], None
    for trial in study.trials:
        incumbent = best_of((incumbent, trial) if incumbent else (trial,), study.maximize)
        steps.append(Step(trial, _phase(trial, random_trials), _value(incumbent)))
    return tuple(steps)


def _phase(trial: TrialResult, random_trials: int) -> Phase:
    if trial.number == BASELINE:
        return Phase.BASELINE
    return Phase.RANDOM if trial.number <= random_trials else Phase.MODEL


def _value(trial: TrialResult | None) -> float:
    return trial.score.value if trial and trial.score else math.nan
