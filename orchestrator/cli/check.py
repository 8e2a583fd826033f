"""`orchestrator check`: what an experiment means, before anything is started."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from orchestrator.cli.names import duration, value_text
from orchestrator.experiment import Experiment

STARTUP_S = 15.0
IN_PLACE_S, REPLACED_S = 0.6, 4.5
"""Typical overhead of a trial when Serve applies its change in place, and when replicas are replaced."""


def print_check(console: Console, experiment: Experiment) -> None:
    """Prints the knobs, the size of the space, the baseline, the load and the time it will take."""
    console.print(f"[bold]{experiment.name}[/]: valid", highlight=False)
    console.print(_knobs(experiment))
    size = experiment.space.size()
    search, load, measure = experiment.search, experiment.load.closed_loop, experiment.measure
    facts = {
        "space": "infinite (a knob is continuous)" if size is None else f"{size:,} configurations",
        "search": f"{search.algorithm}, {search.trials} trials after the baseline, seed {search.seed}",
        "load": f"closed loop of {load.concurrency} clients",
        "measure": f"{measure.warmup_s:g} s warm-up, then {measure.min_s:g} to {measure.max_s:g} s, "
        f"until throughput is known to ±{measure.precision:.0%}",
        "objective": f"{'maximize' if experiment.objective.maximize else 'minimize'} {experiment.objective.metric}",
        "SLO": _slo(experiment),
        "time": estimate(experiment),
    }
    for name, fact in facts.items():
        console.print(f"{name + ':':<11}{fact}", highlight=False)


def _knobs(experiment: Experiment) -> Table:
    baseline, rows = experiment.baseline(), experiment.space.describe()
    conditional = any(condition for *_, condition in rows)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("knob", "values", "baseline", *(["only when"] if conditional else [])):
        table.add_column(heading, overflow="fold")
    for path, kind, text, condition in rows:
        value = value_text(baseline[path]) if path in baseline else ""
        table.add_row(path, f"{kind} {text}", value, *([condition] if conditional else []))
    return table


def estimate(experiment: Experiment) -> str:
    """The shortest and the longest time that the study can be expected to take."""
    trials, measure = experiment.search.trials + 1, experiment.measure
    shortest = STARTUP_S + trials * (measure.warmup_s + measure.min_s + IN_PLACE_S)
    longest = STARTUP_S + trials * (measure.warmup_s + measure.max_s + REPLACED_S)
    return f"{duration(shortest)} to {duration(longest)} (one trial at a time)"


def _slo(experiment: Experiment) -> str:
    limits = experiment.slo.model_dump(exclude_none=True)
    return ", ".join(f"{name} ≤ {limit:g}" for name, limit in limits.items()) or "none"
