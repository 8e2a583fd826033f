"""Samples of one window -> the figures of a trial, each with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.batches import Batches
from orchestrator.measure.confidence import (
    count_interval,
    mean_interval,
    quantile_intervals,
    quantiles,
    share_interval,
    std_interval,
)
from orchestrator.measure.interval import Interval
from orchestrator.measure.measurement import FIGURES, Measurement, further_percentiles
from orchestrator.measure.percentile import share_below
from orchestrator.measure.samples import Samples, Window

SLOWEST = 0.01
"""Share of requests, the slowest, whose clustering stands for that of failures when there are none."""

Figure = tuple[float, Interval | None]
"""A value, and its interval where it has one."""

Figures = dict[str, Figure]
"""By name of the field of `Measurement`."""

_UNKNOWN: Figure = (math.nan, None)
_NO_REQUESTS: Figures = {
    name: (0.0, None) if name.endswith(("_rps", "_per_s")) else _UNKNOWN for name in FIGURES if name != "max_rate_rps"
}


def in_window(samples: Samples, window: Window) -> Samples:
    """The requests scheduled within `window`, the start included and the end not, whenever they ended."""
    start, end = window
    return samples.where((samples.scheduled_s >= start) & (samples.scheduled_s < end))


def measure(
    samples: Samples,
    window: Window,
    latency_limits_ms: Mapping[str, float],
    items_per_request: int = 1,
    asked: Iterable[str] = (),
) -> Measurement:
    """The figures of the requests scheduled within `window`, with their 95 % intervals.

    Percentiles are `numpy.percentile`'s default, linear interpolation between the two nearest successes, over
    all successes; those that have a limit, or are `asked` for by the names of their figures, are measured whichever
    they are. `latency_limits_ms` maps latency figures (`latency_p99_ms`) to the SLO's limits; a request
    is good when it succeeds within the smallest of them. A limit on the mean bounds no single request and is
    left out; without limits every success is good. ValueError when the window ends before it starts.
    """
    start, end = window
    if end < start:
        raise ValueError(f"the window ends at {end} s, before its start at {start} s")
    counted = in_window(samples, window)
    ok = counted.ok
    good = ok & (counted.response_time_s * 1e3 <= limit_per_request_ms(latency_limits_ms))
    figures, further = _NO_REQUESTS, further_percentiles((*latency_limits_ms, *asked))
    if len(counted):
        batches = Batches.cut(counted.scheduled_s, window)
        figures = (
            _rates(batches, counted, good, end - start, items_per_request)
            | _shares(batches, counted, good)
            | _send_lag(batches, counted)
            | _of_successes(*((batches, counted) if ok.all() else (batches.where(ok), counted.where(ok))), further)
        )
    return Measurement(
        **{name: value for name, (value, _) in figures.items() if name not in further},
        percentiles={name: value for name in further if not math.isnan(value := figures.get(name, _UNKNOWN)[0])},
        requests=len(counted),
        successes=int(np.count_nonzero(ok)),
        duration_s=end - start,
        intervals={name: interval for name, (_, interval) in figures.items() if interval is not None},
    )


def limit_per_request_ms(latency_limits_ms: Mapping[str, float]) -> float:
    """What a response time may be at most for a request to be good; infinite without such a limit."""
    limits = (limit for name, limit in latency_limits_ms.items() if name.startswith("latency") and "mean" not in name)
    return min(limits, default=math.inf)


def _rates(
    batches: Batches, counted: Samples, good: NDArray[np.bool_], duration_s: float, items_per_request: int
) -> Figures:
    sent = ~np.isnan(counted.sent_s)
    figures = {"offered_rps": _rate(batches, duration_s)}
    for name, mask in {"throughput_rps": counted.ok, "goodput_rps": good, "sent_rps": sent}.items():
        figures[name] = _rate(batches.where(mask), duration_s)
    rate, interval = figures["throughput_rps"]
    items = (rate * items_per_request, interval.times(items_per_request) if interval else None)
    return {**figures, "items_per_s": items}


def _rate(batches: Batches, duration_s: float) -> Figure:
    return batches.requests / duration_s, count_interval(batches.sizes, duration_s)


def _shares(batches: Batches, counted: Samples, good: NDArray[np.bool_]) -> Figures:
    failed = ~counted.ok
    latency_s = counted.response_time_s
    rank = int((1 - SLOWEST) * (len(counted) - 1))
    slow = latency_s > np.partition(latency_s, rank)[rank]
    return {
        "error_ratio": (float(failed.mean()), share_interval(batches, failed, slow)),
        "slo_attainment": (float(good.mean()), share_interval(batches, good, slow)),
    }


def _send_lag(batches: Batches, counted: Samples) -> Figures:
    lag_ms = counted.send_lag_s * 1e3
    sent = ~np.isnan(lag_ms)
    if not sent.all():
        batches, lag_ms = batches.where(sent), lag_ms[sent]
    return {"send_lag_mean_ms": _mean(batches, lag_ms), **_quantiles(_percentiles("send_lag", 99), batches, lag_ms)}


def _of_successes(batches: Batches, successes: Samples, further: Iterable[str]) -> Figures:
    latency_ms = successes.response_time_s * 1e3
    uncorrected_ms = successes.uncorrected_s * 1e3
    queue_ms, compute_ms = successes.queue_s * 1e3, successes.compute_s * 1e3
    shares = {name: below for name in further if (below := share_below(name))}
    spread = (float(latency_ms.std()), std_interval(batches, latency_ms)) if len(latency_ms) else _UNKNOWN
    return {
        "latency_mean_ms": _mean(batches, latency_ms),
        "latency_std_ms": spread,
        "latency_max_ms": (float(latency_ms.max()), None) if len(latency_ms) else _UNKNOWN,
        **_quantiles({**_percentiles("latency", 50, 90, 95, 99), **shares}, batches, latency_ms),
        "uncorrected_mean_ms": _mean(batches, uncorrected_ms),
        **_quantiles(_percentiles("uncorrected", 50, 99), batches, uncorrected_ms),
        "queue_ms_mean": _mean(batches, queue_ms),
        "batch_wait_ms_mean": _mean(batches, successes.batch_wait_s * 1e3),
        "compute_ms_mean": _mean(batches, compute_ms),
        # Two clocks are compared here: a difference may be below 0.
        "network_ms_mean": _mean(batches, uncorrected_ms - queue_ms - compute_ms, positive=False),
        "batch_size_mean": _mean(batches, successes.batch_size),
    }


def _mean(batches: Batches, values: NDArray[np.float64], positive: bool = True) -> Figure:
    """Mean of the values that are known; NaN when none is."""
    known = ~np.isnan(values)
    if not known.any():
        return _UNKNOWN
    if not known.all():
        batches, values = batches.where(known), values[known]
    return float(values.mean()), mean_interval(batches, values, positive=positive)


def _percentiles(figure: str, *percents: int) -> dict[str, float]:
    """Name -> share below, of some percentiles of a figure."""
    return {f"{figure}_p{percent}_ms": percent / 100 for percent in percents}


def _quantiles(shares: Mapping[str, float], batches: Batches, values: NDArray[np.float64]) -> Figures:
    if not len(values):
        return dict.fromkeys(shares, _UNKNOWN)
    ordered, probabilities = np.sort(values), list(shares.values())
    found = quantiles(ordered, probabilities)
    intervals = quantile_intervals(batches, values, ordered, probabilities)
    return dict(zip(shares, zip(found, intervals, strict=True), strict=True))
