"""The columns of a table of trials: which figures, under which headings, and which of them can be spared."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.measure.percentile import shown
from orchestrator.result import StudyResult

COLUMNS = {  # metric -> heading
    "max_rate_rps": "max rate\nreq/s",
    "throughput_rps": "req/s",
    "cost_per_million": "cost per\nmillion",
    "latency_mean_ms": "mean\nms",
    "latency_p50_ms": "p50\nms",
    "latency_p99_ms": "p99\nms",
    "queue_ms_mean": "queue\nms",
    "compute_ms_mean": "compute\nms",
    "batch_size_mean": "batch\nsize",
    "requests": "reqs",
    "overhead_s": "overhead\ns",
}
OF_JOBS = {
    "items_per_s": "items/s",
    "item_ms": "item\nms",
    "latency_mean_ms": "step\nms",
    "memory_mib": "memory\nMiB",
    "build_s": "build\ns",
    "first_step_ms": "first\nstep ms",
    "requests": "steps",
}
"""The same of offline trials."""

ACCURACY = "accuracy"
"""Shown where it tells trials apart."""

RARE = {ACCURACY: ACCURACY, "goodput_rps": "goodput\nreq/s", "items_per_s": "items/s"}
"""Not in every table: the last two where they are an objective."""

SPARE = ("latency_mean_ms", "queue_ms_mean", "overhead_s", "compute_ms_mean", "batch_size_mean", "latency_p50_ms")
SPARE_OF_JOBS = ("first_step_ms", "build_s", "memory_mib")
"""Columns that are left out where a terminal has no room for all, the first of them first."""


def columns_of(study: StudyResult, known: Collection[str]) -> tuple[list[str], list[str]]:
    """The figures of a study's table, of those that are `known`, and which are left out first for want of room."""
    goals = [objective.metric for objective in study.objectives]
    offered, least = (OF_JOBS, SPARE_OF_JOBS) if study.is_offline else (COLUMNS, SPARE)
    columns = [name for name in dict.fromkeys((*offered, *goals)) if name in known]
    if len({round(one.details[ACCURACY], 4) for one in study.trials if ACCURACY in one.details}) > 1:
        columns.append(ACCURACY)
    spare = [name for name in least if name not in goals]
    return columns, spare + (["throughput_rps"] if "max_rate_rps" in known else [])  # about the same as the rate


def heading(name: str, offline: bool) -> str:
    """Of a figure; latencies that COLUMNS does not have are shown where they are an objective."""
    if offline and name in OF_JOBS:
        return OF_JOBS[name]
    return {**COLUMNS, **RARE}.get(name) or f"{shown(name)}\nms"
