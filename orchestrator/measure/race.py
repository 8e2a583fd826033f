"""Racing: a configuration that is worse than the best so far, beyond doubt, need not be measured to the end.

The interval of what runs is compared at the looks of the sequential rule, at their confidence, with the rival's own
interval. Both come from within one run each, and two runs of the same configuration differ by more than that: a margin
has to lie between them as well. Source of the idea: O. Maron and A. W. Moore, Hoeffding races, NIPS 6 (1993).
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.measure.interval import Interval

MARGIN = 0.10
"""Relative difference that has to remain: runs of one configuration differ so much on shared machines."""

BEATEN = "ended early: worse than the best trial so far beyond doubt"
"""What a trial says of itself that did."""


@dataclass(frozen=True)
class Rival:
    """The best trial so far: the objective's `value` there and the half-width of its 95 % interval, in its unit.

    A half-width that is not known is NaN or infinite: then nothing is worse for certain.
    """

    value: float
    half_width: float
    maximize: bool

    def beats(self, interval: Interval) -> bool:
        """Whether the best that `interval` leaves possible is worse than the worst of the rival, by the margin."""
        if self.maximize:
            return bool(interval.hi < (self.value - self.half_width) * (1 - MARGIN))
        return bool(interval.lo > (self.value + self.half_width) * (1 + MARGIN))
