"""`orchestrator load URL`: the load engine on any HTTP endpoint that is already running, without Ray or a study."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console

from orchestrator.cli.load_outcome import load_document, print_load
from orchestrator.errors import EndpointError, UsageError
from orchestrator.load import arrivals
from orchestrator.load.endpoint import Endpoint, Payload, encode
from orchestrator.load.generator import Generator
from orchestrator.load.plan import ClosedLoop, OpenLoop, Traffic
from orchestrator.load.probe import wait_for_answer
from orchestrator.max_rate import PROBE_CONCURRENCY, START_SHARE, find_max_rate
from orchestrator.observation import Observation, Terms, observe
from orchestrator.resources import ResourceSampler, endpoint_groups

LONGEST_S = 15.0
"""Of a measuring window whose length is not stated."""

PROBE_MAX_S = 2.0
"""Of the closed loop that finds out at which rate to start."""

_LIMIT = re.compile(r"(mean|p\d+|max)\s*(?:<=|=)\s*([\d.]+)\s*(us|ms|s)|(error_ratio)\s*(?:<=|=)\s*([\d.]+)\s*(%?)")
_IN_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class LoadOptions:
    """What the command line asks for; at most one of `concurrency`, `rate`, `trace` and `max_rate`."""

    url: str
    concurrency: int | None = None
    think_time_s: float = 0.0
    rate: float | None = None
    arrivals: str = "poisson"
    trace: Path | None = None
    max_rate: bool = False
    slo: Sequence[str] = ()
    body: Path | None = None
    headers: Sequence[str] = ()
    method: str | None = None
    duration_s: float | None = None
    warmup_s: float = 1.0
    precision: float = 0.05
    timeout_s: float = 10.0
    seed: int = 0
    limits: dict[str, float] = field(default_factory=dict)


def load_command(options: LoadOptions, as_json: bool, console: Console) -> int:
    """Runs the load and prints what came out; returns the exit code. `console` takes all but the JSON."""
    options = _checked(options)
    endpoint, request = _request(options)
    if wait_for_answer(endpoint, request, timeout_s=min(options.timeout_s, 5.0)) == 0:
        raise EndpointError(f"nothing answers at {options.url}: is the server running, and is the address right?")
    with (
        console.status("loading …") as status,
        ResourceSampler(endpoint_groups(endpoint.host, endpoint.port)) as sampler,
    ):

        def once(traffic: Traffic, terms: Terms) -> Observation:
            parts = [Generator(endpoint, [request], traffic, options.timeout_s)]
            phase = lambda name: status.update(f"{_described(traffic)}: {name} …")  # noqa: E731
            return observe(
                lambda _: parts, traffic, terms, lambda window: sampler.use(*window).metrics(), on_phase=phase
            )

        seen = _max_rate(options, once) if options.max_rate else once(_traffic(options), _terms(options))
    document = load_document(options.url, seen)
    if as_json:
        print(json.dumps(document, indent=2))
    else:
        print_load(console, options.url, seen)
    return 0 if seen.measurement.successes else EndpointError.exit_code


def _checked(options: LoadOptions) -> LoadOptions:
    kinds = {
        "--concurrency": options.concurrency is not None,
        "--rate": options.rate is not None,
        "--trace": options.trace is not None,
        "--max-rate": options.max_rate,
    }
    given = [name for name, is_given in kinds.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are different loads: give one of {', '.join(kinds)}")
    if options.arrivals not in ("poisson", "constant"):
        raise UsageError(f"--arrivals is poisson or constant, not {options.arrivals!r}")
    limits = dict(map(_limit, options.slo))
    if options.max_rate and not limits:
        raise UsageError("--max-rate looks for the highest rate that keeps a promise: say which with --slo p99=50ms")
    return replace(options, limits=limits)


def _limit(text: str) -> tuple[str, float]:
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--slo {text!r}: write p99=50ms, mean=0.2s, max=1s or error_ratio=0.1%")
    figure, value, unit, errors, share, percent = found.groups()
    if errors:
        return "error_ratio", float(share) / (100 if percent else 1)
    return f"latency_{figure}_ms", float(value) * _IN_MS[unit]


def _request(options: LoadOptions) -> tuple[Endpoint, bytes]:
    try:
        parts = urlsplit(options.url)
        endpoint = Endpoint.parse(parts._replace(path="", query="", fragment="").geturl())
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = options.body.read_bytes() if options.body else b""
        method = options.method or ("POST" if options.body else "GET")
        return endpoint, encode(endpoint, Payload(body, path, method.upper(), dict(map(_header, options.headers))))
    except OSError as error:
        raise UsageError(f"--body {options.body}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise ValueError(f"--header {text!r}: write 'Name: value'")
    return name.strip(), value.strip()


def _terms(options: LoadOptions) -> Terms:
    longest_s = options.duration_s or LONGEST_S
    return Terms(
        objective="latency_mean_ms" if options.rate or options.trace else "throughput_rps",
        limits=options.limits,
        warmup_s=options.warmup_s,
        warmup_max_s=max(10.0, options.warmup_s),
        min_s=min(2.0, longest_s),
        max_s=longest_s,
        precision=options.precision,
        even=options.trace is None,
        fixed=options.duration_s is not None and not options.max_rate,
    )


def _traffic(options: LoadOptions) -> Traffic:
    try:
        if options.trace is not None:
            return OpenLoop(arrivals.trace(options.trace))
        if options.rate is not None:
            return _open_loop(options, options.rate)
        return ClosedLoop(options.concurrency or PROBE_CONCURRENCY, options.think_time_s)
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from None


def _open_loop(options: LoadOptions, rate_rps: float) -> OpenLoop:
    terms = _terms(options)
    longest_s = terms.warmup_max_s + terms.max_s
    if options.arrivals == "constant":
        return OpenLoop(arrivals.constant(rate_rps, longest_s))
    return OpenLoop(arrivals.poisson(rate_rps, longest_s, options.seed))


def _max_rate(options: LoadOptions, once: Callable[[Traffic, Terms], Observation]) -> Observation:
    terms = replace(_terms(options), objective="goodput_rps")
    probe = once(ClosedLoop(PROBE_CONCURRENCY), replace(terms, limits={}, min_s=1.0, max_s=PROBE_MAX_S))
    start = START_SHARE * max(1.0, probe.measurement.throughput_rps)
    return find_max_rate(lambda rate: once(_open_loop(options, rate), terms), start, options.precision)


def _described(traffic: Traffic) -> str:
    if isinstance(traffic, ClosedLoop):
        return f"{traffic.concurrency} clients"
    rate = len(traffic.arrivals_s) / traffic.ends_s if traffic.ends_s else math.nan
    return f"{rate:,.0f} requests/s"


def option_values(**values: Any) -> LoadOptions:
    """The options as the command line hands them over; None stands for one that was left out."""
    return LoadOptions(**{name: value for name, value in values.items() if value is not None})
