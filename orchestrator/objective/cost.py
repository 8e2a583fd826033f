"""What a million requests cost: the section `prices`, and the figure that follows from them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

COST_PER_MILLION = "cost_per_million"
"""Name of the figure; its interval goes by this name with `_lo` and `_hi`."""

GB = 2**30
"""Bytes of the gigabyte by which clouds bill memory."""


class Prices(BaseModel):
    """Prices of an hour, in any currency: of a whole node, or of what a configuration reserves on it.

    What has no price is not charged. `memory_gb_hour` is for 2^30 bytes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    node_hour: float | None = Field(default=None, gt=0)
    cpu_hour: float | None = Field(default=None, gt=0)
    gpu_hour: float | None = Field(default=None, gt=0)
    memory_gb_hour: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _of_nodes_or_of_parts(self) -> Prices:
        parts = self.model_dump(exclude_none=True, exclude={"node_hour"})
        if self.node_hour is None and not parts:
            raise ValueError("states no price; write {node_hour: 0.5}, or for example {cpu_hour: 0.04, gpu_hour: 1.2}")
        if self.node_hour is not None and parts:
            raise ValueError(
                f"node_hour is the price of a whole node, {', '.join(parts)} included; state one or the other"
            )
        return self

    def per_hour(self, cpus: float, gpus: float, memory_bytes: float) -> float:
        """The price of an hour of a configuration that reserves so much; a trial takes one node."""
        if self.node_hour is not None:
            return self.node_hour
        memory = (self.memory_gb_hour or 0.0) * memory_bytes / GB
        return (self.cpu_hour or 0.0) * cpus + (self.gpu_hour or 0.0) * gpus + memory


def cost_figures(figures: Mapping[str, float], price_per_hour: float) -> dict[str, float]:
    """`cost_per_million` of a measurement (its figures by name), with `_lo` and `_hi` where its rate has an interval.

    The rate is the highest one under the SLO where that was looked for, otherwise the throughput: every success counts,
    also one that took longer than a percentile's limit, because the SLO allows a few of those. A configuration that
    breaks the SLO is out by its violation, whatever it costs. At no rate at all a request costs infinitely much.
    """
    name = "max_rate_rps" if "max_rate_rps" in figures else "throughput_rps"
    rates = {"": name, "_lo": f"{name}_hi", "_hi": f"{name}_lo"}  # the higher the rate, the lower the cost
    return {
        f"{COST_PER_MILLION}{end}": _per_million(price_per_hour, figures[rate])
        for end, rate in rates.items()
        if rate in figures
    }


def _per_million(price_per_hour: float, rate_rps: float) -> float:
    return price_per_hour * 1e6 / (3600 * rate_rps) if rate_rps > 0 else math.inf
