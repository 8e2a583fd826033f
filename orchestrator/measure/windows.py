"""Samples of one window -> the figures of a trial."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.measurement import Measurement
from orchestrator.measure.samples import Samples, Window


def in_window(samples: Samples, window: Window) -> Samples:
    """The requests scheduled within `window`, the start included and the end not, whenever they ended."""
    start, end = window
    return samples.where((samples.scheduled_s >= start) & (samples.scheduled_s < end))


def measure(samples: Samples, window: Window, latency_limits_ms: Mapping[str, float]) -> Measurement:
    """The figures of the requests scheduled within `window`.

    Percentiles are `numpy.percentile`'s default, linear interpolation between the two nearest successes, over
    all successes. `latency_limits_ms` maps latency figures (`latency_p99_ms`) to the SLO's limits; a request
    is good when it succeeds within the smallest of them. A limit on the mean bounds no single request and is
    left out; without limits every success is good. ValueError when the window ends before it starts.
    """
    start, end = window
    if end < start:
        raise ValueError(f"the window ends at {end} s, before its start at {start} s")
    duration_s = end - start
    counted = in_window(samples, window)
    successes = counted.where(counted.ok)
    latency_ms = successes.response_time_s * 1e3
    good = latency_ms <= _limit_per_request_ms(latency_limits_ms)
    p50, p90, p95, p99 = _percentiles(latency_ms, (50, 90, 95, 99))
    return Measurement(
        throughput_rps=_rate(len(successes), duration_s),
        goodput_rps=_rate(int(np.count_nonzero(good)), duration_s),
        latency_mean_ms=_mean(latency_ms),
        latency_std_ms=float(latency_ms.std()) if len(latency_ms) else math.nan,
        latency_p50_ms=p50,
        latency_p90_ms=p90,
        latency_p95_ms=p95,
        latency_p99_ms=p99,
        latency_max_ms=float(latency_ms.max()) if len(latency_ms) else math.nan,
        queue_ms_mean=_mean(successes.queue_s) * 1e3,
        batch_wait_ms_mean=_mean(successes.batch_wait_s) * 1e3,
        compute_ms_mean=_mean(successes.compute_s) * 1e3,
        batch_size_mean=_mean(successes.batch_size),
        error_ratio=(len(counted) - len(successes)) / len(counted) if len(counted) else math.nan,
        requests=len(counted),
        duration_s=duration_s,
    )


def _limit_per_request_ms(latency_limits_ms: Mapping[str, float]) -> float:
    return min((limit for name, limit in latency_limits_ms.items() if "mean" not in name), default=math.inf)


def _percentiles(values: NDArray[np.float64], percents: tuple[float, ...]) -> list[float]:
    return np.percentile(values, percents).tolist() if len(values) else [math.nan] * len(percents)


def _mean(values: NDArray[np.float64]) -> float:
    """Mean of the values that are known; NaN when none is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan


def _rate(count: int, duration_s: float) -> float:
    return count / duration_s if duration_s > 0 else 0.0
