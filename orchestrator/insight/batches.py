"""What an item costs by the size of the batch that it is in, from the trials of an offline study."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from orchestrator.insight.reading import Reading
from orchestrator.measure.batches import students_t
from orchestrator.measure.interval import Interval
from orchestrator.measure.steps import ITEM_MS
from orchestrator.names import value_text
from orchestrator.plain import identity, is_number
from orchestrator.result import Status, StudyResult, TrialResult

BATCH_SIZE = "batch_size"
"""The knob that a batch's size is set by, the last word of its path."""

CONFIDENCE = 0.95

WITHIN = 0.02
"""Share of the best time per item: what a batch costs less than this more is as good."""


class BatchPoint(NamedTuple):
    """The trials of a curve with one size; `item_ms` is the time per item, of several its geometric mean."""

    size: float
    item_ms: Reading
    trials: tuple[TrialResult, ...]


@dataclass(frozen=True)
class BatchCurve:
    """Trials that differ in nothing but the size of the batch, by that.

    `name` is the value of the first of the other knobs (a model's name), `panel` has those of the rest (the engine).
    """

    name: str
    panel: str
    points: tuple[BatchPoint, ...]

    @property
    def best(self) -> BatchPoint:
        """The one with the least time per item; the smallest of equals."""
        return min(self.points, key=lambda point: point.item_ms.value)

    @property
    def sufficient(self) -> BatchPoint:
        """The smallest batch whose time per item is within `WITHIN` of the best."""
        most_ms = self.best.item_ms.value * (1 + WITHIN)
        return next(point for point in self.points if point.item_ms.value <= most_ms)

    @property
    def acceptable(self) -> BatchPoint:
        """The smallest batch that was not shown to be worse than the best by more than `WITHIN`, by their intervals."""
        most_ms = _upper(self.best.item_ms) * (1 + WITHIN)
        return next(point for point in self.points if _lower(point.item_ms) <= most_ms)

    @property
    def gain(self) -> float:
        """How many times as long an item takes in the smallest batch that was measured as in the best one."""
        return self.points[0].item_ms.value / self.best.item_ms.value


def batch_curves(study: StudyResult) -> tuple[BatchCurve, ...]:
    """A curve for each combination of the other knobs' values, in the order of the trials' values.

    One of a single size says nothing and is left out. Trials over the SLO count: they were measured.
    """
    measured = [trial for trial in study.trials if trial.status is Status.COMPLETE and trial.is_offline]
    path = next((path for trial in measured for path in trial.configuration if _is_batch(path, trial)), None)
    if path is None:
        return ()
    others = dict.fromkeys(one for trial in measured for one in trial.configuration if one != path)
    curves: dict[str, list[TrialResult]] = {}
    for trial in measured:
        if path in trial.configuration:
            rest = {one: value for one, value in trial.configuration.items() if one != path}
            curves.setdefault(identity(rest), []).append(trial)
    found = [_curve(trials, path, list(others)) for trials in curves.values()]
    compared = [curve for curve in found if len(curve.points) > 1]
    return tuple(sorted(compared, key=lambda curve: (curve.panel, curve.name)))


def _is_batch(path: str, trial: TrialResult) -> bool:
    return path.rpartition(".")[2] == BATCH_SIZE and is_number(trial.configuration[path])


def _curve(trials: Sequence[TrialResult], path: str, others: Sequence[str]) -> BatchCurve:
    values = [*_texts(trials[0].configuration, others)]
    by_size: dict[float, list[TrialResult]] = {}
    for trial in trials:
        by_size.setdefault(float(trial.configuration[path]), []).append(trial)
    ordered = sorted(by_size.items())
    times = _together([[trial.details[ITEM_MS] for trial in alike] for _, alike in ordered])
    points = [
        BatchPoint(size, reading or _item_ms(alike[0]), tuple(alike))
        for (size, alike), reading in zip(ordered, times, strict=True)
    ]
    return BatchCurve(values[0] if values else "", ", ".join(values[1:]), tuple(points))


def _together(times_ms: Sequence[Sequence[float]]) -> list[Reading | None]:
    """The geometric mean of each list, with its 95 % interval; None where no size was measured more than once.

    How much runs of one size differ is taken from all sizes together, as a share of the time (pooled variance): two
    runs of each say little one by one.
    """
    logs = [np.log(times) for times in times_ms]
    freedom = sum(len(of_size) - 1 for of_size in logs)
    if not freedom:
        return [None] * len(logs)
    variance = sum(float(((of_size - of_size.mean()) ** 2).sum()) for of_size in logs) / freedom
    found: list[Reading | None] = []
    for of_size in logs:
        middle, reach = float(of_size.mean()), students_t(freedom, CONFIDENCE) * math.sqrt(variance / len(of_size))
        found.append(Reading(math.exp(middle), Interval(math.exp(middle - reach), math.exp(middle + reach))))
    return found


def _lower(reading: Reading) -> float:
    return reading.interval.lo if reading.interval else reading.value


def _upper(reading: Reading) -> float:
    return reading.interval.hi if reading.interval else reading.value


def _texts(configuration: Mapping[str, object], paths: Sequence[str]) -> Iterator[str]:
    return (value_text(configuration[path]) for path in paths if path in configuration)


def _item_ms(trial: TrialResult) -> Reading:
    lo, hi = (trial.details.get(f"{ITEM_MS}_{end}") for end in ("lo", "hi"))
    return Reading(trial.details[ITEM_MS], Interval(lo, hi) if lo is not None and hi is not None else None)
