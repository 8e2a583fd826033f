"""Whether a measurement can be trusted: the reasons, in words, why it cannot. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.measure.verdict import requests_needed

LATE_SHARE = 0.10
"""Send lag is part of the response time: above a tenth of it, the response time says as much of us as of the server."""

LATE_MS = 1.0
"""A lag below is what timers and event loops cost anywhere, and no server is judged by it."""

HELD_BACK_SHARE = 0.01
"""Above, the p99 of the send lag is that of requests which found all connections busy: the server's doing."""

CLIENT_CPU_SHARE = 0.90
"""A thread that computes nine tenths of the time makes answers wait for it: by the law of queues ten times as long
as they take to handle (M/M/1 at 0.9)."""

DRIFT = 0.10
"""Twice the usual precision of 5 %: a change that the interval of a mean would hide."""

STEAL_SHARE = 0.05
"""Time the hypervisor gave to other machines; a twentieth is as much as the usual precision."""

BUSY_SHARE = 0.90
"""Above, somebody waits for a core: work of others is then paid for by the server or the client."""

OTHERS_SHARE = 0.10
"""Of the machine; below are the system's own services, and the errors of sampled accounting."""

STARVED_SHARE = 0.10
"""Of the time the client's thread was ready to run and got no core."""

CEILING_SHARE = 0.95
"""The ceiling is itself measured, to about 5 %."""

OUTLASTING_SHARE = 0.05
"""Of the requests under way; without so many a mean would be wrong by more than the usual precision."""

FEWEST_SUCCESSES = 20
"""Below not even a mean has an interval to speak of: batch means need several batches of several requests."""


@dataclass(frozen=True)
class Circumstances:
    """How a measurement came about. NaN is unknown, and whatever needs the figure then stays silent.

    Shares go from 0 to 1. `client_*` are of the client process that was worst off. `percentiles` are those that
    the verdict rests on and that are still open (99 for the p99): the objective's, and of the SLO those neither
    passed nor failed, as a server may fail its SLO with far fewer requests than it takes to pass. The drift is for
    loads whose rate should be constant: leave it unknown for bursts, ramps and traces. The ceiling is the null
    application's throughput at the same concurrency, or its highest rate; in an open loop at a fixed rate
    it is unknown, as the rate is the experiment's.
    """

    successes: int
    duration_s: float = math.nan
    percentiles: tuple[float, ...] = ()
    latency_p99_ms: float = math.nan
    latency_mean_ms: float = math.nan
    throughput_rps: float = math.nan
    send_lag_p99_ms: float = math.nan
    send_lag_mean_ms: float = math.nan
    means_only: bool = False  # nobody asked for a percentile: the lag of the slowest hundredth changes no decision
    held_back_share: float = math.nan  # requests of an open loop that found all connections busy / requests
    client_cpu_share: float = math.nan  # CPU time of the sending thread / time
    client_waiting_share: float = math.nan  # time it was ready to run and waited for a core / time
    outlasting_share: float = math.nan  # as of `orchestrator.measure.outlasting`
    throughput_drift: float = math.nan  # as of `orchestrator.measure.steady.drift`
    machine_busy_share: float = math.nan
    steal_share: float = math.nan
    others_cpu_share: float = math.nan  # of the machine, by processes that have no part in the measurement
    ceiling_rps: float = math.nan
    fewest: int = FEWEST_SUCCESSES
    what: str = "requests"  # or the steps of a job


def _late(c: Circumstances) -> str | None:
    if c.held_back_share > HELD_BACK_SHARE:
        return None
    which, lag_ms, of_ms = "p99", c.send_lag_p99_ms, c.latency_p99_ms
    if c.means_only:
        which, lag_ms, of_ms = "mean", c.send_lag_mean_ms, c.latency_mean_ms
    if c.send_lag_p99_ms >= LATE_MS and lag_ms >= LATE_SHARE * of_ms:
        return (
            f"the client was late: it sent {lag_ms:.3g} ms after schedule ({which}), which is "
            f"{lag_ms / of_ms:.0%} of the response time's {which} of {of_ms:.3g} ms; "
            "give it more processes (load.clients) or a machine of its own (load.placement: other_node)"
        )
    return None


def _client_cpu(c: Circumstances) -> str | None:
    if c.client_cpu_share >= CLIENT_CPU_SHARE:
        return (
            f"the client's CPU was the limit: it used {c.client_cpu_share:.0%} of its core; "
            "give it more processes (load.clients)"
        )
    return None


def _outlasting(c: Circumstances) -> str | None:
    if c.outlasting_share > OUTLASTING_SHARE:
        return (
            f"some clients waited all the time: {c.outlasting_share:.0%} of the requests under way came before the "
            "window and ended after it, while others were answered again and again: no figure knows of them; measure "
            "for longer (measure.max_s), or let more requests in (max_ongoing_requests)"
        )
    return None


def _drifting(c: Circumstances) -> str | None:
    if abs(c.throughput_drift) > DRIFT:
        direction = "rose" if c.throughput_drift > 0 else "fell"
        return (
            f"the throughput was still drifting: it {direction} by {abs(c.throughput_drift):.0%} from the start of the "
            "window to its end; warm up for longer (measure.warmup_s)"
        )
    return None


def _too_few(c: Circumstances) -> str | None:
    needs = [(requests_needed(0, percentile / 100), f"the p{percentile:g}") for percentile in c.percentiles]
    needed, whose = max([*needs, (c.fewest, "any figure")])
    if c.successes >= needed:
        return None
    longer = (
        f"about {math.ceil(c.duration_s * needed / c.successes)} s" if c.successes and c.duration_s > 0 else "longer"
    )
    more = " or raise the load" if c.what == "requests" else ""
    return (
        f"too few samples: {c.successes:,} {c.what} succeeded, and {whose} needs {needed:,} at least; "
        f"measure for {longer} (measure.max_s){more}"
    )


def _steal(c: Circumstances) -> str | None:
    if c.steal_share >= STEAL_SHARE:
        return (
            f"another machine took {c.steal_share:.0%} of this one's CPU time (steal): its host is shared; "
            "measure when it is quiet, or on a dedicated host"
        )
    return None


def _crowded(c: Circumstances) -> str | None:
    if c.machine_busy_share > BUSY_SHARE and c.others_cpu_share > OTHERS_SHARE:
        return (
            f"other processes took the machine: they used {c.others_cpu_share:.0%} of its CPU while it was "
            f"{c.machine_busy_share:.0%} busy; end them"
        )
    return None


def _starved(c: Circumstances) -> str | None:
    if c.client_waiting_share >= STARVED_SHARE and c.others_cpu_share > OTHERS_SHARE:
        return (
            f"the client was starved: for {c.client_waiting_share:.0%} of the time it waited for a core, while other "
            f"processes used {c.others_cpu_share:.0%} of the machine; end them, or give the client a machine of its "
            "own (load.placement: other_node)"
        )
    return None


def _at_ceiling(c: Circumstances) -> str | None:
    if c.ceiling_rps > 0 and c.throughput_rps >= CEILING_SHARE * c.ceiling_rps:
        return (
            f"at the client/proxy ceiling: {c.throughput_rps:,.0f} requests/s are "
            f"{c.throughput_rps / c.ceiling_rps:.0%} of the {c.ceiling_rps:,.0f} that an application doing nothing "
            "reaches here, so that they say little about this one; use more client processes (load.clients) or a "
            "faster data plane (cluster.data_plane: haproxy)"
        )
    return None


class Rule(NamedTuple):
    """What is looked for, and the function that gives the reason when it is found."""

    name: str
    reason: Callable[[Circumstances], str | None]


RULES = (
    Rule("crowded", _crowded),
    Rule("starved", _starved),
    Rule("steal", _steal),
    Rule("client_cpu", _client_cpu),
    Rule("late", _late),
    Rule("ceiling", _at_ceiling),
    Rule("outlasting", _outlasting),
    Rule("drift", _drifting),
    Rule("too_few", _too_few),
)
"""Causes before effects: a starved client is also late."""


def invalid_reasons(circumstances: Circumstances) -> tuple[str, ...]:
    """Why the measurement is not to be trusted, most fundamental first; empty for one that is valid."""
    found = (rule.reason(circumstances) for rule in RULES)
    return tuple(reason for reason in found if reason is not None)
