"""A map of two knobs: what is the best that was measured for each pair of their values."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from orchestrator.insight.table import Column
from orchestrator.knob import Listed
from orchestrator.names import value_text
from orchestrator.plain import identity
from orchestrator.result import Status, StudyResult, TrialResult, best_of
from orchestrator.space import Knob, Space

MOST_VALUES = 12
"""Values of a knob that get a row of their own; of more they are put together."""

BINS = 6
"""Rows for a knob of many values, each the same share of its range on its own scale."""


@dataclass(frozen=True)
class Axis:
    """A knob, cut into places in the order of its values; `labels` says what lies in each."""

    column: Column
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """What was measured in one place: its best trial (of none within the SLO the best by its figure), and how many."""

    best: TrialResult
    trials: int


@dataclass(frozen=True)
class HeatMap:
    """`cells` by (place on `x`, place on `y`): only where something was measured. `y` is None for a single knob.

    `elsewhere` counts trials in which one of the knobs is not active.
    """

    x: Axis
    y: Axis | None
    cells: Mapping[tuple[int, int], Cell]
    elsewhere: int


def heat_map(study: StudyResult, space: Space, x: Column, y: Column | None) -> HeatMap:
    """The best COMPLETE trial by the values of two knobs, or of one; the baseline only if it lies in the space."""
    found: dict[tuple[int, int], list[TrialResult]] = defaultdict(list)
    elsewhere = 0
    for trial in study.trials:
        if trial.status is not Status.COMPLETE or not space.contains(trial.configuration):
            continue
        values = {label: trial.configuration[path] for label, path, _ in space.active(trial.configuration)}
        if x.label in values and (y is None or y.label in values):
            row = _place(y.knob, values[y.label]) if y else 0
            found[_place(x.knob, values[x.label]), row].append(trial)
        else:
            elsewhere += 1
    cells = {place: Cell(_best(study, trials), len(trials)) for place, trials in found.items()}
    return HeatMap(_axis(x), _axis(y) if y else None, cells, elsewhere)


def _best(study: StudyResult, trials: Sequence[TrialResult]) -> TrialResult:
    sign = 1 if study.maximize else -1
    best = best_of(tuple(trials), study.maximize)
    return best or max(trials, key=lambda trial: sign * trial.score.value if trial.score else -math.inf)


def _axis(column: Column) -> Axis:
    values = _few(column.knob)
    if values is not None:
        return Axis(column, tuple(value_text(value) for value in values))
    edges = [value_text(column.knob.decode(edge / BINS)) for edge in range(BINS + 1)]
    return Axis(column, tuple(f"{low} – {high}" for low, high in pairwise(edges)))


def _place(knob: Knob, value: Any) -> int:
    values = _few(knob)
    if values is not None:
        return [identity(one) for one in values].index(identity(value))
    return min(int(knob.encode(value) * BINS), BINS - 1)


def _few(knob: Knob) -> Sequence[Any] | None:
    """Every value of the knob; None where they are more than `MOST_VALUES`."""
    if isinstance(knob, Listed):
        values = knob.listed()
    elif knob.whole:
        values = range(int(knob.low), int(knob.high) + 1)
    else:
        return None
    return values if len(values) <= MOST_VALUES else None
