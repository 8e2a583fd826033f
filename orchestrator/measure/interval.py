"""A confidence interval as a value; how it is found stands in orchestrator.measure.confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A confidence interval, in the unit of its figure."""

    lo: float
    hi: float

    def relative_half_width(self, figure: float) -> float:
        """Half of its width over the figure that it belongs to; infinite for a figure that is 0 or not finite."""
        if figure == 0 or not math.isfinite(figure):
            return math.inf
        return (self.hi - self.lo) / 2 / abs(figure)

    def times(self, factor: float) -> Interval:
        """The interval of the figure times `factor`, which is at least 0."""
        return Interval(self.lo * factor, self.hi * factor)
