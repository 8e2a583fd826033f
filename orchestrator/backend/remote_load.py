"""The experiment's load on one application after another: load clients, the machine's use, the ceiling."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from orchestrator.assignment import Assignment
from orchestrator.backend.clients import Clients
from orchestrator.backend.traffic import make_traffic, open_loop
from orchestrator.diagnosis import settings_of
from orchestrator.experiment import Experiment, Load, MaxRate, Steady, configured, lightest
from orchestrator.load.plan import ClosedLoop, Traffic
from orchestrator.max_rate import PROBE_CONCURRENCY, look_for_max_rate
from orchestrator.measure.peak import peak_rps
from orchestrator.measure.percentile import percent_of
from orchestrator.measure.samples import Window
from orchestrator.measure.validity import CLIENT_CPU_SHARE
from orchestrator.objective import COST_PER_MILLION, ITEMS_PER_S
from orchestrator.observation import Observation, Terms, observe, observe_again, silent
from orchestrator.resources import ResourceSampler, serve_groups
from orchestrator.result import Configuration

ACTORS_LEAD_S = 0.1
"""From asking the clients' processes to start until they do: on a busy machine a call may take that long."""


class RemoteLoad:
    """Puts the experiment's load on an application; it holds load clients until `close`.

    `nodes` are ids of the nodes on which load clients may run; `host`, unless None, takes the place of the host in
    an application's URL: where clients on other nodes reach it. `application` is the name of the application.
    """

    def __init__(self, experiment: Experiment, application: str, nodes: Sequence[str], host: str | None) -> None:
        self._experiment = experiment
        self._clients = Clients(experiment, nodes)
        self._host = host
        self._strict = experiment.measure.validity == "strict"
        self._sampler = ResourceSampler(serve_groups(application))
        self._sampler.__enter__()

    def run(
        self,
        url: str,
        application: Mapping,
        assignment: Assignment,
        ceiling_rps: float,
        on_phase: Callable[[str], None],
    ) -> Observation:
        """See `orchestrator.trial.Load.run`."""
        url = self._reachable(url)
        load = configured(self._experiment, assignment.configuration).load

        def prepare() -> None:
            self._clients.prepare(url, assignment.configuration)

        prepare()
        terms = self._terms(application, load.items_per_request)
        if assignment.replication is not None:
            load = load.again(assignment.replication)
        if isinstance(load.traffic, MaxRate):
            return self._max_rate(prepare, load, terms, ceiling_rps, on_phase)
        traffic = make_traffic(load, self._longest_s, Path(self._experiment.file).parent)
        races = terms.objective == self._experiment.objective.metric  # only then the rival's figure is the same
        rival = assignment.rival if races else None
        terms = replace(terms, fail_fast=assignment.replication is None, rival=rival)
        return self._observe_again(prepare, traffic, terms, ceiling_rps, on_phase)

    def closed_loop(self, application: Mapping, clients: int) -> Observation:
        """So many clients in place of the load, once, with its limits; after `prepare`, with errors as of `run`."""
        items = self._experiment.load.items_per_request
        return self._observe(ClosedLoop(clients), self._terms(application, items), math.nan, silent)

    def prepare(self, url: str, configuration: Configuration) -> None:
        """Has the clients ask the application at `url` for what they need to make the configuration's requests."""
        self._clients.prepare(self._reachable(url), configuration)

    def ceiling(self, url: str) -> float:
        """What an application that does nothing reaches under a closed loop like the experiment's, in requests/s.

        The best second counts: what disturbs the machine meanwhile makes it lower and never higher.
        """
        self.prepare(url, lightest(self._experiment))
        load, measure = self._experiment.load.traffic, self._experiment.measure
        concurrency = load.concurrency if hasattr(load, "concurrency") else PROBE_CONCURRENCY
        terms = Terms(warmup_s=measure.warmup_s, warmup_max_s=measure.warmup_max_s, min_s=1.0, max_s=4.0)
        seen = self._observe(ClosedLoop(concurrency), terms, math.nan, silent)
        return max(seen.measurement.throughput_rps, peak_rps(seen.samples))

    def close(self) -> None:
        """Ends the clients and the sampling."""
        self._clients.close()
        self._sampler.__exit__()

    def _observe_again(
        self,
        prepare: Callable[[], None],
        traffic: Traffic,
        terms: Terms,
        ceiling_rps: float,
        on_phase: Callable[[str], None],
    ) -> Observation:
        def once() -> Observation:
            return self._observe(traffic, terms, ceiling_rps, on_phase)

        def before_again(first: Observation) -> None:
            if first.client.cpu_share >= CLIENT_CPU_SHARE and self._clients.add():
                prepare()

        return observe_again(once, before_again) if self._strict else once()

    def _observe(
        self, traffic: Traffic, terms: Terms, ceiling_rps: float, on_phase: Callable[[str], None]
    ) -> Observation:
        return observe(
            self._clients.parts, traffic, terms, self._machine, ceiling_rps, on_phase=on_phase, lead_s=ACTORS_LEAD_S
        )

    def _max_rate(
        self,
        prepare: Callable[[], None],
        load: Load,
        terms: Terms,
        ceiling_rps: float,
        on_phase: Callable[[str], None],
    ) -> Observation:
        wanted: MaxRate = load.traffic  # type: ignore[assignment]  # the caller has looked

        def observe_at(rate_rps: float) -> Observation:
            traffic = open_loop(rate_rps, wanted.arrivals, self._longest_s, load.seed, load.max_connections)
            return self._observe_again(prepare, traffic, terms, ceiling_rps, on_phase)

        def observe(traffic: Traffic, terms: Terms) -> Observation:
            return self._observe(traffic, terms, math.nan, on_phase)

        return look_for_max_rate(
            observe, observe_at, terms, wanted.precision, wanted.start_rps, wanted.highest_rps, self._strict
        )

    def _terms(self, application: Mapping, items_per_request: int) -> Terms:
        experiment, measure = self._experiment, self._experiment.measure
        traffic = experiment.load.traffic
        largest = settings_of(application)["max_batch_size"]
        return Terms(
            objective=watched_figure(experiment),
            limits=experiment.slo.limits(),
            asked=tuple(objective.metric for objective in experiment.objectives),
            warmup_s=measure.warmup_s,
            warmup_max_s=measure.warmup_max_s,
            min_s=measure.min_s,
            max_s=measure.max_s,
            precision=measure.precision,
            requests=measure.requests,
            items_per_request=items_per_request,
            even=isinstance(traffic, Steady | MaxRate) or hasattr(traffic, "concurrency"),
            means_only=rests_on_means(experiment),
            max_batch_size=None if math.isnan(largest) else int(largest),
        )

    @property
    def _longest_s(self) -> float:
        return self._experiment.measure.warmup_max_s + self._experiment.measure.max_s

    def _machine(self, window: Window) -> Mapping[str, float]:
        return self._sampler.use(*window).metrics()

    def _reachable(self, url: str) -> str:
        if self._host is None:
            return url
        parts = urlsplit(url)
        return parts._replace(netloc=f"{self._host}:{parts.port}").geturl()


def watched_figure(experiment: Experiment) -> str:
    """The figure whose precision says how long a load is measured: what the first objective rests on."""
    if experiment.load.max_rate is not None:
        return "goodput_rps"  # the rate is given in each of the loads of which a highest rate is made
    metric = experiment.objective.metric
    # The price, and how many items are in a request, are known exactly.
    return "throughput_rps" if metric in (COST_PER_MILLION, ITEMS_PER_S) else metric


def rests_on_means(experiment: Experiment) -> bool:
    """No percentile is an objective or has a limit."""
    figures = (*experiment.slo.limits(), *(objective.metric for objective in experiment.objectives))
    return not any(percent_of(figure) for figure in figures)
