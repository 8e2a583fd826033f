"""Studies and trials as tables for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.cli.names import describe, figure, short_names, value_text
from orchestrator.result import BASELINE, Status, StudyResult, TrialResult

COLUMNS = {  # heading -> metric
    "req/s": "throughput_rps",
    "mean ms": "latency_mean_ms",
    "p50": "latency_p50_ms",
    "p99 ms": "latency_p99_ms",
    "queue": "queue_ms_mean",
    "compute": "compute_ms_mean",
    "batch": "batch_size_mean",
    "requests": "requests",
}


def trials_table(study: StudyResult) -> Table:
    """All trials, the best first, then those that miss the SLO, then those without a number."""
    names = short_names(path for trial in study.trials for path in trial.configuration)
    table = Table(title=f"{study.name}: {study.objective}, {'highest' if study.maximize else 'lowest'} first")
    table.add_column("trial", justify="right")
    for name in names.values():
        table.add_column(name, justify="right", overflow="fold")
    for heading in COLUMNS:
        table.add_column(heading, justify="right")
    table.add_column("status")
    best = study.best
    for trial in _ranked(study):
        knobs = [value_text(trial.configuration[p]) if p in trial.configuration else "" for p in names]
        style = "bold green" if best is not None and trial.number == best.number else None
        table.add_row(_label(trial), *knobs, *_figures(trial), _status(trial), style=style)
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


def _figures(trial: TrialResult) -> list[str]:
    metrics = trial.measurement.metrics() if trial.measurement else {}
    return [
        f"{metrics[name]:,.0f}" if name == "requests" and name in metrics else figure(metrics.get(name))
        for name in COLUMNS.values()
    ]


def _status(trial: TrialResult) -> Text:
    if trial.status is Status.COMPLETE:
        within = trial.score is not None and trial.score.feasible
        return Text("ok" if within else "misses SLO", style="green" if within else "yellow")
    return Text(trial.status.value, style="red")


def print_outcome(console: Console, study: StudyResult) -> None:
    """The table, the reasons behind what failed, and the winner."""
    console.print(trials_table(study))
    for trial in study.trials:
        if trial.status is not Status.COMPLETE:
            console.print(f"trial {_label(trial)} is {trial.status}: {'; '.join(trial.reasons)}", style="dim", markup=False)
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
            f"  ×{study.gain['throughput']:.1f} the baseline's throughput, "
            f"p99 {_times(study.gain['p99'])}",
            highlight=False,
        )


def _times(gain: float) -> str:
    if gain != gain:
        return "not comparable"
    return f"{gain:.1f} times shorter" if gain >= 1 else f"{1 / gain:.1f} times longer"
