"""Has the server settled? The end of warm-up by evidence, and drift within a window. No clock.

Warm-up is over when three successive windows agree in throughput and in latency, the rule of NVIDIA Triton's
Perf Analyzer ("measurements are stable when the last three are within a stability percentage", by default
10 %). Two things are different here. The windows are thirds of the latter half of the time since the load
started, so they grow until they hold enough requests, and what happened at the start has to be a while ago in
proportion. And a difference beyond the tolerance does not count when an analysis of variance says that it may
well be noise within the windows: at a few requests per second one is to be expected.

What is looked at ended within a window, whenever it was scheduled: requests still under way are then missing
from no window more than from another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, stdtr

from orchestrator.measure.batches import most_correlation
from orchestrator.measure.samples import Outcome, Samples, Window

WINDOWS = 3
PARTS = 5
"""Each window is cut into so many, whose spread is its noise."""

MIN_ENDED = 10
"""Requests that must have ended in each window: with fewer, whatever happens may be noise."""

NOISE = 0.05
"""Significance at which a difference between windows is no longer put down to noise."""

DRIFT_BATCHES = 20
DRIFT_SIGNIFICANCE = 0.01


@dataclass(frozen=True)
class Steady:
    """When warm-up is over: not before `min_s`, at the latest after `max_s`, in between by evidence."""

    min_s: float
    max_s: float
    tolerance: float = 0.1  # by which the windows' figures may differ from their mean

    def __post_init__(self) -> None:
        if not 0 <= self.min_s <= self.max_s or not math.isfinite(self.max_s):
            raise ValueError(f"0 <= min_s <= max_s must hold, not {self.min_s} and {self.max_s}")
        if not self.tolerance > 0:
            raise ValueError(f"tolerance is more than 0, not {self.tolerance}")

    def __call__(self, samples: Samples, now: float) -> bool:
        """Whether warm-up is over at `now`, in seconds since the load started.

        `samples` are those of the requests that have ended by then, in order of completion.
        """
        if now >= self.max_s or now < self.min_s or now <= 0:
            return now >= self.max_s
        done_s, latency_s = _ended_since(samples, now / 2)
        part_s = now / 2 / (WINDOWS * PARTS)
        part = np.clip(((done_s - now / 2) / part_s).astype(np.intp), 0, WINDOWS * PARTS - 1)
        ended = np.bincount(part, minlength=WINDOWS * PARTS).astype(np.float64)
        if ended.reshape(WINDOWS, PARTS).sum(axis=1).min() < MIN_ENDED:
            return False
        waited = np.bincount(part, weights=latency_s, minlength=WINDOWS * PARTS)
        latency = np.divide(waited, ended, out=np.full_like(waited, waited.sum() / ended.sum()), where=ended > 0)
        return self._agree(ended) and self._agree(latency)

    def _agree(self, figures: NDArray[np.float64]) -> bool:
        """Whether windows differ by no more than the tolerance, or than their parts do; (windows * parts,)."""
        table = figures.reshape(WINDOWS, PARTS)
        means = table.mean(axis=1)
        if np.abs(means - means.mean()).max() <= self.tolerance * abs(means.mean()):
            return True
        between = PARTS * float(means.var(ddof=1))
        within = float(table.var(axis=1, ddof=1).mean())
        return within > 0 and float(fdtrc(WINDOWS - 1, WINDOWS * (PARTS - 1), between / within)) > NOISE


def drift(samples: Samples, window: Window) -> float:
    """Relative change of throughput from the start of `window` to its end; 0.0 unless significant at 1 %.

    Successes are counted by when they ended, in 20 parts; a straight line is fitted to the counts. Its slope is
    tested with Student's t, with as many degrees of freedom as the residuals leave when neighbours correlate:
    n (1 - r) / (1 + r) - 2. Only for loads whose rate is meant to be the same throughout. Source: B. D. Santer
    et al., Statistical significance of trends, J. Geophys. Res. 105 (2000).
    """
    start, end = window
    done_s = samples.done_s[samples.ok]
    within = done_s[(done_s >= start) & (done_s < end)]
    if not end > start or len(within) < 2 * DRIFT_BATCHES:
        return 0.0
    counts, _ = np.histogram(within, bins=DRIFT_BATCHES, range=window)
    time = (np.arange(DRIFT_BATCHES) + 0.5) / DRIFT_BATCHES - 0.5
    spread = float(time @ time)
    slope = float(time @ counts) / spread  # counts by which a part at the end exceeds one at the start
    residuals = counts - counts.mean() - slope * time
    squares = float(residuals @ residuals)
    if squares > 0:
        correlation = float(residuals[1:] @ residuals[:-1]) / squares
        correlation = min(max(correlation, 0.0), most_correlation(DRIFT_BATCHES))
        freedom = DRIFT_BATCHES * (1 - correlation) / (1 + correlation) - 2
        if freedom < 1:
            return 0.0
        t = abs(slope) / math.sqrt(squares / freedom / spread)
        if 2 * float(stdtr(freedom, -t)) > DRIFT_SIGNIFICANCE:
            return 0.0
    return slope / float(counts.mean())


def _ended_since(samples: Samples, since_s: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When requests that were sent ended, and their response times, from the first row after `since_s` on."""
    first = int(np.searchsorted(samples.done_s, since_s))
    done_s = samples.done_s[first:]
    latency_s = done_s - samples.scheduled_s[first:]
    sent = samples.outcome[first:] != Outcome.UNSENT
    return done_s[sent], latency_s[sent]
