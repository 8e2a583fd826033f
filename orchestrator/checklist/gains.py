"""By how much a candidate is better than the baseline, from single measurements and from several in turn. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.blocks import Blocks
from orchestrator.measure.compare import Comparison, compare
from orchestrator.measure.confidence import CONFIDENCE
from orchestrator.measure.interval import Interval
from orchestrator.result import Ratio

WORTH = 2.0
"""A gain below so many times the measuring precision is not looked for any further."""


@dataclass
class Figures:
    """The objective's figure of each configuration in each round; the baseline has number 0, more is better or less."""

    maximize: bool
    _seen: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)  # (number, round) -> value, ± half

    def add(self, number: int, round_: int, value: float, half_width: float) -> None:
        """A measurement; one that is not positive has no ratio to others and does not count."""
        if 0 < value < math.inf:
            self._seen[number, round_] = value, half_width

    def count(self, number: int) -> int:
        """How many measurements there are of a configuration."""
        return sum(one == number for one, _ in self._seen)

    def gain(self, number: int, confidence: float = CONFIDENCE) -> Ratio | None:
        """How many times as good as the baseline; None where one of them was not measured."""
        found = self._from_rounds(number, confidence) or self._from_single(number, confidence)
        return None if found is None else Ratio(found.ratio, found.interval.lo, found.interval.hi, confidence)

    def _from_rounds(self, number: int, confidence: float) -> Comparison | None:
        numbers = sorted({one for one, _ in self._seen})
        if number not in numbers or 0 not in numbers:
            return None
        blocks = Blocks.fit(self._matrix(numbers))
        if blocks is None:
            return None
        more, less = (number, 0) if self.maximize else (0, number)
        return blocks.ratio(numbers.index(more), numbers.index(less), confidence)

    def _matrix(self, numbers: Sequence[int]) -> NDArray[np.float64]:
        """(configurations, rounds): NaN where it was not measured."""
        rounds = sorted({round_ for _, round_ in self._seen})
        figures = np.full((len(numbers), len(rounds)), math.nan)
        for (number, round_), (value, _) in self._seen.items():
            figures[numbers.index(number), rounds.index(round_)] = value
        return figures

    def _from_single(self, number: int, confidence: float) -> Comparison | None:
        """By the intervals of one measurement of each in the same round, which do not know of other deployments."""
        shared = [round_ for one, round_ in self._seen if one == number and (0, round_) in self._seen]
        if not shared:
            return None
        ours, base = self._seen[number, shared[0]], self._seen[0, shared[0]]
        first, second = (base, ours) if self.maximize else (ours, base)
        return compare(first[0], _interval(*first), second[0], _interval(*second), confidence)


def _interval(value: float, half_width: float) -> Interval:
    """Nothing is known of a figure without an interval: it may be twice or half of what it is."""
    half = half_width if math.isfinite(half_width) else value / 2
    return Interval(value - half, value + half)


def is_shown(gain: Ratio, precision: float) -> bool:
    """Whether there is more to be had than the measuring precision."""
    return gain.lo > 1 + precision


def is_out_of_reach(gain: Ratio, precision: float) -> bool:
    """Whether there is nothing worth having."""
    return gain.hi < 1 + WORTH * precision
