"""One load on one endpoint, and what it says: figures, verdicts, where the time went, and whether to trust them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from orchestrator.load.conductor import LEAD_S, Limits, Part, StopSignal, conduct
from orchestrator.load.plan import OpenLoop, Traffic
from orchestrator.load.record import ClientUse
from orchestrator.measure.breakdown import Breakdown, break_down
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.needed import fewest
from orchestrator.measure.outlasting import outlasting_share
from orchestrator.measure.percentile import percent_of
from orchestrator.measure.race import Rival
from orchestrator.measure.samples import Samples, Window
from orchestrator.measure.steady import Steady, drift
from orchestrator.measure.stopping import MIN_SUCCESSES, Sequential
from orchestrator.measure.validity import Circumstances, invalid_reasons
from orchestrator.measure.verdict import Verdict, overall, verdicts
from orchestrator.measure.windows import measure

Send = Callable[[Traffic], Sequence[Part]]
"""Makes the client processes' parts of a traffic, ready to be started."""

Machine = Callable[[Window], Mapping[str, float]]
"""What this machine was used for between two readings of `time.perf_counter`: `orchestrator.resources`, by name."""


def silent(phase: str) -> None:
    """Hears of the phases of a load, and tells nobody."""


@dataclass(frozen=True)
class Terms:
    """What a load is to find out, and how long it may take.

    `objective` is the figure that has to be precise, `limits` are the SLO's by figure, `asked` further figures that are
    to be known. `even` says that the traffic's rate does not change by itself. Seconds and `precision` are those of the
    experiment's `measure`; `requests` are the successes that end a load in place of the precision. `means_only` says
    that no percentile is an objective or has a limit.
    """

    objective: str = "throughput_rps"
    limits: Mapping[str, float] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    warmup_s: float = 1.0
    warmup_max_s: float = 10.0
    min_s: float = 2.0
    max_s: float = 15.0
    precision: float = 0.05
    requests: int | None = None
    items_per_request: int = 1
    even: bool = True
    means_only: bool = False
    fixed: bool = False  # measure for `max_s`, whatever is known before
    fail_fast: bool = True  # a limit that has failed ends the load: what is measured later would not make it a winner
    max_batch_size: int | None = None
    rival: Rival | None = None


@dataclass(frozen=True)
class Observation:
    """What one load came to. `invalid` has the reasons why it cannot be trusted; `loaded_s` is how long it took.

    `beaten`: it ended early, as worse than the rival for certain. `short_of`: it ended as late as it may, without so
    many successes as were asked for.
    """

    measurement: Measurement
    verdicts: Mapping[str, Verdict]
    breakdown: Breakdown
    machine: Mapping[str, float]
    client: ClientUse
    samples: Samples
    window: Window
    loaded_s: float
    beaten: bool = False
    short_of: int | None = None
    invalid: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()  # why the load before this one could not be trusted, if there was one

    @property
    def verdict(self) -> Verdict:
        """On the whole SLO."""
        return overall(self.verdicts)

    def figures(self) -> dict[str, float]:
        """Every finite figure beside those of the measurement, flat: breakdown, machine, client."""
        client = {"client_cpu_share": self.client.cpu_share, "client_waiting_share": self.client.waiting_share}
        every = {**self.breakdown.metrics(), **self.machine, **client}
        return {name: value for name, value in every.items() if math.isfinite(value)}


def observe(
    send: Send,
    traffic: Traffic,
    terms: Terms,
    machine: Machine | None = None,
    ceiling_rps: float = math.nan,
    stop: StopSignal | None = None,
    on_phase: Callable[[str], None] = silent,
    lead_s: float = LEAD_S,
) -> Observation:
    """Puts `traffic` on the endpoint until its figures are known as `terms` ask, and says what came out.

    `ceiling_rps` is what the null application reaches on the same path; NaN where it is not known.
    """
    watch = Sequential(
        objective=terms.objective,
        precision=terms.precision,
        limits={} if terms.fixed else terms.limits,
        min_s=terms.max_s if terms.fixed else terms.min_s,
        max_s=terms.max_s,
        warm_up=Steady(terms.warmup_s, terms.warmup_max_s),
        open_loop=isinstance(traffic, OpenLoop),
        rival=None if terms.fixed else terms.rival,
        fewest=fewest((terms.objective, *terms.asked), MIN_SUCCESSES),
        fail_fast=terms.fail_fast,
        requests=terms.requests,
    )
    limits = Limits(terms.warmup_max_s, terms.max_s, traffic.ends_s)
    record = conduct(send(traffic), watch, limits, stop=stop, on_phase=on_phase, lead_s=lead_s)
    start, end = record.window
    judge = partial(verdicts, limits=terms.limits) if terms.fixed else watch.verdicts
    observation = Observation(
        measurement=measure(
            record.samples, record.window, terms.limits, terms.items_per_request, (terms.objective, *terms.asked)
        ),
        verdicts=judge(record.samples, record.window),
        breakdown=break_down(record.samples, record.window, terms.max_batch_size),
        machine=machine((record.origin + start, record.origin + end)) if machine else {},
        client=record.client,
        samples=record.samples,
        window=record.window,
        loaded_s=end,
        beaten=watch.beaten,
    )
    if terms.requests and not watch.ended and observation.measurement.successes < terms.requests:
        observation = replace(observation, short_of=terms.requests)
    even = terms.even and not (isinstance(traffic, OpenLoop) and traffic.ends_s <= end)
    return replace(observation, invalid=invalid_reasons(_circumstances(observation, terms, even, ceiling_rps)))


def observe_again(
    once: Callable[[], Observation], before_again: Callable[[Observation], None] | None = None
) -> Observation:
    """What `once` observes; a second time, and then for good, if the first cannot be trusted.

    Where no request succeeded there is nothing to trust or not: that would fail once more.
    """
    first = once()
    if not first.invalid or not first.measurement.successes:
        return first
    if before_again is not None:
        before_again(first)
    second = once()
    return replace(second, repeated=first.invalid, loaded_s=first.loaded_s + second.loaded_s)


def _circumstances(seen: Observation, terms: Terms, even: bool, ceiling_rps: float) -> Circumstances:
    measured = seen.measurement
    # A load that ends early, for it is no winner, is only worse than its figures say.
    worse = seen.beaten or seen.verdict is Verdict.FAIL
    return Circumstances(
        successes=measured.successes,
        duration_s=measured.duration_s,
        percentiles=() if seen.beaten else _open_percentiles(seen.verdicts, (terms.objective, *terms.asked)),
        latency_p99_ms=measured.latency_p99_ms,
        latency_mean_ms=measured.latency_mean_ms,
        throughput_rps=measured.throughput_rps,
        send_lag_p99_ms=measured.send_lag_p99_ms,
        send_lag_mean_ms=measured.send_lag_mean_ms,
        means_only=terms.means_only,
        held_back_share=seen.client.held_back / max(1, len(seen.samples)),
        client_cpu_share=seen.client.cpu_share,
        client_waiting_share=seen.client.waiting_share,
        outlasting_share=math.nan if worse else outlasting_share(seen.samples, seen.window),
        throughput_drift=drift(seen.samples, seen.window) if even else math.nan,
        machine_busy_share=seen.machine.get("machine_busy_share", math.nan),
        steal_share=seen.machine.get("steal_share", math.nan),
        others_cpu_share=seen.machine.get("others_cpu_share", math.nan),
        ceiling_rps=ceiling_rps,
    )


def _open_percentiles(found: Mapping[str, Verdict], asked: Sequence[str]) -> tuple[float, ...]:
    """The percentiles that are asked for, and of those with a limit the ones that more requests could still decide."""
    open_figures = [figure for figure, verdict in found.items() if verdict is Verdict.UNDECIDED]
    percents = {percent_of(figure) for figure in (*open_figures, *asked)}
    return tuple(percent for percent in percents if percent is not None)
