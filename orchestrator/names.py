"""Knob paths, values and figures as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator.measure.percentile import shown
from orchestrator.result import BASELINE, Configuration, TrialResult

PARTS = {  # as in `orchestrator.measure.breakdown.Parts`
    "send_lag": "client: send lag",
    "network": "network, proxy and router",
    "backlog": "waiting for the replica",
    "batch_wait": "collecting a batch",
    "compute": "computing",
    "server_and_network": "server and network",
}
"""The parts of the response time, in the order in which a request meets them."""


def short_names(paths: Iterable[str]) -> dict[str, str]:
    """{path: its shortest ending that no other path shares}, in the order of the paths."""
    paths = list(dict.fromkeys(paths))
    return {path: _shortest(path, paths) for path in paths}


def _shortest(path: str, paths: list[str]) -> str:
    parts = path.split(".")
    for length in range(1, len(parts) + 1):
        ending = parts[-length:]
        if sum(other.split(".")[-length:] == ending for other in paths) == 1:
            return ".".join(ending)
    return path


def listing(items: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    *others, final = items
    return f"{', '.join(others)} {last} {final}" if others else final


def describe(configuration: Configuration, names: Mapping[str, str]) -> str:
    """A configuration on one line: "max_batch_size=32 num_replicas=2"."""
    return " ".join(f"{names.get(path, path)}={value_text(value)}" for path, value in configuration.items())


def label(number: int) -> str:
    """`baseline`, or the number of a trial."""
    return "baseline" if number == BASELINE else str(number)


def trial_name(number: int) -> str:
    """`baseline`, or `trial 7`."""
    return label(number) if number == BASELINE else f"trial {number}"


def value_text(value: Any) -> str:
    """A knob's value in at most some characters; floats with three significant digits."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return str(value)


def figure(value: float | None, unit: str = "") -> str:
    """A measured figure with three significant digits and thousands separated; a dash for what is not there."""
    if value is None or value != value:
        return "–"
    if 0 < abs(value) < 1:
        return f"{value:.3g}{unit}"
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2  # as of what it is rounded to
    return f"{value:,.{digits}f}{unit}"


def duration(seconds: float) -> str:
    """Seconds as "48 s" or "3 min 20 s"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def headline(trial: TrialResult) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """The two figures that everybody looks for, as (words before it, name, unit)."""
    if trial.is_offline:
        return ("", rate_figure(trial), "items/s"), ("an item takes ", "item_ms", "ms")
    return ("", rate_figure(trial), "req/s"), ("p99 ", "latency_p99_ms", "ms")


def count_text(trial: TrialResult) -> str:
    """ "6,938 requests", or "12 steps" of a job; empty without a measurement."""
    if trial.measurement is None:
        return ""
    return f"{trial.measurement.requests:,} {'steps' if trial.is_offline else 'requests'}"


def rate_figure(trial: TrialResult) -> str:
    """The figure that says how much a trial's configuration takes: the highest rate where it was looked for."""
    if trial.is_offline:
        return "items_per_s"
    measured = trial.measurement
    looked_for = measured is not None and not math.isnan(measured.max_rate_rps)
    return "max_rate_rps" if looked_for else "throughput_rps"


def limit_text(name: str, limit: float) -> str:
    """A limit of an SLO: "p99 ≤ 50 ms", "error_ratio ≤ 0.1 %"."""
    if name == "error_ratio":
        return f"{name} ≤ {limit * 100:g} %"
    if name == "accuracy":
        return f"{name} ≥ {limit:g}"
    return f"{shown(name)} ≤ {limit:g} ms"


def spread(values: Mapping[str, float], name: str) -> str:
    """ " ±3%": half of the figure's confidence interval; empty where it has none."""
    value, lo, hi = values.get(name), values.get(f"{name}_lo"), values.get(f"{name}_hi")
    if not value or lo is None or hi is None:
        return ""
    return plus_minus((hi - lo) / 2 / abs(value))


def plus_minus(share: float) -> str:
    """ " ±3%"; empty where it is not known."""
    if math.isnan(share):
        return ""
    return f" ±{share:.0%}" if share >= 0.01 else " ±<1%"
