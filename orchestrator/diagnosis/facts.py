"""What a diagnosis rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.measure.breakdown import Breakdown
from orchestrator.measure.measurement import Measurement

MAX_BATCH_SIZE, BATCH_WAIT, THREADS = "max_batch_size", "batch_wait_timeout_s", "intra_op_threads"
NUM_REPLICAS, MAX_ONGOING = "num_replicas", "max_ongoing_requests"
_SETTINGS = (MAX_BATCH_SIZE, BATCH_WAIT, THREADS, NUM_REPLICAS, MAX_ONGOING)


@dataclass(frozen=True)
class Settings:
    """The options of a deployment that matter here, and the paths of their knobs; an absent one is unknown."""

    values: Mapping[str, float] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, option: str) -> float:
        """NaN for an option that is not known."""
        return self.values.get(option, math.nan)

    @property
    def replicas(self) -> float:
        """How many; one where the config does not say, as in Serve."""
        return self.values.get(NUM_REPLICAS, 1.0)

    def knob(self, option: str) -> str:
        """The option's path in the Serve config, or its name where the config does not have it."""
        return self.paths.get(option, option)


@dataclass(frozen=True)
class Facts:
    """What is known of a configuration and its measurement; NaN is unknown, and whatever needs it stays silent.

    `concurrency` belongs to a closed loop. `shares` are those of the mean response time by part (`Parts.shares`).
    """

    settings: Settings = Settings()
    concurrency: float = math.nan
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


def settings_of(application: Mapping[str, Any]) -> Settings:
    """The settings in a Serve application config, found by the last part of their keys, `user_config` included.

    They are those of the first deployment that has a `max_batch_size`, or else of the first one.
    """
    listed = application.get("deployments") or ()
    found = [_options(entry, str(entry.get("name", ""))) for entry in listed if isinstance(entry, Mapping)]
    return next((one for one in found if MAX_BATCH_SIZE in one.values), found[0] if found else Settings())


def facts_of(
    application: Mapping[str, Any],
    measurement: Measurement,
    breakdown: Breakdown,
    resources: Mapping[str, float],
    *,
    concurrency: float = math.nan,
    cores: float = math.nan,
    ceiling_rps: float = math.nan,
    data_plane: str | None = None,
) -> Facts:
    """The facts of one trial; `resources` by the names of `ResourceUse.metrics`."""
    used = ("replica_cpu_cores", "proxy_cpu_cores", "machine_busy_share", "gpu_busy_share")
    return Facts(
        settings=settings_of(application),
        concurrency=concurrency,
        shares=breakdown.mean.shares(),
        latency_mean_ms=measurement.latency_mean_ms,
        throughput_rps=measurement.throughput_rps,
        batch_size=breakdown.batch_size_per_batch,
        ceiling_rps=ceiling_rps,
        cores=cores,
        data_plane=data_plane,
        **{name: resources.get(name, math.nan) for name in used},
    )


def _options(entry: Mapping[str, Any], path: str) -> Settings:
    values: dict[str, float] = {}
    paths = {option: f"{path}.{option}" for option in (NUM_REPLICAS, MAX_ONGOING)}  # their place is always the same
    for option, value, place in _walk(entry, path):
        if option in _SETTINGS and option not in values and _is_number(value):
            values[option], paths[option] = float(value), place
    if entry.get("autoscaling_config") or entry.get(NUM_REPLICAS) == "auto":
        values[NUM_REPLICAS] = math.nan  # changes while it is measured
    return Settings(values, paths)


def _walk(mapping: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any, str]]:
    """(key, value, path) of everything in the mapping, its own level before those below."""
    for key, value in mapping.items():
        yield str(key), value, f"{path}.{key}"
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _walk(value, f"{path}.{key}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
