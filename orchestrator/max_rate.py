"""The highest rate at which the SLO holds: one load after another, each until its verdict is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from orchestrator.load.plan import ClosedLoop, Traffic
from orchestrator.measure.interval import Interval
from orchestrator.measure.verdict import Verdict
from orchestrator.observation import Observation, Terms
from orchestrator.rate_search import RateSearch

START_SHARE = 0.7
"""Of a closed loop's throughput: the first rate. Most servers keep a promise up to somewhere around it."""

PROBE_CONCURRENCY = 32
"""Clients of the closed loop that finds out where to start."""

PROBE_MIN_S, PROBE_MAX_S = 1.0, 2.0
"""Its length: it only finds out what order of magnitude to expect."""


def look_for_max_rate(
    observe: Callable[[Traffic, Terms], Observation],
    observe_at: Callable[[float], Observation],
    terms: Terms,
    precision: float,
    start_rps: float | None = None,
    highest_rps: float | None = None,
    strict: bool = True,
) -> Observation:
    """As `find_max_rate`; where no `start_rps` is given, a short closed loop, put on by `observe`, finds one.

    When not one of its requests succeeds, no rate is low enough, and that is the observation that is returned.
    """
    if start_rps is not None:
        return find_max_rate(observe_at, start_rps, precision, highest_rps, strict)
    quick = replace(terms, limits={}, min_s=PROBE_MIN_S, max_s=PROBE_MAX_S, requests=None)
    probe = observe(ClosedLoop(PROBE_CONCURRENCY), quick)
    if not probe.samples.ok.any():
        return probe
    start_rps = START_SHARE * max(1.0, probe.measurement.throughput_rps)
    found = find_max_rate(observe_at, start_rps, precision, highest_rps, strict)
    return replace(found, loaded_s=found.loaded_s + probe.loaded_s)


def find_max_rate(
    observe_at: Callable[[float], Observation],
    start_rps: float,
    precision: float,
    highest_rps: float | None = None,
    strict: bool = True,
) -> Observation:
    """The observation at the highest rate at which the SLO holds, with `max_rate_rps` and its interval.

    `observe_at(rate)` puts an open loop of so many requests/s on the endpoint. The interval reaches from the
    highest rate that was shown to keep the SLO to the lowest that was shown to break it. Where no rate keeps it,
    `max_rate_rps` is 0 and the observation is that of the lowest rate tried. What made a load near the answer
    untrustworthy makes the whole answer so. Unless `strict`, such a load has its say all the same.
    """
    search = RateSearch(start_rps, precision, highest_rps or math.inf)
    seen: dict[float, Observation] = {}
    while (rate := search.next_rps) is not None:
        observation = observe_at(rate)
        seen[rate] = observation
        # A load that cannot be trusted has shown nothing, neither that the SLO holds nor that it breaks.
        nothing_shown = bool(observation.invalid) and strict
        search.tell(rate, Verdict.UNDECIDED if nothing_shown else observation.verdict)
    holds, fails = search.holds_rps, search.fails_rps
    shown = seen[holds] if holds else seen[min(seen)]
    found = replace(
        shown.measurement,
        max_rate_rps=holds,
        intervals={**shown.measurement.intervals, "max_rate_rps": Interval(holds, fails)},
    )
    return replace(
        shown,
        measurement=found,
        loaded_s=sum(observation.loaded_s for observation in seen.values()),
        invalid=_doubts(seen, holds, fails),
    )


def _doubts(seen: dict[float, Observation], holds: float, fails: float) -> tuple[str, ...]:
    """Why the answer cannot be trusted: what was wrong with the loads between its two ends, once each.

    Two of them at the most, those at the highest rates: when nothing was shown, the search only went down from there.
    """
    doubts: dict[str, None] = {}
    for rate, observation in sorted(seen.items(), reverse=True):
        if holds <= rate <= fails:
            doubts.update(dict.fromkeys(f"at {rate:,.0f} requests/s: {reason}" for reason in observation.invalid))
    return tuple(doubts)[:2]
