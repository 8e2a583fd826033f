"""What a single load came to: a JSON object, or a table."""

from __future__ import annotations

import math
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from orchestrator.cli.names import figure
from orchestrator.measure.verdict import Verdict
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
    Verdict.PASS: "[green]holds[/]",
    Verdict.FAIL: "[red]is broken[/]",
    Verdict.UNDECIDED: "[yellow]is undecided[/]",
}


def load_document(url: str, seen: Observation) -> dict[str, Any]:
    """Flat figures by the names that they have in a trial, and what to make of them; strict JSON values."""
    figures = {**seen.figures(), **seen.measurement.metrics()}
    return {
        "url": url,
        **{name: value for name, value in figures.items() if math.isfinite(value)},
        "verdict": seen.verdict.value,
        "slo": {limit: verdict.value for limit, verdict in seen.verdicts.items()},
        "valid": not seen.invalid,
        "reasons": list(seen.invalid),
    }


def print_load(console: Console, url: str, seen: Observation) -> None:
    """A table of the figures with their intervals, the verdicts, and why not to trust them if that is so."""
    figures = seen.measurement.metrics()
    table = Table(title=url, box=SIMPLE_HEAD, title_justify="left")
    table.add_column("")
    table.add_column("measured", justify="right")
    table.add_column("95 % interval", justify="right")
    for name, (heading, unit) in ROWS.items():
        if name in figures:
            lo, hi = figures.get(f"{name}_lo"), figures.get(f"{name}_hi")
            interval = "" if lo is None else f"{figure(lo)} to {figure(hi)}"
            table.add_row(heading, figure(figures[name], f" {unit}".rstrip()), interval)
    console.print(table)
    measured = seen.measurement
    console.print(
        f"from {measured.requests:,} requests ({measured.successes:,} succeeded) in {measured.duration_s:.1f} s, "
        f"after {seen.window[0]:.1f} s of warm-up",
        highlight=False,
    )
    for limit, verdict in seen.verdicts.items():
        console.print(f"the limit on {limit} {_VERDICTS[verdict]} (99 % confidence)", highlight=False)
    for reason in seen.invalid:
        console.print(f"[bold magenta]INVALID[/] {reason}", highlight=False)
