"""The flat region: how far the knobs may be turned without leaving what is as good as the best, as far as measured.

Nothing between trials is modelled. A trial counts as *worse* if it misses the SLO, could not be measured, or is shown,
at 95 %, to be worse than the best by more than the tolerance; any other as *good*. The region is a box around the best
trial, a range or a set of values for each knob, that holds no worse trial: starting from the box around all trials, one
side at a time is cut back beyond a worse trial, always where the fewest good trials are lost per worse one, until no
worse trial is left; then the box shrinks to what was measured within it.

Source: J. H. Friedman and N. I. Fisher, Bump hunting in high-dimensional data, Statistics and Computing 9 (1999), for
peeling a box.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import numpy as np
from numpy.typing import NDArray

from orchestrator.insight.extent import Extent, extent_of
from orchestrator.insight.reading import Reading, read
from orchestrator.insight.table import Table, tabulate
from orchestrator.measure.compare import compare
from orchestrator.measure.interval import Interval
from orchestrator.names import listing
from orchestrator.result import Status, StudyResult, TrialResult
from orchestrator.space import Space

TOLERANCE = 0.02
"""How much worse than the best a trial may be."""

FEWEST = 3
"""Trials, the best included, that a region takes: two do not enclose anything."""

MOST_CUTS = 64
"""Places along one side of a knob that are weighed against each other; the time of long studies stays bounded."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class FlatRegion:
    """What was found around the best trial; `extents` has the knobs that are active in it, in the file's order.

    `trials` are the numbers of those measured within it, the best included; `shortfall` is how much worse the worst of
    them measured, as a share of the best; `half_width` the median half-width of their intervals, relative, NaN where
    they have none.
    """

    best: int
    extents: tuple[Extent, ...]
    trials: tuple[int, ...]
    shortfall: float
    half_width: float

    @property
    def sentence(self) -> str:
        """The region in words, and by how many trials it is known."""
        count = len(self.trials)
        if count < FEWEST:
            others = "no other trial was" if count == 1 else f"only {count - 1} other trial was"
            return f"No flat region: {others} found to be as good as the best, trial {self.best}."
        bound = [str(extent) for extent in self.extents if not extent.free]
        free = [extent.column.name for extent in self.extents if extent.free]
        where = listing(bound) if bound else "Anywhere in the space"
        where += f", whatever {listing(free)}" if bound and free else ""
        return f"{where}: {self._how_flat(count)} {self._measured()}"

    def _how_flat(self, count: int) -> str:
        if self.shortfall <= TOLERANCE:
            return f"all {count} trials measured there are within {TOLERANCE:.0%} of the best."
        intervals = "" if math.isnan(self.half_width) else f" (their intervals are ±{self.half_width:.0%})"
        return (
            f"none of the {count} trials measured there was shown to be more than {TOLERANCE:.0%} worse than the best; "
            f"the lowest figure is {self.shortfall:.0%} worse{intervals}."
        )

    def _measured(self) -> str:
        return f"Measured: {listing([extent.measured for extent in self.extents])}."


def flat_region(study: StudyResult, space: Space) -> FlatRegion | None:
    """The flat region of the objective; None when no trial is within the SLO, or the best lies outside the space.

    Of a conditional space only the trials with the same active knobs as the best are looked at. INVALID trials say
    nothing, neither for nor against.
    """
    best = study.best
    if best is None or not space.contains(best.configuration):
        return None
    trials = [trial for trial in study.trials if trial.status is not Status.INVALID]
    table = tabulate(trials, space)
    home = [trial.number for trial in table.trials].index(best.number)
    active = ~np.isnan(table.units)
    table = table.where((active == active[home]).all(axis=1))
    kept = table.where(_peel(table, best, np.array([_is_as_good(trial, best, study) for trial in table.trials])))
    readings = [read(study, trial, study.objective) for trial in kept.trials]
    ratios = [_point(one, read(study, best, study.objective)) for one in readings]
    return FlatRegion(
        best=best.number,
        extents=tuple(
            extent_of(column, kept.values(index)) for index, column in enumerate(kept.columns) if active[home, index]
        ),
        trials=tuple(trial.number for trial in kept.trials),
        shortfall=1 - min(ratios) if study.maximize else max(ratios) - 1,
        half_width=_half_width(readings),
    )


def _is_as_good(trial: TrialResult, best: TrialResult, study: StudyResult) -> bool:
    if trial.status is not Status.COMPLETE or trial.score is None or not trial.score.feasible:
        return False
    ratio = _ratio(read(study, trial, study.objective), read(study, best, study.objective))
    return ratio.hi >= 1 - TOLERANCE if study.maximize else ratio.lo <= 1 + TOLERANCE


def _ratio(one: Reading, best: Reading) -> Interval:
    """The figure over the best one; a point where an interval is not known, and 1 where there is no ratio."""
    if one.interval and best.interval and one.value > 0 and best.value > 0:
        return compare(best.value, best.interval, one.value, one.interval).interval
    return Interval(_point(one, best), _point(one, best))


def _point(one: Reading, best: Reading) -> float:
    return one.value / best.value if best.value else 1.0


def _half_width(readings: Sequence[Reading]) -> float:
    widths = [one.interval.relative_half_width(one.value) for one in readings if one.interval]
    return median(widths) if widths else math.nan


def _peel(table: Table, best: TrialResult, good: Mask) -> Mask:
    """Which trials lie in the box around the best that is left when no worse one is in it."""
    home = [trial.number for trial in table.trials].index(best.number)
    inside = np.ones(len(good), dtype=bool)
    while (worse := inside & ~good).any():
        cuts = [
            cut
            for column, unit in zip(table.columns, table.units.T, strict=True)
            for cut in _cuts(unit, unit[home], column.knob.ordinal, worse)
        ]
        if not cuts:  # another trial of the best configuration itself was worse
            return inside & good
        inside &= ~min(cuts, key=partial(_price, worse=worse, good=inside & good))
    return inside


def _price(cut: Mask, worse: Mask, good: Mask) -> tuple[float, int]:
    """Good trials lost per worse one; of equal prices the cut that takes most worse ones away."""
    removed = int((cut & worse).sum())
    return float((cut & good).sum() / removed), -removed


def _cuts(unit: NDArray[np.float64], home: float, ordinal: bool, worse: Mask) -> Iterator[Mask]:
    """The trials that each cut beyond a worse one would take away: of ordered values all those from there on."""
    if not ordinal:
        yield from (unit == value for value in np.unique(unit[worse]) if value != home)
        return
    for distance in (unit - home, home - unit):
        edges = np.unique(distance[worse & (distance > 0)])
        thinned = edges[np.unique(np.linspace(0, len(edges) - 1, min(len(edges), MOST_CUTS)).astype(int))]
        yield from (distance >= edge for edge in thinned)
