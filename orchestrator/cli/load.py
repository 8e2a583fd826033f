"""`orchestrator load URL`: the load engine on any HTTP endpoint that is already running, without Ray or a study."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

from rich.console import Console
from rich.status import Status

from orchestrator.cli.display import REFRESH_HZ
from orchestrator.cli.load_options import LoadOptions, LoadPlan, open_loop, plan_of
from orchestrator.cli.load_outcome import load_document, print_load, rate_line
from orchestrator.errors import EndpointError
from orchestrator.load.plan import ClosedLoop, Traffic
from orchestrator.load.probe import ask
from orchestrator.load.process import ProcessPart
from orchestrator.max_rate import look_for_max_rate
from orchestrator.observation import Observation, Terms, observe, observe_again
from orchestrator.resources import ResourceSampler, endpoint_groups


def load_command(options: LoadOptions, as_json: bool, console: Console) -> int:
    """Runs the load and prints what came out; returns the exit code. `console` takes all but the JSON."""
    plan = plan_of(options)
    endpoint = plan.endpoint
    if ask(endpoint, plan.request, options.timeout_s) == 0:
        raise EndpointError(f"nothing answers at {options.url}: is the server running, and is the address right?")
    groups = endpoint_groups(endpoint.host, endpoint.port)
    with console.status("loading …", refresh_per_second=REFRESH_HZ) as status, ResourceSampler(groups) as sampler:
        loading = _Loading(plan, options.timeout_s, status, sampler)
        seen = loading.once(plan.traffic, plan.terms) if plan.traffic else _max_rate(options, loading, console)
    if as_json:
        print(json.dumps(load_document(options.url, seen), indent=2, allow_nan=False))
    else:
        print_load(console, options.url, seen, plan.terms.limits)
    return 0 if seen.measurement.successes else EndpointError.exit_code


@dataclass(frozen=True)
class _Loading:
    """Puts one load after another on the endpoint, and says so in the status line."""

    plan: LoadPlan
    timeout_s: float
    status: Status
    sampler: ResourceSampler

    def once(self, traffic: Traffic, terms: Terms) -> Observation:
        return observe(
            lambda _: [ProcessPart(self.plan.endpoint, [self.plan.request], traffic, self.timeout_s)],
            traffic,
            terms,
            lambda window: self.sampler.use(*window).metrics(),
            on_phase=lambda phase: self.status.update(f"{_described(traffic)}: {phase} …"),
        )


def _max_rate(options: LoadOptions, loading: _Loading, console: Console) -> Observation:
    terms = loading.plan.terms

    def observe_at(rate_rps: float) -> Observation:
        traffic = open_loop(options, rate_rps)
        seen = observe_again(lambda: loading.once(traffic, terms))
        console.print(rate_line(rate_rps, seen), highlight=False)
        return seen

    return look_for_max_rate(loading.once, observe_at, terms, options.precision)


def _described(traffic: Traffic) -> str:
    if isinstance(traffic, ClosedLoop):
        return f"{traffic.concurrency} client{'s' if traffic.concurrency > 1 else ''}"
    rate = len(traffic.arrivals_s) / traffic.ends_s if traffic.ends_s else math.nan
    return f"{rate:,.0f} requests/s"
