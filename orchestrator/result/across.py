"""One configuration for all values of one knob, as for all models of a service: what a study's trials say of that."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, geometric_mean, stdev
from typing import Any

from orchestrator.measure.batches import students_t
from orchestrator.plain import identity, is_number, text
from orchestrator.result.trial import Configuration, Status, TrialResult
from orchestrator.robust import Standing, compromise, standings

CONFIDENCE = 0.95
"""Of intervals."""


@dataclass(frozen=True)
class Cell:
    """A configuration under one value: the trial that measured it first, and those that measured it again."""

    trial: TrialResult
    again: tuple[TrialResult, ...] = ()

    @property
    def figure(self) -> float | None:
        """The objective's: the mean (geometric) of what was measured again, or the trial's own. None over the SLO."""
        scores = [trial.score for trial in self.again or (self.trial,)]
        if any(score is None or not score.feasible for score in scores):
            return None
        values = [score.value for score in scores if score is not None]
        return geometric_mean(values) if len(values) > 1 and min(values) > 0 else fmean(values)

    @property
    def uncertainty(self) -> float:
        """Half of the figure's 95 % interval as a share of it; NaN where unknown.

        By what each measurement knows of itself, or by what they differ (Student's t of their logarithms): the larger.
        """
        scores = [trial.score for trial in self.again or (self.trial,) if trial.score is not None]
        values = [score.value for score in scores]
        if not values or min(values) <= 0:
            return math.nan
        within = math.hypot(*(score.half_widths[0] / score.value for score in scores)) / len(scores)
        if len(values) < 2:
            return within
        between = students_t(len(values) - 1, CONFIDENCE) * stdev(map(math.log, values)) / math.sqrt(len(values))
        return between if math.isnan(within) else max(within, between)


@dataclass(frozen=True)
class Across:
    """The configurations of a study less the knob `knob`, numbered from 0 on, under each of its `values`.

    `cells` are by value (as text) and number; only what was measured and can be trusted is there.
    """

    knob: str
    values: tuple[str, ...]
    configurations: tuple[Configuration, ...]
    cells: Mapping[str, Mapping[int, Cell]]
    maximize: bool

    @property
    def standings(self) -> list[Standing[int]]:
        """All configurations, the best compromise first; empty where under some value none keeps the SLO."""
        every = range(len(self.configurations))
        return standings({value: {n: self.figure(value, n) for n in every} for value in self.values}, self.maximize)

    @property
    def robust(self) -> Standing[int] | None:
        """What is recommended for all values; None where nothing was measured, and kept the SLO, under all of them."""
        return compromise(self.standings)

    @property
    def obstacle(self) -> str:
        """Why nothing is recommended, where nothing is."""
        every = range(len(self.configurations))
        lost = [v for v in self.values if all(self.figure(v, number) is None for number in every)]
        if lost or not self.values:
            return f"under {self.knob} = {', '.join(lost) or 'any value'} nothing was measured that keeps the SLO"
        return f"no configuration was measured, and kept the SLO, under every value of {self.knob}; a grid measures all"

    def cell(self, value: str, number: int) -> Cell | None:
        """What was measured of a configuration under a value."""
        return self.cells[value].get(number)

    def figure(self, value: str, number: int) -> float | None:
        """The objective's of a configuration under a value; None where it was not measured, or is over the SLO."""
        cell = self.cell(value, number)
        return cell.figure if cell is not None else None

    def best(self, value: str) -> int | None:
        """The configuration with the best figure under a value."""
        known = {n: figure for n in self.cells[value] if (figure := self.figure(value, n)) is not None}
        choose = max if self.maximize else min
        return choose(known, key=known.__getitem__) if known else None

    def margin(self, found: Standing[int]) -> float:
        """Half of the 95 % interval of a mean regret, NaN where unknown.

        Errors of the two figures behind each regret add up as independent ones do (to first order).
        """
        halves = []
        for value in self.values:
            one, best = self.cell(value, found.configuration), self.cell(value, self.best(value) or 0)
            if one is None or best is None or one.figure is None or best.figure is None:
                return math.nan
            if one is not best:
                halves.append(one.figure / best.figure * math.hypot(one.uncertainty, best.uncertainty))
        return math.hypot(*halves) / len(self.values)


def across(knob: str, trials: Sequence[TrialResult], replications: Sequence[TrialResult], maximize: bool) -> Across:
    """What the trials say; values are in their own order if they are numbers, else in that of the alphabet.

    A configuration that was measured twice counts with its first trial that can be trusted.
    """
    again: dict[int | None, list[TrialResult]] = {}
    for run in replications:
        if run.status is Status.COMPLETE:
            again.setdefault(run.confirms, []).append(run)
    configurations: dict[str, Configuration] = {}
    numbers: dict[str, int] = {}
    cells: dict[str, dict[int, Cell]] = {}
    values: dict[str, Any] = {}
    for trial in trials:
        if trial.status is not Status.COMPLETE or knob not in trial.configuration:
            continue
        value, rest = without(trial.configuration, knob)
        configurations.setdefault(identity(rest), rest)
        number = numbers.setdefault(identity(rest), len(numbers))
        values.setdefault(text(value), value)
        cell = Cell(trial, tuple(again.get(trial.number, ())))
        cells.setdefault(text(value), {}).setdefault(number, cell)
    ordered = sorted(values, key=lambda name: _key(values[name]))
    return Across(knob, tuple(ordered), tuple(configurations.values()), cells, maximize)


def without(configuration: Configuration, knob: str) -> tuple[Any, Configuration]:
    """The value of a knob, and the configuration without it."""
    return configuration[knob], {path: value for path, value in configuration.items() if path != knob}


def _key(value: Any) -> tuple[bool, float, str]:
    return (False, float(value), "") if is_number(value) else (True, 0.0, text(value))
