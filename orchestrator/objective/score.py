"""How good a measurement is: the objectives' figures, and by how much the SLO is violated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from orchestrator.measure.percentile import share_below
from orchestrator.measure.verdict import Verdict, overall
from orchestrator.objective.slo import Slo
from orchestrator.result import Objective, Score

ACCURACY = "accuracy"
"""The figure that `slo.min_accuracy` is about, of those that an application tells."""

SMALLEST_ERROR_RATIO = 0.001
"""The least share of failures that an excess is divided by, so that violations of a limit of 0 are graded too."""

SMALLEST_VIOLATION = 0.001
"""Of a limit that has failed though the figures keep it."""

UNMEASURED_VIOLATION = 1 / SMALLEST_ERROR_RATIO
"""Violation of a figure that could not be measured: as bad as every request failing."""


def score(
    figures: Mapping[str, float],
    slo: Slo,
    objectives: Sequence[Objective],
    verdicts: Mapping[str, Verdict] | None = None,
) -> Score:
    """The objectives' figures, by how much the SLO is violated, and whether the verdicts on its limits say so.

    `figures` are those of `Measurement.metrics`, and others by name; one that is absent was not measured.

    The violation is the worst relative excess over a limit, measured / limit - 1, or 0 when all limits hold. It grows
    with each figure and has no steps but these: a figure that is needed but was not measured is a violation of
    UNMEASURED_VIOLATION; a limit that has failed, or an objective that is infinite, makes one of SMALLEST_VIOLATION at
    least.
    """
    found = overall(verdicts or {})
    values = [figures.get(objective.metric, math.nan) for objective in objectives]
    limits = [*_excesses(figures, slo)]
    # Its accuracy is a property of the model: deployed afresh it is the same, and needs no room.
    excesses = [0.0, *limits, _shortfall(figures, slo)]
    if any(map(math.isnan, values)):
        excesses.append(UNMEASURED_VIOLATION)
    if found is Verdict.FAIL or any(map(math.isinf, values)):
        excesses.append(SMALLEST_VIOLATION)
    return Score(
        value=values[0],
        violation=max(excesses),
        shown=found is not Verdict.UNDECIDED,
        values=tuple(values),
        half_widths=tuple(_half_width(figures, objective.metric) for objective in objectives),
        excess=max(limits, default=math.nan),
    )


def _excesses(figures: Mapping[str, float], slo: Slo) -> Iterator[float]:
    """Over each limit, below 0 where it is kept.

    Latencies are those of the successes; what failed counts by the share that may fail.
    """
    for metric, limit in slo.latency_limits_ms().items():
        yield _excess(figures.get(metric), limit, limit)
    allowed = _allowed_errors(slo)
    if allowed < 1:
        yield _excess(figures.get("error_ratio"), allowed, max(allowed, SMALLEST_ERROR_RATIO))


def _shortfall(figures: Mapping[str, float], slo: Slo) -> float:
    """Of the accuracy, as a share of what it has to be."""
    if not slo.min_accuracy:
        return 0.0
    told = figures.get(ACCURACY)
    return UNMEASURED_VIOLATION if told is None else 1 - told / slo.min_accuracy


def accuracy_verdict(figures: Mapping[str, float], slo: Slo) -> dict[str, Verdict]:
    """By figure, whether the least accuracy is reached: it is told, not estimated. Empty where none is asked for."""
    if slo.min_accuracy is None:
        return {}
    return {ACCURACY: Verdict.PASS if figures.get(ACCURACY, -math.inf) >= slo.min_accuracy else Verdict.FAIL}


def lacking_accuracy(figures: Mapping[str, float], slo: Slo, whose: str) -> str:
    """Why the SLO cannot be judged, where nobody told how accurate the model is, `whose` saying how; else ""."""
    if slo.min_accuracy is None or ACCURACY in figures:
        return ""
    return f"slo.min_accuracy is {slo.min_accuracy:g}, but {whose}"


def _allowed_errors(slo: Slo) -> float:
    """The largest share of requests that may fail: a p99 within its limit allows 1 %, a maximum none at all."""
    shares = [slo.limits().get("error_ratio", 1.0)]
    for metric in slo.latency_limits_ms():
        share = 1.0 if metric == "latency_max_ms" else share_below(metric)
        shares += [] if share is None else [1 - share]
    return min(shares)


def _excess(measured: float | None, limit: float, scale: float) -> float:
    if measured is None or not math.isfinite(measured):
        return UNMEASURED_VIOLATION
    return (measured - limit) / scale if measured else -1.0  # so that 0 keeps a limit of 0 with room


def _half_width(figures: Mapping[str, float], metric: str) -> float:
    """Of the figure's 95 % interval; NaN where it has none, or one without an end."""
    width = (figures.get(f"{metric}_hi", math.nan) - figures.get(f"{metric}_lo", math.nan)) / 2
    return width if math.isfinite(width) else math.nan
