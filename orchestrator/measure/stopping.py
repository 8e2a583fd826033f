"""When a trial has measured enough: the sequential rule.

Every look at a growing sample is one more chance to be wrong. Therefore looks are few, each at a window longer
than the last by a stated factor, and the error that verdicts are allowed, 1 %, is shared out (Bonferroni): one
fifth among all the looks that fit in before the longest window, the rest to the verdict at the end, when the last
requests have been awaited. The stated confidence so holds over all looks together, and who has to be measured to the
end is judged nearly as by a single look, while clear cases can afford to be clear. Source: O. J. Dunn,
Multiple comparisons among means, JASA 56 (1961); spending errors over looks, K. K. G. Lan and D. L. DeMets,
Biometrika 70 (1983).

Precision is judged at the same looks, on 95 % intervals. A rule that stops once an interval is narrow stops a
little too often while it is narrow by luck: precision is a guide to how long to measure, no guarantee.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from orchestrator.measure.batches import Batches
from orchestrator.measure.confidence import CONFIDENCE as REPORTED
from orchestrator.measure.confidence import (
    mean_interval,
    quantile_intervals,
    quantiles,
    rate_interval,
    share_interval,
)
from orchestrator.measure.interval import Interval
from orchestrator.measure.percentile import share_below
from orchestrator.measure.race import Rival
from orchestrator.measure.samples import Samples, Window
from orchestrator.measure.steady import Steady
from orchestrator.measure.verdict import CONFIDENCE, Verdict, overall, verdicts
from orchestrator.measure.windows import in_window, limit_per_request_ms

FIRST_LOOK_S = 1.0
"""In less time, batches would be shorter than the rhythm of most servers."""

LOOK_GROWTH = 1.2
"""Each look waits for a window longer by this factor: hardly more data would cost error and CPU for nothing."""

LOOKS_SHARE = 0.2
"""Of the error: what looks take, borderline cases lack at the end; with less, clear cases take longer."""

LAST_CONFIDENCE = 1 - (1 - CONFIDENCE) * (1 - LOOKS_SHARE)
"""Of the verdict at the end, by itself."""

MIN_SUCCESSES = 100
"""With fewer successes no precision is believed: a handful of equal counts may look like certainty."""

SETTLED = 0.99
"""Requests as young as this quantile of response times may be under way still, and are not looked at."""


class Sequential:
    """Enough, when a limit has failed, or when all limits are decided and the objective is known to `precision`.

    With `requests`, so many successes are enough, and in place of the second: whatever is known before or then.
    A limit that has failed, or a rival that beats what is measured, ends the load from the first look on, before
    `min_s`: nothing that is measured later would make the configuration one to choose. Everything else waits for
    `min_s`, and so does a load of which nothing has succeeded yet: where most are answered 503 at once, those that are
    let in take longest. Whoever runs the load ends it at `max_s`. One load, one rule: it remembers its last look, in
    `ended` whether it was the rule that ended the load, and in `beaten` whether the rival was why. Unless `fail_fast`,
    a limit that has failed is as good as one that has passed.
    """

    def __init__(
        self,
        objective: str,
        precision: float,
        limits: Mapping[str, float],
        min_s: float,
        max_s: float,
        warm_up: Steady,
        open_loop: bool = False,
        rival: Rival | None = None,
        fewest: int = MIN_SUCCESSES,
        fail_fast: bool = True,
        requests: int | None = None,
    ) -> None:
        """`objective` and `limits` name figures of `Measurement`; `limits` in ms, or a ratio for `error_ratio`.

        `precision` bounds the relative half-width of the objective's 95 % interval. An objective without
        an interval, such as `latency_max_ms`, is never precise. In an `open_loop` the rate of requests is given:
        what is uncertain of throughput is only the share of them that succeeds, and no chance of arrivals. With less
        than `fewest` successes no precision is believed.
        """
        if not precision > 0:
            raise ValueError(f"precision is more than 0, not {precision}")
        if not 0 <= min_s <= max_s or not 0 < max_s < math.inf:
            raise ValueError(f"0 <= min_s <= max_s > 0 must hold, not {min_s} and {max_s}")
        self._objective = objective
        self._precision = precision
        self._limits = dict(limits)
        self._min_s = min_s
        self._warm_up = warm_up
        self._open_loop = open_loop
        self._rival = rival
        self.beaten = self.ended = False
        self._fewest = fewest
        self._requests = requests
        self._fail_fast = fail_fast
        self._next_look_s = FIRST_LOOK_S
        looks = 1 + max(0, math.floor(math.log(max_s / FIRST_LOOK_S) / math.log(LOOK_GROWTH)))
        self._confidence = 1 - (1 - CONFIDENCE) * LOOKS_SHARE / looks

    def warm(self, samples: Samples, now: float) -> bool:
        """Whether warm-up is over; `now` in seconds since the load started."""
        return self._warm_up(samples, now)

    def enough(self, samples: Samples, window: Window) -> bool:
        """Whether the requests scheduled in `window`, as far as they have ended by its end, suffice.

        To be asked as often as one likes: between two looks there is at most something to be counted.
        """
        self.ended = self._has_all(samples, window) or self._has_seen_enough(samples, window)
        return self.ended

    def _has_all(self, samples: Samples, window: Window) -> bool:
        if self._requests is None or window[1] - window[0] < self._min_s:
            return False
        return int(np.count_nonzero(in_window(samples, window).ok)) >= self._requests

    def _has_seen_enough(self, samples: Samples, window: Window) -> bool:
        elapsed_s = window[1] - window[0]
        if elapsed_s < self._next_look_s:
            return False
        while self._next_look_s <= elapsed_s:
            self._next_look_s *= LOOK_GROWTH
        counted, window = settled(in_window(samples, window), window)
        if not len(counted):
            return False
        verdict = overall(verdicts(counted, window, self._limits, self._confidence))
        self.beaten = self._is_beaten(counted, window)
        some = bool(counted.ok.any())
        if some and ((verdict is Verdict.FAIL and self._fail_fast) or self.beaten):
            return True
        if elapsed_s < self._min_s:
            return False
        if not some:
            return len(counted) >= MIN_SUCCESSES
        decided = verdict is not Verdict.UNDECIDED
        return self._requests is None and decided and self._is_precise(counted, window)

    def verdicts(self, samples: Samples, window: Window) -> dict[str, Verdict]:
        """The verdicts at the end, from all requests scheduled in `window`: with them, 99 % hold over all looks."""
        return verdicts(samples, window, self._limits, LAST_CONFIDENCE)

    def _is_precise(self, counted: Samples, window: Window) -> bool:
        if np.count_nonzero(counted.ok) < self._fewest:
            return False
        figure, interval = self._figure(counted, window, REPORTED)
        return interval is not None and interval.relative_half_width(figure) <= self._precision

    def _is_beaten(self, counted: Samples, window: Window) -> bool:
        if self._rival is None:
            return False
        _, interval = self._figure(counted, window, self._confidence)
        return interval is not None and self._rival.beats(interval)

    def _figure(self, counted: Samples, window: Window, confidence: float) -> tuple[float, Interval | None]:
        """The objective and its interval; None where it has none yet."""
        ok = counted.ok
        if np.count_nonzero(ok) < MIN_SUCCESSES:
            return math.nan, None
        if self._objective in ("throughput_rps", "goodput_rps"):
            limit_ms = limit_per_request_ms(self._limits) if self._objective == "goodput_rps" else math.inf
            return self._rate(counted, ok & (counted.response_time_s * 1e3 <= limit_ms), window, confidence)
        latency_ms = counted.response_time_s[ok] * 1e3
        batches = Batches.cut(counted.scheduled_s[ok], window)
        if self._objective == "latency_mean_ms":
            return float(latency_ms.mean()), mean_interval(batches, latency_ms, confidence)
        if probability := share_below(self._objective):
            ordered = np.sort(latency_ms)
            (interval,) = quantile_intervals(batches, latency_ms, ordered, [probability], confidence)
            (figure,) = quantiles(ordered, (probability,))
            return figure, interval
        return math.nan, None

    def _rate(
        self, counted: Samples, events: np.ndarray, window: Window, confidence: float
    ) -> tuple[float, Interval | None]:
        """Of `events` (requests,) per second."""
        duration_s = window[1] - window[0]
        rate = np.count_nonzero(events) / duration_s
        if not self._open_loop:
            return rate, rate_interval(counted.scheduled_s[events], window, confidence)
        share = share_interval(Batches.cut(counted.scheduled_s, window), events, events, confidence)
        return rate, share.times(len(counted) / duration_s) if share else None


def settled(counted: Samples, window: Window) -> tuple[Samples, Window]:
    """The requests of `window` without its newest part, of which some may still be under way; and what is left.

    Those that have ended by then are the quick ones. What is cut off is as long as 99 % of response times. Of a
    server that slows down more and more that is the larger part, and rightly so.
    """
    start, end = window
    if not len(counted):
        return counted, (start, start)
    until = max(start, end - float(np.quantile(counted.response_time_s, SETTLED)))
    return in_window(counted, (start, until)), (start, until)
