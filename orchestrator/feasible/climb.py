"""How many clients a configuration sustains: one closed loop after the other, each with more clients. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

RISE = 0.1
"""Throughput that is higher by less rises no more: within the noise of short loads."""

CLOSE = 1.25
"""The highest number that holds and the lowest that breaks are near enough when their ratio is no larger."""

MOST_CLIENTS = 1024
"""Where nothing breaks and throughput still rises, the application is faster than a probe has to know."""


@dataclass(frozen=True)
class Step:
    """What a closed loop of so many clients came to. `figures` by name; `broken` says why it cannot last, or is ""."""

    clients: int
    throughput_rps: float
    broken: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Sustained:
    """The highest number of clients that held (0: none did), from which on throughput rose no more, and why it ends.

    `limited`: a higher number was seen to break.
    """

    clients: int
    saturated_from: int
    limited: bool
    why: str


def next_clients(steps: Sequence[Step], wanted: int) -> int | None:
    """How many clients to try next: doubled until one number breaks, then in between; None at the end.

    Without a break it ends when `wanted` clients held and throughput rises no more.
    """
    if not steps:
        return 1
    held, broken = _held(steps), [step.clients for step in steps if step.broken]
    if broken:
        middle = round(math.sqrt(max(1, held) * min(broken)))
        near = min(broken) <= max(held + 1, CLOSE * held)
        return None if near or not held < middle < min(broken) else middle
    if held >= wanted and (held >= MOST_CLIENTS or not _rising(steps)):
        return None
    return min(2 * held, wanted) if held < wanted else 2 * held


def sustained(steps: Sequence[Step]) -> Sustained:
    """What the steps say together; ValueError for none."""
    if not steps:
        raise ValueError("no load was put on it")
    held, best = _held(steps), max(step.throughput_rps for step in steps)
    enough = (step.clients for step in steps if step.throughput_rps * (1 + RISE) >= best)
    saturated = min(enough)
    breaking = min((step for step in steps if step.broken), key=lambda step: step.clients, default=None)
    if breaking is None:
        why = (
            f"nothing broke, and throughput rises no more from {saturated} on"
            if not _rising(steps)
            else "nothing broke"
        )
        return Sustained(held, saturated, limited=False, why=why)
    return Sustained(held, saturated, limited=True, why=f"with {breaking.clients}, {breaking.broken}")


def breaks(
    figures: Mapping[str, float], limits: Mapping[str, float], timeouts: int, timeout_s: float, texts: Mapping[str, str]
) -> str:
    """Why a load cannot last: requests ran into their time-out, or figures are over their limits; "" if it can.

    `texts` are the limits as a reader would write them. A figure that is not known is over its limit.
    """
    if timeouts:
        s = "s" if timeouts > 1 else ""
        return f"{timeouts:,} request{s} had no answer within {timeout_s:g} s (workload.timeout_s)"
    over = [name for name, limit in limits.items() if not figures.get(name, math.nan) <= limit]
    if over:
        return "; ".join(f"{_measured(name, figures.get(name, math.nan))} breaks {texts[name]}" for name in over)
    failed = figures.get("error_ratio", 0.0)
    if "error_ratio" not in limits and failed > 0:
        return f"{failed:.1%} of the requests failed"
    return ""


def _held(steps: Sequence[Step]) -> int:
    """The highest number below all that broke."""
    lowest = min((step.clients for step in steps if step.broken), default=math.inf)
    return max((step.clients for step in steps if step.clients < lowest), default=0)


def _rising(steps: Sequence[Step]) -> bool:
    *before, last = sorted(steps, key=lambda step: step.clients)
    return not before or last.throughput_rps > (1 + RISE) * max(step.throughput_rps for step in before)


def _measured(name: str, value: float) -> str:
    if math.isnan(value):
        return "no request succeeded, which"
    return f"{value:.1%} of requests that failed" if name == "error_ratio" else f"{value:,.0f} ms"
