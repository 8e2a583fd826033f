"""What a trial measured: the numbers that are shown, searched on and stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Measurement:
    """Figures of one measuring window; latencies are response times of successful requests, in milliseconds.

    A figure that could not be measured is NaN (for example the server's times when it sends no `Server-Timing`).
    Throughput counts successes per second; goodput successes within the SLO's latency limits per second.
    """

    throughput_rps: float
    goodput_rps: float
    latency_mean_ms: float
    latency_std_ms: float
    latency_p50_ms: float
    latency_p90_ms: float
    latency_p95_ms: float
    latency_p99_ms: float
    latency_max_ms: float
    queue_ms_mean: float
    batch_wait_ms_mean: float
    compute_ms_mean: float
    batch_size_mean: float
    error_ratio: float  # failed / scheduled requests
    requests: int  # scheduled within the window, failures included
    duration_s: float  # length of the window

    def metrics(self) -> dict[str, float]:
        """Name -> value of every figure that was measured (NaN left out)."""
        values = {field.name: float(getattr(self, field.name)) for field in fields(self)}
        return {name: value for name, value in values.items() if not math.isnan(value)}

    @classmethod
    def from_metrics(cls, metrics: Mapping[str, float]) -> Measurement:
        """The inverse of `metrics`; figures that are absent become NaN."""
        values = {field.name: metrics.get(field.name, math.nan) for field in fields(cls)}
        return cls(**{**values, "requests": int(metrics.get("requests", 0))})  # type: ignore[arg-type]
