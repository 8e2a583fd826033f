"""Where the time of the requests went, configuration by configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from orchestrator.names import PARTS
from orchestrator.result import Status, StudyResult, TrialResult


class Times(NamedTuple):
    """Milliseconds of a trial by part of the response time, see `PARTS`: of the mean request, of the slowest 1 %."""

    trial: TrialResult
    mean_ms: Mapping[str, float]
    tail_ms: Mapping[str, float]


def times(study: StudyResult) -> tuple[Times, ...]:
    """The COMPLETE trials whose parts are known: the best first, then those over the SLO, the least so first."""
    sign = -1 if study.maximize else 1
    ranked = sorted(
        (trial for trial in study.trials if trial.status is Status.COMPLETE and trial.score),
        key=lambda trial: (trial.score.violation, sign * trial.score.value, trial.number),  # type: ignore[union-attr]
    )
    found = (Times(trial, _mean_ms(trial), _tail_ms(trial)) for trial in ranked)
    return tuple(one for one in found if one.mean_ms)


def _mean_ms(trial: TrialResult) -> dict[str, float]:
    total = trial.measurement.latency_mean_ms if trial.measurement else 0.0
    shares = {part: trial.details.get(f"{part}_share") for part in PARTS}
    return {part: share * total for part, share in shares.items() if share is not None}


def _tail_ms(trial: TrialResult) -> dict[str, float]:
    return {part: trial.details[f"{part}_ms_tail"] for part in PARTS if f"{part}_ms_tail" in trial.details}
