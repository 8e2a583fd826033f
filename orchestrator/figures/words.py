"""Figures of a measurement and trials, in the words of titles, axes and hover texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape

from orchestrator.insight import Reading, read
from orchestrator.names import figure, label, value_text
from orchestrator.result import StudyResult, TrialResult

Hover = Callable[[TrialResult], str]
"""What a figure tells of the trial under the mouse."""

NAMES = {
    "throughput_rps": "throughput",
    "items_per_s": "items",
    "goodput_rps": "goodput",
    "max_rate_rps": "highest rate within the SLO",
    "latency_mean_ms": "mean response time",
    "latency_max_ms": "longest response time",
    "cost_per_million": "cost per million requests",
}
UNITS = {"_rps": "req/s", "_ms": "ms", "_per_s": "1/s"}


def name_of(metric: str) -> str:
    """`p99 response time` of `latency_p99_ms`; what has no other words keeps its own name."""
    if percentile := re.fullmatch(r"latency_(p[\d_.]+)_ms", metric):
        return f"{percentile[1]} response time"
    return NAMES.get(metric, metric)


def unit_of(metric: str) -> str:
    """`req/s`, `ms`; empty where a figure has none."""
    return next((unit for ending, unit in UNITS.items() if metric.endswith(ending)), "")


def axis_of(metric: str) -> str:
    """`p99 response time, ms`."""
    return ", ".join(filter(None, (name_of(metric), unit_of(metric))))


def label_of(trial: TrialResult) -> str:
    """`baseline`, or the number."""
    return label(trial.number)


def hovering(study: StudyResult, names: Mapping[str, str], metrics: Iterable[str]) -> Hover:
    """The trial, its configuration, the given figures with their intervals, and its reasons; as plotly's HTML."""
    shown = tuple(dict.fromkeys(metrics))

    def hover(trial: TrialResult) -> str:
        knobs = (f"{names.get(path, path)} = {value_text(value)}" for path, value in trial.configuration.items())
        figures = (f"{name_of(metric)}: {_reading(read(study, trial, metric), unit_of(metric))}" for metric in shown)
        lines = [*knobs, *(figures if trial.measurement else ()), *trial.reasons]
        return "<br>".join((f"<b>trial {label_of(trial)}</b>, {trial.status}", *map(escape, lines)))

    return hover


def _reading(reading: Reading, unit: str) -> str:
    spread = reading.interval
    interval = f" ({figure(spread.lo)} … {figure(spread.hi)})" if spread else ""
    return f"{figure(reading.value)}{interval} {unit}".rstrip()
