"""What a trial measured: the numbers that are shown, searched on and stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from orchestrator.measure.interval import Interval
from orchestrator.measure.percentile import share_below

_COUNTS = ("requests", "successes")


@dataclass(frozen=True)
class Measurement:
    """Figures of one measuring window; latencies are response times of successful requests, in milliseconds.

    A figure that could not be measured is NaN (for example the server's times when it sends no `Server-Timing`).
    Throughput counts successes per second; goodput successes within the SLO's latency limits per second.
    """

    throughput_rps: float
    goodput_rps: float
    latency_mean_ms: float  # counted from when a request should have left, as are all latency_*
    latency_std_ms: float
    latency_p50_ms: float
    latency_p90_ms: float
    latency_p95_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    queue_ms_mean: float  # batch wait included
    batch_wait_ms_mean: float
    compute_ms_mean: float
    batch_size_mean: float
    error_ratio: float  # requests without a good answer, unsent ones included / scheduled requests
    requests: int  # scheduled within the window, failures and unsent ones included
    duration_s: float  # length of the window
    offered_rps: float = math.nan  # scheduled requests per second
    sent_rps: float = math.nan
    items_per_s: float = math.nan  # of successes: a request may carry several items
    uncorrected_mean_ms: float = math.nan  # counted from when a request left: what hides a client's lateness
    uncorrected_p50_ms: float = math.nan
    uncorrected_p99_ms: float = math.nan
    send_lag_mean_ms: float = math.nan  # how late requests left, of all that did
    send_lag_p99_ms: float = math.nan
    network_ms_mean: float = math.nan  # what is left of the uncorrected latency: network, proxy, router
    slo_attainment: float = math.nan  # good requests / scheduled requests, unsent ones included
    max_rate_rps: float = math.nan  # highest rate offered at which the SLO held; only where it was looked for
    successes: int = 0
    percentiles: Mapping[str, float] = field(default_factory=dict)
    """Latency percentiles beside those above, by name (`latency_p999_ms`); only where they were asked for."""
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    """95 % confidence intervals of the figures that have one, by name."""

    @property
    def items_rate(self) -> float:
        """Items per second, which compares requests of any size; requests per second where items were not counted."""
        return self.throughput_rps if math.isnan(self.items_per_s) else self.items_per_s

    def metrics(self) -> dict[str, float]:
        """Name -> value of every figure that was measured (NaN left out), with `name_lo` and `name_hi`."""
        found: dict[str, float] = {}
        own = {name: float(getattr(self, name)) for name in (*FIGURES, *_COUNTS, "duration_s")}
        for name, value in {**own, **self.percentiles}.items():
            if math.isnan(value):
                continue
            found[name] = value
            if interval := self.intervals.get(name):
                found |= {f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}
        return found

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, float]) -> Measurement:
        """The inverse of `metrics`; figures that are absent become NaN, counts 0."""
        values = {name: metrics.get(name, math.nan) for name in (*FIGURES, "duration_s")}
        counts = {name: int(metrics.get(name, 0)) for name in _COUNTS}
        further = {name: metrics[name] for name in further_percentiles(metrics)}
        intervals = {
            name: Interval(metrics[f"{name}_lo"], metrics[f"{name}_hi"])
            for name in (*FIGURES, *further)
            if f"{name}_lo" in metrics and f"{name}_hi" in metrics
        }
        return cls(**values, **counts, percentiles=further, intervals=intervals)  # type: ignore[arg-type]


_NO_FIGURES = (*_COUNTS, "duration_s", "percentiles", "intervals")

FIGURES = tuple(one.name for one in fields(Measurement) if one.name not in _NO_FIGURES)
"""Names of what is always measured: the fields that may have an interval."""


def further_percentiles(names: Iterable[str]) -> tuple[str, ...]:
    """Of these figures those that go into `Measurement.percentiles`, once each."""
    return tuple(dict.fromkeys(name for name in names if name not in FIGURES and share_below(name) is not None))
