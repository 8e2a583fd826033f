"""Studies made by hand, of trials with the figures that a test cares about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from orchestrator.measure.interval import Interval
from orchestrator.result import Configuration, Score, Status, StudyResult, TrialResult
from orchestrator.space import Space, parse_knob
from tests.fakes.trials import observation, samples

MEASURED = observation(samples(100, 3.0), (1.0, 3.0)).measurement


def space(**knobs: Any) -> Space:
    """`space(batch={"choice": [1, 2]})`: knobs as in an experiment file."""
    return Space(knobs={path: parse_knob(knob) for path, knob in knobs.items()})


def trial(
    number: int,
    configuration: Configuration,
    value: float = 100.0,
    violation: float = 0.0,
    shown: bool = True,
    spread: float | None = None,
    p99: float = 10.0,
    status: Status = Status.COMPLETE,
    details: Mapping[str, float] | None = None,
) -> TrialResult:
    """A trial whose objective, the throughput, is `value`, with an interval of ± `spread` of it if that is given."""
    reasons = () if status is Status.COMPLETE else (f"it is {status}",)
    if status in (Status.FAILED, Status.INFEASIBLE):
        return TrialResult(number, configuration, status, reasons)
    intervals = {} if spread is None else {"throughput_rps": Interval(value * (1 - spread), value * (1 + spread))}
    measurement = replace(MEASURED, throughput_rps=value, items_per_s=value, latency_p99_ms=p99, intervals=intervals)
    score = Score(value, violation, shown)
    return TrialResult(number, configuration, status, reasons, measurement, score, details=details or {})


def study(trials: Iterable[TrialResult], maximize: bool = True, objective: str = "throughput_rps") -> StudyResult:
    """A study of hyperopt with these trials."""
    return StudyResult("1f3e", "digits", "hyperopt", 0, maximize, objective, tuple(trials))
