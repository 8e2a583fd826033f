"""The highest rate at which the SLO holds: bracketing, then bisection. Pure; verdicts are handed in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from orchestrator.measure.verdict import Verdict

MOST_RATES = 16
"""Rates that are tried at the most: bracketing over a factor of 2^6 and bisection to 1 % take fewer."""

LOWEST_SHARE = 1 / 64
"""Of the first rate: an SLO that fails even there is not a question of the rate."""


@dataclass
class RateSearch:
    """Asks for one rate after another (`next_rps`) and is told what became of it (`tell`), in requests/s.

    Starts at `start_rps`, doubles while the SLO holds and halves while it does not, then bisects by the geometric
    mean until the highest rate at which it holds and the lowest at which that was not shown are within `precision`
    of each other. No rate above `highest_rps` is asked for.

    An undecided rate counts as one at which the SLO does not hold, but not as one at which it fails: the
    interval of the answer reaches from `holds_rps` to `fails_rps`.
    """

    start_rps: float
    precision: float
    highest_rps: float = math.inf
    _verdicts: dict[float, Verdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < self.start_rps < math.inf or not 0 < self.precision < 1 or not self.highest_rps > 0:
            raise ValueError(
                f"start_rps and highest_rps are above 0 and precision is between 0 and 1, not {self.start_rps}, "
                f"{self.highest_rps} and {self.precision}"
            )

    @property
    def holds_rps(self) -> float:
        """The highest rate at which the SLO was shown to hold, below all at which it failed; 0 if there is none."""
        return max((r for r, v in self._verdicts.items() if v is Verdict.PASS and r < self._open_rps), default=0.0)

    @property
    def fails_rps(self) -> float:
        """The lowest rate at which it was shown to fail; infinity if there is none."""
        return min((rate for rate, verdict in self._verdicts.items() if verdict is Verdict.FAIL), default=math.inf)

    @property
    def next_rps(self) -> float | None:
        """The next rate to try; None when the answer is known well enough, or cannot be had."""
        if len(self._verdicts) >= MOST_RATES:
            return None
        holds, unshown = self.holds_rps, self._open_rps
        if not self._verdicts:
            return min(self.start_rps, self.highest_rps)
        if unshown == math.inf:  # everything held so far
            return min(2 * holds, self.highest_rps) if holds < self.highest_rps else None
        if holds == 0:
            lower = unshown / 2
            return lower if lower >= self.start_rps * LOWEST_SHARE else None
        if unshown / holds > 1 + self.precision:
            return math.sqrt(holds * unshown)
        return self._above()

    def tell(self, rate_rps: float, verdict: Verdict) -> None:
        """What a load at `rate_rps`, a rate that was asked for, came to."""
        self._verdicts[rate_rps] = verdict

    @property
    def _open_rps(self) -> float:
        """The lowest rate at which the SLO was not shown to hold."""
        return min((rate for rate, verdict in self._verdicts.items() if verdict is not Verdict.PASS), default=math.inf)

    def _above(self) -> float | None:
        """A rate between the undecided ones and those that fail: the interval needs an upper end, and a near one."""
        fails = self.fails_rps
        not_shown_to_fail = max(rate for rate in self._verdicts if rate < fails)
        if fails == math.inf:
            higher = min(not_shown_to_fail * (1 + 2 * self.precision), self.highest_rps)
            return higher if higher > not_shown_to_fail else None
        apart = fails / not_shown_to_fail > 1 + 2 * self.precision
        return math.sqrt(fails * not_shown_to_fail) if apart else None
