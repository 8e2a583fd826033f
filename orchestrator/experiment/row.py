"""Workloads that are a row: their loads are alike but for one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.experiment.plan import Experiment

NUMBERS: Mapping[tuple[str, ...], str] = {
    ("closed_loop", "concurrency"): "concurrent clients",
    ("open_loop", "rate_rps"): "offered load, req/s",
    ("items_per_request",): "items in a request",
}
"""Keys of a load by which workloads can be a row, and what they are called."""


def row_of(workloads: Sequence[Experiment]) -> tuple[str, dict[str, float]] | None:
    """What the number is, and that of each workload; None where they differ in anything else, or in nothing."""
    for path, name in NUMBERS.items():
        numbers = [_at(one, path) for one in workloads]
        alike = all(_without(one, path) == _without(workloads[0], path) for one in workloads)
        if alike and None not in numbers and len(set(numbers)) == len(numbers) > 1:
            return name, {str(one.variant): float(number) for one, number in zip(workloads, numbers, strict=True)}
    return None


def _at(experiment: Experiment, path: tuple[str, ...]) -> Any:
    """The value there; None where this load has none."""
    value: Any = experiment.load
    for key in path:
        value = getattr(value, key, None)
    return value


def _without(experiment: Experiment, path: tuple[str, ...]) -> object:
    """Load and requests without what stands there."""
    load = experiment.load.model_dump()
    inner = load
    for key in path[:-1]:
        inner = inner[key] or {}
    inner.pop(path[-1], None)
    return load, experiment.workload
