"""Does a configuration keep its SLO? Pass, fail or undecided, with 99 % confidence.

A limit on a percentile, p99 within 50 ms say, holds when at most 1 % of all requests are over the limit. So the
test is on a count. With t of n requests over the limit, the limit is passed when so few would be rarer than
1 - confidence if the true share over it were exactly 1 - p: I(p; n - t, t + 1) <= 1 - confidence, with I the
regularised incomplete beta function. This is the early-stopping test of MLPerf Inference. It is failed when so
many would be as rare: I(1 - p; t, n - t + 1) <= 1 - confidence. Between the two it is undecided: measure longer.

Requests in a queue come over the limit in clusters and count for less than independent ones. As many as say
the same, n and t both divided by the inflation of the variance of their share, go into the test.

A short look at a waiting line flatters it: the rare long queue, which makes its tail, has not come yet. So a
pass needs more than a fail: when neighbouring batches are alike, the window is no more than a few times as long
as the queue's memory, and its batches count only for the independent ones among them. Simulated at the worst place,
a limit that is exactly the truth: independent requests keep to 1 %; a queue (M/D/1 at 85 %) is failed wrongly
in up to 2 %, and passed wrongly in up to 5 % of windows that are a few times its memory, 1 to 2 % of longer ones.

A limit on a percentile is also passed when the count as it is passes and the upper end of the percentile's interval
keeps the limit too, at a higher confidence. The count knows nothing of distances: to it, a limit far above the
percentile is as near as any. So is a limit on the mean, of which few independent batches say little, when they keep it
and the 95th percentile keeps it too.

Source: V. J. Reddi et al., MLPerf Inference Benchmark (2020), and the early-stopping criterion of MLPerf
LoadGen; the inflation by batch means, see orchestrator.measure.batches.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from orchestrator.measure.batches import Batches, doubt, inflation, inflation_of_mean
from orchestrator.measure.confidence import MIN_VALUES, mean_interval, quantile_intervals
from orchestrator.measure.percentile import share_below
from orchestrator.measure.samples import Samples, Window

CONFIDENCE = 0.99
"""Of a verdict."""

BATCHES = 20
"""More than for intervals: at a high confidence, what few batches leave in doubt would cost many requests."""

ALWAYS = 0.999
"""What "never" can mean for a sample: a limit on the maximum, or of no errors at all, is passed when this share
of all requests keeps it, with the confidence asked for. At 99 % that takes 4,603 independent requests."""

SECOND_WAY = 4
"""By how much rarer an error by the interval has to be: a second way to pass is a second chance to be wrong, and
intervals in a busy queue are somewhat too narrow (simulated)."""

ABOVE_MEAN = 0.95
"""A limit on the mean that even this percentile keeps, which lies above the mean of waiting times, is a distant one."""

SLOWEST = 20
"""Requests of the slow end that tell of correlation where too few, or none, are over the limit."""

_OTHERS = {"latency_mean_ms", "latency_max_ms", "error_ratio"}


class Verdict(Enum):
    """What the requests so far say of a limit."""

    PASS = "pass"
    FAIL = "fail"
    UNDECIDED = "undecided"


def verdicts(
    samples: Samples, window: Window, limits: Mapping[str, float], confidence: float = CONFIDENCE
) -> dict[str, Verdict]:
    """The verdict on each limit from the requests scheduled in `window`.

    `limits` maps figures of `Measurement` to what they may be at most: `latency_p50_ms` and other percentiles,
    `latency_mean_ms`, `latency_max_ms`, `error_ratio`. For a percentile and the maximum every request without
    a good answer is over the limit; the mean is that of the successes. A limit on the maximum, and an error
    ratio of 0, fail with the first request that breaks them. Fewer than MIN_VALUES requests decide nothing.
    ValueError for a figure that has no verdict.
    """
    unknown = [name for name in limits if name not in _OTHERS and share_below(name) is None]
    if unknown:
        raise ValueError(f"there is no verdict on {', '.join(unknown)}")
    counted = (samples.scheduled_s >= window[0]) & (samples.scheduled_s < window[1])
    if np.count_nonzero(counted) < MIN_VALUES:
        return dict.fromkeys(limits, Verdict.UNDECIDED)
    latency_ms = np.where(samples.ok, samples.response_time_s * 1e3, np.inf)[counted]
    times_s = samples.scheduled_s[counted]
    batches = Batches.cut(times_s, window, BATCHES)
    calmed = _calmed(latency_ms)
    freedom = max(1.0, min(batches.freedom(calmed), _runs(_slowest(latency_ms, 0.9)) - 1.0))
    evidence = _Evidence(
        times_s, window, batches, latency_ms, inflation_of_mean(batches, calmed), freedom, 2 * confidence - 1
    )
    return {name: _verdict(name, limit, evidence) for name, limit in limits.items()}


def overall(each: Mapping[str, Verdict]) -> Verdict:
    """FAIL when a limit failed, else UNDECIDED when one is undecided, else PASS; without limits PASS."""
    found = set(each.values())
    return next((verdict for verdict in (Verdict.FAIL, Verdict.UNDECIDED) if verdict in found), Verdict.PASS)


def binomial_verdict(over: float, count: float, percentile: float, confidence: float = CONFIDENCE) -> Verdict:
    """Whether at most the share 1 - `percentile` is over the limit, with `over` of `count` independent requests."""
    if count > over and float(betainc(count - over, over + 1, percentile)) <= 1 - confidence:
        return Verdict.PASS
    if over > 0 and float(betainc(over, count - over + 1, 1 - percentile)) <= 1 - confidence:
        return Verdict.FAIL
    return Verdict.UNDECIDED


def requests_needed(over: int, percentile: float, confidence: float = CONFIDENCE) -> int:
    """Fewest independent requests with which a limit is passed although `over` of them are over it."""
    low, high = over, over + 1
    while binomial_verdict(over, high, percentile, confidence) is not Verdict.PASS:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        passed = binomial_verdict(over, middle, percentile, confidence) is Verdict.PASS
        low, high = (low, middle) if passed else (middle, high)
    return high


@dataclass(frozen=True)
class _Evidence:
    """What the requests of a window say."""

    times_s: NDArray[np.float64]  # (requests,): when they were scheduled
    window: Window
    batches: Batches
    latency_ms: NDArray[np.float64]  # (requests,): infinite where there was no good answer
    clustering: float  # inflation of the variance of the mean latency
    freedom: float  # of the batches, as far as they are independent
    two_sided: float  # confidence of an interval that is left on one given side as rarely as a verdict is wrong

    @property
    def confidence(self) -> float:
        return (1 + self.two_sided) / 2

    def highest_quantile(self, probability: float) -> float:
        """Upper end of the quantile's interval: by its distance a limit far off is passed with fewer requests."""
        finite = np.minimum(self.latency_ms, sys.float_info.max / 4)  # differences stay finite
        cut = Batches.cut(self.times_s, self.window)
        (interval,) = quantile_intervals(
            cut, finite, np.sort(finite), [probability], 1 - (1 - self.two_sided) / SECOND_WAY
        )
        return interval.hi if interval else math.inf

    def doubts(self) -> tuple[tuple[Verdict, float, float], ...]:
        """What is asked for, with how many degrees of freedom, and for which inflation at least."""
        return (Verdict.FAIL, len(self.batches.sizes) - 1.0, 1.0), (Verdict.PASS, self.freedom, self.clustering)


def _verdict(name: str, limit: float, evidence: _Evidence) -> Verdict:
    if name == "latency_mean_ms":
        return _on_mean(limit, evidence)
    over = np.isinf(evidence.latency_ms) if name == "error_ratio" else evidence.latency_ms > limit
    share = share_within(name, limit)
    if name == "error_ratio" and limit > 0 and not over.any():
        # Nothing tells whether failures come in clusters where there are none: MLPerf's count as it is.
        return binomial_verdict(0, len(over), share, evidence.confidence)
    if share == 1:
        if over.any():
            return Verdict.FAIL
        share = ALWAYS
    clustering = inflation(evidence.batches, over, float(over.mean()))
    for wanted, freedom, least in evidence.doubts():
        if wanted is Verdict.PASS and np.count_nonzero(over) < SLOWEST:
            slow = _slowest(evidence.latency_ms, share)
            clustering = max(clustering, inflation(evidence.batches, slow, float(slow.mean())))
        each = max(clustering, least) * doubt(freedom, evidence.two_sided)
        count = len(over) / each
        if binomial_verdict(np.count_nonzero(over) / each, count, share, evidence.confidence) is wanted:
            return wanted
    as_it_is = binomial_verdict(int(np.count_nonzero(over)), len(over), share, evidence.confidence)
    if share_below(name) and as_it_is is Verdict.PASS and evidence.highest_quantile(share) <= limit:
        return Verdict.PASS
    return Verdict.UNDECIDED


def share_within(name: str, limit: float) -> float:
    """The share of requests that has to keep the limit."""
    if name == "error_ratio":
        return 1 - limit
    return share_below(name) or 1.0


def _on_mean(limit: float, evidence: _Evidence) -> Verdict:
    ok = np.isfinite(evidence.latency_ms)
    successes, latency_ms = evidence.batches.where(ok), evidence.latency_ms[ok]
    if not len(latency_ms):
        return Verdict.FAIL  # there is no mean that could keep the limit
    for wanted, freedom, least in evidence.doubts():
        interval = mean_interval(successes, latency_ms, evidence.two_sided, freedom, least**0.25)
        if interval and (interval.hi <= limit if wanted is Verdict.PASS else interval.lo > limit):
            return wanted
    usual = mean_interval(successes, latency_ms, evidence.two_sided)
    if usual and usual.hi <= limit and evidence.highest_quantile(ABOVE_MEAN) <= limit:
        return Verdict.PASS
    return Verdict.UNDECIDED


def _slowest(latency_ms: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Which requests are slower than this share of all, or belong to the SLOWEST, whichever are more."""
    rank = max(0, min(int(share * len(latency_ms)), len(latency_ms) - 1 - SLOWEST))
    return latency_ms > np.partition(latency_ms, rank)[rank]


def _runs(events: NDArray[np.bool_]) -> int:
    """How many runs of successive `events` there are: moments, as far as those are independent of each other."""
    return int(np.count_nonzero(events[1:] & ~events[:-1])) + int(events[0])


def _calmed(latency_ms: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same, none above their upper decile, or 0 where that is infinite: rhythm shows without outliers."""
    rank = int(0.9 * (len(latency_ms) - 1))
    most = np.partition(latency_ms, rank)[rank]
    return np.minimum(latency_ms, most) if math.isfinite(most) else np.where(np.isinf(latency_ms), 1.0, 0.0)
