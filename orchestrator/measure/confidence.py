"""How precisely a figure is known: confidence intervals from the requests of one run.

Means and rates have Student's t from batch means (orchestrator.measure.batches). A quantile's interval is that
of the share of requests above it (Woodruff), read back through the empirical quantiles. The number of batches
and every correction were chosen by simulation of waiting lines with known laws, and are held to them by
tests/unit/test_measure_confidence.py.

Sources: R. S. Woodruff, Confidence intervals for medians and other position measures, JASA 47 (1952);
P. Heidelberger and P. A. W. Lewis, Quantile estimation in dependent sequences, Operations Research 32 (1984);
C. J. Clopper and E. S. Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from orchestrator.measure.batches import BATCHES, Batches, doubt, inflation, students_t, sum_error
from orchestrator.measure.interval import Interval
from orchestrator.measure.samples import Window

CONFIDENCE = 0.95
"""Of every interval that is reported."""

MIN_VALUES = 10
"""With fewer values than this there is no interval: nothing can be said about their correlation."""

FIRM_EXCEEDANCES = 3.0
"""With fewer independent requests beyond it, an empirical quantile is no upper bound: the tail is extended."""

MOST_RELATIVE = 0.95
"""Half-width of a positive figure, as a share of it, from which its upper bound no longer grows: 20 times it."""


def rate_interval(times_s: NDArray[np.float64], window: Window, confidence: float = CONFIDENCE) -> Interval | None:
    """Interval of the events per second in `window`; `times_s` (events,) lie within it. None for too few."""
    return count_interval(Batches.cut(times_s, window, BATCHES).sizes, window[1] - window[0], confidence)


def count_interval(counts: NDArray[np.float64], duration_s: float, confidence: float = CONFIDENCE) -> Interval | None:
    """The same from the events in each batch, (batches,), of a window so long.

    It is never narrower than one event more or less: where a window begins and ends is chance.
    """
    if counts.sum() < MIN_VALUES:
        return None
    events = float(counts.sum())
    half = max(students_t(len(counts) - 1, confidence) * sum_error(counts - counts.mean()), 1.0)
    return Interval(max(events - half, 0.0) / duration_s, (events + half) / duration_s)


def mean_interval(
    batches: Batches,
    values: NDArray,
    confidence: float = CONFIDENCE,
    freedom: float | None = None,
    wider: float = 1.0,
    positive: bool = True,
    fewest: int = MIN_VALUES,
) -> Interval | None:
    """Interval of the mean of `values` (requests,); None for less than `fewest`. `positive`: none of them is below 0.

    `freedom` replaces the degrees of freedom, one less than there are batches; `wider` multiplies the width.

    The mean of positive values that queue up is uncertain in proportion to itself, so that an interval around
    it misses high truths far more often than low ones: it is taken on the scale of the logarithm below the
    mean, and on that of the reciprocal above it. Both are the usual interval when it is narrow.
    """
    if batches.requests < fewest:
        return None
    mean, error = batches.mean_and_error(values)
    half = wider * students_t(freedom or len(batches.sizes) - 1, confidence) * error
    return _positive_interval(mean, half) if positive else Interval(mean - half, mean + half)


def ratio_interval(
    batches: Batches, over: NDArray[np.float64], under: NDArray[np.float64], confidence: float = CONFIDENCE
) -> Interval:
    """Interval of sum(over) / sum(under), both (requests,) and positive: Student's t of what the ratio leaves.

    Source of the ratio of sums: W. G. Cochran, Sampling Techniques (1977), "Ratio estimators".
    """
    above, below = (np.bincount(batches.index, weights=values) for values in (over, under))
    ratio = float(above.sum() / below.sum())
    half = students_t(len(above) - 1, confidence) * sum_error(above - ratio * below) / float(below.sum())
    return _positive_interval(ratio, half)


def std_interval(batches: Batches, values: NDArray, confidence: float = CONFIDENCE) -> Interval | None:
    """Interval of the standard deviation of `values` (requests,), that of their variance; None for too few."""
    squares = mean_interval(batches, np.square(values - values.mean()), confidence) if len(values) else None
    return Interval(math.sqrt(squares.lo), math.sqrt(squares.hi)) if squares else None


def quantile_intervals(
    batches: Batches,
    values: NDArray[np.float64],
    ordered: NDArray[np.float64],
    probabilities: Sequence[float],
    confidence: float = CONFIDENCE,
) -> list[Interval | None]:
    """Intervals of quantiles of `values` (requests,); `ordered` are the same, sorted. None for too few.

    A tail beyond what was seen goes on exponentially above the median, as waiting times do in theory.
    """
    if batches.requests < MIN_VALUES:
        return [None] * len(probabilities)
    found: list[Interval | None] = []
    for probability in probabilities:
        beyond = 1 - probability
        above = values > quantiles(ordered, (probability,))[0]
        count = _effective(batches, above, beyond, confidence)
        share = clopper_pearson(beyond * count, count, confidence)
        lo, hi = quantiles(ordered, (1 - share.hi, 1 - share.lo))
        if share.lo * count < FIRM_EXCEEDANCES:
            hi = max(hi, _exponential_tail(ordered, share.lo))
        found.append(Interval(lo, hi))
    return found


def quantiles(ordered: NDArray[np.float64], probabilities: Sequence[float]) -> list[float]:
    """`numpy.quantile` with linear interpolation, of values that are sorted already (values,)."""
    places = np.multiply(probabilities, len(ordered) - 1)
    below = places.astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    return (ordered[below] + (places - below) * (ordered[above] - ordered[below])).tolist()


def share_interval(
    batches: Batches, events: NDArray[np.bool_], proxy: NDArray[np.bool_], confidence: float = CONFIDENCE
) -> Interval | None:
    """Interval of the share of requests that are `events` (requests,): Clopper-Pearson; None for too few.

    With none or nothing but events their correlation is unknown, and is taken from `proxy` (requests,), other
    events that come in the same bad moments, such as the slowest requests.
    """
    if batches.requests < MIN_VALUES:
        return None
    share = float(events.mean())
    told = events if 0 < share < 1 else proxy
    count = _effective(batches, told, float(told.mean()), confidence)
    return clopper_pearson(share * count, count, confidence)


def clopper_pearson(events: float, count: float, confidence: float = CONFIDENCE) -> Interval:
    """Exact binomial interval of a share, for whole or effective (fractional) counts; two-sided."""
    tail = (1 - confidence) / 2
    lo = float(betaincinv(events, count - events + 1, tail)) if events > 0 else 0.0
    hi = float(betaincinv(events + 1, count - events, 1 - tail)) if count - events > 0 else 1.0
    return Interval(lo, hi)


def _positive_interval(mean: float, half: float) -> Interval:
    if not mean > 0:
        return Interval(mean, mean)
    return Interval(mean * math.exp(-half / mean), mean / (1 - min(half / mean, MOST_RELATIVE)))


def _exponential_tail(ordered: NDArray[np.float64], beyond: float) -> float:
    """Value with the share `beyond` above it, if the excess over the median has an exponential law."""
    upper = ordered[len(ordered) // 2 :]
    return float(upper[0] + (upper.mean() - upper[0]) * math.log(0.5 / min(beyond, 0.5)))


def _effective(batches: Batches, events: NDArray[np.bool_], share: float, confidence: float) -> float:
    """As how many independent requests those of `batches` count."""
    freedom = len(batches.sizes) - 1
    return batches.requests / (inflation(batches, events, share) * doubt(freedom, confidence))
