"""Studies and trials as tables for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.cli.across import print_across
from orchestrator.cli.breakdown import accuracy_line, batches_line, breakdown_table, padding_line
from orchestrator.cli.columns import ACCURACY, columns_of, heading
from orchestrator.cli.confirmation import gain_text, print_confirmation, recommendation
from orchestrator.cli.plain import fits, plain_table
from orchestrator.document import metrics
from orchestrator.measure.percentile import shown
from orchestrator.measure.verdict import Verdict
from orchestrator.names import (
    count_text,
    describe,
    figure,
    headline,
    label,
    rate_figure,
    short_names,
    spread,
    trial_name,
    value_text,
)
from orchestrator.pruned import summary
from orchestrator.result import BASELINE, Status, StudyResult, TrialResult

MOST_ROWS = 100
"""Trials that a table has; more than these are too many to read, and to draw while somebody waits."""

EXACT = {"requests": ",.0f", ACCURACY: ".4f"}
"""Figures with all of their digits, and how they are written."""

NARROWEST = 4
"""Letters of a knob's name side by side, where there is little room."""

SLO_WORDS = {
    Verdict.PASS: ("ok", "green"),
    Verdict.UNDECIDED: ("undecided", "yellow"),
    Verdict.FAIL: ("over SLO", "yellow"),
}


def trials_table(study: StudyResult, console: Console) -> Table:
    """All trials, the best first, then those that miss the SLO, then those without a number; of many the first ones.

    It has as many columns as fit. Where not even the most important ones do, the names of knobs are folded to the width
    of their values, then the values too; figures stay whole.
    """
    trials = _ranked(study)
    rows = trials[:MOST_ROWS]
    rows += [trial for trial in trials[MOST_ROWS:] if trial.number == BASELINE]
    known = {name for trial in rows for name in metrics(trial)}
    columns, spare = columns_of(study, known)
    wide = [(spare[:count], False) for count in range(len(spare) + 1)]
    for left_out, narrow in (*wide, (spare, True), ([*spare, "requests"], True)):
        table = _table(study, rows, [name for name in columns if name not in left_out], narrow)
        if fits(console, table):
            break
    return table


def _table(study: StudyResult, rows: Sequence[TrialResult], columns: Sequence[str], narrow: bool) -> Table:
    names = short_names(dict.fromkeys(path for trial in rows for path in trial.configuration))
    order = "highest" if study.maximize else "lowest"
    front = {trial.number for trial in study.front} if study.further else set()
    table = plain_table(f"{study.name}: {study.objective}, {order} first")
    table.add_column("trial", justify="right", no_wrap=True)
    for path, name in names.items():
        longest = max(len(value_text(trial.configuration[path])) for trial in rows if path in trial.configuration)
        folded = _folded(name, max(longest, NARROWEST)) if narrow else name.replace("_", "\n")
        table.add_column(folded, justify="right", overflow="fold")
    for name in columns:
        table.add_column(heading(name, study.is_offline), justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.caption = "± is half of the 95 % confidence interval" + ("; * is on the Pareto front" if front else "")
    if len(rows) < len(study.trials):
        table.caption += f"\nthe first {MOST_ROWS} of {len(study.trials):,} trials; all are in --json and in MLflow"
    table.caption_justify = "left"
    best = study.best
    for trial in rows:
        knobs = [value_text(trial.configuration[p]) if p in trial.configuration else "" for p in names]
        style = "bold green" if best is not None and trial.number == best.number else None
        mark = "*" if trial.number in front else ""
        table.add_row(mark + label(trial.number), *knobs, *_figures(trial, columns), _status(trial), style=style)
    return table


def _folded(name: str, width: int) -> str:
    """The words of a name one below the other, in lines of at most so many letters."""
    return "\n".join(word[at : at + width] for word in name.split("_") for at in range(0, len(word), width))


def _ranked(study: StudyResult) -> list[TrialResult]:
    def key(trial: TrialResult) -> tuple[float, float, int]:
        if trial.score is None or trial.status is not Status.COMPLETE:
            return math.inf, 0.0, trial.number
        return (*trial.score.rank(study.maximize), trial.number)

    return sorted(study.trials, key=key)


def _figures(trial: TrialResult, columns: Sequence[str]) -> list[str]:
    values = metrics(trial)
    exact = {name: layout for name, layout in EXACT.items() if name in values}
    return [
        format(values[name], exact[name]) if name in exact else figure(values.get(name)) + spread(values, name)
        for name in columns
    ]


def _status(trial: TrialResult) -> Text:
    if trial.status is Status.COMPLETE and trial.score is not None:
        decided = Verdict.PASS if trial.score.shown else Verdict.UNDECIDED
        word, style = SLO_WORDS[decided if trial.score.feasible else Verdict.FAIL]
        return Text(word, style=style)
    return Text(trial.status.value, style="magenta" if trial.status is Status.INVALID else "red")


def print_outcome(console: Console, study: StudyResult) -> None:
    """The table, the reasons behind what failed or is in doubt, the confirmation, and the winner."""
    console.print(trials_table(study, console))
    explained = [trial for trial in study.trials if trial.reasons]
    for trial in explained[:MOST_ROWS]:
        status = "" if trial.status is Status.COMPLETE else f" is {trial.status}"
        text = f"{trial_name(trial.number)}{status}: {'; '.join(trial.reasons)}"
        console.print(text, style="dim", markup=False, highlight=False)
    if len(explained) > MOST_ROWS:
        console.print(f"… and of {len(explained) - MOST_ROWS:,} trials more", style="dim", highlight=False)
    if study.inputs:
        console.print(f"requests: {study.inputs}", style="dim", markup=False, highlight=False)
    if study.pruned:
        console.print(f"pruned before deployment: {summary(study.pruned)}", style="dim", highlight=False)
    print_confirmation(console, study)
    if (found := study.compromise) is not None:
        print_across(console, study, found)
        return
    best = study.best
    if best is None or best.measurement is None:
        console.print(_no_winner(study))
        return
    names = short_names(best.configuration)
    console.print(
        f"\n[bold green]Winner: {trial_name(best.number)}[/]  {describe(best.configuration, names)}\n"
        f"  {', '.join(words + _with_interval(best, name, unit) for words, name, unit in headline(best))}"
        f"{_other_objectives(study, best)}"
        f" from {count_text(best)} in {best.measurement.duration_s:.1f} s"
        + (" of the search" if study.confirmation else ""),
        highlight=False,
    )
    if best.verdicts:
        console.print(f"  {_promise(study, best)}", highlight=False)
    if best.explanation:
        console.print(f"  {best.explanation}", highlight=False, markup=False)
    if ceiling := best.details.get("ceiling_rps"):
        console.print(f"  an application that does nothing reaches {figure(ceiling, ' req/s')} here", highlight=False)
    for text in (gain_text(study), recommendation(study)):
        for line in text.splitlines():
            console.print(f"  {line}", highlight=False)
    if study.further:
        console.print(f"  {_front(study)}", highlight=False)
    breakdown = breakdown_table(best)
    if breakdown is not None:
        console.print(breakdown)
    for text in filter(None, (batches_line(best), padding_line(best), accuracy_line(best))):
        console.print(f"  {text}", highlight=False)


def _no_winner(study: StudyResult) -> str:
    invalid = sum(trial.status is Status.INVALID for trial in study.trials)
    if invalid and not any(trial.status is Status.COMPLETE for trial in study.trials):
        return f"[bold yellow]No trial can be ranked:[/] {invalid} could not be trusted, for the reasons above."
    if study.confirmation is not None:
        return "[bold yellow]No winner:[/] none kept the SLO every time it was measured again. Relax `slo`."
    return "[bold yellow]No trial kept the SLO.[/] Relax `slo`, lower the load, or widen the space."


def _with_interval(trial: TrialResult, name: str, unit: str) -> str:
    """ "1,838 req/s (1,801 to 1,875)"."""
    values = metrics(trial)
    text = figure(values.get(name), f" {unit}".rstrip())
    lo, hi = values.get(f"{name}_lo"), values.get(f"{name}_hi")
    return text if lo is None or hi is None else f"{text} ({figure(lo)} to {figure(hi)})"


def _other_objectives(study: StudyResult, best: TrialResult) -> str:
    """ ", cost_per_million 0.0342 (0.0331 to 0.0354)", of the objectives that are told of in no other way."""
    told = (rate_figure(best), "throughput_rps", *(name for _, name, _ in headline(best)))
    names = [objective.metric for objective in study.objectives if objective.metric not in told]
    units = {name: "ms" if name.startswith("latency_") else "req/s" if name.endswith("_rps") else "" for name in names}
    return "".join(f", {shown(name)} {_with_interval(best, name, unit)}" for name, unit in units.items())


def _front(study: StudyResult) -> str:
    figures = ", ".join(shown(objective.metric) for objective in study.objectives)
    numbers = ", ".join(label(trial.number) for trial in study.front)
    return f"the best by {shown(study.objective)}; on the Pareto front of {figures}: {numbers}"


def _promise(study: StudyResult, trial: TrialResult) -> str:
    """Whether the SLO holds: by the replications where there are some, for they say more than one measurement."""
    candidates = study.confirmation.candidates if study.confirmation else ()
    again = next((one for one in candidates if one.number == trial.number), None)
    if again is not None:
        times = f"{again.kept} of {again.replications} times"
        if again.shown:
            return f"the SLO held {times} when it was measured again: it is kept with 99 % confidence"
        return (
            f"[yellow]the SLO held {times} when it was measured again, but with too little room to be sure that it is "
            "kept[/]: raise confirm.max_replications or measure.max_s, or relax slo"
        )
    if trial.verdict is Verdict.PASS:
        return "the SLO holds, with 99 % confidence"
    open_limits = ", ".join(name for name, verdict in trial.verdicts.items() if verdict is not Verdict.PASS)
    return (
        f"[yellow]the figures keep the SLO, but too few requests were measured to be sure of {open_limits}[/]: "
        "raise measure.max_s"
    )
