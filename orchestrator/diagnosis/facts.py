"""What a diagnosis rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.measure.breakdown import Breakdown
from orchestrator.measure.measurement import Measurement
from orchestrator.serve_config.settings import MAX_BATCH_SIZE, Settings, settings_of, settings_of_each


@dataclass(frozen=True)
class Facts:
    """What is known of a configuration and its measurement; NaN is unknown, and whatever needs it stays silent.

    `settings` are those of the deployment that batches, `others` those of the application's other deployments.
    `concurrency` belongs to a closed loop; each request has `items`, which may join batches by themselves. `shares`
    are those of the mean response time by part (`Parts.shares`).
    """

    settings: Settings = field(default_factory=Settings)
    others: tuple[Settings, ...] = ()
    concurrency: float = math.nan
    items: int = 1
    shares: Mapping[str, float] = field(default_factory=dict)
    latency_mean_ms: float = math.nan
    throughput_rps: float = math.nan
    batch_size: float = math.nan  # mean over batches
    ceiling_rps: float = math.nan  # of the null application, under the same kind of load
    cores: float = math.nan  # that may be used
    replica_cpu_cores: float = math.nan
    proxy_cpu_cores: float = math.nan
    machine_busy_share: float = math.nan
    gpu_busy_share: float = math.nan
    data_plane: str | None = None

    def share(self, *parts: str) -> float:
        """Of the response time; NaN when one of the parts is unknown."""
        return sum(self.shares.get(part, math.nan) for part in parts)

    def ms(self, *parts: str) -> float:
        """The parts of the mean response time in milliseconds."""
        return self.share(*parts) * self.latency_mean_ms

    @property
    def of_the_model(self) -> tuple[str, ...]:
        """The parts that the model is to blame for: beside its own the backlog, unless other deployments have one."""
        return ("compute",) if self.others else ("compute", "backlog")

    @property
    def fill(self) -> float:
        """Mean batch size / the largest allowed."""
        return self.batch_size / self.settings[MAX_BATCH_SIZE]

    @property
    def under_way(self) -> float:
        """Mean number of requests that are sent and not answered: the clients of a closed loop, else Little's law."""
        by_law = self.throughput_rps * self.latency_mean_ms / 1e3
        return by_law if math.isnan(self.concurrency) else self.concurrency

    @property
    def ongoing(self) -> float:
        """Mean number of requests within one replica, by Little's law: throughput x time spent there."""
        return self.throughput_rps * self.ms("backlog", "batch_wait", "compute") / 1e3 / self.settings.replicas


def facts_of(
    application: Mapping[str, Any],
    measurement: Measurement,
    breakdown: Breakdown,
    resources: Mapping[str, float],
    *,
    concurrency: float = math.nan,
    items: int = 1,
    cores: float = math.nan,
    ceiling_rps: float = math.nan,
    data_plane: str | None = None,
) -> Facts:
    """The facts of one trial; `resources` by the names of `ResourceUse.metrics`."""
    used = ("replica_cpu_cores", "proxy_cpu_cores", "machine_busy_share", "gpu_busy_share")
    settings = settings_of(application)
    return Facts(
        settings=settings,
        others=tuple(one for one in settings_of_each(application) if one != settings),
        concurrency=concurrency,
        items=items,
        shares=breakdown.mean.shares(),
        latency_mean_ms=measurement.latency_mean_ms,
        throughput_rps=measurement.throughput_rps,
        batch_size=breakdown.batch_size_per_batch,
        ceiling_rps=ceiling_rps,
        cores=cores,
        data_plane=data_plane,
        **{name: resources.get(name, math.nan) for name in used},
    )
