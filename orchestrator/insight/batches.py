"""What an item costs by the size of the batch that it is in, from the trials of an offline study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.insight.reading import Reading
from orchestrator.measure.interval import Interval
from orchestrator.measure.steps import ITEM_MS
from orchestrator.names import value_text
from orchestrator.plain import identity, is_number
from orchestrator.result import Status, StudyResult, TrialResult

BATCH_SIZE = "batch_size"
"""The knob that a batch's size is set by, the last word of its path."""

WITHIN = 0.02
"""Share of the best time per item: what a batch costs less than this more is as good."""


class BatchPoint(NamedTuple):
    """One trial of a curve; `item_ms` is its time per item."""

    size: float
    item_ms: Reading
    trial: TrialResult


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
    points = (BatchPoint(float(trial.configuration[path]), _item_ms(trial), trial) for trial in trials)
    ordered = sorted(points, key=lambda point: point.size)
    return BatchCurve(values[0] if values else "", ", ".join(values[1:]), tuple(ordered))


def _texts(configuration: Mapping[str, object], paths: Sequence[str]) -> Iterator[str]:
    return (value_text(configuration[path]) for path in paths if path in configuration)


def _item_ms(trial: TrialResult) -> Reading:
    lo, hi = (trial.details.get(f"{ITEM_MS}_{end}") for end in ("lo", "hi"))
    return Reading(trial.details[ITEM_MS], Interval(lo, hi) if lo is not None and hi is not None else None)
