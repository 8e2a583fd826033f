"""The section `objective` against the load and the prices without which it means nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.experiment.configured import ITEMS
from orchestrator.experiment.traffic import Load
from orchestrator.objective import COST_PER_MILLION, ITEMS_PER_S, Prices
from orchestrator.result import Objective
from orchestrator.serve_config import reserved
from orchestrator.space import Space
from orchestrator.validation import Finding

_MAX_RATE = "{maximize: max_rate_rps}"
_COST = f"{{minimize: {COST_PER_MILLION}}}"
_PRICES = "prices: {node_hour: 0.5}, or prices: {cpu_hour: 0.04, gpu_hour: 1.2}"


def against_load(objective: Objective, load: Load | None, prices: Prices | None) -> Iterator[str]:
    """Why the load cannot tell configurations apart by the objective (None: it cannot be read)."""
    if load is None:
        return
    metric = objective.metric
    if load.max_rate is not None and metric not in ("max_rate_rps", COST_PER_MILLION):
        why = f"each configuration's {metric} would be that of another rate"
        yield f"with load.max_rate the objective is {_MAX_RATE} or {_COST}; {why}"
    if load.max_rate is None and metric == "max_rate_rps":
        yield f"max_rate_rps is what load.max_rate looks for; found load.{load.kind}"
    if load.open_loop is not None and metric in ("throughput_rps", ITEMS_PER_S):
        why = "the throughput of an open loop is the rate that is offered, whatever the configuration"
        yield f"{why}; minimize a latency, or look for the highest rate: load.max_rate and {_MAX_RATE}"
    if load.open_loop is not None and metric == COST_PER_MILLION and prices is not None and prices.node_hour:
        why = "at a rate that is given, every configuration costs the same: one node an hour"
        yield f"{why}; price what it reserves (prices.cpu_hour), or look for the highest rate: load.max_rate"


def against_space(objective: Objective, space: Space | None) -> Iterator[str]:
    """Whether the objective counts requests that do not all carry the same number of items."""
    if space is not None and ITEMS in space.paths() and objective.metric.endswith("_rps"):
        yield f"{ITEMS} is a knob, so that one request is not like another; {{maximize: {ITEMS_PER_S}}} counts items"


def against_prices(objective: Objective, given: bool) -> Iterator[str]:
    """Whether the prices that the objective needs are missing."""
    if objective.metric == COST_PER_MILLION and not given:
        yield f"{COST_PER_MILLION} follows from prices, and there are none; add for example {_PRICES}"


def nothing_to_pay(app: Mapping[str, Any], prices: Prices | None) -> Iterator[Finding]:
    """Whether a valid app reserves nothing that has a price, so that all requests would be free."""
    amount = reserved(app)
    if prices is not None and not prices.per_hour(*amount):
        what = f"{amount.cpus:g} CPUs, {amount.gpus:g} GPUs and {amount.memory_bytes:g} bytes of memory"
        yield ("prices",), f"nothing that the deployments in app reserve has a price; they reserve {what}"
