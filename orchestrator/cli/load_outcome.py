"""What a single load came to: a JSON object, or a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.measure.outcomes import describe_outcomes
from orchestrator.measure.percentile import shown
from orchestrator.measure.verdict import Verdict
from orchestrator.measure.windows import in_window
from orchestrator.names import figure, limit_text
from orchestrator.observation import Observation

ROWS = {
    "max_rate_rps": ("highest rate within the SLO", "req/s"),
    "throughput_rps": ("throughput", "req/s"),
    "offered_rps": ("offered load", "req/s"),
    "goodput_rps": ("goodput (within the SLO)", "req/s"),
    "latency_mean_ms": ("response time, mean", "ms"),
    "latency_p50_ms": ("  p50", "ms"),
    "latency_p90_ms": ("  p90", "ms"),
    "latency_p95_ms": ("  p95", "ms"),
    "latency_p99_ms": ("  p99", "ms"),
    "latency_max_ms": ("  max", "ms"),
    "uncorrected_p99_ms": ("p99 from sending, not from schedule", "ms"),
    "send_lag_p99_ms": ("send lag, p99", "ms"),
    "queue_ms_mean": ("server: queue, mean", "ms"),
    "batch_wait_ms_mean": ("server: batch wait, mean", "ms"),
    "compute_ms_mean": ("server: compute, mean", "ms"),
    "batch_size_mean": ("batch size, mean", ""),
    "error_ratio": ("failed requests", ""),
}
_VERDICTS = {
    Verdict.PASS: ("holds", "green"),
    Verdict.FAIL: ("is broken", "red"),
    Verdict.UNDECIDED: ("is undecided", "yellow"),
}
_OPTIONS = {  # what a reason says of an experiment's keys -> what it means here
    " (measure.warmup_s)": " (--warmup)",
    " (measure.max_s)": " (--duration)",
    " (load.clients)": "",
    " (load.placement: other_node)": "",
}


def load_document(url: str, seen: Observation) -> dict[str, Any]:
    """Flat figures by the names that they have in a trial, and what to make of them; strict JSON values."""
    figures = {**seen.figures(), **seen.measurement.metrics()}
    reasons = list(_reasons(seen))
    return {
        "url": url,
        **{name: value for name, value in figures.items() if math.isfinite(value)},
        "verdict": seen.verdict.value,
        "slo": {limit: verdict.value for limit, verdict in seen.verdicts.items()},
        "valid": not reasons,
        "reasons": reasons,
    }


def print_load(console: Console, url: str, seen: Observation, limits: Mapping[str, float]) -> None:
    """A table of the figures with their intervals, the verdicts, and why not to trust them if that is so."""
    measured = seen.measurement
    console.print(_table(url, seen))
    console.print(
        f"from {measured.requests:,} requests ({measured.successes:,} succeeded) in {measured.duration_s:.1f} s, "
        f"after {seen.window[0]:.1f} s of warm-up",
        highlight=False,
    )
    if measured.successes < measured.requests:
        console.print(describe_outcomes(in_window(seen.samples, seen.window)), highlight=False)
    if measured.max_rate_rps == 0:
        lowest = figure(measured.offered_rps, " req/s")
        console.print(f"no rate was shown to keep the SLO: these are the figures at {lowest}", highlight=False)
    for name, verdict in seen.verdicts.items():
        word, style = _VERDICTS[verdict]
        line = Text.assemble("the limit ", limit_text(name, limits[name]), " ", (word, style))
        console.print(line if verdict is Verdict.UNDECIDED else line.append(", with 99 % confidence"))
    for reason in _reasons(seen):
        console.print(Text.assemble(("INVALID", "bold magenta"), f" {reason}"))


def rate_line(rate_rps: float, seen: Observation) -> Text:
    """What one of the loads of a search for the highest rate came to."""
    word, style = ("is not known", "magenta") if seen.invalid else _VERDICTS[seen.verdict]
    p99 = figure(seen.measurement.latency_p99_ms, " ms")
    line = Text.assemble(f"at {figure(rate_rps, ' req/s')} (p99 {p99}) the SLO ", (word, style))
    return line.append(f": {next(_reasons(seen))}" if seen.invalid else "")


def _table(url: str, seen: Observation) -> Table:
    figures = seen.measurement.metrics()
    table = Table(title=Text(url), box=SIMPLE_HEAD, title_justify="left")
    table.add_column("")
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("95 % interval", justify="right", no_wrap=True)
    further = {name: (f"  {shown(name)}", "ms") for name in seen.measurement.percentiles}
    for name, (heading, unit) in {**ROWS, **further}.items():
        if name in figures:
            interval = _interval(figures.get(f"{name}_lo"), figures.get(f"{name}_hi"))
            table.add_row(heading, figure(figures[name], f" {unit}".rstrip()), interval)
    return table


def _interval(lo: float | None, hi: float | None) -> str:
    if lo is None or hi is None:
        return ""
    return f"{figure(lo)} to {figure(hi)}" if math.isfinite(hi) else f"at least {figure(lo)}"


def _reasons(seen: Observation) -> Iterator[str]:
    """Why not to trust the figures, in the words of this command."""
    if not seen.measurement.successes:
        yield f"no request succeeded: {describe_outcomes(in_window(seen.samples, seen.window))}"
        return
    for reason in seen.invalid:
        for key, option in _OPTIONS.items():
            reason = reason.replace(key, option)
        yield reason
