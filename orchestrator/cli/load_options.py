"""The options of `orchestrator load`, checked, as what the load engine takes. Every mistake is a UsageError."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestrator.errors import UsageError
from orchestrator.load import arrivals
from orchestrator.load.endpoint import Endpoint, Payload, encode
from orchestrator.load.plan import MAX_CONNECTIONS, ClosedLoop, OpenLoop, Traffic
from orchestrator.measure import percentile
from orchestrator.observation import Terms

CONCURRENCY = 32
"""Clients of a closed loop whose number is not stated."""

MIN_S, MAX_S = 2.0, 15.0
"""Of a measuring window whose length is not stated."""

WARMUP_MAX_S = 10.0

_NUMBER = r"(\d+\.?\d*|\.\d+)"
_LATENCY = re.compile(rf"(mean|max|{percentile.WRITTEN})\s*(?:<=|=)\s*{_NUMBER}\s*(us|ms|s)")
_ERRORS = re.compile(rf"error_ratio\s*(?:<=|=)\s*{_NUMBER}\s*(%?)")
_IN_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class LoadOptions:
    """What the command line asks for; None, or the default, for what it does not mention."""

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
    connections: int = MAX_CONNECTIONS


@dataclass(frozen=True)
class LoadPlan:
    """What to send where, and what to find out. `traffic` is None where the highest rate is looked for."""

    endpoint: Endpoint
    request: bytes
    traffic: Traffic | None
    terms: Terms


def option_values(**values: Any) -> LoadOptions:
    """The options as the command line hands them over; None stands for one that was left out."""
    return LoadOptions(**{name: value for name, value in values.items() if value is not None})


def plan_of(options: LoadOptions) -> LoadPlan:
    """What the options ask for, if they go together."""
    _check_kind(options)
    limits = slo_limits(options.slo)
    if options.max_rate and not limits:
        raise UsageError("--max-rate looks for the highest rate that keeps a promise: say which with --slo p99=50ms")
    endpoint, request = _request(options)
    traffic = None if options.max_rate else _traffic(options)
    return LoadPlan(endpoint, request, traffic, _terms(options, traffic, limits))


def open_loop(options: LoadOptions, rate_rps: float) -> OpenLoop:
    """Arrivals at one rate for as long as a load can last."""
    longest_s = _warmup_max_s(options) + (options.duration_s or MAX_S)
    try:
        return OpenLoop(arrivals.steady(options.arrivals, rate_rps, longest_s, options.seed), options.connections)
    except ValueError as error:
        raise UsageError(f"--rate {rate_rps:g}: {error}") from None


def slo_limits(texts: Iterable[str]) -> dict[str, float]:
    """{"latency_p99_ms": 50.0} for "p99=50ms": limits by the names of `Measurement`, in ms or as a ratio."""
    limits: dict[str, float] = {}
    for text in texts:
        name, limit = _limit(text)
        if name in limits:
            raise UsageError(f"--slo {text!r}: that figure already has a limit")
        limits[name] = limit
    return limits


def _limit(text: str) -> tuple[str, float]:
    if found := _LATENCY.fullmatch(text.strip()):
        limit_ms = float(found[2]) * _IN_MS[found[3]]
        if limit_ms <= 0:
            raise UsageError(f"--slo {text!r}: no response time is as short as that")
        figure = percentile.digits(found[1]) if found[1].startswith("p") else found[1]
        return f"latency_{figure}_ms", limit_ms
    if found := _ERRORS.fullmatch(text.strip()):
        ratio = float(found[1]) / (100 if found[2] else 1)
        if ratio > 1:
            raise UsageError(f"--slo {text!r}: a share of requests is from 0 to 1, or from 0% to 100%")
        return "error_ratio", ratio
    raise UsageError(f"--slo {text!r}: write p99=50ms, mean=0.2s, max=1s or error_ratio=0.1%")


def _check_kind(options: LoadOptions) -> None:
    kinds = {
        "--concurrency": options.concurrency is not None,
        "--rate": options.rate is not None,
        "--trace": options.trace is not None,
        "--max-rate": options.max_rate,
    }
    given = [name for name, is_given in kinds.items() if is_given]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are different loads: give one of {', '.join(kinds)}")
    if options.arrivals not in arrivals.STEADY:
        raise UsageError(f"--arrivals is {' or '.join(arrivals.STEADY)}, not {options.arrivals!r}")
    kind = given[0] if given else "--concurrency"
    if options.arrivals != LoadOptions.arrivals and kind not in ("--rate", "--max-rate"):
        raise UsageError(f"--arrivals goes with --rate or --max-rate, not with {kind}")
    if options.think_time_s and kind != "--concurrency":
        raise UsageError(f"--think-time goes with a closed loop (--concurrency), not with {kind}")


def _request(options: LoadOptions) -> tuple[Endpoint, bytes]:
    try:
        parts = urlsplit(options.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"a URL looks like http://127.0.0.1:8000/path, not {options.url!r}")
        endpoint = Endpoint.parse(parts._replace(path="", query="", fragment="").geturl())
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        method = (options.method or ("POST" if options.body else "GET")).upper()
        body = options.body.read_bytes() if options.body else b""
        return endpoint, encode(endpoint, Payload(body, path, method, _headers(options.headers)))
    except OSError as error:
        raise UsageError(f"--body {options.body}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _headers(texts: Iterable[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise UsageError(f"--header {text!r}: write 'Name: value'")
        if name.strip().lower() in map(str.lower, headers):
            raise UsageError(f"--header {text!r}: that header is given twice")
        headers[name.strip()] = value.strip()
    return headers


def _traffic(options: LoadOptions) -> Traffic:
    if options.trace is not None:
        return _trace(options.trace, options.warmup_s, options.connections)
    if options.rate is not None:
        return open_loop(options, options.rate)
    return ClosedLoop(options.concurrency or CONCURRENCY, options.think_time_s)


def _trace(file: Path, warmup_s: float, connections: int) -> OpenLoop:
    try:
        traffic = OpenLoop(arrivals.trace(file), connections)
    except OSError as error:
        raise UsageError(f"--trace {file}: {error.strerror or error}") from None
    except ValueError as error:
        raise UsageError(f"--trace {error}") from None
    if traffic.ends_s <= warmup_s:
        raise UsageError(
            f"--trace {file}: it ends after {traffic.ends_s:g} s, and the first {warmup_s:g} s are warm-up; "
            "shorten that with --warmup"
        )
    return traffic


def _terms(options: LoadOptions, traffic: Traffic | None, limits: dict[str, float]) -> Terms:
    max_s = options.duration_s or MAX_S
    if options.trace is not None and traffic is not None and options.duration_s is None:
        max_s = traffic.ends_s  # a replay is whole: what its beginning shows need not hold for the rest
    return Terms(
        objective=_objective(options),
        limits=limits,
        warmup_s=options.warmup_s,
        warmup_max_s=_warmup_max_s(options),
        min_s=min(MIN_S, max_s),
        max_s=max_s,
        precision=options.precision,
        even=options.trace is None,
        fixed=not options.max_rate and (options.duration_s is not None or options.trace is not None),
    )


def _objective(options: LoadOptions) -> str:
    if options.max_rate:
        return "goodput_rps"  # the rate is given in each of the loads: their throughput says nothing
    return "latency_mean_ms" if options.rate or options.trace else "throughput_rps"


def _warmup_max_s(options: LoadOptions) -> float:
    """A trace does as it likes: to wait until it is steady makes no sense."""
    return options.warmup_s if options.trace is not None else max(WARMUP_MAX_S, options.warmup_s)
