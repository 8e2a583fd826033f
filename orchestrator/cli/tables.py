"""Studies and trials as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.cli.names import describe, figure, short_names, value_text
from orchestrator.document import metrics
from orchestrator.result import BASELINE, Status, StudyResult, TrialResult

NARROW = {  # heading -> metric, for a terminal of 80 columns
    "req/s": "throughput_rps",
    "p50\nms": "latency_p50_ms",
    "p99\nms": "latency_p99_ms",
    "batch\nsize": "batch_size_mean",
}
WIDE = {
    "req/s": "throughput_rps",
    "mean\nms": "latency_mean_ms",
    "p50\nms": "latency_p50_ms",
    "p99\nms": "latency_p99_ms",
    "queue\nms": "queue_ms_mean",
    "compute\nms": "compute_ms_mean",
    "batch\nsize": "batch_size_mean",
    "requests": "requests",
    "overhead\ns": "overhead_s",
}
WIDE_FROM = 110
"""Columns of a terminal from which the wide table fits."""


def trials_table(study: StudyResult, width: int) -> Table:
    """All trials, the best first, then those that miss the SLO, then those without a number."""
    columns = WIDE if width >= WIDE_FROM else NARROW
    names = short_names(path for trial in study.trials for path in trial.configuration)
    order = "highest" if study.maximize else "lowest"
    table = Table(
        title=f"{study.name}: {study.objective}, {order} first",
        box=SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("trial", justify="right", no_wrap=True)
    for name in names.values():
        table.add_column(name.replace("_", "\n"), justify="right", no_wrap=True)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    best = study.best
    for trial in _ranked(study):
        knobs = [value_text(trial.configuration[p]) if p in trial.configuration else "" for p in names]
        style = "bold green" if best is not None and trial.number == best.number else None
        table.add_row(_label(trial), *knobs, *_figures(trial, columns), _status(trial), style=style)
    return table


def _ranked(study: StudyResult) -> list[TrialResult]:
    sign = -1 if study.maximize else 1

    def key(trial: TrialResult) -> tuple[int, float, float, int]:
        if trial.score is None:
            return (2, 0.0, 0.0, trial.number)
        if trial.status is not Status.COMPLETE or not trial.score.feasible:
            return (1, trial.score.violation, 0.0, trial.number)
        return (0, 0.0, sign * trial.score.value, trial.number)

    return sorted(study.trials, key=key)


def _label(trial: TrialResult) -> str:
    return "baseline" if trial.number == BASELINE else str(trial.number)


def _figures(trial: TrialResult, columns: Mapping[str, str]) -> list[str]:
    values = metrics(trial)
    return [
        f"{values[name]:,.0f}" if name == "requests" and name in values else figure(values.get(name))
        for name in columns.values()
    ]


def _status(trial: TrialResult) -> Text:
    if trial.status is Status.COMPLETE:
        within = trial.score is not None and trial.score.feasible
        return Text("ok" if within else "over SLO", style="green" if within else "yellow")
    return Text(trial.status.value, style="red")


def print_outcome(console: Console, study: StudyResult) -> None:
    """The table, the reasons behind what failed, and the winner."""
    console.print(trials_table(study, console.width))
    for trial in study.trials:
        if trial.status is not Status.COMPLETE:
            console.print(
                f"trial {_label(trial)} is {trial.status}: {'; '.join(trial.reasons)}",
                style="dim",
                markup=False,
            )
    best = study.best
    if best is None or best.measurement is None:
        console.print("[bold yellow]No trial kept the SLO.[/] Relax `slo`, lower the load, or widen the space.")
        return
    names = short_names(best.configuration)
    console.print(
        f"\n[bold green]Winner: trial {_label(best)}[/]  {describe(best.configuration, names)}\n"
        f"  {figure(best.measurement.throughput_rps, ' req/s')}, p99 {figure(best.measurement.latency_p99_ms, ' ms')}"
        f" ({best.measurement.requests:,} requests in {best.measurement.duration_s:.1f} s)",
        highlight=False,
    )
    if study.gain is not None:
        console.print(
            f"  ×{study.gain['throughput']:.1f} the baseline's throughput, p99 {_times(study.gain['p99'])}",
            highlight=False,
        )


def _times(gain: float) -> str:
    if gain != gain:
        return "not comparable"
    return f"{gain:.1f} times shorter" if gain >= 1 else f"{1 / gain:.1f} times longer"
