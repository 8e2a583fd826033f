"""How figures are put, and what counts as little or much."""

from __future__ import annotations

import math

from orchestrator.diagnosis.facts import Facts

Finding = tuple[str, str | None] | None
"""(sentence, knob), or None where the rule does not apply."""

DOMINANT = 0.5
"""Half of the response time: no other part can be larger."""

NOTICEABLE = 0.1
"""A part of the response time that is worth a knob: twice the usual precision."""

NEARLY_FULL = 0.9
"""Of a batch, a core or a machine: the last tenth is seldom to be had."""

IDLE = 0.7
"""Busy share of the machine below which there are cores for more."""


def advice(sentence: str, direction: str, knob: str) -> Finding:
    """The sentence, with what to do (`raise` or `lower` the knob) at its end."""
    return f"{sentence}; {direction} {knob}", knob


def of_the_time(f: Facts, *parts: str) -> str:
    """`3.2 ms (40% of the mean response time)`."""
    share = f"{f.share(*parts):.0%} of the mean response time"
    return f"{f.ms(*parts):.3g} ms ({share})" if f.latency_mean_ms > 0 else share


def if_known(text: str, value: float) -> str:
    """The text with the value in it; empty when that is NaN."""
    return "" if math.isnan(value) else text.format(value)


def replicas(f: Facts) -> str:
    """`1 replica`, `2 replicas`."""
    count = f.settings.replicas
    return "1 replica" if count == 1 else f"{count:,.0f} replicas"


def does(f: Facts, verb: str) -> str:
    """What the replicas do: `takes` of one, `take` of several."""
    return f"{verb}s" if f.settings.replicas == 1 else verb
