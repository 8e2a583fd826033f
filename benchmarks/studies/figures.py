"""Figures of trials as they stand in the cells of a table. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.document import metrics
from orchestrator.names import figure, value_text
from orchestrator.result import Ratio, Status, TrialResult

ACCURACY = "accuracy"
HEADINGS = {
    "items_per_s": "items/s",
    "throughput_rps": "requests/s",
    "latency_mean_ms": "mean, ms",
    "latency_std_ms": "standard deviation, ms",
    "queue_ms_mean": "in queue, ms",
    "batch_wait_ms_mean": "collecting a batch, ms",
    "compute_ms_mean": "in inference, ms",
    "batch_size_mean": "batch",
    "requests": "requests",
    "item_ms": "item, ms",
    "memory_mib": "memory, MiB",
    "build_s": "build, s",
    "first_step_ms": "first step, ms",
}


def heading(name: str) -> str:
    """Of a metric; a percentile's is made of its name, and a knob's is its own."""
    if name.startswith("latency_") and name not in HEADINGS:
        return f"{name.removeprefix('latency_').removesuffix('_ms')}, ms"
    if name.startswith("part_"):
        return f"{name.removeprefix('part_').removesuffix('_ms').replace('_', ' ')}, ms"
    return HEADINGS.get(name, name.rpartition(".")[2].replace("_", " "))


def cell(trial: TrialResult | None, metric: str) -> str:
    """The figure with its 95 % interval; a dash where it was not measured, and why where the trial has none."""
    if trial is None:
        return "–"
    if trial.status is not Status.COMPLETE:
        return str(trial.status)
    values = metrics(trial)
    if metric == ACCURACY and metric in values:
        return f"{values[metric]:.5f}"  # what is lost stands in its last digits
    lo, hi = values.get(f"{metric}_lo"), values.get(f"{metric}_hi")
    return with_interval(values.get(metric), lo, hi)


def with_interval(value: float | None, lo: float | None, hi: float | None) -> str:
    """ "1,838 (1,801–1,875)"."""
    text = figure(value)
    return text if lo is None or hi is None else f"{text} ({figure(lo)}–{figure(hi)})"


def ratio(found: Ratio | None) -> str:
    """ "×3.12 (2.90–3.36)"; the interval is left out where nobody knows it."""
    if found is None:
        return "–"
    known = found.lo == found.lo and found.hi == found.hi
    return f"×{with_interval(found.value, found.lo if known else None, found.hi if known else None)}"


def knobs(configuration: Mapping[str, Any], of: Iterable[str] | None = None) -> list[str]:
    """Values of knobs, in the order of `of`; empty where the configuration has none."""
    return [value_text(configuration[path]) if path in configuration else "" for path in of or configuration]
