"""From the experiment's `load` to the traffic that clients send, and how many of them it takes."""

from __future__ import annotations

from pathlib import Path

from orchestrator.experiment.traffic import Bursts, ClosedLoop, Load, OpenLoop, Ramp, Steady, Trace
from orchestrator.load import arrivals, plan

RATE_PER_CLIENT_RPS = 10_000
"""Well below what one process sends on an ordinary core (`benchmarks/load_client.py`: some 40,000)."""

CONCURRENCY_PER_CLIENT = 1_000
"""Connections that one event loop looks after without being late for each of them."""


def make_traffic(load: Load, longest_s: float, base_dir: Path) -> plan.Traffic:
    """The traffic of a load that is no `max_rate`, with arrivals for `longest_s` seconds; pure but for a trace's file.

    A trace is relative to `base_dir`. ValueError says what is wrong with it.
    """
    traffic = load.traffic
    if isinstance(traffic, ClosedLoop):
        return plan.ClosedLoop(traffic.concurrency, traffic.think_time_s)
    return plan.OpenLoop(_arrivals(traffic, load.seed, longest_s, base_dir), load.max_connections)  # type: ignore[arg-type]


def open_loop(rate_rps: float, kind: str, longest_s: float, seed: int, max_connections: int) -> plan.OpenLoop:
    """An open loop at one rate, `poisson` or `constant`."""
    return plan.OpenLoop(arrivals.steady(kind, rate_rps, longest_s, seed), max_connections)


def enough_clients(load: Load) -> int:
    """How many client processes `load.clients: auto` begins with."""
    traffic = load.traffic
    if isinstance(traffic, ClosedLoop):
        return -(-traffic.concurrency // CONCURRENCY_PER_CLIENT)
    rate = traffic.rate_rps if isinstance(traffic, Steady) else 0.0
    return max(1, -(-int(rate) // RATE_PER_CLIENT_RPS))


def _arrivals(traffic: OpenLoop, seed: int, longest_s: float, base_dir: Path) -> arrivals.Arrivals:
    match traffic:
        case Steady():
            return arrivals.steady(traffic.arrivals, traffic.rate_rps, longest_s, seed)
        case Bursts():
            return arrivals.bursts(traffic.rate_rps, longest_s, traffic.on_s, traffic.off_s, seed)
        case Ramp():
            return arrivals.ramp(traffic.ramp, seed)
        case Trace():
            return arrivals.trace(base_dir / traffic.trace, traffic.speed)
